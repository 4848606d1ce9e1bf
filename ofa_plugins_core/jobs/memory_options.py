"""Options of ``ofa run memory``; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import field, frozen

from ofa_plugins_core.jobs.options import SUPERNET
from ofa_plugins_core.jobs.torch_options import ArchOptions, said

PLANNERS = ("onnxruntime", "executorch", "torch")


@frozen(kw_only=True, slots=False)
class MemoryOptions(ArchOptions):
    """Options of ``ofa run memory``: weights do not matter, no planner looks at their values."""

    supernet: str = field(metadata=SUPERNET)
    dtype: Literal["fp32", "int8"] | None = field(
        default=None, metadata=said("of the planned networks; default: both")
    )
    planner: tuple[Literal["onnxruntime", "executorch", "torch"], ...] = field(
        default=(),
        metadata=said(
            "whose plan is shown; repeatable; default: all that are installed", metavar="NAME"
        ),
    )
    plot: Path | None = field(
        default=None,
        metadata=said(
            "of one architecture: draw its memory op by op, by liveness; needs [plot]",
            metavar="FILE.svg|png",
        ),
    )
