"""Laws of claims: (entry, context, generator)."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, Final

import numpy as np

from ofa_plugins_core.claims import Checked, Comparison
from ofa_plugins_core.entries import ClaimEntry, JobContext
from ofa_plugins_core.errors import MissingExtraError, UnknownNameError
from ofa_plugins_core.testing.laws import Law, NotApplicableError, demand

Rng = np.random.Generator


def says_whose_it_is(entry: ClaimEntry, context: JobContext, generator: Rng) -> None:
    """It has a summary, a work and a source, for its reader to look it up.

    State the claim in a sentence, whose it is, and the table, figure or section that says it.
    """
    for name in ("summary", "work", "source"):
        demand(getattr(entry, name).strip(), f"its {name} is empty")
    demand(entry.seconds > 0, f"it says that it takes {entry.seconds:g} s")


def says_how_to_get_what_it_needs(entry: ClaimEntry, context: JobContext, generator: Rng) -> None:
    """Each file that it needs has a place of its own below a folder, and a way to get it.

    Give each Material a place relative to --material's folder, what it is, and an address.
    """
    if not entry.needs:
        raise NotApplicableError("it needs no file")
    names = [m.name for m in entry.needs]
    demand(len(set(names)) == len(names), f"two of its files have one name: {', '.join(names)}")
    for needed in entry.needs:
        place = PurePath(needed.place)
        demand(
            needed.place and not place.is_absolute() and ".." not in place.parts,
            f"{needed.name}: {needed.place!r} is no place below a folder",
        )
        demand(needed.summary.strip(), f"{needed.name}: it does not say what it is")
        demand(needed.how.strip(), f"{needed.name}: it does not say how to get it")


def judges_something(entry: ClaimEntry, context: JobContext, generator: Rng) -> None:
    """What it finds without any file is judged, and some figure of ours is in it.

    Give at least one Comparison a relation other than "shown", and a figure of yours in each.
    """
    checked = _checked(entry, context)
    judged = [c for c in checked.comparisons if c.holds is not None]
    demand(judged, "none of its comparisons is judged: it could not fail")
    nothing = [c.what for c in judged if c.ours is None]
    demand(not nothing, f"nothing of ours is beside {', '.join(nothing)}")


def answers_alike(entry: ClaimEntry, context: JobContext, generator: Rng) -> None:
    """Checked twice it finds the same; what is measured may differ, its verdict not.

    Draw from a generator that context.seed makes, and mark timings with kind="measured".
    """
    first, again = (_checked(entry, context) for _ in range(2))
    demand(first.verdict == again.verdict, f"{first.verdict}, then {again.verdict}")
    pair = [[_lasting(c) for c in found.comparisons] for found in (first, again)]
    for one, other in zip(*pair, strict=False):
        demand(one == other, f"{one['what']}: {one}, then {other}")
    demand(len(pair[0]) == len(pair[1]), f"{len(pair[0])} comparisons, then {len(pair[1])}")


def _lasting(comparison: Comparison) -> dict[str, Any]:
    if comparison.kind == "measured":  # its text may hold the figure, too
        return {"what": "", "published": comparison.published, "holds": comparison.holds}
    return comparison.as_json()


def _checked(entry: ClaimEntry, context: JobContext) -> Checked:
    if entry.needs:
        raise NotApplicableError("it needs files of the user's own")
    try:
        return entry.check(context, {})
    except (MissingExtraError, UnknownNameError) as error:
        raise NotApplicableError(error.message) from None


LAWS: Final[tuple[Law, ...]] = (
    says_whose_it_is,
    says_how_to_get_what_it_needs,
    judges_something,
    answers_alike,
)
