"""The settings of the policies; alone, so that listing policies loads nothing else."""

from __future__ import annotations

from attrs import frozen


@frozen
class PublishedOptions:
    """Settings of the policy ``dynamic_ofa``."""


@frozen
class GreedyOptions:
    """Settings of the policy ``greedy``."""


@frozen
class HysteresisOptions:
    """Settings of the policy ``hysteresis``."""
