"""The rows of a profile: what is forced in each, and the networks that are drawn for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from block_profile.profiling.forcing import NOTHING, Forcing, forcing_of
from block_profile.profiling.profile import RANDOM, Draws, Rule
from block_profile.profiling.specs import Catalogue, Wanted
from ofa_plugins_core.values import RESOLUTION, Genes, SearchSpace


@frozen(eq=False)
class RowPlan:
    """A row before its networks are drawn.

    Attributes:
        label: as the published CSV has it.
        forcing: what is forced. size: the only image size, pixels; None where all are drawn.
    """

    label: str
    forcing: Forcing
    size: int | None


def wanted_rows(catalogue: Catalogue, blocks: Sequence[str], depths: bool) -> list[Wanted]:
    """What is asked for: every block, or the named ones; then every depth of every unit.

    Raises:
        UsageError: a named block does not read so, or the space has no such block.
    """
    if blocks:
        found = [wanted for text in blocks for wanted in catalogue.named(text)]
    else:
        found = [Wanted((demand,)) for demand in catalogue.blocks()]
    return found + ([Wanted((d,)) for d in catalogue.depths()] if depths else [])


def row_plans(
    wanted: Sequence[Wanted], space: SearchSpace, rule: Rule, sizes: Sequence[int] | None
) -> list[RowPlan]:
    """Rows in order; before them one of random networks, for each image size that is asked for.

    Args:
        sizes: each row once at each of these; None: rows over all sizes.

    Raises:
        UsageError: blocks that are forced together exclude each other.
    """
    forcings = [forcing_of(w.demands, space, rule) for w in wanted]
    rows = []
    for found, forcing in zip(wanted, forcings, strict=True):
        own = [found.size] if found.size is not None or sizes is None else sizes
        rows += [RowPlan(labelled(forcing.label, size), forcing, size) for size in own]
    asked = dict.fromkeys(row.size for row in rows) or {None: None}
    random = [RowPlan(labelled(RANDOM, size), NOTHING, size) for size in asked]
    return [*random, *rows]


def labelled(text: str, size: int | None) -> str:
    """With its image size, where a row has but one."""
    return text if size is None else f"{text} with Resolution {size}"


@frozen(eq=False)
class Drawing:
    """How networks are drawn.

    Attributes:
        space: of the networks, with every image size that a row may have.
        sizes: image sizes that are drawn from, pixels.
        count: networks a row. seed: of the generator.
        draws: ``common``: every row forces its block on the same networks, so that rows differ by
            what is forced and less by chance; ``balanced``: and among these each option of a gene
            is as frequent as the others (Latin hypercube sampling: McKay et al., 1979), which
            leaves each network's law as it is and brings means closer to those of all networks;
            ``independent``: each row draws its own, as published.
    """

    space: SearchSpace
    sizes: tuple[int, ...]
    count: int
    seed: int
    draws: Draws

    def networks(self, rows: Sequence[RowPlan]) -> Iterator[tuple[Genes, float]]:
        """Of each row its (count, genes), canonical, and the share that has what is forced."""
        generator = np.random.Generator(np.random.PCG64(self.seed))
        base = self._drawn(generator)
        for number, row in enumerate(rows):
            if self.draws == "independent" and number:
                base = self._drawn(generator)
            genes = row.forcing.apply(base)
            if row.size is not None:
                genes[:, RESOLUTION] = self.space.resolutions.index(row.size)
            share = float(row.forcing.met(genes).mean()) if self.count else 0.0
            yield self.space.canonical(genes), share

    def _drawn(self, generator: np.random.Generator) -> Genes:
        """(count, genes), not canonical: each gene's options are equally likely in each row."""
        options = self.space.sizes.copy()
        options[RESOLUTION] = len(self.sizes)
        if self.draws == "balanced":
            columns = [_balanced(int(size), self.count, generator) for size in options]
            genes = np.stack(columns, axis=1).astype(np.uint8)
        else:
            shape = (self.count, len(options))
            genes = generator.integers(0, options, size=shape, dtype=np.uint8)
        places = [self.space.resolutions.index(size) for size in self.sizes]
        genes[:, RESOLUTION] = np.array(places, dtype=np.uint8)[genes[:, RESOLUTION]]
        return genes


def _balanced(options: int, count: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """(count,) options in random order, each as often as the others; the odd ones by chance."""
    odd = generator.permutation(options)[: count % options]
    even = np.tile(np.arange(options), count // options)
    return generator.permutation(np.concatenate([even, odd]))
