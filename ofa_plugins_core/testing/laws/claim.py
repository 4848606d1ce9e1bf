"""Laws of claims: (the claim as it is asked, None, generator)."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, Final

import numpy as np
from attrs import define, field

from ofa_plugins_core.claims import Checked, Comparison
from ofa_plugins_core.entries import ClaimEntry, JobContext
from ofa_plugins_core.errors import MissingExtraError, UnknownNameError
from ofa_plugins_core.testing.laws import Law, NotApplicableError, demand

Rng = np.random.Generator
LONG: Final = 3.0
"""Seconds from which a claim is not checked twice."""


@define(eq=False)
class Asked:
    """A claim, and what it came to when it was checked first.

    Attributes:
        entry: as the host hands it out.
        context: to check it in.
    """

    entry: ClaimEntry
    context: JobContext
    _first: Checked | None = field(default=None, init=False)

    def first(self) -> Checked:
        """What it came to first; raises NotApplicableError where it needs what is not here."""
        if self._first is None:
            self._first = self.once()
        return self._first

    def once(self) -> Checked:
        """What it comes to now."""
        if self.entry.needs:
            raise NotApplicableError("it needs files of the user's own")
        try:
            return self.entry.check(self.context, {})
        except (MissingExtraError, UnknownNameError) as error:
            raise NotApplicableError(error.message) from None


def says_whose_it_is(asked: Asked, _: Any, generator: Rng) -> None:
    """It has a summary, a work and a source, for its reader to look it up.

    State the claim in a sentence, whose it is, and the table, figure or section that says it.
    """
    entry = asked.entry
    for name in ("summary", "work", "source"):
        demand(getattr(entry, name).strip(), f"its {name} is empty")
    demand(entry.seconds > 0, f"it says that it takes {entry.seconds:g} s")


def says_how_to_get_what_it_needs(asked: Asked, _: Any, generator: Rng) -> None:
    """Each file that it needs has a place of its own below a folder, and a way to get it.

    Give each Material a place relative to --material's folder, what it is, and an address.
    """
    entry = asked.entry
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


def judges_something(asked: Asked, _: Any, generator: Rng) -> None:
    """What it finds without any file is judged, and some figure of ours is in it.

    Give at least one Comparison a relation other than "shown", and a figure of yours in each.
    """
    judged = [c for c in asked.first().comparisons if c.holds is not None]
    demand(judged, "none of its comparisons is judged: it could not fail")
    nothing = [c.what for c in judged if c.ours is None]
    demand(not nothing, f"nothing of ours is beside {', '.join(nothing)}")


def answers_alike(asked: Asked, _: Any, generator: Rng) -> None:
    """Checked twice it finds the same; what is measured may differ, its verdict not.

    Draw from a generator that context.seed makes, and mark timings with kind="measured".
    """
    first = asked.first()
    if asked.entry.seconds > LONG:
        raise NotApplicableError(f"it takes about {asked.entry.seconds:g} s, and is checked once")
    again = asked.once()
    demand(first.verdict == again.verdict, f"{first.verdict}, then {again.verdict}")
    pair = [[_lasting(c) for c in found.comparisons] for found in (first, again)]
    for one, other in zip(*pair, strict=False):
        demand(one == other, f"{one['what']}: {one}, then {other}")
    demand(len(pair[0]) == len(pair[1]), f"{len(pair[0])} comparisons, then {len(pair[1])}")


def _lasting(comparison: Comparison) -> dict[str, Any]:
    if comparison.kind == "measured":  # its text may hold the figure, too
        return {"what": "", "published": comparison.published, "holds": comparison.holds}
    return comparison.as_json()


LAWS: Final[tuple[Law, ...]] = (
    says_whose_it_is,
    says_how_to_get_what_it_needs,
    judges_something,
    answers_alike,
)
