"""What is broken, by its cause: one fault of one plugin breaks many combinations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import frozen

from ofa_plugins_core.composing.cells import Cell
from ofa_plugins_core.composing.matrix import Matrix
from ofa_plugins_core.words import counted

MOST: Final = 5
"""Faults that are told; matrix.json has all of them."""

Place: TypeAlias = Mapping[str, str]
"""Axis -> name: where something is broken."""


@frozen
class Fault:
    """Places that are broken in the same way, and have something in common.

    Attributes:
        text: what is wrong, in the words of the first place. example: that place.
        common: what all places share and others do not have, for example ``cost noisy``; "" where
            they share nothing, or there is only one.
        count: of the places.
    """

    text: str
    example: str
    common: str
    count: int

    @property
    def where(self) -> str:
        """For messages."""
        if self.count == 1:
            return self.example
        shared = f" with {self.common}" if self.common else ""
        return f"{counted(self.count, 'place')}{shared}, for example {self.example}"


@frozen
class _Break:
    """One place that is broken, and the sentence on it."""

    place: Place
    words: str
    text: str


def faults(matrix: Matrix) -> list[Fault]:
    """What is broken, grouped by the kind of fault and by what the places have in common.

    Kinds are sentences without names and numbers. Where a kind is seen with few names of one axis,
    each of these names is a cause of its own: two searchers that fail alike are two faults. Those
    seen most come first.
    """
    kinds: dict[tuple[object, ...], list[_Break]] = {}
    for one in _breaks(matrix):
        kinds.setdefault((*one.place, kind_of(one.text, one.place.values())), []).append(one)
    tried = _tried(matrix)
    found = [fault for breaks in kinds.values() for fault in _by_cause(breaks, tried)]
    return sorted(found, key=lambda fault: -fault.count)


def told(found: Sequence[Fault]) -> list[tuple[str, str]]:
    """(where, why) of the faults seen most, and how many more there are."""
    lines = [(fault.where, fault.text) for fault in found[:MOST]]
    if len(found) > MOST:
        more = counted(len(found) - MOST, "more fault")
        lines.append((more, "--json, and matrix.json in --out, have every place"))
    return lines


def kind_of(text: str, names: Iterable[str]) -> str:
    """A sentence without the names of where it was said, and without numbers."""
    known = {part for name in names for part in (name, name.partition("+")[0])}
    for name in sorted(known, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", text)
    return re.sub(r"-?\b\d[\d,._]*(?:e[+-]?\d+)?\b|\bnan\b|-?\binf\b", "#", text)


def _breaks(matrix: Matrix) -> Iterator[_Break]:
    for cell in matrix.cells:
        for name, answer in {**cell.answers, **cell.policies}.items():
            if answer.outcome == "broken":
                ran = {"policy": name} if name in cell.policies else {}
                words = f"{cell.combination.words}, {name}"
                yield _Break({**_place(cell), **ran}, words, str(answer.reason))
    for pair in matrix.pairs:
        if pair.answer.outcome == "broken":
            words = f"{pair.kind}: {pair.name} on {pair.supernet}"
            place = {"supernet": pair.supernet, pair.kind: pair.name}
            yield _Break(place, words, str(pair.answer.reason))


def _place(cell: Cell) -> Place:
    axes = ("supernet", "cost", "predictor", "searcher")
    return {axis: getattr(cell, axis) for axis in axes}


def _tried(matrix: Matrix) -> dict[str, set[str]]:
    """Axis -> names that were tried along it."""
    found: dict[str, set[str]] = {"policy": {n for c in matrix.cells for n in c.policies}}
    for cell in matrix.cells:
        for axis, name in _place(cell).items():
            found.setdefault(axis, set()).add(name)
    for pair in matrix.pairs:
        found.setdefault(pair.kind, set()).add(pair.name)
        found.setdefault("supernet", set()).add(pair.supernet)
    return found


def _by_cause(breaks: Sequence[_Break], tried: Mapping[str, set[str]]) -> Iterator[Fault]:
    """One fault a name of the axis that explains most: of whose names the least share is broken."""
    seen = {axis: {one.place[axis] for one in breaks} for axis in breaks[0].place}
    shares = {axis: len(names) / len(tried[axis]) for axis, names in seen.items()}
    cause = min(shares, key=lambda axis: shares[axis])
    groups: dict[str, list[_Break]] = {}
    for one in breaks:
        groups.setdefault(one.place[cause] if shares[cause] < 1 else "", []).append(one)
    for group in groups.values():
        first = group[0]
        shared = [
            f"{axis} {name}"
            for axis, name in first.place.items()
            if len(tried[axis]) > 1 and all(one.place[axis] == name for one in group)
        ]
        yield Fault(first.text, first.words, ", ".join(shared), len(group))
