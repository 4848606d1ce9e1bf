"""The options of ``ofa run switch``."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import ge, gt, optional

from dynamic_ofa.options import PolicyOptions
from ofa_plugins_core.jobs.torch_options import said


@frozen(kw_only=True, slots=False)
class SwitchOptions(PolicyOptions):
    """Options of ``ofa run switch``."""

    supernet: str | None = field(
        default=None, metadata=said("default: the one that the table names", metavar="NAME|FILE")
    )
    weights: str | None = field(
        default=None,
        metadata=said(
            "a checkpoint, a name of ofa weights list, or synthetic; default: those that the table "
            "was made with, as far as they are synthetic or cached",
            metavar="FILE|NAME|synthetic",
        ),
    )
    mode: Literal["resident", "in_place"] = field(
        default="resident",
        metadata=said(
            "resident: levels side by side, sharing what is equal; in_place: one network, a switch "
            "writes a level's statistics into it"
        ),
    )
    device: Literal["cpu", "cuda"] = field(default="cpu", metadata=said("where levels run"))
    threads: int | None = field(
        default=None,
        validator=optional(ge(1)),
        metadata=said("of torch inside an operation; default: as the table was measured"),
    )
    images: str = field(
        default="random",
        metadata=said("random, or a folder of images: of any form that evaluate takes, too"),
    )
    batch: int = field(default=1, validator=ge(1), metadata=said("an inference", unit="images"))
    seconds: float | None = field(
        default=None,
        validator=optional(gt(0)),
        metadata=said("length of the run; default: 30, where no --count is given", unit="seconds"),
    )
    count: int | None = field(
        default=None,
        validator=optional(ge(1)),
        metadata=said("end after so many inferences, if --seconds are not over before"),
    )
    every: str | None = field(
        default=None,
        metadata=said(
            "a frame comes so often, and those that come while one runs are left out; default: the "
            "next inference begins when the last is done",
            metavar="TIME",
            example="'33 ms'",
        ),
    )
    contend: int = field(
        default=0,
        validator=ge(0),
        metadata=said("a second load: so many busy processes of this machine's processor"),
    )
    contend_during: str | None = field(
        default=None,
        metadata=said(
            "from when to when they work; default: the middle third of --seconds",
            metavar="FROM:TO",
            example="'5 s:20 s'",
        ),
    )
    monitors: str | None = field(
        default=None,
        metadata=said(
            "what is read beside latency: ofa list monitors; default: whatever this machine has",
            metavar="LIST|none",
        ),
    )
    monitor_every: str = field(
        default="500 ms", metadata=said("how often monitors are read", metavar="TIME")
    )
    actuators: str | None = field(
        default=None,
        metadata=said(
            "what the policy may set beside the level: ofa list actuators; put back in the end; "
            "default: nothing",
            metavar="LIST|none",
        ),
    )
    record: bool = field(
        default=True,
        metadata=said("write the run as a trace that ofa run simulate --trace plays: trace.jsonl"),
    )
