"""Options of ``energy``; alone, so that listing costs loads nothing else."""

from __future__ import annotations

from attrs import field, frozen
from attrs.validators import ge, gt


@frozen(kw_only=True)
class EnergyOptions:
    """Options of ``energy``."""

    qualifier: str | None = field(default=None, metadata={"help": "name of the device"})
    batch: int = field(default=1, validator=ge(1), metadata={"help": "images a pass"})
    rail: str | None = field(
        default=None, metadata={"help": "power rail; default: that of the whole board"}
    )
    seconds: float = field(default=3.0, validator=gt(0), metadata={"help": "of passes in a run"})
    settle_seconds: float = field(
        default=2.0, validator=ge(0), metadata={"help": "before each idle time, to calm down"}
    )
    idle_seconds: float = field(
        default=2.0, validator=gt(0), metadata={"help": "before each run, for the idle power"}
    )
    interval_ms: int = field(
        default=100, validator=ge(10), metadata={"help": "between readings of power"}
    )
    repeats: int = field(
        default=3, validator=ge(1), metadata={"help": "runs, of which the median counts"}
    )
    memo: bool = field(default=True, metadata={"help": "keep results in the user's cache folder"})
