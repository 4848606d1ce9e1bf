"""The numbers of runs as the page's script reads them: one JSON object, small enough to embed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import evolve, field, frozen

from ofa_plugins_core.report.anatomy import Anatomy
from ofa_plugins_core.report.html import Markup
from ofa_plugins_core.report.origin import (
    data_set,
    data_sets,
    next_commands,
    run_name,
    said_command,
    supernet_name,
)
from ofa_plugins_core.report.points import PREDICTED, unmeasured
from ofa_plugins_core.report.results import Point, Run
from ofa_plugins_core.report.words import cost_label
from ofa_plugins_core.values import Measurement

HIGHER: Final = ("accuracy", "top5")
"""What is better the higher it is; costs are better the lower they are."""
UNKNOWN: Final = "a data set that is not named"
SIZES: Final = (4000, 2000, 1000, 500, 250, 100)
"""Most networks on one page: as many of all runs as fit into its bytes."""
SHARES: Final = (1.0, 0.5, 0.25, 0.1, 0.03)
"""Of a run's networks, the best first, that come with their blocks: the most that fit."""


@frozen(eq=False)
class Drawable:
    """A run with the networks that it brings to the chart.

    Attributes:
        run: the run.
        points: its networks.
        anatomy: what they are made of; None where the plugin is missing.
        lacking: why there is none.
        total: how many networks the run has, where not all of them are here.
    """

    run: Run
    points: Sequence[Point]
    anatomy: Anatomy | None = None
    lacking: str = ""
    total: int | None = None


@frozen(eq=False)
class _Names:
    """What numbers of the object stand for: filled as they are met."""

    fields: dict[tuple[str, str, str], int] = field(factory=dict)
    measures: dict[tuple[int, str, str], int] = field(factory=dict)

    def measure(self, name: str, found: Measurement, source: str, data: str) -> int:
        """Number of (quantity, kind, source); ``data``: what an accuracy is of."""
        of = data if name.removeprefix(PREDICTED) in HIGHER else ""
        quantity = self.fields.setdefault((name, found.unit, of), len(self.fields))
        key = (quantity, found.kind, found.source or source)
        return self.measures.setdefault(key, len(self.measures))


@frozen(eq=False)
class _Said:
    """What a run says of all its numbers: whose its predictions are, and on which data."""

    names: _Names
    source: str
    data: str

    def value(self, name: str, found: Measurement) -> list[Any]:
        """A number of a network, with the ends of its interval."""
        own = name == "accuracy" and found.kind == "predicted"
        number = self.names.measure(name, found, self.source if own else "", self.data)
        ends = [] if found.low is None or found.high is None else [found.low, found.high]
        return [number, *map(_short, (found.value, *ends))]


def embedded(drawables: Sequence[Drawable], most: int) -> Markup:
    """The object as text for a ``<script type="application/json">``, at most so many bytes.

    Where it would be longer, fronts are thinned evenly, their best network and both ends kept,
    then pictures are left out, those of the best networks last; the object says of how many.
    """
    text = ""
    for size in SIZES:
        most_each = _even([len(d.points) for d in drawables], size)
        chosen = [_thinned(d, most_each) for d in drawables]
        text = _text(chosen)
        if len(text) < most:
            break
    for share in SHARES:
        if len(whole := _text(chosen, share)) <= most:
            return Markup(whole)
    return Markup(text)


def _even(counts: Sequence[int], most: int) -> int:
    """How many each may have at most, so that all together have so many: small ones keep all."""
    left, share = most, most
    for number, count in enumerate(sorted(counts)):
        share = max(2, left // (len(counts) - number))
        left -= min(count, share)
    return share


def _thinned(found: Drawable, most: int) -> Drawable:
    count = len(found.points)
    if count <= most:
        return found
    kept = {round(i * (count - 1) / (most - 1)) for i in range(most)}
    kept.add(max(range(count), key=lambda i: _worth(found.points[i])))
    order = sorted(kept)
    anatomy = found.anatomy
    if anatomy is not None:
        anatomy = evolve(anatomy, networks=[anatomy.networks[i] for i in order])
    return evolve(found, points=[found.points[i] for i in order], anatomy=anatomy, total=count)


def _worth(point: Point) -> float:
    return float("-inf") if point.accuracy is None else point.accuracy.value


def _text(drawables: Sequence[Drawable], share: float = 0.0) -> str:
    names = _Names()
    data = data_sets(d.run for d in drawables)
    runs = [_run(d, names, share, data if len(data) > 1 else {}) for d in drawables]
    found = {
        "quantities": [_quantity(*key) for key in names.fields],
        "measures": [list(key) for key in names.measures],
        "runs": runs,
    }
    text = json.dumps(found, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _quantity(name: str, unit: str, data: str) -> dict[str, Any]:
    plain = name.removeprefix(PREDICTED)
    better = "high" if plain in HIGHER else "low"
    label = f"{cost_label(name)} on {data}" if data else cost_label(name)
    return {"name": name, "label": label, "unit": unit, "better": better, "data": data}


def _run(found: Drawable, names: _Names, share: float, data: Mapping[str, str]) -> dict[str, Any]:
    """A run; ``data``: names of data sets where runs have different ones: accuracies say theirs."""
    run, points = found.run, found.points
    keys = list(points[0].arch) if points else []
    of = data.get(data_set(run).casefold(), UNKNOWN) if data else ""
    said = _Said(names, _source(run), of)
    return {
        "name": run_name(run),
        "job": run.job,
        "supernet": supernet_name(run),
        "command": said_command(run),
        "lacking": found.lacking,
        "of": found.total or len(points),
        "keys": keys,
        "unmeasured": unmeasured(points),
        "points": [_point(p, keys, said) for p in points],
        "next": next_commands(run),
        **_pictures(found, share),
    }


def _source(run: Run) -> str:
    """Whose the predictions of a run are, where a number does not say so itself."""
    facts = run.search.facts if run.search is not None else {}
    return " · ".join(str(facts[k]) for k in ("predictor", "predictor_source") if facts.get(k))


def _point(point: Point, keys: Sequence[str], said: _Said) -> list[Any]:
    values = [] if point.accuracy is None else [said.value("accuracy", point.accuracy)]
    values += [said.value(name, cost) for name, cost in point.costs.items()]
    arch: Any = list(point.arch.values()) if list(point.arch) == list(keys) else dict(point.arch)
    extrapolated = 1 if point.extrapolated else None
    rest: list[Any] = [extrapolated, point.support, point.bound, point.label or None]
    while rest and rest[-1] is None:
        rest.pop()
    return [arch, values, *rest]


def _short(value: float) -> float:
    """Nine digits: more than anything is known to, half the bytes."""
    return value if isinstance(value, int) else float(f"{value:.9g}")


def _pictures(found: Drawable, share: float) -> dict[str, Any]:
    """Blocks, and of each network which; null of those without a picture."""
    if found.anatomy is None or not share:
        return {"blocks": [], "networks": []}
    count = round(share * len(found.points))
    best = sorted(range(len(found.points)), key=lambda i: -_worth(found.points[i]))[:count]
    kept = set(best)
    networks = [list(n) if i in kept else None for i, n in enumerate(found.anatomy.networks)]
    used = sorted({b for n in networks if n for b in n})
    numbers = {b: i for i, b in enumerate(used)}
    return {
        "blocks": [found.anatomy.blocks[b] for b in used],
        "networks": [n and [numbers[b] for b in n] for n in networks],
    }
