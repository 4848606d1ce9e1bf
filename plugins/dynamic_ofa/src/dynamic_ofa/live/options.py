"""The options of ``ofa run switch``."""

from __future__ import annotations

from attrs import frozen

from dynamic_ofa.options import PolicyOptions


@frozen(kw_only=True, slots=False)
class SwitchOptions(PolicyOptions):
    """Options of ``ofa run switch``."""
