"""What a supernet is: how many networks, of which dimensions, costing what at least and at most."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import Any, Final

import numpy as np
from attrs import field, frozen

from ofa_plugins_core.blame import attempt
from ofa_plugins_core.chain import largest, smallest
from ofa_plugins_core.errors import OfaError
from ofa_plugins_core.host import Host
from ofa_plugins_core.interfaces import CostModel, SeparableCost, Supernet
from ofa_plugins_core.reduction.supernet import ReducedSupernet
from ofa_plugins_core.separable import Separable
from ofa_plugins_core.values import Derived, Dimension, Number, SearchSpace

LITTLE: Final = 0.01
"""Percent of a space below which the count of its networks says more."""


@frozen
class Extreme:
    """The least or the greatest cost of a space, and an image size where it occurs (pixels)."""

    value: Number
    image_size: int


@frozen
class CostRange:
    """Between which values a cost lies, exactly, over all networks and resolutions of a space."""

    name: str
    unit: str
    kind: str
    source: str | None
    least: Extreme
    most: Extreme

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "min": self.least.value,
            "max": self.most.value,
            "min_image_size": self.least.image_size,
            "max_image_size": self.most.image_size,
            "unit": self.unit,
            "kind": self.kind,
            "source": self.source,
        }


@frozen
class SupernetFacts:
    """What ``ofa show supernet`` shows.

    Attributes:
        networks: exact number of distinct networks a resolution.
        dimensions: key -> entries, options, what decides them (see ``dimension_facts``).
        costs: of every computed cost, in the order of their names.
        as_built: whether the costs are those of the network that is really extracted.
        note: what published costs leave out, or None where the two are one network.
        left_out: cost -> why it could not be had.
    """

    name: str
    summary: str
    aliases: tuple[str, ...]
    plugin: str | None
    networks: int
    resolutions: tuple[int, ...]
    dimensions: Mapping[str, Mapping[str, Any]]
    costs: tuple[CostRange, ...]
    as_built: bool = False
    note: str | None = None
    left_out: Mapping[str, str] = field(factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "name": self.name,
            "summary": self.summary,
            "aliases": list(self.aliases),
            "plugin": self.plugin,
            "networks": self.networks,
            "resolutions": list(self.resolutions),
            "dimensions": {k: dict(d) for k, d in self.dimensions.items()},
            "costs": {c.name: c.as_dict() for c in self.costs},
            "as_built": self.as_built,
            "note": self.note,
        }


def supernet_facts(host: Host, name: str, *, as_built: bool = False) -> SupernetFacts:
    """Describe a supernet by name, by alias, or from a YAML file.

    Raises:
        UnknownNameError, PluginError, InputError: as ``Host.supernet``.
    """
    published = host.supernet(name)
    supernet = published.as_built() if as_built else published
    entry = next((e for e in host.entries("supernets") if e.name == published.name), None)
    known = entry is not None and not name.endswith((".yaml", ".yml"))
    ranges, left_out = _cost_ranges(host, supernet)
    return SupernetFacts(
        name=published.name,
        summary=entry.summary if entry and known else _described(published, name),
        aliases=tuple(entry.aliases) if entry and known else (),
        plugin=host.owner("supernets", published.name).name if known else None,
        networks=supernet.space.count(),
        resolutions=supernet.resolutions,
        dimensions={d.key: dimension_facts(supernet.space, d) for d in supernet.space.dimensions},
        costs=ranges,
        as_built=as_built,
        note=published_note(published),
        left_out=left_out,
    )


def _described(supernet: Supernet, name: str) -> str:
    """Of a supernet that no plugin offers under its name."""
    if not isinstance(supernet, ReducedSupernet):
        return f"described in {name}"
    dropped = [d.label for d in supernet.reduction.drop] + [
        f"all but {k.label}" for k in supernet.reduction.keep
    ]
    if supernet.reduction.depth:
        most = ", ".join("any" if d is None else f"{d:g}" for d in supernet.reduction.depth)
        dropped.append(f"depths above {most}")
    shown = "; ".join(dropped[:6]) + ("; …" if len(dropped) > 6 else "")
    if not dropped:
        return f"all networks of {supernet.whole.name}: nothing is dropped"
    left = f"{part_of(supernet.space.count(), supernet.whole.space.count())} of its networks"
    return f"a smaller space of {supernet.whole.name}, {left}, without: {shown}"


def part_of(left: int, count: int) -> str:
    """So many of a count, as a person says it: never all, nor nothing, where that is not so."""
    if left == count:
        return "all"
    percent = 100 * left / count
    if percent < LITTLE or percent > 100 - LITTLE:
        return f"less than {LITTLE} %" if percent < LITTLE else f"more than {100 - LITTLE} %"
    return f"{percent:.3g} %" if percent < 99 else f"{percent:.2f} %"


# ---------------------------------------------------------------------------- dimensions


def dimension_facts(space: SearchSpace, dimension: Dimension) -> dict[str, Any]:
    """Entries, options, whether they are free, and the options of each entry where they differ."""
    columns = [_entry_options(space, e) for e in dimension.entries]
    facts: dict[str, Any] = {
        "entries": len(columns),
        "options": sorted({value for options in columns for value in options}),
        "free": sum(isinstance(e, int) for e in dimension.entries),
    }
    if dimension.fixed:
        facts["fixed"] = True
    deciding = dict.fromkeys(
        re.sub(r"\[[^]]*\]", "", space.genes[e.gene].name)
        for e in dimension.entries
        if isinstance(e, Derived) and e.gene is not None
    )
    pairs = [d for d in deciding if "+" in d]
    if pairs and not dimension.fixed:  # of a reduced space: some are chosen with others
        partners = {k for d in pairs for k in d.split("+")} - {dimension.key}
        facts["together_with"] = sorted(partners)
    elif deciding and not dimension.fixed:
        facts["follows"] = list(deciding)
    if len(set(columns)) > 1:
        facts["options_by_entry"] = [list(options) for options in columns]
    return facts


def _entry_options(space: SearchSpace, entry: int | Derived) -> tuple[Number, ...]:
    values = space.genes[entry].options if isinstance(entry, int) else entry.values
    return tuple(dict.fromkeys(values))


# ---------------------------------------------------------------------------- costs


def _cost_ranges(host: Host, supernet: Supernet) -> tuple[tuple[CostRange, ...], dict[str, str]]:
    """Ranges of every computed cost that needs no table; and why others are missing."""
    found: list[CostRange] = []
    left_out: dict[str, str] = {}
    for entry in host.entries("cost_models"):
        if entry.qualified:
            continue
        plugin = host.owner("cost_models", entry.name)
        try:
            cost = entry.build(supernet)
            if isinstance(cost, SeparableCost) and cost.kind == "computed":
                what = f"cost {entry.name!r}"
                found.append(attempt(plugin, what, cost_range, supernet.space, cost))
        except OfaError as error:
            left_out[entry.name] = error.message
    return tuple(found), left_out


def cost_range(space: SearchSpace, cost: SeparableCost) -> CostRange:
    """The exact least and greatest cost over the space, each with a size that reaches it."""
    tables = {size: cost.separable(size) for size in space.resolutions}
    low, high = _decisive(tables)
    least = min(
        (_extreme(space, tables, size, smallest) for size in low), key=lambda x: float(x.value)
    )
    most = max(
        (_extreme(space, tables, size, largest) for size in high), key=lambda x: float(x.value)
    )
    return CostRange(cost.name, cost.unit, cost.kind, _source(cost), least, most)


def _source(cost: CostModel) -> str | None:
    return None if cost.source is None else str(cost.source)


Reach = Callable[[SearchSpace, Separable], tuple[Any, Any]]


def _extreme(
    space: SearchSpace, tables: Mapping[int, Separable], size: int, reach: Reach
) -> Extreme:
    value = reach(space, tables[size])[0]
    whole = isinstance(value, int | np.integer)
    return Extreme(int(value) if whole else float(value), size)


def _decisive(tables: Mapping[int, Separable]) -> tuple[Sequence[int], Sequence[int]]:
    """Image sizes where the least and the greatest value can be.

    Where no term shrinks as the image grows, that is the first size and, of those that price as
    the last does, the first; otherwise every size has to be asked.
    """
    sizes = sorted(tables)
    if not all(_compare(tables[a], tables[b], np.less_equal) for a, b in pairwise(sizes)):
        return sizes, sizes
    top = next(s for s in sizes if _compare(tables[s], tables[sizes[-1]], np.equal))
    return sizes[:1], [top]


def _compare(one: Separable, other: Separable, relation: Callable[..., Any]) -> bool:
    if [f.genes for f in one.factors] != [f.genes for f in other.factors]:
        return False
    pairs = zip(one.factors, other.factors, strict=True)
    return all(bool(np.all(relation(a.table, b.table))) for a, b in pairs)


# ---------------------------------------------------------------------------- as built


def published_note(supernet: Supernet) -> str | None:
    """What the published costs are, where the network that is extracted is another (MOOFA V2)."""
    built = supernet.as_built()
    if built is supernet:
        return None
    extra = sorted(set(_only_built(supernet, built)))
    what = f"keeps what that one drops: {', '.join(extra)}" if extra else "is another"
    return (
        "published costs are those of the published static network; the network that is really "
        f"extracted {what} (its costs: --as-built)"
    )


def _only_built(published: Supernet, built: Supernet) -> Iterator[str]:
    """``expand where e = 1``: ops of the extracted network that the published one lacks."""
    size, genes = published.resolutions[0], published.space.genes
    twins = zip(published.geometry().sites, built.geometry().sites, strict=True)
    for mine, theirs in twins:
        for values in product(*(genes[c].options for c in mine.genes)):
            there, here = mine.block(size, values), theirs.block(size, values)
            if there is not None and here is not None:
                ratio = dict(here.choice).get("e", 0)
                names = {op.name for op in here.ops} - {op.name for op in there.ops}
                yield from (f"{name} where e = {ratio:g}" for name in names)
