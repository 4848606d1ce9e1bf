"""The settings of monitors and actuators; alone, so that listing them loads nothing else."""

from __future__ import annotations

from attrs import frozen


@frozen
class CpuClockOptions:
    """Settings of the actuator ``cpu_max_mhz``."""
