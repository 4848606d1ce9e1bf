"""Where blocks differ: the units and layers of a geometry, and the blocks that each can hold.

Block profiling's view of a supernet (Mills et al., CIKM 2021): a *unit* is a stage of blocks, a
*layer* a place in it, both counted from 0; a place holds one of a few *blocks*. Which genes lead to
a block is read off the geometry, so that any supernet has the view: free choices, coupled ones
(CompOFA) and such as several places share (ResNet's widths).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.geometry import Block, Geometry, Site
from ofa_plugins_core.values import Number


@frozen(eq=False)
class Option:
    """One of the blocks that a place can hold.

    Attributes:
        choice: what tells the block from the place's others, for example ``(("k", 7), ("e", 6))``;
            () where the place is only used or not.
        used: whether there is a block at all.
        allowed: column of a gene -> indices of its options, increasing: of the site's genes,
            exactly their combinations give this block.
        block: one of them; None where the place is not used.
    """

    choice: tuple[tuple[str, Number], ...]
    used: bool
    allowed: Mapping[int, tuple[int, ...]]
    block: Block | None

    @property
    def label(self) -> str:
        """As the field writes it: ``MBConv6_7x7``; else kind and values."""
        if self.block is None:
            return "skipped"
        chosen = dict(self.choice)
        if self.block.kind == "mbconv" and chosen.keys() == {"k", "e"}:
            return f"MBConv{chosen['e']}_{chosen['k']}x{chosen['k']}"
        values = " ".join(f"{key}{value}" for key, value in self.choice)
        return f"{self.block.kind} {values}" if values else "kept"


@frozen(eq=False)
class Place:
    """A place where blocks differ.

    Attributes:
        unit: number of its unit, from 0; None for what comes before the units (ResNet's stem).
        layer: number within its unit, or within what comes before the units, from 0.
        site: its position among the geometry's sites.
        name: of the site.
        options: the blocks that it can hold, one or more.
        own: columns of the genes that decide about this place alone, increasing.
        shared: columns of its other genes, increasing: the depth, a coupled or a common width.
    """

    unit: int | None
    layer: int
    site: int
    name: str
    options: tuple[Option, ...]
    own: tuple[int, ...]
    shared: tuple[int, ...]

    @property
    def label(self) -> str:
        """``Unit 1 Layer 0``; the site's name before the units."""
        return place_label(self.unit, self.layer, self.name)

    def option(self, choice: Mapping[str, Number]) -> Option | None:
        """The block with exactly this choice, or None."""
        return next((o for o in self.options if dict(o.choice) == dict(choice)), None)


def place_label(unit: int | None, layer: int | None, name: str) -> str:
    """``Unit 1 Layer 0``, ``Unit 1`` of all its layers; the site's name before the units."""
    if unit is None:
        return name.capitalize()
    return f"Unit {unit}" if layer is None else f"Unit {unit} Layer {layer}"


@frozen(eq=False)
class Unit:
    """Consecutive places, of which the last ones may be unused.

    Attributes:
        number: from 0.
        places: in order.
        depth: column of the gene that says how many are used; None where all always are.
    """

    number: int
    places: tuple[Place, ...]
    depth: int | None


def places(geometry: Geometry) -> tuple[Place, ...]:
    """The places where blocks differ, in the order in which a network runs through them.

    Raises:
        UsageError: a block is had by combinations of genes that are no product of options.
    """
    counts: dict[int | None, int] = {}
    common = _common(geometry)
    found = []
    for position, site in enumerate(geometry.sites):
        options = _options(geometry, site)
        if all(o.used and not o.choice for o in options):
            continue  # the same choice whatever the genes say: its width follows another's
        if not any(o.used for o in options):
            continue  # a smaller space's depths never reach it
        stage = next(o.block.stage for o in options if o.block is not None)
        layer = counts.get(stage, 0)
        counts[stage] = layer + 1
        unit = None if stage is None else [s for s in counts if s is not None].index(stage)
        own = tuple(c for c in site.genes if c not in common)
        shared = tuple(c for c in site.genes if c in common)
        found.append(Place(unit, layer, position, site.name, options, own, shared))
    return tuple(found)


def units(geometry: Geometry) -> tuple[Unit, ...]:
    """The units, in order; what comes before them is in none."""
    all_places = places(geometry)
    numbers = dict.fromkeys(p.unit for p in all_places if p.unit is not None)
    found = []
    for number in numbers:
        within = tuple(p for p in all_places if p.unit == number)
        found.append(Unit(number, within, _depth(geometry, within)))
    return tuple(found)


def _common(geometry: Geometry) -> set[int]:
    """Columns of genes that several sites depend on, or that other genes' options depend on."""
    uses = Counter(column for site in geometry.sites for column in site.genes)
    common = {column for column, count in uses.items() if count > 1}
    return common | {c for gene in geometry.space.genes for c in gene.controls}


def _options(geometry: Geometry, site: Site) -> tuple[Option, ...]:
    """What a site can hold, used ones first, in the order of the options of its genes."""
    if not site.genes:
        return ()
    rows: dict[tuple[bool, tuple[tuple[str, Number], ...]], list[tuple[int, ...]]] = {}
    blocks: dict[tuple[bool, tuple[tuple[str, Number], ...]], Block | None] = {}
    for index, block in geometry.options(site, geometry.space.resolutions[0]):
        key = (block is not None, () if block is None else block.choice)
        rows.setdefault(key, []).append(index)
        blocks.setdefault(key, block)
    free = any(choice for used, choice in rows if used)
    return tuple(
        Option(choice, used, _product(site, rows[used, choice]), blocks[used, choice])
        for used, choice in sorted(rows, key=lambda k: (not k[0], rows[k][0]))
        if used or not free
    )


def _product(site: Site, rows: Sequence[tuple[int, ...]]) -> dict[int, tuple[int, ...]]:
    """Column -> option indices; the rows must be all of their combinations."""
    columns = [tuple(sorted(set(column))) for column in zip(*rows, strict=True)]
    if prod(len(c) for c in columns) != len(rows):
        raise UsageError(
            f"{site.name}: one block is had by combinations of choices that are no product, so "
            "its places cannot be told apart"
        )
    return dict(zip(site.genes, columns, strict=True))


def _depth(geometry: Geometry, within: Sequence[Place]) -> int | None:
    """The shared gene of which some option leaves a place unused, whatever the others say."""
    for place in reversed(within):
        site = geometry.sites[place.site]
        used = _used(geometry, site)
        for column in place.shared:
            axis = site.genes.index(column)
            others = tuple(i for i in range(used.ndim) if i != axis)
            if not used.any(axis=others).all():
                return column
    return None


def _used(geometry: Geometry, site: Site) -> NDArray[np.bool_]:
    """One axis a gene: whether the site holds a block."""
    used = np.zeros([len(geometry.space.genes[c].options) for c in site.genes], dtype=bool)
    for index, block in geometry.options(site, geometry.space.resolutions[0]):
        used[index] = block is not None
    return used
