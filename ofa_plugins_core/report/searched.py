"""A search on its page: what was found, whether it is proven, its networks and its table."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

from ofa_plugins_core import runs
from ofa_plugins_core.report.canvas import inlined
from ofa_plugins_core.report.drawing import Figure
from ofa_plugins_core.report.html import Markup, element, table
from ofa_plugins_core.report.networks import Network
from ofa_plugins_core.report.points import UNMEASURED, unmeasured
from ofa_plugins_core.report.results import Missed, Point, SearchRecord
from ofa_plugins_core.report.words import cost_label, full, short
from ofa_plugins_core.values import Measurement
from ofa_plugins_core.words import counted

EMPTY: Final = "The front is empty: this run found no networks."
ROWS: Final = 200
"""Most rows of the front on the page; front.csv has all."""


def overview(search: SearchRecord) -> list[Markup]:
    """What was found, in a few words."""
    return [_cards(search), *_sentences(search)]


def searched(
    search: SearchRecord, figures: Sequence[Figure], networks: Sequence[Network]
) -> list[Markup]:
    """What was found, in figures and tables: all of it there without a script."""
    body = [figure_of(figure) for figure in figures if figure.network is None]
    for number, network in enumerate(networks, 1):
        own = [f for f in figures if f.network == number]
        body.append(element("section", _network(number, network, own), class_="static"))
    if search.points:
        heading = "The front" if search.swept is None else "The sweep"
        body += [element("h2", heading), front_table(search, runs.FRONT)]
    if search.missed:
        body += [element("h2", "Bounds that no network meets"), _missed_table(search)]
    return body


def _cards(search: SearchRecord) -> Markup:
    cards = []
    if search.points:
        best = search.ranked[0]
        if best.accuracy is not None:
            low_high = _interval(best.accuracy)
            data = search.facts.get("dataset")
            where = f"top-1 on {data}" if data else "top-1"
            cards.append(_card(f"best {where}", f"{best.accuracy.value:.2f} %", low_high))
        for name, cost in best.costs.items():
            unit = f"{cost.unit}, {cost.kind}"
            cards.append(_card(f"its {cost_label(name)}", full(cost.value), unit))
    count = len(search.points)
    cards.append(_card("networks", f"{count:,}", "in the result"))
    seconds = search.facts.get("seconds")
    if isinstance(seconds, int | float):
        scored = search.facts.get("evaluations")
        below = f"{counted(scored, 'network')} scored one by one" if isinstance(scored, int) else ""
        cards.append(_card("search", f"{seconds:.3g} s", below))
    return element("dl", cards, class_="cards")


def _card(name: str, value: str, below: str) -> Markup:
    parts = [element("dt", name), element("dd", value), element("dd", below)]
    return element("div", parts, class_="card")


def _interval(found: Measurement) -> str:
    return found.kind if found.low is None else f"{found.kind}; 80 %: {_ends(found)}"


def proof(search: SearchRecord) -> str:
    """Whether what was found is proven to be the best, and for what."""
    said = search.facts
    if search.missed and not search.points and not said.get("interrupted"):
        return "no bound can be met"
    if not said.get("optimal"):
        whole = said.get("interrupted") or not thinning(search)
        return "not proven optimal" if whole else "thinned, so not the whole front"
    judged = said.get("predictor") and said.get("optimal_for", "predictor") == "predictor"
    return "proven optimal for the predictor" if judged else "proven optimal"


def thinning(search: SearchRecord) -> str:
    """How far what a thinned front leaves out is from what it shows; of any other nothing."""
    thinned = search.facts.get("thinned")
    steps = thinned.get("epsilon") if isinstance(thinned, Mapping) else None
    if not isinstance(steps, Mapping):
        return ""
    units = {k: m.unit for p in search.points for k, m in p.costs.items()} | {"accuracy": "points"}
    said = [
        f"{_step(v)} {cost_label(k) if units.get(k) == 'count' else _named(k, units)}"
        for k, v in steps.items()
        if isinstance(v, int | float)
    ]
    return f"Each network left out is within {', '.join(said)} of one that is shown."


def _named(cost: str, units: Mapping[str, str]) -> str:
    unit = units.get(cost)
    return f"{unit} of {cost_label(cost)}" if unit else f"of {cost_label(cost)}"


def _step(value: float) -> str:
    return short(value) if value >= 100 else f"{value:.3g}"


def _sentences(search: SearchRecord) -> list[Markup]:
    said = search.facts
    parts = [f"Searched by {said.get('searcher', '?')}: {proof(search)}."]
    if said.get("searcher_reason"):
        parts.append(f"Why this searcher: {said['searcher_reason']}.")
    if said.get("predictor"):
        source = said.get("predictor_source")
        parts.append(f"Accuracy: {said['predictor']}{f', {source}' if source else ''}.")
    else:
        parts.append("No predictor: costs alone.")
    if not search.points and not search.missed:
        parts.append(EMPTY)
    parts += filter(None, [thinning(search)])
    if unmeasured(search.points):
        parts.append(UNMEASURED)
    if any(p.extrapolated for p in search.points):
        parts.append("Some networks lie outside what the predictor was fitted on: extrapolated.")
    found = [element("p", " ".join(parts))]
    return [*found, element("p", str(said["note"]))] if said.get("note") else found


def figure_of(figure: Figure) -> Markup:
    """A figure with its caption; what the script draws itself is shown without it alone."""
    shown = {"class_": "static"} if figure.file.stem == "front" else {}
    place = sha256(str(figure.file).encode()).hexdigest()[:6]  # runs have figures of the same name
    drawing = Markup(inlined(figure.file, f"{figure.file.stem}-{place}"))
    return element("figure", [drawing, element("figcaption", figure.caption)], **shown)


def _network(number: int, network: Network, figures: Sequence[Figure]) -> list[Markup]:
    point = network.point
    heading = "The best network" if number == 1 else f"Network {number}"
    said = [f"{network.title}"]
    if point.accuracy is not None:
        said.append(f"{point.accuracy.value:.2f} % ({_interval(point.accuracy)})")
    said += [f"{full(c.value)} {c.unit} of {cost_label(n)}" for n, c in point.costs.items()]
    if point.support is not None:
        said.append(f"{point.support:,} measured records behind it")
    arch = element("pre", json.dumps(point.arch))
    shown = element("details", [element("summary", "its architecture, as JSON"), arch])
    return [
        element("h2", heading),
        element("p", " · ".join(said)),
        *map(figure_of, figures),
        shown,
    ]


def front_table(search: SearchRecord, file: str) -> Markup:
    """The networks as a table: all of them, or evenly many; ``file`` has all."""
    points = search.points
    shown = points
    if len(points) > ROWS:
        shown = tuple(points[round(i * (len(points) - 1) / (ROWS - 1))] for i in range(ROWS))
    best = search.ranked[0]
    marked = next((i for i, p in enumerate(shown) if p.arch == best.arch), None)
    caption = counted(len(points), "network")
    if len(shown) < len(points):
        caption += f", {len(shown)} of them here" + (f"; all in {file}" if file else "")
    columns = front_columns(search)
    return table(columns, (front_cells(search, p) for p in shown), caption, marked)


def front_columns(search: SearchRecord) -> list[tuple[str, str]]:
    """Columns of the table of a front: (name, unit and kind)."""
    first = search.points[0]
    columns = []
    if search.swept is not None:
        columns.append(("bound", f"on {cost_label(search.swept)}"))
    for name in search.costs:
        cost = first.costs.get(name)
        columns.append((cost_label(name), f"{cost.unit}, {cost.kind}" if cost else ""))
    if any(p.accuracy is not None for p in search.points):
        kind = next(p.accuracy.kind for p in search.points if p.accuracy is not None)
        columns += [("top-1", f"%, {kind}"), ("80 % interval", "%")]
    if any(p.support is not None for p in search.points):
        columns.append(("records", "behind"))
    return [*columns, ("image", "pixels"), ("", "")]


def front_cells(search: SearchRecord, point: Point, decimals: int = 2) -> list[str]:
    """One row of the table of a front; ``decimals`` of the interval's ends."""
    cells = []
    if search.swept is not None:
        cells.append("–" if point.bound is None else full(point.bound))
    cells += [full(point.costs[n].value) if n in point.costs else "–" for n in search.costs]
    if any(p.accuracy is not None for p in search.points):
        found = point.accuracy
        cells += ["–", "–"] if found is None else [f"{found.value:.2f}", _ends(found, decimals)]
    if any(p.support is not None for p in search.points):
        cells.append("–" if point.support is None else f"{point.support:,}")
    size = point.arch.get("image_size", point.arch.get("r", "–"))
    return [*cells, str(size), "extrapolated" if point.extrapolated else ""]


def _ends(found: Measurement, decimals: int = 2) -> str:
    if found.low is None or found.high is None:
        return "–"
    return f"{found.low:.{decimals}f} to {found.high:.{decimals}f}"


def _missed_table(search: SearchRecord) -> Markup:
    columns = [("bound", f"on {cost_label(search.swept or '')}"), ("reached", ""), ("binds", "")]
    return table(columns, map(_missed_cells, search.missed))


def _missed_cells(missed: Missed) -> list[str]:
    reached = "–" if missed.smallest is None else full(missed.smallest)
    return [full(missed.bound), reached, missed.binds]
