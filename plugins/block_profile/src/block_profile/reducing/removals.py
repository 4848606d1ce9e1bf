"""What is taken out of a space, and why."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from block_profile.profiling.profile import Metric
from block_profile.reducing.standings import Match, Standing
from ofa_plugins_core.reduction.data import Drop, Keep
from ofa_plugins_core.scoring import ACCURACY


@frozen(eq=False)
class Removal:
    """One thing that is dropped.

    Attributes:
        what: for people. where: the place, or over which places the means were taken.
        reason: with numbers and units.
        drops: blocks; or () and
        keep: the options of a gene that are left.
    """

    what: str
    where: str
    reason: str
    drops: tuple[Drop, ...] = ()
    keep: Keep | None = None


def removal_of(match: Match, standing: Standing, reason: str) -> Removal:
    """An option that is dropped wherever it was judged."""
    block = dict(standing.choice)
    if match.whole:
        drops: tuple[Drop, ...] = (Drop(block, reason=reason),)
    else:
        drops = tuple(Drop(block, unit, layer, reason) for unit, layer in match.places)
    return Removal(standing.label, match.label, reason, drops)


def amount(value: float, metric: Metric) -> str:
    """A value with its unit."""
    if metric.name == ACCURACY:
        return f"{value:.3f} %"
    return f"{value:,.0f} {metric.unit}" if abs(value) >= 10_000 else f"{value:,.4g} {metric.unit}"


def amounts(standing: Standing, metrics: Sequence[Metric]) -> str:
    """What an option is worth by all metrics."""
    return ", ".join(amount(standing.mean[m.name], m) for m in metrics)
