"""A network as one line of text: ``MBConv6_7x7->MBConv3_3x3|MBConv4_5x5->…``.

As the latency data sets of block profiling spell it (Mills et al., CIKM 2021): blocks in the order
in which they run, joined by ``->``, units joined by ``|``; unused places are left out. What comes
before the units (ResNet's stem) is a unit of its own in front, of which nothing is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.geometry import Geometry
from ofa_plugins_core.places import Option, Place, places
from ofa_plugins_core.values import Genes, SearchSpace

BLOCKS: Final = "->"
UNITS: Final = "|"
UNUSED: Final = -1


@frozen(eq=False, slots=False)
class Spelling:
    """How the networks of one space are spelled.

    Attributes:
        space: whose networks these are.
        places: where blocks differ, in the order in which a network runs through them.
        words: every block's name, each once, in the order of the alphabet.
    """

    space: SearchSpace
    places: tuple[Place, ...]
    words: tuple[str, ...]

    @classmethod
    def of(cls, geometry: Geometry) -> Spelling:
        """The spelling of a geometry's networks.

        Raises:
            UsageError: its networks cannot be told apart by their blocks.
        """
        found = places(geometry)
        space = geometry.space
        seen = {c for place in found for c in (*place.own, *place.shared)}
        hidden = [g.name for c, g in enumerate(space.genes) if c and c not in seen]
        if hidden:
            raise UsageError(
                f"{space.name}: its networks cannot be spelled as a row of blocks: no block tells "
                f"of {', '.join(hidden[:3])}"
            )
        words = sorted({word_of(o.label) for place in found for o in _spelled(place)})
        return cls(space, found, tuple(words))

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Numbers of the places of each unit; first of what comes before the units, if any."""
        units = list(dict.fromkeys(p.unit for p in self.places))
        return tuple(tuple(i for i, p in enumerate(self.places) if p.unit == u) for u in units)

    @cached_property
    def _numbers(self) -> list[tuple[tuple[int, ...], NDArray[np.int64]]]:
        """Of each place its genes' columns, and for each combination of them a word's number."""
        return [self._numbered(place) for place in self.places]

    def _numbered(self, place: Place) -> tuple[tuple[int, ...], NDArray[np.int64]]:
        columns = tuple(sorted((*place.own, *place.shared)))
        found = np.full([len(self.space.genes[c].options) for c in columns], UNUSED)
        for option in _spelled(place):
            number = self.words.index(word_of(option.label))
            found[np.ix_(*(option.allowed[c] for c in columns))] = number
        return columns, found

    def numbers(self, genes: Genes) -> NDArray[np.int64]:
        """(n, genes) -> (n, places) numbers of ``words``; -1 where a place is not used."""
        found = [table[tuple(genes[:, c] for c in columns)] for columns, table in self._numbers]
        return np.stack(found, axis=1)

    def write(self, genes: Genes) -> list[str]:
        """(n, genes) -> n lines, without their image sizes."""
        return [self._line(row) for row in self.numbers(genes).tolist()]

    def _line(self, row: Sequence[int]) -> str:
        units = ([self.words[row[i]] for i in g if row[i] != UNUSED] for g in self.groups)
        return UNITS.join(BLOCKS.join(blocks) for blocks in units)

    def read(self, text: str) -> Genes:
        """A line -> (genes,) canonical, at the space's first image size.

        Raises:
            InputError: it is no network of the space; says at which block.
        """
        allowed = {c: set(range(len(g.options))) for c, g in enumerate(self.space.genes) if c}
        for number, word in enumerate(self._words_of(text)):
            place = self.places[number]
            for column, options in self._meant(number, word).items():
                allowed[column] &= options
                if not allowed[column]:
                    said = "nothing" if word is None else repr(word)[:60]
                    raise InputError(f"{place.label}: {said} does not go with the blocks before")
        genes = np.array([[0, *(min(allowed[c]) for c in sorted(allowed))]], dtype=np.uint8)
        genes = self.space.canonical(genes)
        if self.write(genes)[0] != text:
            raise InputError(f"{text!r:.80} is no network of {self.space.name}")
        found: Genes = genes[0]
        return found

    def _meant(self, number: int, word: str | None) -> dict[int, set[int]]:
        """Column -> options of the genes that put a word at a place; None: leave it unused."""
        columns, table = self._numbers[number]
        wanted = self.words.index(word) if word in self.words else None
        found = np.argwhere(table == (UNUSED if word is None else wanted))
        if not len(found):
            said = "leaving it out" if word is None else repr(word)[:60]
            raise InputError(
                f"{self.places[number].label}: {said} is no choice there",
                advice=f"{self.space.name} has: {', '.join(self._choices(number))}",
            )
        return {c: set(found[:, axis].tolist()) for axis, c in enumerate(columns)}

    def _choices(self, number: int) -> list[str]:
        return [word_of(o.label) for o in _spelled(self.places[number])]

    def _words_of(self, text: str) -> list[str | None]:
        """Of each place its word; None where it is left out."""
        units = text.split(UNITS)
        if len(units) != len(self.groups):
            raise InputError(
                f"{self.space.name} has {len(self.groups)} units, found {len(units)}: {text!r:.80}"
            )
        found: list[str | None] = []
        for group, unit in zip(self.groups, units, strict=True):
            blocks = unit.split(BLOCKS) if unit else []
            if len(blocks) > len(group):
                where = self.places[group[0]].label
                raise InputError(f"{len(blocks)} blocks from {where} on, at most {len(group)}")
            found += [*blocks, *[None] * (len(group) - len(blocks))]
        return found


def word_of(label: str) -> str:
    """A block's name as one word."""
    return label.replace(" ", "_")


def _spelled(place: Place) -> list[Option]:
    """What is written of a place's options: all before the units, else those that are used."""
    return [o for o in place.options if o.used or place.unit is None]
