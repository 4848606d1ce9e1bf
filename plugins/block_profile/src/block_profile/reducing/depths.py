"""Units whose last layers cost much and gain little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from statistics import fmean, median

from attrs import frozen

from block_profile.profiling.profile import Metric, Profile
from block_profile.reducing.removals import Removal, amount
from ofa_plugins_core.reduction.data import Keep
from ofa_plugins_core.values import Number


@frozen(eq=False)
class Step:
    """The last step of a unit's depth.

    Attributes:
        unit: from 0. gene: of its depth. depths: all, increasing.
        gain: what the greatest depth has more than the one before it, in points.
        cost: what it costs more, in the cost's unit.
    """

    unit: int
    gene: str
    depths: tuple[Number, ...]
    gain: float
    cost: float

    @property
    def worth(self) -> float:
        """Points for each unit of cost; endless where it costs nothing."""
        if self.cost <= 0:
            return float("inf") if self.gain >= 0 else float("-inf")
        return self.gain / self.cost


def last_steps(profile: Profile, accuracy: Metric, cost: Metric) -> list[Step]:
    """The last depth of each unit of which rows force the depth to two values or more."""
    means: dict[tuple[int, str], dict[Number, dict[str, list[float]]]] = {}
    for row in profile.rows:
        forced = row.alone
        if forced is None or forced.kind != "depth" or forced.unit is None:
            continue
        at = means.setdefault((forced.unit, forced.place), {})
        found = at.setdefault(forced.choice["depth"], {})
        for metric in (accuracy, cost):
            found.setdefault(metric.name, []).append(row.best_known(metric.name).mean)
    return [
        _step(unit, gene, found, accuracy, cost)
        for (unit, gene), found in sorted(means.items())
        if len(found) > 1
    ]


def _step(
    unit: int,
    gene: str,
    found: Mapping[Number, Mapping[str, Sequence[float]]],
    accuracy: Metric,
    cost: Metric,
) -> Step:
    depths = tuple(sorted(found))
    last, before = found[depths[-1]], found[depths[-2]]
    gain, more = (fmean(last[m.name]) - fmean(before[m.name]) for m in (accuracy, cost))
    return Step(unit, gene, depths, gain, more)


def shortened(steps: Sequence[Step], cost: Metric, share: float) -> list[Removal]:
    """Units that lose their greatest depth.

    One does where its last step gains, for what it costs, less than a share of the median of all
    units' last steps; or where it gains less than nothing.

    Args:
        share: of the median; 0: no unit does.
    """
    if not steps or share <= 0:
        return []
    usual = median(s.worth for s in steps)
    least = max(share * usual, 0.0) if isfinite(usual) else 0.0
    removals = []
    for step in steps:
        if step.worth >= least:
            continue
        reason = (
            f"depth {step.depths[-1]} gains {step.gain:.3f} points for "
            f"{amount(step.cost, cost)}: {_rate(step.worth, cost)}, below {share:g} of the "
            f"units' median, {_rate(usual, cost)}"
        )
        keep = Keep(step.gene, step.depths[:-1], reason)
        what = f"depth {step.depths[-1]}"
        removals.append(Removal(what, f"unit {step.unit}", reason, keep=keep))
    return removals


def _rate(worth: float, cost: Metric) -> str:
    one = cost.unit
    if len(one) > 2 and one.endswith("s"):  # items; not ms
        one = one[:-1]
    return f"{worth:.3g} points per {one}"
