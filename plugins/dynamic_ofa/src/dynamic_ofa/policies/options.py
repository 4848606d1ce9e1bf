"""The settings of the policies; alone, so that listing policies loads nothing else."""

from __future__ import annotations

from itertools import pairwise

from attrs import field, frozen
from attrs.validators import and_, ge, gt, le, optional

from ofa_plugins_core.jobs.torch_options import said

_PERCENT = optional(and_(gt(0), le(100)))


@frozen(kw_only=True)
class PublishedOptions:
    """Settings of the policy ``dynamic_ofa``: those of the published program and of the paper."""

    start: int | None = field(
        default=None,
        validator=optional(ge(0)),
        metadata=said("number of the first level; default: the middle one, 3 of six"),
    )
    accuracy: float = field(
        default=76.0,
        validator=and_(ge(0), le(100)),
        metadata=said("wish: a level of less is left upwards when all is quiet", unit="percent"),
    )
    window: int = field(
        default=20,
        validator=ge(1),
        metadata=said("latencies in the mean; it is divided by so many while fewer are there"),
    )
    ignore: int = field(
        default=20,
        validator=ge(0),
        metadata=said("after a switch so many latencies are left out", unit="images"),
    )
    outlier_ms: float | None = field(
        default=None,
        validator=optional(gt(0)),
        metadata=said(
            "latencies from here on are left out, so a load that makes all of them so long goes "
            "unseen; default: 1.5 times the limit, 90 at 60 (ms)"
        ),
    )
    quiet: int = field(
        default=72,
        validator=ge(1),
        metadata=said("without a violation before a step up", unit="images"),
    )
    commit: bool = field(
        default=True,
        metadata=said(
            "a level that is violated right after stepping up to it is never tried again, as the "
            "paper says; off, as the published program has it: tried for ever"
        ),
    )
    memory_percent: float | None = field(
        default=None,
        validator=_PERCENT,
        metadata=said(
            "step down while more of the memory is used; default: not looked at, 70 was published "
            "as an idea (percent)"
        ),
    )
    gpu_memory_percent: float | None = field(
        default=None,
        validator=_PERCENT,
        metadata=said("the same of the GPU's memory; default: not looked at (percent)"),
    )


@frozen(kw_only=True)
class GreedyOptions:
    """Settings of the policy ``greedy``."""

    window: int = field(
        default=11,
        validator=ge(1),
        metadata=said("the slowdown is the median of so many inferences"),
    )
    margin: float = field(
        default=0.1,
        validator=ge(0),
        metadata=said("a level is in time where so much more would be: 0.1 is 10 % of latency"),
    )


def _increasing(instance: object, attribute: object, value: tuple[float, ...]) -> None:
    if any(b <= a for a, b in pairwise(value)) or any(v <= 0 for v in value):
        raise ValueError(f"expected increasing numbers over 0, found {list(value)}")


@frozen(kw_only=True)
class HysteresisOptions:
    """Settings of the policy ``hysteresis``."""

    high: float = field(
        default=1.0,
        validator=gt(0),
        metadata=said("down where the quantile of latency is over so much of the limit"),
    )
    low: float = field(
        default=0.9,
        validator=gt(0),
        metadata=said("up where it would be under so much of the limit at the level above"),
    )
    quantile: float = field(
        default=0.9,
        validator=and_(gt(0), le(1)),
        metadata=said("of latencies; 0.9 means to be in time nine times in ten"),
    )
    window: int = field(
        default=40,
        validator=ge(1),
        metadata=said("inferences in the quantile; the table's own latencies stand in at first"),
    )
    dwell: int = field(
        default=20,
        validator=ge(1),
        metadata=said(
            "quiet before a step up; doubled after a step that did not hold, to 32 times"
        ),
    )
    actuator: str | None = field(
        default=None,
        metadata=said(
            "set this, too: up at the fastest level that is late, down at the most accurate one "
            "with room (ofa list actuators)",
            metavar="NAME",
        ),
    )
    values: tuple[float, ...] = field(
        default=(),
        validator=_increasing,
        metadata=said("of the actuator, increasing; the first is set at the start", metavar="LIST"),
    )

    def __attrs_post_init__(self) -> None:
        """Raises ValueError for settings that do not fit together."""
        if self.low >= self.high:
            raise ValueError(f"low is less than high, found {self.low} and {self.high}")
        if (self.actuator is None) != (not self.values):
            raise ValueError("an actuator and its values go together")
