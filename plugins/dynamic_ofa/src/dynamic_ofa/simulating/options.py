"""The options of ``ofa run simulate``."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import and_, ge, le

from dynamic_ofa.options import PolicyOptions
from ofa_plugins_core.jobs.torch_options import said


@frozen(kw_only=True, slots=False)
class SimulateOptions(PolicyOptions):
    """Options of ``ofa run simulate``."""

    limit: str | None = field(  # type: ignore[assignment]  # a trace may set it
        default=None,
        metadata=said(
            "on the latency of an inference; may change over time; needed where no trace sets it",
            metavar="TIME",
            example="'60 ms' or '60 ms, 45 ms from 10 s, 60 ms from 20 s'",
        ),
    )
    trace: str = field(
        default="demo",
        metadata=said(
            "a trace: a file, or the name of one that ships: limits, contention, clock, thermal, "
            "battery, demo",
            metavar="FILE|NAME",
        ),
    )
    trace_limits: bool = field(
        default=True,
        metadata=said("take the limits that the trace sets before --limit"),
    )
    gaps: Literal["refuse", "hold", "skip"] = field(
        default="refuse",
        metadata=said("where a recorded trace says nothing: hold what it said last, or leave out"),
    )
    every: str | None = field(
        default=None,
        metadata=said(
            "a frame comes so often, and those that come while one runs or in a gap are left out; "
            "default: the next inference begins when the last is done",
            metavar="TIME",
            example="'33 ms'",
        ),
    )
    jitter: float = field(
        default=0.0,
        validator=and_(ge(0), le(2)),
        metadata=said(
            "of latency from image to image, lognormal, 0.1 is about 10 %; the same for every "
            "policy and the optimum, by --seed"
        ),
    )
    switch_cost: str | None = field(
        default=None,
        metadata=said(
            "by which the first inference after a switch is longer; default: nothing",
            metavar="TIME",
            example="'5 ms'",
        ),
    )
    compare: bool = field(
        default=False, metadata=said("every policy there is on this trace, in one table")
    )
