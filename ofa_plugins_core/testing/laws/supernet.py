"""Laws of supernets, their search space and geometry: (supernet, None, generator)."""

from __future__ import annotations

import json
import pickle
from itertools import pairwise
from typing import Any, Final

import numpy as np

from ofa_plugins_core.errors import OfaError, UsageError
from ofa_plugins_core.geometry import Block
from ofa_plugins_core.handing import absent_members
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.testing.laws import Law, LawBrokenError, NotApplicableError, demand, effects
from ofa_plugins_core.testing.laws.networks import ODD_SIZES, SAMPLE, as_dicts, drawn, same
from ofa_plugins_core.testing.laws.tables import sound_tables
from ofa_plugins_core.testing.toys import toy_supernet
from ofa_plugins_core.values import Genes, SearchSpace

Rng = np.random.Generator
LISTABLE: Final = 200_000
"""Most combinations of one group's options that are listed one by one."""


def params(block: Block) -> int:
    """A sum over blocks."""
    return sum(op.params for op in block.ops)


def macs(block: Block) -> int:
    """Another sum, which depends on the image size."""
    return sum(op.macs for op in block.ops)


def largest(block: Block) -> int:
    """A maximum over blocks."""
    return max(op.inputs + op.outputs for op in block.ops)


def says_what_it_is(supernet: Supernet, _: Any, generator: Rng) -> None:
    """It has a name, a space and image sizes, and everything else of the Protocol.

    Give it what is said to be missing; ofa_plugins_core.interfaces.Supernet lists every member.
    """
    lacking = absent_members(supernet, Supernet)
    demand(not lacking, f"it has no {', '.join(lacking)}")
    demand(isinstance(supernet.name, str) and supernet.name, f"its name is {supernet.name!r}")
    sizes = supernet.space.resolutions
    demand(
        tuple(supernet.resolutions) == sizes,
        f"its image sizes are {supernet.resolutions}, its space has {sizes}",
    )
    demand(
        sizes == tuple(sorted(set(sizes))) and sizes[0] >= 32,
        f"its image sizes {sizes} do not increase from 32 up",
    )
    demand(supernet.geometry().space.genes == supernet.space.genes, "its geometry has other genes")


def decode_and_encode(supernet: Supernet, _: Any, generator: Rng) -> None:
    """A network that is decoded and encoded again is itself, as Arch and as dict.

    Give each gene its true options and each dimension its genes, so that nothing is lost on the
    way.
    """
    space = supernet.space
    rows = drawn(space, generator)
    archs = space.decode(rows)
    demand(np.array_equal(space.encode(archs), rows), "Archs encode to other networks")
    demand(np.array_equal(space.encode(as_dicts(space, rows)), rows), "dicts encode to others")
    demand(space.decode(space.encode(archs)) == archs, "encoding and decoding changes an Arch")


def canonical_is_settled(supernet: Supernet, _: Any, generator: Rng) -> None:
    """The canonical form of a canonical form is itself, inside the space; decoding keeps it.

    Set a gene's canonical option where its slot is unused, and let no such option depend on one
    that is changed in turn.
    """
    space = supernet.space
    raw = space.sample(200, generator)
    once = space.canonical(raw)
    demand(np.array_equal(space.canonical(once), once), "canonical changes a canonical form")
    demand((once < space.sizes).all(), "canonical leaves the space")
    demand(space.decode(raw) == space.decode(once), "two forms of a network decode differently")


def count_is_exact(supernet: Supernet, _: Any, generator: Rng) -> None:
    """The count of distinct networks is what listing them group by group gives.

    Let the space count: build it as a SearchSpace, with genes of one stage in one group.
    """
    space = supernet.space
    total = 1
    for columns in space.groups:
        total *= _listed(space, columns)
    demand(space.count() == total, f"count() says {space.count():,}, listing {total:,}")


def _listed(space: SearchSpace, columns: tuple[int, ...]) -> int:
    sizes = space.sizes[list(columns)]
    if np.prod(sizes.astype(float)) > LISTABLE:
        raise NotApplicableError("a group of the space is too large to list")
    grid = np.indices(tuple(sizes), dtype=np.uint8).reshape(len(columns), -1).T
    rows = np.zeros((len(grid), len(space.genes)), dtype=np.uint8)
    rows[:, list(columns)] = grid
    return len(np.unique(space.canonical(rows)[:, list(columns)], axis=0))


def distinct_rows_are_distinct_networks(supernet: Supernet, _: Any, generator: Rng) -> None:
    """Canonical rows that differ are networks whose ops differ.

    Say with the gene's canonical where its option changes nothing, or leave out the option.
    """
    space, geometry = supernet.space, supernet.geometry()
    for row in drawn(space, generator):
        column = int(generator.integers(1, len(space.genes)))
        for option in range(len(space.genes[column].options)):
            other = row.copy()
            other[column] = option
            pair = space.canonical(np.stack([row, other]))
            if np.array_equal(pair[0], pair[1]):
                continue
            ops = [[b.ops for b in geometry.blocks(a)] for a in space.decode(pair)]
            name = space.genes[column].name
            demand(ops[0] != ops[1], f"another option of {name} gives the very same ops")


def blocks_agree_with_tables(supernet: Supernet, _: Any, generator: Rng) -> None:
    """Blocks of a network, priced and joined, are what the geometry's tables give.

    Make a block from its site's values and the image size alone, the same each time.
    """
    demand_blocks_agree(supernet, drawn(supernet.space, generator, SAMPLE // 2))


def demand_blocks_agree(supernet: Supernet, rows: Genes) -> None:
    """Demand that blocks and tables agree on given networks, at every image size."""
    geometry, space = supernet.geometry(), supernet.space
    for index, size in enumerate(supernet.resolutions):
        at_size = rows.copy()
        at_size[:, 0] = index
        blocks = [geometry.blocks(a) for a in space.decode(at_size)]
        for price in (params, macs):
            tables = geometry.separable(size, price, "sum")
            sound_tables(tables, space)
            summed = np.array([sum(map(price, found)) for found in blocks])
            same(tables.evaluate(at_size), summed, f"{price.__name__} at {size}")
        most = np.array([max(map(largest, found)) for found in blocks])
        same(geometry.separable(size, largest, "max").evaluate(at_size), most, f"max at {size}")


def ops_fit_together(supernet: Supernet, _: Any, generator: Rng) -> None:
    """Each block takes what the one before it gives: channels and pixels, at any image size.

    Follow channels and pixels from op to op: each takes what the one before it gives.
    """
    for size in ODD_SIZES:
        for arch in as_dicts(supernet.space, drawn(supernet.space, generator, 6), size):
            blocks = supernet.geometry().blocks(arch)
            demand(blocks[0].ops[0].channels_in == 3, "the first op does not take an image")
            demand(blocks[0].ops[0].size_in == size, f"the first op is not at {size} pixels")
            for one, two in pairwise(blocks):
                _fit(one, two, size)


def _fit(one: Block, two: Block, size: int) -> None:
    last = next(o for o in reversed(one.ops) if not o.name.startswith("shortcut"))
    gives, takes = (last.channels_out, last.size_out), (two.ops[0].channels_in, two.ops[0].size_in)
    demand(gives == takes, f"at {size}: {one.name} gives {gives}, {two.name} takes {takes}")
    if two.shortcut:
        end = (two.ops[-1].channels_out, two.ops[-1].size_out)
        demand(end == takes, f"at {size}: {two.name} adds its input {takes} to {end}")


def other_image_sizes(supernet: Supernet, _: Any, generator: Rng) -> None:
    """``at`` changes the image sizes and nothing else, and not the supernet itself.

    Return a new supernet from at(), with the sizes sorted and all else as it is.
    """
    before = tuple(supernet.resolutions)
    other = supernet.at([96, 64])
    demand(
        tuple(other.resolutions) == (64, 96),
        f"at([96, 64]) gives the image sizes {other.resolutions}",
    )
    demand(other.space.genes[1:] == supernet.space.genes[1:], "at changes other genes")
    demand(tuple(supernet.resolutions) == before, "at changes the supernet that it is called on")
    arch = as_dicts(supernet.space, drawn(supernet.space, generator, 2), 96)[1]
    blocks = (supernet.geometry().blocks(arch), other.geometry().blocks(arch))
    demand(blocks[0] == blocks[1], "the same network has other blocks there")


def as_built_is_settled(supernet: Supernet, _: Any, generator: Rng) -> None:
    """What is really extracted is a supernet over the same space, and itself as built.

    Return from as_built() a supernet over the same genes, whose as_built() is itself.
    """
    built = supernet.as_built()
    demand(built.space.genes == supernet.space.genes, "as_built has other genes")
    rows = drawn(built.space, generator, 4)
    again = built.as_built()
    for arch in built.space.decode(rows):
        blocks = (built.geometry().blocks(arch), again.geometry().blocks(arch))
        demand(blocks[0] == blocks[1], "as built of as built differs")


def priced_as_others(supernet: Supernet, _: Any, generator: Rng) -> None:
    """Priced as itself it costs the same; as a network with other slots it is refused.

    Compare the other supernet's genes with your own, and raise UsageError where they differ.
    """
    own = supernet.priced_as(supernet)
    demand(own.space.genes == supernet.space.genes, "priced_as changes the space")
    for arch in supernet.space.decode(drawn(supernet.space, generator, 4)):
        blocks = (own.geometry().blocks(arch), supernet.geometry().blocks(arch))
        demand(blocks[0] == blocks[1], "priced as itself it has other blocks")
    alien = toy_supernet("alien", stages=1 + len(supernet.space.groups) % 3)
    try:
        supernet.priced_as(alien)
    except UsageError:
        return
    demand(False, "a network with other slots was accepted for its prices")


def foreign_networks_are_refused(supernet: Supernet, _: Any, generator: Rng) -> None:
    """A dict that is not of the space ends with an OfaError.

    Raise InputError where a key is missing, a value is no option, or the image has fewer than 32
    pixels.
    """
    arch = as_dicts(supernet.space, drawn(supernet.space, generator, 2))[0]
    key = supernet.space.dimensions[-1].key
    for wrong in ({}, {**arch, key: [99] * len(arch[key] or [0])}, {**arch, "image_size": 31}):
        try:
            found = supernet.space.encode([wrong])
        except OfaError:
            continue
        demand(False, f"{wrong} was encoded as {found}")


def networks_travel(supernet: Supernet, _: Any, generator: Rng) -> None:
    """Its networks reach other processes and files: pickled, and as JSON, they stay themselves.

    Use the core's Arch, with plain numbers and lists, no objects of your own.
    """
    rows = drawn(supernet.space, generator, 6)
    archs = supernet.space.decode(rows)
    demand(_pickled(archs) == archs, "an Arch that was pickled is another one")
    for arch, row in zip(archs, rows, strict=True):
        read = _as_json(arch.as_dict())
        same_row = np.array_equal(supernet.space.encode([read])[0], row)
        demand(same_row, f"{arch.as_dict()} is another network once it was written as JSON")


def _pickled(archs: Any) -> Any:
    try:
        return pickle.loads(pickle.dumps(archs))
    except (pickle.PickleError, TypeError, AttributeError) as error:
        raise LawBrokenError(f"an Arch cannot be pickled: {error}") from None


def _as_json(arch: dict[str, Any]) -> Any:
    try:
        return json.loads(json.dumps(arch))
    except (TypeError, ValueError) as error:
        raise LawBrokenError(f"{arch} cannot be written as JSON: {error}") from None


def used(supernet: Supernet, _: Any, generator: Rng) -> None:
    """As jobs use it."""
    for arch in supernet.space.decode(drawn(supernet.space, generator, 4)):
        supernet.geometry().blocks(arch)
    supernet.as_built().geometry().separable(supernet.resolutions[0], params, "sum")
    supernet.at(supernet.resolutions[:1]).space.sample(5, generator)


no_other_randomness = effects.no_other_randomness(used)

LAWS: Final[tuple[Law, ...]] = (
    says_what_it_is,
    decode_and_encode,
    canonical_is_settled,
    count_is_exact,
    distinct_rows_are_distinct_networks,
    blocks_agree_with_tables,
    ops_fit_together,
    other_image_sizes,
    as_built_is_settled,
    priced_as_others,
    foreign_networks_are_refused,
    networks_travel,
    no_other_randomness,
)
