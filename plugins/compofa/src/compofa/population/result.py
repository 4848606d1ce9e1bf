"""What ``ofa run population`` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from compofa.population.comparing import LEVEL, Estimate
from compofa.population.records import Population
from ofa_plugins_core.jobs.results import Row
from ofa_plugins_core.values import whole

PUBLISHED: Final = (0.6, 0.8)
"""Points by which CompOFA's population is said to be more accurate at equal Note10 latency."""
PUBLISHED_SOURCE: Final = "CompOFA (ICLR 2021), read off a figure: at equal Note10 latency"
OVER: Final = "networks, resampled: not what all networks of a file share, images and training"


@frozen(eq=False)
class Gap:
    """Two populations at one image size.

    Attributes:
        image_size: pixels; None: all of them together.
        networks: of ours, of theirs.
        range: ends of the costs over which the gap is averaged.
        mean: mean gap at equal cost, points. first, last: the gap at either end of the range.
        binned: the mean gap from bins instead of curves.
        spreads: standard deviation of each around its own curve, points.
        tighter: by how much ours is the smaller, points.
    """

    image_size: int | None
    networks: tuple[int, int]
    range: tuple[float, float]
    mean: Estimate
    binned: Estimate
    first: Estimate
    last: Estimate
    spreads: tuple[float, float]
    tighter: Estimate

    @property
    def place(self) -> str:
        """The image size in words."""
        return "all sizes" if self.image_size is None else f"{self.image_size} px"


@frozen(eq=False)
class Bin:
    """A range of costs at one image size: networks and mean top-1 of each population."""

    image_size: int | None
    low: float
    high: float
    networks: tuple[int, int]
    means: tuple[float, float]
    gap: Estimate


@frozen(eq=False)
class Best:
    """The most accurate measured networks under a bound.

    Attributes:
        bound: on the cost.
        rows: of each population; None where it has no network there.
        records: of each population under the bound.
    """

    bound: float
    rows: tuple[int | None, int | None]
    records: tuple[int, int]


@frozen(eq=False)
class Claim:
    """Something that is said of a population, and what the records say."""

    text: str
    found: Estimate
    unit: str
    shown: str


@frozen(eq=False)
class PopulationResult:
    """Two populations of measured networks compared at equal cost.

    Attributes:
        run: its folder, or None.
        ours, theirs: what is compared, and to what.
        left_out: image size -> why it takes no part.
        near_points: below the front of all records that count as near it.
        draws: resamples behind each interval.
        near: share of each population near that front, at equal cost, and the difference.
    """

    run: Path | None
    ours: Population
    theirs: Population
    left_out: Mapping[int, str]
    near_points: float
    draws: int
    best: Sequence[Best]
    gaps: Sequence[Gap]
    bins: Sequence[Bin]
    near: tuple[float, float, Estimate]
    most_rows: int = field(default=60, init=False)

    @property
    def names(self) -> tuple[str, str]:
        """Of the two supernets; of one supernet's two files the second is told apart."""
        ours, theirs = self.ours.supernet.name, self.theirs.supernet.name
        return ours, theirs if theirs != ours else f"{theirs} (2)"

    @property
    def published(self) -> bool:
        """Whether it is the pair, and the cost, of which a gap was published."""
        ours, theirs = self.names
        priced = self.ours.model.name.startswith("latency")
        return priced and ours.startswith("compofa") and theirs == "ofa_mbv3_w1.0"

    def claims(self) -> list[Claim]:
        """What is said of the population, and what the records say."""
        cost = self.ours.model.name
        first, second, near = self.near
        shares = f"{100 * first:.1f} against {100 * second:.1f} % of the records"
        found = [
            Claim(f"more accurate at equal {cost}, {g.place}", g.mean, "points", "")
            for g in self.gaps
        ]
        found += [
            Claim(
                f"tighter at equal {cost}, {g.place}",
                g.tighter,
                "points",
                f"±{g.spreads[0]:.2f} against ±{g.spreads[1]:.2f} points",
            )
            for g in self.gaps
        ]
        within = f"within {self.near_points:g} point{'' if self.near_points == 1 else 's'}"
        return [*found, Claim(f"denser near the front ({within})", near, "share", shares)]

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it and result.json holds it."""
        model = self.ours.model
        cost = {"name": model.name, "unit": model.unit, "kind": model.kind, "source": model.source}
        found: dict[str, Any] = {
            "run": None if self.run is None else str(self.run),
            "cost": cost,
            "populations": [_population(p) for p in (self.ours, self.theirs)],
            "left_out": {str(k): v for k, v in sorted(self.left_out.items())},
            "interval": {"level": LEVEL, "draws": self.draws, "over": OVER},
            "best": [self._best(b) for b in self.best],
            "gaps": [self._gap(g) for g in self.gaps],
            "bins": [self._bin(b) for b in self.bins],
            "claims": [
                {"claim": c.text, **estimate(c.found, c.unit), "verdict": c.found.verdict}
                for c in self.claims()
            ],
        }
        if self.published:
            low, high = PUBLISHED
            said = {"low": low, "high": high, "unit": "points", "kind": "published"}
            found["published_gap"] = {**said, "source": PUBLISHED_SOURCE}
        return found

    def _best(self, best: Best) -> dict[str, Any]:
        found: dict[str, Any] = {"bound": whole(best.bound)}
        both = zip(self.names, (self.ours, self.theirs), best.rows, best.records, strict=True)
        for name, population, row, records in both:
            found[name] = {"records": records, **_network(population, row)}
        return found

    def _gap(self, gap: Gap) -> dict[str, Any]:
        low, high = gap.range
        return {
            "image_size": gap.image_size,
            "networks": dict(zip(self.names, gap.networks, strict=True)),
            "from": low,
            "to": high,
            "mean": estimate(gap.mean, "points"),
            "mean_of_bins": estimate(gap.binned, "points"),
            "at_from": estimate(gap.first, "points"),
            "at_to": estimate(gap.last, "points"),
            "spread": dict(zip(self.names, gap.spreads, strict=True)),
        }

    def _bin(self, found: Bin) -> dict[str, Any]:
        return {
            "image_size": found.image_size,
            "from": found.low,
            "to": found.high,
            "networks": dict(zip(self.names, found.networks, strict=True)),
            "top1": dict(zip(self.names, found.means, strict=True)),
            "gap": estimate(found.gap, "points"),
        }

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        from compofa.population.showing import tables

        return tables(self)


def estimate(found: Estimate, unit: str) -> dict[str, Any]:
    """An estimate as JSON: measured, with its interval; null where there is none."""
    numbers = {"value": found.value, "low": found.low, "high": found.high}
    known = {name: v if isfinite(v) else None for name, v in numbers.items()}
    return {**known, "unit": unit, "kind": "measured"}


def _population(found: Population) -> dict[str, Any]:
    sizes = found.supernet.resolutions
    return {
        "supernet": found.supernet.name,
        "records": found.records,
        "repeated": found.repeated,
        "compared": {str(s): len(found.cloud.at(s)) for s in sizes},
        "networks_of_the_space": found.supernet.space.count(),
    }


def _network(population: Population, row: int | None) -> dict[str, Any]:
    if row is None:
        return {"arch": None}
    model = population.model
    return {
        "top1": {"value": float(population.top1[row]), "unit": "%", "kind": "measured"},
        "cost": {"value": float(population.cost[row]), "unit": model.unit, "kind": model.kind},
        "arch": population.arch(row),
    }
