"""From an architecture to the blocks that run, quickly: looked up, not worked out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from attrs import frozen

from ofa_plugins_core.geometry import Block, Geometry
from ofa_plugins_core.values import SIZES, Arch, ArchLike, Derived, Number, SearchSpace, parse_arch

_UNKNOWN: Final = object()


@frozen(eq=False)
class Chosen:
    """What an architecture stands for.

    Attributes:
        arch: as it was given.
        standing: the block at each place, None where it is unused; at the size of the layers.
    """

    arch: Arch
    standing: tuple[Block | None, ...]


class Choices:
    """Every block that can stand at each place, by the values of the genes that decide.

    The blocks are those of one image size: layers do not depend on it.
    """

    def __init__(self, geometry: Geometry) -> None:
        self.geometry, self.space = geometry, geometry.space
        size = self.space.resolutions[-1]
        sources = _sources(self.space)
        self._places: list[tuple[tuple[tuple[str, int], ...], dict[tuple[Number, ...], Any]]] = []
        for site in geometry.sites:
            options = [self.space.genes[c].options for c in site.genes]
            table: dict[tuple[Number, ...], Any] = {}
            for index, block in geometry.options(site, size):
                table[tuple(o[i] for o, i in zip(options, index, strict=True))] = block
            self._places.append((tuple(sources[c] for c in site.genes), table))
        self._lengths = [(d.key, len(d.entries), d.fixed) for d in self.space.dimensions]
        self._derived = list(_derived(self.space, sources))

    def __deepcopy__(self, memo: Any) -> Choices:
        """Itself: nothing in it changes."""
        return self

    def standing(self) -> list[list[Block]]:
        """For each place the blocks that can stand there."""
        return [[b for b in table.values() if b is not None] for _, table in self._places]

    @property
    def largest(self) -> Arch:
        """The architecture of the last option of every gene."""
        return self.space.decode(np.array([[n - 1 for n in self.space.sizes]], dtype=np.uint8))[0]

    def canonical(self, arch: ArchLike) -> Arch:
        """The architecture as the space writes it, at its own image size.

        Raises:
            InputError: it is not of the space.
        """
        size = parse_arch(self.space, arch).image_size
        space = self.space.with_resolutions([size])
        return space.decode(space.encode([arch]))[0]

    def chosen(self, arch: ArchLike) -> Chosen:
        """What an architecture stands for.

        Raises:
            InputError: it is not of the space.
        """
        found = self._looked_up(arch)
        if found is None:  # said in an unusual way, or wrong: the space knows which
            found = self._looked_up(self.canonical(arch))
            assert found is not None
        return found

    def _looked_up(self, arch: ArchLike) -> Chosen | None:
        """As ``chosen``; None for what is not in its usual form."""
        values: Mapping[str, Any]
        size: Any
        if isinstance(arch, Arch):
            values, size = dict(arch.choices), arch.image_size
        else:
            values, size = arch, arch.get("image_size")
        if type(size) is not int or not SIZES[0] <= size <= SIZES[1]:
            return None
        try:
            if not self._well_formed(values):
                return None
            found = []
            for sources, table in self._places:
                block = table.get(tuple([values[key][slot] for key, slot in sources]), _UNKNOWN)
                if block is _UNKNOWN:
                    return None
                found.append(block)
        except (KeyError, TypeError, IndexError):
            return None
        return Chosen(self._kept(values, size), tuple(found))

    def _kept(self, values: Mapping[str, Any], size: int) -> Arch:
        """A copy: the user's lists may change."""
        given = ((key, values.get(key)) for key, _, _ in self._lengths)
        return Arch(tuple((k, None if v is None else tuple(v)) for k, v in given), size)

    def blocks(self, arch: Arch) -> tuple[Block, ...]:
        """The blocks of a chosen architecture at its own image size, without unused places."""
        values = {key: given or () for key, given in arch.choices}
        found = (
            site.block(arch.image_size, tuple(values[key][slot] for key, slot in sources))
            for site, (sources, _) in zip(self.geometry.sites, self._places, strict=True)
        )
        return tuple(block for block in found if block is not None)

    def _well_formed(self, values: Mapping[str, Any]) -> bool:
        for key, length, fixed in self._lengths:
            given = values.get(key)
            if not (given is None and fixed) and len(given) != length:  # type: ignore[arg-type]
                return False
        for key, slot, source, expected in self._derived:
            given = values.get(key)
            if given is None:
                continue
            wanted = expected[values[source[0]][source[1]] if source else None]
            if wanted is not None and given[slot] != wanted:
                return False
        return values.get("wid") is None


def _sources(space: SearchSpace) -> dict[int, tuple[str, int]]:
    """Column of a gene -> where the exchange dict has its value."""
    return {
        entry: (dimension.key, slot)
        for dimension in space.dimensions
        for slot, entry in enumerate(dimension.entries)
        if isinstance(entry, int)
    }


def _derived(space: SearchSpace, sources: Mapping[int, tuple[str, int]]) -> Any:
    """(key, slot, where what decides is, its value -> the entry's, None where it is unused)."""
    for dimension in space.dimensions:
        for slot, entry in enumerate(dimension.entries):
            if not isinstance(entry, Derived):
                continue
            given = [None] if entry.gene is None else space.genes[entry.gene].options
            wanted = [v if a else None for v, a in zip(entry.values, entry.active, strict=True)]
            source = None if entry.gene is None else sources[entry.gene]
            yield dimension.key, slot, source, dict(zip(given, wanted, strict=True))
