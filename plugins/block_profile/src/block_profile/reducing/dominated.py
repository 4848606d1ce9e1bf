"""Options that another one beats: at least as accurate and at most as costly."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import hypot
from typing import Final

from block_profile.profiling.profile import Metric
from block_profile.reducing.removals import Removal, amounts, removal_of
from block_profile.reducing.standings import Match, Standing

_NOISE: Final = 1e-9
"""Means of equal terms, added in another order, differ by less, relative to their size."""


def dominated(
    found: Sequence[Match],
    metrics: Sequence[Metric],
    margin: float = 0.0,
    unsure: Collection[str] = (),
) -> list[Removal]:
    """What the rule drops; something is left at every place.

    Args:
        metrics: accuracy, and the costs.
        margin: standard errors of the difference of two means by which an option must be beaten
            in what is sampled.
        unsure: metrics by which a tie says nothing: maxima of which some networks were drawn. A
            block that never held the maximum there may well do so elsewhere.
    """
    removals = []
    for match in found:
        for standing in match.standings:
            by = _beater(standing, match.standings, metrics, margin, unsure)
            if by is not None:
                removals.append(removal_of(match, standing, _reason(standing, by, metrics)))
    return removals


def _beater(
    standing: Standing,
    others: Sequence[Standing],
    metrics: Sequence[Metric],
    margin: float,
    unsure: Collection[str],
) -> Standing | None:
    """Of those that beat an option, the one that does so by most of the first metric."""
    beaters = [
        o for o in others if o is not standing and beats(o, standing, metrics, margin, unsure)
    ]
    return max(beaters, key=lambda o: _ahead(o, standing, metrics[0]), default=None)


def beats(
    one: Standing,
    other: Standing,
    metrics: Sequence[Metric],
    margin: float = 0.0,
    unsure: Collection[str] = (),
) -> bool:
    """Whether an option is at least as good by every metric, and better by one.

    With a margin it has to be ahead by so many standard errors wherever there are any; and it has
    to be better, a tie is not enough, by metrics that are unsure.
    """
    better = False
    for metric in metrics:
        ahead = _ahead(one, other, metric)
        noise = _NOISE * max(abs(one.mean[metric.name]), abs(other.mean[metric.name]))
        needed = margin * hypot(one.error[metric.name], other.error[metric.name])
        if ahead < needed - noise:
            return False
        ahead_here = ahead > needed + noise
        if metric.name in unsure and not ahead_here:
            return False
        better |= ahead_here
    return better


def _ahead(one: Standing, other: Standing, metric: Metric) -> float:
    difference = one.mean[metric.name] - other.mean[metric.name]
    return difference if metric.better == "higher" else -difference


def _reason(standing: Standing, by: Standing, metrics: Sequence[Metric]) -> str:
    return f"{amounts(standing, metrics)}; {by.label} is no worse in any: {amounts(by, metrics)}"
