"""The settings of monitors and actuators; alone, so that listing them loads nothing else."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen


@frozen
class CpuClockOptions:
    """Settings of the actuator ``cpu_max_mhz``."""

    root: Path = field(
        default=Path("/"), metadata={"help": "of the file system in which cpufreq is, for tests"}
    )
