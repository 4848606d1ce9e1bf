"""What ``ofa run contest`` returns: the repeats of each space, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import frozen

from block_profile.reducing.hypervolume import hypervolume, nadir
from block_profile.reducing.statistics import Comparison, compared, mean_and_sd
from ofa_plugins_core.jobs.results import INTERRUPTED, Row
from ofa_plugins_core.reduction.supernet import ReducedSupernet

ROLES: Final = ("reduced", "whole", "control")
PAIRS: Final = (("reduced", "whole"), ("reduced", "control"), ("control", "whole"))


@frozen
class Found:
    """What one search found.

    Attributes:
        points: accuracy (percent) and cost of each network; () where none met the bounds.
        evaluations: networks that were scored one by one.
    """

    points: tuple[tuple[float, float], ...]
    evaluations: int

    def as_dict(self) -> dict[str, Any]:
        """As the journal has it."""
        return {"points": [list(p) for p in self.points], "evaluations": self.evaluations}

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Found:
        """Raises KeyError, TypeError, ValueError where it is broken."""
        points = tuple((float(a), float(c)) for a, c in data["points"])
        return cls(points, int(data["evaluations"]))


@frozen(eq=False)
class ContestResult:
    """A contest.

    Attributes:
        run: its folder, or None. small: the smaller space. searcher: its name.
        front: fronts are compared, by hypervolume; else the best accuracies.
        costs: name -> unit; the first is the front's.
        named: the control's name; None: a new one each repeat.
        found: (role, repeat) -> what was found. exact: what is proven best, where it was asked.
        asked: repeats. seed: of all.
        reference: accuracy and cost, as the user gave it; None: the worst of all fronts.
        interrupted: the user stopped it; --resume goes on.
    """

    run: Path | None
    small: ReducedSupernet
    searcher: str
    front: bool
    costs: Mapping[str, str]
    named: str | None
    found: Mapping[tuple[str, int], Found]
    exact: Mapping[tuple[str, int], Found]
    asked: int
    seed: int
    reference: tuple[float, float] | None = None
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """130 where it was interrupted."""
        return INTERRUPTED if self.interrupted else 0

    @property
    def unit(self) -> str:
        """Of what is compared."""
        return f"% {next(iter(self.costs.values()))}" if self.front else "points"

    @property
    def at(self) -> tuple[float, float] | None:
        """The hypervolume's reference point."""
        if not self.front or self.reference is not None:
            return self.reference
        fronts = [np.array(f.points) for f in self.found.values() if f.points]
        return nadir(fronts) if fronts else None

    def values(self, role: str, exact: bool = False) -> list[float]:
        """What each repeat of a space came to; those without a network are left out."""
        found = self.exact if exact else self.found
        repeats = sorted(n for r, n in found if r == role)
        return [self._value(found[role, n]) for n in repeats if found[role, n].points]

    def lacking(self, role: str) -> int:
        """Repeats of a space that found no network within the bounds."""
        return sum(r == role and not f.points for (r, _), f in self.found.items())

    def verdict(self, one: str, other: str, comparison: Comparison) -> str:
        """The comparison in words; where repeats found no network, that it leaves them out."""
        said = comparison.verdict(self.unit)
        for role in (one, other):
            if self.lacking(role):
                there = len(self.values(role))
                of = there + self.lacking(role)
                said += f"; {role}: only the {there} of {of} repeats that found a network"
        return said

    def _value(self, found: Found) -> float:
        if not self.front:
            return max(a for a, _ in found.points)
        at = self.at
        assert at is not None
        return hypervolume(np.array(found.points), at)

    def comparisons(self) -> dict[tuple[str, str], Comparison]:
        """Each pair of spaces of which both have two repeats or more."""
        lots = {role: self.values(role) for role in ROLES}
        generator = np.random.Generator(np.random.PCG64([self.seed, len(PAIRS)]))
        return {
            (one, other): compared(lots[one], lots[other], generator)
            for one, other in PAIRS
            if min(len(lots[one]), len(lots[other])) > 1
        }

    def networks(self, role: str) -> int | None:
        """Of a space, an image size; None where there are several."""
        if role == "control":
            return None
        return (self.small if role == "reduced" else self.small.whole).space.count()

    def as_json(self) -> dict[str, Any]:
        """Everything."""
        return {
            "run": None if self.run is None else str(self.run),
            "supernet": self.small.whole.name,
            "reduced": self.small.name,
            "control": self.named or "a new one each repeat",
            "searcher": self.searcher,
            "measure": "hypervolume" if self.front else "accuracy",
            "unit": self.unit,
            "reference": None if self.at is None else list(self.at),
            "costs": list(self.costs),
            "repeats": self.asked,
            "seed": self.seed,
            "interrupted": self.interrupted,
            "evaluations": sum(f.evaluations for f in self.found.values()),
            "spaces": {role: self._space_json(role) for role in ROLES},
            "comparisons": [
                {
                    "of": one,
                    "against": other,
                    "difference": c.difference,
                    "p": c.p,
                    "values": [len(self.values(one)), len(self.values(other))],
                    "verdict": self.verdict(one, other, c),
                }
                for (one, other), c in self.comparisons().items()
            ],
        }

    def _space_json(self, role: str) -> dict[str, Any]:
        values, proven = self.values(role), self.values(role, exact=True)
        mean, sd = mean_and_sd(values) if values else (None, None)
        return {
            "networks": self.networks(role),
            "mean": mean,
            "sd": sd,
            "values": values,
            "without_network": self.lacking(role),
            "proven": proven,
        }

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        what = f"hypervolume ({self.unit})" if self.front else "best accuracy (%)"
        rows = [self._cells(role) for role in ROLES if self.values(role) or self.lacking(role)]
        least = min(sum(r == role for r, _ in self.found) for role in ROLES)
        done = f"{least} of {self.asked} repeats" if self.interrupted else f"{self.asked} repeats"
        title = f"{self.small.name} · searched by {self.searcher}, {done}"
        if self.front and self.at is not None:
            (name, unit), (accuracy, cost) = next(iter(self.costs.items())), self.at
            title += f" · reference point {accuracy:.4g} %, {name} {cost:,.6g} {unit}"
        if any(self.lacking(role) for role in ROLES):
            title += " · some found no network within the bounds"
        verdicts = [
            [f"{one} against {other}", self.verdict(one, other, c)]
            for (one, other), c in self.comparisons().items()
        ]
        columns = ["space", "networks", "found one", f"{what}, mean ± sd", "proven best"]
        return [
            (title, columns, rows),
            ("permutation test of the means, two-sided", ["", "verdict"], verdicts),
        ]

    def _cells(self, role: str) -> Sequence[str]:
        values = self.values(role)
        mean, sd = mean_and_sd(values) if values else (0.0, 0.0)
        proven = self.values(role, exact=True)
        digits = 3 if mean < 100 else 1 if mean < 10_000 else 0
        best = ""
        if proven:
            at, spread = mean_and_sd(proven)
            best = f"{at:,.{digits}f}" + (f" ± {spread:,.{digits}f}" if len(proven) > 1 else "")
        count = self.networks(role)
        name = {"reduced": self.small.name, "whole": self.small.whole.name}.get(
            role, self.named or "random, new each time"
        )
        said = "as many options" if count is None else f"{count:,}"
        reached = f"{mean:,.{digits}f} ± {sd:,.{digits}f}" if values else "none found"
        found = f"{len(values)} of {len(values) + self.lacking(role)}"
        return [name, said, found, reached, best]
