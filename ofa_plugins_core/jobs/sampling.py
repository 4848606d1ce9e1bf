"""What a sampler returned, looked at before hours of measuring are spent on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ofa_plugins_core.blame import Plugin, attempt
from ofa_plugins_core.entries import SamplerEntry
from ofa_plugins_core.errors import PluginError
from ofa_plugins_core.handing import Guarded
from ofa_plugins_core.interfaces import Ranged, Sampler
from ofa_plugins_core.values import Genes, SearchSpace


def sampled(
    entry: SamplerEntry,
    sampler: Sampler,
    space: SearchSpace,
    n: int,
    generator: np.random.Generator,
) -> Genes:
    """Draw n architectures: (n, genes), canonical.

    Args:
        entry: as the host handed it out; its plugin is the one to blame. sampler: that it built.

    Raises:
        OfaError: as the sampler raised it.
        PluginError: anything else that it raised, or what it drew is no sample; with blame.
    """
    found = _asked(entry, "sample()", sampler.sample, n, generator)
    flaw = sample_flaw(found, space, n)
    if flaw:
        raise PluginError(f"{_label(entry)}sampler {entry.name!r}: {flaw}")
    return space.canonical(found)


def ranges_of(entry: SamplerEntry, sampler: Sampler) -> NDArray[np.float64]:
    """(ranges + 1,) the ends of the ranges that a sampler fills; () where it fills none.

    Raises:
        PluginError: what it gives are no ranges, with blame.
    """
    if not isinstance(sampler, Ranged):
        return np.zeros(0)
    edges = _asked(entry, "edges", lambda: np.asarray(sampler.edges, dtype=float))
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        flaw = f"its edges are {edges.tolist()!r:.60}, which are no increasing numbers"
        raise PluginError(f"{_label(entry)}sampler {entry.name!r}: {flaw}")
    return np.array(edges)


def sample_flaw(found: Any, space: SearchSpace, n: int) -> str | None:
    """Why what a sampler returned is no sample of n networks of a space, or None."""
    if not isinstance(found, np.ndarray):
        return f"sample() gave a {type(found).__name__}, not an array of options"
    if not np.issubdtype(found.dtype, np.integer):
        return f"sample() gave an array of {found.dtype}, not of whole numbers"
    due = (n, len(space.genes))
    if found.shape != due:
        return f"sample() gave an array of shape {found.shape}, not {due}: networks, genes"
    outside = np.argwhere((found < 0) | (found >= space.sizes))
    if not len(outside):
        return None
    row, column = outside[0]
    gene = space.genes[column]
    return (
        f"sample() gave option {found[row, column]} of {gene.name}, which has "
        f"{len(gene.options)}: 0 to {len(gene.options) - 1}"
    )


def _plugin(entry: SamplerEntry) -> Plugin | None:
    """Who offers a sampler; None where nobody has handed it out, as in a test."""
    return entry.build.plugin if isinstance(entry.build, Guarded) else None


def _label(entry: SamplerEntry) -> str:
    plugin = _plugin(entry)
    return "" if plugin is None else f"{plugin.label}: "


def _asked(entry: SamplerEntry, what: str, call: Any, *args: Any) -> Any:
    plugin = _plugin(entry)
    if plugin is None:
        return call(*args)
    return attempt(plugin, f"sampler {entry.name!r}: {what}", call, *args)
