"""Which blocks are forced: every combination of a space, or those that ``--blocks`` names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, TypeAlias

from attrs import field, frozen

from block_profile.profiling.forcing import Demand, block_demand, depth_demands
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.geometry import Geometry
from ofa_plugins_core.places import Option, Place, Unit, places, units
from ofa_plugins_core.values import Number, SearchSpace

_FORM = (
    "write [unit, layer, kernel, expand], with a resolution if you like; of ResNet [0, 0 or 2] "
    "for the stem's skip, [1, stem, width] or [2, stage, block, ratio, width]; or "
    '{"unit": 0, "layer": 1, "k": 3}'
)

_STEM_DEPTHS = {0: False, 2: True}
"""Values of ResNet's first depth: whether the stem's residual block is kept."""


@frozen(eq=False)
class Wanted:
    """One row that is asked for: what is forced together, and an image size of its own or None."""

    demands: tuple[Demand, ...]
    size: int | None = None


@frozen(eq=False)
class Catalogue:
    """Every place of a space, and every block that it can hold.

    Attributes:
        space: of the networks.
        places: in order. units: in order.
    """

    space: SearchSpace
    places: tuple[Place, ...]
    units: tuple[Unit, ...] = field(factory=tuple)

    @classmethod
    def of(cls, geometry: Geometry) -> Catalogue:
        """Of a supernet's geometry.

        Raises:
            UsageError: its places cannot be told apart, or it has none.
        """
        found = cls(geometry.space, places(geometry), units(geometry))
        if not found.places:
            raise UsageError(f"{geometry.space.name} has no place where blocks differ")
        return found

    def demand(self, place: Place, option: Option) -> Demand:
        """A block at a place."""
        unit = None if place.unit is None else self.units[place.unit]
        return block_demand(place, option, unit)

    def blocks(self) -> list[Demand]:
        """Every block at every place."""
        return [self.demand(p, o) for p in self.places for o in p.options]

    def depths(self) -> list[Demand]:
        """Every unit at each of its depths."""
        return [d for unit in self.units for d in depth_demands(unit, self.space)]

    def named(self, text: str) -> list[Wanted]:
        """The rows that one ``--blocks`` asks for.

        Raises:
            UsageError: it does not read so, or the space has no such block; says what it has.
        """
        spec = _parsed(text)
        if isinstance(spec, list) and spec and all(isinstance(s, list | Mapping) for s in spec):
            return self._together(text, spec)
        return [Wanted((demand,), size) for demand, size in self._single(text, spec)]

    def _together(self, text: str, specs: Sequence[Any]) -> list[Wanted]:
        """Several at once; of a family each of its blocks with each of the others."""
        found = []
        for chosen in product(*(list(self._single(text, s)) for s in specs)):
            sizes = {size for _, size in chosen if size is not None}
            if len(sizes) > 1:
                shown = " and ".join(map(str, sorted(sizes)))
                raise UsageError(f"--blocks {text}: one row has one resolution, found {shown}")
            found.append(Wanted(tuple(d for d, _ in chosen), next(iter(sizes), None)))
        return found

    def _single(self, text: str, spec: Any) -> Iterator[tuple[Demand, int | None]]:
        if isinstance(spec, Mapping):
            asked, size = dict(spec), spec.get("resolution")
            asked.pop("resolution", None)
        else:
            asked, size = self._keyed(text, _numbers(text, spec))
        if size is not None and (isinstance(size, bool) or not isinstance(size, int)):
            raise UsageError(f"--blocks {text}: expected a resolution in pixels, found {size!r}")
        choice = {k: v for k, v in asked.items() if k not in ("unit", "layer")}
        among = self._places(text, asked)
        found = [(p, o) for p in among for o in p.options if _has(o, choice)]
        if not found:
            known = ", ".join(_chosen(o) for o in among[0].options)
            raise UsageError(
                f"--blocks {text}: {self.space.name} has no such block at {among[0].label}",
                advice=f"it can hold {known}",
            )
        for place, option in found:
            yield self.demand(place, option), size

    def _keyed(self, text: str, values: list[Number]) -> tuple[dict[str, Any], int | None]:
        """A list of numbers as keys and values; the published forms."""
        if any(place.unit is None for place in self.places):
            return self._resnet(text, values), None
        if not 1 <= len(values) <= 5:
            raise UsageError(f"--blocks {text}: expected one to five numbers", advice=_FORM)
        keys = ("unit", "layer", "k", "e", "resolution")
        asked: dict[str, Any] = dict(zip(keys, values, strict=False))
        return asked, asked.pop("resolution", None)

    def _resnet(self, text: str, values: list[Number]) -> dict[str, Any]:
        before = [p for p in self.places if p.unit is None]
        skips = [p for p in before if any(not o.used for o in p.options)]
        stems = [p for p in before if p not in skips]
        kind, *rest = values
        if kind == 0 and len(rest) <= 1 and skips:
            if rest and rest[0] not in _STEM_DEPTHS:
                raise UsageError(f"--blocks {text}: the stem's depth is 0 (skipped) or 2 (kept)")
            said = {"kept": _STEM_DEPTHS[int(rest[0])]} if rest else {}
            return {"unit": None, "layer": skips[0].layer, **said}
        if kind == 1 and len(rest) <= 2:
            asked: dict[str, Any] = {"unit": None}
            if rest and not 0 <= rest[0] < len(stems):
                raise UsageError(f"--blocks {text}: the stems are 0 to {len(stems) - 1}")
            if rest:
                asked["layer"] = stems[int(rest[0])].layer
            return asked | dict(zip(("w",), rest[1:], strict=False))
        if kind == 2 and len(rest) <= 4:
            return dict(zip(("unit", "layer", "e", "w"), rest, strict=False)) or {"unit": "any"}
        raise UsageError(f"--blocks {text}: no block of {self.space.name}", advice=_FORM)

    def _places(self, text: str, asked: Mapping[str, Any]) -> list[Place]:
        unit, layer = asked.get("unit", "any"), asked.get("layer", "any")
        within = [p for p in self.places if unit in (p.unit, "any")]
        if not within:
            known = f"0 to {len(self.units) - 1}"
            raise UsageError(f"--blocks {text}: {self.space.name} has no unit {unit}: {known}")
        found = [p for p in within if layer in (p.layer, "any")]
        if not found:
            last = max(p.layer for p in within)
            where = "the stem" if unit is None else f"unit {unit}"
            raise UsageError(f"--blocks {text}: {where} has no layer {layer}: 0 to {last}")
        return found


def _has(option: Option, choice: Mapping[str, Any]) -> bool:
    """Whether a block has every value that is asked for; ``depth`` of a stem is 0 or more."""
    asked = dict(choice)
    kept = asked.pop("kept", None)
    own = dict(option.choice)
    return (kept is None or option.used == kept) and all(own.get(k) == v for k, v in asked.items())


def _chosen(option: Option) -> str:
    values = " ".join(f"{key} {value}" for key, value in option.choice)
    return f"{option.label} ({values})" if values else option.label


_Spec: TypeAlias = Any


def _parsed(text: str) -> _Spec:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"--blocks {text!r:.60} is no JSON", advice=_FORM) from error


def _numbers(text: str, spec: _Spec) -> list[Number]:
    fine = isinstance(spec, list) and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in spec
    )
    if not fine or not spec:
        raise UsageError(f"--blocks {text}: expected numbers", advice=_FORM)
    return list(spec)
