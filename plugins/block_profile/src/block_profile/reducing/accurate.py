"""The options that make networks less accurate than the mean of their places' options."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import fmean
from typing import Final

from block_profile.profiling.profile import Metric
from block_profile.reducing.removals import Removal, amount, removal_of
from block_profile.reducing.standings import Match, Standing
from ofa_plugins_core.errors import UsageError

_NOISE: Final = 1e-9


def less_accurate(
    found: Sequence[Match], accuracy: Metric, margin: float = 0.0, count: int | None = None
) -> list[Removal]:
    """What the rule drops.

    An option goes where its mean is below the mean over all options that stand beside it: what a
    network has on average whose block is drawn at random there. So its going raises that average,
    and the best option always stays.

    Args:
        margin: standard errors by which it has to be below, where means are sampled.
        count: drop so many at each match instead, the least accurate ones.

    Raises:
        UsageError: so many would leave nothing.
    """
    removals = []
    for match in found:
        level = fmean(s.mean[accuracy.name] for s in match.standings)
        if count is not None and count >= len(match.standings):
            raise UsageError(
                f"--drop {count} leaves nothing: there are {len(match.standings)} options "
                f"({match.label})"
            )
        worst = sorted(match.standings, key=lambda s: s.mean[accuracy.name])
        gone = [s for s in worst if _below(s, match, accuracy, level, margin)]
        for standing in gone if count is None else worst[:count]:
            reason = _reason(standing, match, accuracy, level)
            removals.append(removal_of(match, standing, reason))
    return removals


def _below(standing: Standing, match: Match, accuracy: Metric, level: float, margin: float) -> bool:
    below = level - standing.mean[accuracy.name]
    return below > margin * _error(standing, match, accuracy) + _NOISE * abs(level)


def _error(standing: Standing, match: Match, accuracy: Metric) -> float:
    """Standard error of an option's distance from the mean of all n, itself among them."""
    count = len(match.standings)
    own = (1 - 1 / count) * standing.error[accuracy.name]
    others = [s.error[accuracy.name] / count for s in match.standings if s is not standing]
    return sqrt(own**2 + sum(e * e for e in others))


def _reason(standing: Standing, match: Match, accuracy: Metric, level: float) -> str:
    mean, error = standing.mean[accuracy.name], _error(standing, match, accuracy)
    far = f", {abs(level - mean) / error:.1f} standard errors" if error else ""
    side = "below" if mean < level else "above"
    return (
        f"{amount(mean, accuracy)}: {abs(level - mean):.3f} points {side} the mean of the "
        f"{len(match.standings)} options ({amount(level, accuracy)}){far}"
    )
