"""Which choices a smaller space makes together that the whole one makes one by one."""

from __future__ import annotations

from ofa_plugins_core.reduction.supernet import ReducedSupernet


def chosen_together(supernet: ReducedSupernet) -> tuple[tuple[str, ...], int]:
    """Keys of dimensions of which some genes are joined, in their order, and how many genes are.

    Where only some pairs of kernel and expand ratio are left at a place, one gene stands for both.
    """
    joined = [column for column in supernet.reduced.columns if len(column.genes) > 1]
    columns = {c for column in joined for c in column.genes}
    whole = supernet.reduced.whole
    keys = [d.key for d in whole.dimensions if any(e in columns for e in d.entries)]
    return tuple(keys), len(joined)
