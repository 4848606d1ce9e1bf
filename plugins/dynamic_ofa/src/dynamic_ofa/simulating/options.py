"""The options of ``ofa run simulate``."""

from __future__ import annotations

from attrs import field, frozen

from dynamic_ofa.options import PolicyOptions
from ofa_plugins_core.jobs.torch_options import said


@frozen(kw_only=True, slots=False)
class SimulateOptions(PolicyOptions):
    """Options of ``ofa run simulate``."""

    trace: str = field(
        default="demo",
        metadata=said("a trace: a file, or the name of one that ships", metavar="FILE|NAME"),
    )
