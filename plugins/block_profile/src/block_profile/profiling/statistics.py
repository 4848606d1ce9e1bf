"""Statistics of each row: over the networks that were drawn, or over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from block_profile.profiling.exact import QUANTILES, ExactMaximum, ExactSum, exact_of, mixed
from block_profile.profiling.forcing import NOTHING
from block_profile.profiling.profile import Binding, Statistic
from block_profile.profiling.rows import RowPlan
from ofa_plugins_core.interfaces import CostModel, Predictor, SeparableCost, SeparablePredictor
from ofa_plugins_core.places import Place
from ofa_plugins_core.values import SearchSpace


def sampled(values: NDArray[np.float64]) -> Statistic:
    """Of (n,) values; the standard deviation divides by n, as published."""
    p1, p5, p95, p99 = np.quantile(values, QUANTILES).tolist()
    mean, deviation = float(values.mean()), float(values.std())
    return Statistic(mean, deviation, p1, p5, p95, p99, float(values.min()), float(values.max()))


@frozen(eq=False, slots=False)
class Closed:
    """A metric in closed form, for row after row.

    Attributes:
        space: of the networks. model: a separable cost or predictor.
        sizes: image sizes that are drawn from, pixels.
    """

    space: SearchSpace
    model: SeparableCost | SeparablePredictor
    sizes: tuple[int, ...]

    def row(self, plan: RowPlan) -> Statistic:
        """The statistics over all networks of a row."""
        sizes = self.sizes if plan.size is None else (plan.size,)
        odds, changed = plan.forcing.odds(self.space), sorted(plan.forcing.maps)
        return mixed([self._at(size)(odds, changed) for size in sizes])

    def holders(self) -> dict[str, tuple[float, float]]:
        """Place -> probability that it holds the maximum, and that it alone does."""
        found: dict[str, tuple[float, float]] = {}
        odds = NOTHING.odds(self.space)
        for size in self.sizes:
            exact = self._at(size)
            assert isinstance(exact, ExactMaximum)
            for name, held, alone in exact.holders(odds):
                before = found.get(name, (0.0, 0.0))
                share = 1 / len(self.sizes)
                found[name] = (before[0] + share * held, before[1] + share * alone)
        return found

    @cached_property
    def is_maximum(self) -> bool:
        """Whether it is a maximum over places, not a sum."""
        return self.model.separable(self.sizes[0]).reduce == "max"

    @cached_property
    def _by_size(self) -> dict[int, ExactSum | ExactMaximum]:
        return {}

    def _at(self, size: int) -> ExactSum | ExactMaximum:
        if size not in self._by_size:
            link = self.model.link(size) if isinstance(self.model, SeparablePredictor) else None
            made = exact_of(self.space, self.model.separable(size), link)
            made(NOTHING.odds(self.space))  # what rows change is worked out anew, the rest is kept
            self._by_size[size] = made
        return self._by_size[size]


def closed_form(
    space: SearchSpace, models: Mapping[str, CostModel | Predictor], sizes: tuple[int, ...]
) -> dict[str, Closed]:
    """The metrics that have a closed form."""
    return {
        name: Closed(space, model, sizes)
        for name, model in models.items()
        if isinstance(model, SeparableCost | SeparablePredictor)
    }


def bindings(closed: Closed, places: Sequence[Place]) -> tuple[Binding, ...]:
    """The places that hold a maximum, most often first; those that never do are left out."""
    where = {place.name: place for place in places}
    found = []
    for name, (share, alone) in closed.holders().items():
        place = where.get(name)
        unit, layer = (None, None) if place is None else (place.unit, place.layer)
        if share > 1e-12:
            found.append(Binding(name, unit, layer, share, alone))
    return tuple(sorted(found, key=lambda b: (-b.share, b.place)))
