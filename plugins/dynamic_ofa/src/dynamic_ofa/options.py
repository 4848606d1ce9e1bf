"""Flags that several jobs of this plugin share; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

from attrs import field, frozen

from ofa_plugins_core.jobs.torch_options import said


@frozen(kw_only=True, slots=False)
class PolicyOptions:
    """Which levels, and who chooses among them."""

    levels: str = field(
        metadata=said(
            "a level table: a file, a run of ofa run levels, a published pickle, or the name of "
            "one that ships (moofa_v3)",
            metavar="FILE|FOLDER|NAME",
        )
    )
    policy: str = field(
        default="dynamic_ofa",
        metadata=said("who chooses the level: ofa list policies", metavar="NAME"),
    )
    limit: str = field(
        metadata=said(
            "on the latency of an inference; may change over time",
            metavar="TIME",
            example="'60 ms' or '60 ms, 45 ms from 10 s, 60 ms from 20 s'",
        )
    )
    accuracy: str | None = field(
        default=None,
        metadata=said("wish of the policy, where it takes one", metavar="PERCENT", example="76"),
    )
    start: int | None = field(
        default=None,
        metadata=said(
            "number of the first level, 0 is the fastest; default: the policy's choice, else the "
            "most accurate one that the limit allows by the table"
        ),
    )
    settle: str = field(
        default="2 s",
        metadata=said(
            "after the start and each change of limit or load: what of the run counts as settled",
            metavar="TIME",
        ),
    )
    plot: bool = field(
        default=True,
        metadata=said("draw the timeline into the run's folder; needs [plot]"),
    )
