"""MOOFA (Memory-Constant OFA): widths chosen so that every stage uses the same memory (2024)."""

from moofa.networks import MoofaRow, moofa_supernet
from moofa.schedule import memory_constant_widths

__all__ = ["MoofaRow", "memory_constant_widths", "moofa_supernet"]
