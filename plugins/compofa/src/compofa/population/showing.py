"""What ``ofa run population`` shows on the terminal."""

from __future__ import annotations

from math import isfinite

from compofa.population.comparing import Estimate
from compofa.population.records import Population
from compofa.population.result import OVER, PUBLISHED, Best, Claim, PopulationResult
from ofa_plugins_core.jobs.results import Row, number


def tables(result: PopulationResult) -> list[Row]:
    """For the terminal."""
    return [_best_table(result), _gap_table(result), _bin_table(result), _claim_table(result)]


def _best_table(result: PopulationResult) -> Row:
    model, (ours, theirs) = result.ours.model, result.names
    lines = [
        f"{ours} and {theirs}: measured networks at equal {model.name} ({model.kind})",
        *([f"{model.name}: {model.source}"] if model.source else []),
        "most accurate record under a bound: top-1 in %, measured",
    ]
    columns = [f"bound\n{model.unit}", ours, theirs, "difference\npoints", "records\nunder it"]
    return "\n".join(lines), columns, [_best_row(result, best) for best in result.best]


def _best_row(result: PopulationResult, best: Best) -> list[str]:
    ours, theirs = (
        _top1(p, row) for p, row in zip((result.ours, result.theirs), best.rows, strict=True)
    )
    gap = "" if ours is None or theirs is None else f"{ours - theirs:+.2f}"
    cells = ["none" if v is None else f"{v:.2f}" for v in (ours, theirs)]
    return [number(best.bound), *cells, gap, f"{best.records[0]:,} and {best.records[1]:,}"]


def _gap_table(result: PopulationResult) -> Row:
    unit = result.ours.model.unit
    columns = ["", "networks", f"from, to\n{unit}", "mean gap\npoints", "95 %\ninterval"]
    columns += ["at the\nlower end", "at the\nupper end", "mean of\nbins", "95 %\ninterval"]
    rows = [
        [
            g.place,
            f"{g.networks[0]:,} and {g.networks[1]:,}",
            f"{g.range[0]:.4g} to {g.range[1]:.4g}",
            signed(g.mean.value),
            interval(g.mean),
            signed(g.first.value),
            signed(g.last.value),
            signed(g.binned.value),
            interval(g.binned),
        ]
        for g in result.gaps
    ]
    if result.published:
        low, high = PUBLISHED
        said = f"{low:+.1f} to {high:+.1f}"
        rows.append(["published", "", "", said, "read off a figure", "", "", "", ""])
    title = f"gap at equal {result.ours.model.name}; intervals over {OVER}"
    return title, columns, rows


def _bin_table(result: PopulationResult) -> Row:
    unit, (ours, theirs) = result.ours.model.unit, result.names
    columns = ["", f"from, to\n{unit}", "networks", ours, theirs, "gap\npoints", "95 %"]
    rows = [
        [
            "all sizes" if b.image_size is None else f"{b.image_size} px",
            f"{b.low:.4g} to {b.high:.4g}",
            f"{b.networks[0]:,} and {b.networks[1]:,}",
            *(f"{m:.2f}" for m in b.means),
            signed(b.gap.value),
            interval(b.gap),
        ]
        for b in result.bins
    ]
    return "mean top-1 in % of the records in each bin", columns, rows


def _claim_table(result: PopulationResult) -> Row:
    rows = [
        [c.text, signed(c.found.value), c.unit, interval(c.found), c.shown, _said(c)]
        for c in result.claims()
    ]
    columns = ["", "by", "", "95 %\ninterval", "", ""]
    return f"what is said of {result.names[0]}, and what the records say", columns, rows


def interval(found: Estimate) -> str:
    """``-0.12 to +0.30``; empty where there is none."""
    ends = found.low, found.high
    return " to ".join(map(signed, ends)) if all(map(isfinite, ends)) else ""


def signed(value: float) -> str:
    """``+0.30``; a question mark where nothing is known."""
    return f"{value:+.2f}" if isfinite(value) else "?"


def _said(claim: Claim) -> str:
    words = {"holds": "holds", "reversed": "the opposite holds"}
    return words.get(claim.found.verdict, "undecided")


def _top1(population: Population, row: int | None) -> float | None:
    return None if row is None else float(population.top1[row])
