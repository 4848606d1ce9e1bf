"""Who leads in MOOFA's table 1: by the fits that ship, and among measured networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from attrs import evolve, frozen

from moofa.claims.figures import BOUNDS, LABELS, TABLE, short
from moofa.claims.sampled import LABEL, best_measured
from moofa.claims.table import best_under
from ofa_plugins_core import Checked, Comparison, InputError, JobContext
from ofa_plugins_core.values import Kind

TIGHT: Final = BOUNDS[:3]
WIDE: Final = BOUNDS[3:]
MOOFA: Final = "moofa_v3"
OPEN: Final = "not told apart"
MISSED: Final = {
    500_000: "theirs under 500k (72.99 %) is no better than theirs under 400k (73.34 %), which "
    "fits, too: it is the search's, not the supernet's"
}
"""Bound -> why the lead may differ."""


@frozen
class Standing:
    """Top-1 of a supernet's best network under a bound, percent, and how far it is known."""

    low: float
    top1: float
    high: float
    networks: int = 0
    """Measured ones that it rests on."""


Field: TypeAlias = Mapping[str, Standing]
"""Supernet -> where it stands."""


def tight(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Where memory is tight."""
    return _by_the_fits(context, TIGHT, " Measured networks: moofa_tight_records.")


def wide(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Where there is more memory."""
    return _by_the_fits(context, WIDE)


def _by_the_fits(context: JobContext, bounds: Sequence[int], more: str = "") -> Checked:
    return Checked(
        _leaders(bounds, lambda bound: _predicted(context, bound), "predicted"),
        "Ours by prediction, theirs by measurement. Ours is in the lead, MOOFA or one of the other "
        f"two, only where its 80 % interval lies above those it has to beat.{more}",
    )


def _predicted(context: JobContext, bound: int) -> Field:
    found = {}
    for name in TABLE:
        one = best_under(context, name, bound)
        low, high = one.top1 - one.half, one.top1 + one.half
        found[name] = Standing(low, one.top1, high, one.item.support or 0)
    return found


def tight_records(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Where memory is tight, by what the authors measured."""
    best = {n: best_measured(context, n, files[f"records_{n}"]) for n in TABLE}
    seen = [b for b in TIGHT if all(best[n][b].networks for n in TABLE)]

    def standing(bound: int) -> Field:
        return {n: _measured(n, best[n][bound].top1, best[n][bound].networks) for n in TABLE}

    if not seen:
        raise InputError(f"no bound of {short(TIGHT[0])} to {short(TIGHT[-1])} has records of all")
    return Checked(
        _leaders(seen, standing, "measured"),
        "Each supernet's best record under the bound. These are samples, of different numbers of "
        "networks: neither finds the best there is. In the lead is who is ahead by more than the "
        "standard errors of two labels together.",
    )


def _measured(name: str, top1: float | None, networks: int) -> Standing:
    assert top1 is not None
    return Standing(top1 - LABEL[name], top1, top1 + LABEL[name], networks)


def _leaders(
    bounds: Sequence[int], standing: Callable[[int], Field], kind: Kind
) -> list[Comparison]:
    rows: list[Comparison] = []
    for bound in bounds:
        ours = standing(bound)
        cells = {name: TABLE[name][BOUNDS.index(bound)].top1 for name in TABLE}
        theirs = {name: Standing(top1, top1, top1) for name, top1 in cells.items()}
        row = Comparison(f"{short(bound)}: in the lead", leader(ours), leader(theirs), kind=kind)
        rows += [
            evolve(row, why=_why(bound, ours)),
            Comparison(
                f"{short(bound)}: MOOFA's lead",
                lead(ours),
                lead(theirs),
                "points",
                kind,
                "shown",
                why=_said(ours),
            ),
        ]
    return rows


def leader(found: Field) -> str:
    """Who is ahead by more than is unknown."""
    ours, others = found[MOOFA], [s for name, s in found.items() if name != MOOFA]
    if all(ours.low > other.high for other in others):
        return "MOOFA"
    ahead = any(other.low > ours.high for other in others)
    return "OFA or CompOFA" if ahead else OPEN


def lead(found: Field) -> float:
    """MOOFA's top-1 above the better of the other two, points."""
    return found[MOOFA].top1 - max(s.top1 for name, s in found.items() if name != MOOFA)


def _said(found: Field) -> str:
    return ", ".join(
        f"{LABELS[n]} {s.top1:.2f} ({s.low:.2f} to {s.high:.2f}, {s.networks:,} networks measured)"
        for n, s in found.items()
    )


def _why(bound: int, found: Field) -> str:
    if leader(found) == OPEN:
        return "the intervals overlap: nobody is ahead by more than is unknown"
    return MISSED.get(bound, "")
