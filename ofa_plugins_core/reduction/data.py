"""Reductions as data: what is dropped, what is kept, and why."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import field, frozen

from ofa_plugins_core.values import Number

NAME: Final = r"[A-Za-z][\w.-]{0,60}"
"""What a reduction may be called: it becomes part of names of supernets and of files."""


def _several(given: Iterable[Any]) -> tuple[Any, ...]:
    """Lists are taken, too."""
    return tuple(given)


def _pairs(given: Mapping[str, Number]) -> dict[str, Number]:
    """A mapping of one's own."""
    return dict(given)


@frozen
class Drop:
    """Blocks that no network of the reduced space has, at one place or wherever they stand.

    Attributes:
        block: of the choices that tell a block from its place's others, those that are meant:
            ``{"k": 7, "e": 3}`` one block, ``{"k": 7}`` every block with this kernel.
        unit, layer: of the place, from 0; None for all of them.
        reason: why, with the numbers that speak for it.
    """

    block: Mapping[str, Number] = field(converter=_pairs)
    unit: int | None = None
    layer: int | None = None
    reason: str = ""

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where nothing is meant."""
        if not self.block:
            raise ValueError("block: which one? for example {k: 7, e: 3}")

    @property
    def label(self) -> str:
        """What is dropped where, for people: ``k7 e3 at unit 1, layer 2``."""
        what = " ".join(f"{key}{value}" for key, value in self.block.items())
        place = [f"{n} {v}" for n in ("unit", "layer") if (v := getattr(self, n)) is not None]
        return f"{what} at {', '.join(place)}" if place else what


@frozen
class Keep:
    """Options of a gene that are left, the others are dropped: ``d[1]``, ``w[3]``.

    Attributes:
        gene: by its name in the space.
        options: that are left.
        reason: why.
    """

    gene: str
    options: tuple[Number, ...] = field(converter=_several)
    reason: str = ""

    @property
    def label(self) -> str:
        """For people: ``d[1] of 2, 3``."""
        return f"{self.gene} of {', '.join(map(str, self.options))}"


@frozen
class Reduction:
    """A smaller space of some supernet.

    The reduced space holds exactly the networks of the whole one in which no dropped block is
    used, and whose genes have options that are left.

    Attributes:
        name: becomes part of the supernet's: ``ofa_mbv3_w1.2+note10``.
        drop: blocks.
        depth: for each unit the greatest depth that is left, in the values of its depth; None
            where all are left; () for all units.
        keep: options of further genes.
        source: publication, or the command that made it.
    """

    name: str
    drop: tuple[Drop, ...] = field(default=(), converter=_several)
    depth: tuple[Number | None, ...] = field(default=(), converter=_several)
    keep: tuple[Keep, ...] = field(default=(), converter=_several)
    source: str = ""

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where the name cannot be part of others, or a depth is no number."""
        if not re.fullmatch(NAME, self.name):
            raise ValueError(f"name: a word without blanks, + or /, found {self.name!r:.80}")
        if strange := [d for d in self.depth if isinstance(d, float) and not math.isfinite(d)]:
            raise ValueError(f"depth: expected numbers, null for any depth, found {strange[0]}")

    def as_dict(self) -> dict[str, Any]:
        """As a file holds it, without what says nothing."""
        found: dict[str, Any] = {"name": self.name}
        if self.source:
            found["source"] = self.source
        if self.depth:
            found["depth"] = list(self.depth)
        if self.drop:
            found["drop"] = [_said(d, ("block", "unit", "layer", "reason")) for d in self.drop]
        if self.keep:
            found["keep"] = [_said(k, ("gene", "options", "reason")) for k in self.keep]
        return found


def _said(record: Drop | Keep, keys: tuple[str, ...]) -> dict[str, Any]:
    pairs = {key: getattr(record, key) for key in keys}
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in pairs.items()}
    return {k: v for k, v in plain.items() if v not in (None, "")}
