"""CompOFA: depth and expand ratio coupled, so that 10**19 networks become 243 (ICLR 2021)."""

from compofa.coupling import coupled
from compofa.networks import CompoundRow, compound_supernet

__all__ = ["CompoundRow", "compound_supernet", "coupled"]
