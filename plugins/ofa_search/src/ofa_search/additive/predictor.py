"""The additive predictor on a supernet: separable tables at any image size, and an interval."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.interfaces import Archs, Predictions
from ofa_plugins_core.pricing import encoded
from ofa_plugins_core.separable import Factor, Separable, on_grid
from ofa_plugins_core.values import Constraint, Genes, SearchSpace
from ofa_search.additive.features import Indicator, factors, indicator
from ofa_search.additive.fitfile import AdditiveFit, SizeFit
from ofa_search.additive.values import BEYOND, Floats, link


@frozen
class SaturatingLink:
    """score -> ceiling − exp(−score), percent."""

    ceiling: float

    def forward(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score -> percent."""
        return link(self.ceiling, np.asarray(score, dtype=float))

    def inverse(self, accuracy: float) -> float:
        """Percent -> the score that reaches it; inf from the ceiling on."""
        gap = self.ceiling - accuracy
        return float(-np.log(gap)) if gap > 0 else float("inf")


@frozen(eq=False)
class SizePoint:
    """The fit at any image size, fitted or not.

    Attributes:
        ceiling, base, weights, best: as in SizeFit.
        half_width: of the 80 % interval, points.
        extrapolated: outside the fitted sizes.
    """

    ceiling: float
    base: float
    weights: Floats
    half_width: float
    best: float
    extrapolated: bool


def at_size(fit: AdditiveFit, size: int) -> SizePoint:
    """The fit at an image size in pixels.

    Between two fitted sizes everything is interpolated. Outside, the network's own terms stay as
    at the nearest fitted size, and the ceiling goes on with gains that halve at each further step
    as wide as the outermost one; the interval grows by its own width at each such step.
    """
    fitted = [s.image_size for s in fit.sizes]
    inside = float(np.clip(size, fitted[0], fitted[-1]))
    ceiling, steps = _ceiling(fit.sizes, size)
    near = _between(fit.sizes, inside)
    shift = ceiling - near.ceiling
    return SizePoint(
        ceiling,
        near.base,
        near.weights,
        near.half_width * (1 + steps),
        near.best + shift,
        size != inside,
    )


def _between(sizes: Sequence[SizeFit], size: float) -> SizePoint:
    """Linear interpolation inside the fitted range."""
    grid = [s.image_size for s in sizes]
    upper = min(max(1, int(np.searchsorted(grid, size))), len(grid) - 1)
    a, b = sizes[max(upper - 1, 0)], sizes[upper]
    span = b.image_size - a.image_size
    share = (size - a.image_size) / span if span else 0.0

    def mixed(x: Any, y: Any) -> Any:
        return x + share * (y - x)

    return SizePoint(
        mixed(a.ceiling, b.ceiling),
        mixed(a.base, b.base),
        mixed(a.weights, b.weights),
        mixed(a.half_width, b.half_width),
        mixed(a.best, b.best),
        False,
    )


def _ceiling(sizes: Sequence[SizeFit], size: int) -> tuple[float, float]:
    """Ceiling at an image size, percent, and how many steps outside the fitted range it lies."""
    first, last = sizes[0].image_size, sizes[-1].image_size
    if first <= size <= last:
        return _between(sizes, size).ceiling, 0.0
    a, b = sizes[:2] if size < first else sizes[-2:] if len(sizes) > 1 else (sizes[0], sizes[0])
    step = b.image_size - a.image_size
    outside = first - size if size < first else size - last
    if not step:
        return b.ceiling, outside / 32
    gain = (b.ceiling - a.ceiling) * (1 - 2.0 ** (-(size - b.image_size) / step))
    return float(np.clip(b.ceiling + gain, 1.0, 100.0)), outside / step


@frozen(eq=False, slots=False)
class AdditivePredictor:
    """Accuracy as ceiling − exp(−Σ terms); see ``form`` for the form and its evidence.

    Attributes:
        fit: the coefficients.
        space: of the supernet that it is used for.
        extrapolation: used for something else than it was fitted on, as a whole.
    """

    fit: AdditiveFit
    space: SearchSpace
    extrapolation: bool = False
    _points: dict[int, SizePoint] = field(factory=dict, init=False, repr=False)
    _tables: dict[int, Separable] = field(factory=dict, init=False, repr=False)

    @property
    def name(self) -> str:
        """Name of the form."""
        return "additive"

    @property
    def source(self) -> str:
        """What it was fitted on and how well it does, in a line."""
        found, held = self.fit, self.fit.held_out
        error = f"held out: Kendall τ {held.tau:.3f}, RMSE {held.rmse:.2f} points"
        line = f"{found.supernet} on {found.dataset}, {found.records:,} measured subnets; {error}"
        if found.labels == "predicted":
            line = (
                f"{found.supernet} on {found.dataset}, {found.records:,} answers of another "
                f"predictor, no measured one; {error} from that predictor, whose own error "
                "is not in the interval"
            )
        return f"{line}; an extrapolation for {self.space.name}" if self.extrapolation else line

    @property
    def dataset(self) -> str:
        """The data set whose top-1 accuracy it predicts."""
        return self.fit.dataset

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Image sizes on which it was fitted; () for an extrapolation as a whole."""
        return () if self.extrapolation else tuple(s.image_size for s in self.fit.sizes)

    @cached_property
    def _indicators(self) -> tuple[Indicator, ...]:
        return tuple(indicator(self.space, f) for f in self.fit.features)

    def _at(self, size: int) -> SizePoint:
        if size not in self._points:
            self._points[size] = at_size(self.fit, size)
        return self._points[size]

    def separable(self, size: int) -> Separable:
        """The score's tables at one image size (pixels)."""
        if size not in self._tables:
            point = self._at(size)
            base = Factor("base", (), on_grid(np.array(point.base)))
            terms = factors(self.fit.features, self._indicators, point.weights)
            self._tables[size] = Separable("sum", (base, *terms))
        return self._tables[size]

    def link(self, size: int) -> SaturatingLink:
        """From the score to percent at that size."""
        return SaturatingLink(self._at(size).ceiling)

    def predict(self, archs: Archs) -> Predictions:
        """Predicted accuracies, with 80 % intervals.

        Args:
            archs: exchange dicts of any image size from 32 pixels up, or an encoded array of the
                supernet's space.

        Raises:
            InputError: an architecture is not of the supernet's space.
        """
        space, genes = encoded(self.space, archs)
        value, width = np.zeros(len(genes)), np.zeros(len(genes))
        outside = np.full(len(genes), self.extrapolation)
        for index, size in enumerate(space.resolutions):
            rows = np.flatnonzero(genes[:, 0] == index)
            if len(rows):
                value[rows], width[rows] = self._predict_at(size, genes[rows])
                outside[rows] |= self._at(size).extrapolated
        return Predictions(value, value - width, np.minimum(value + width, 100.0), outside)

    def _predict_at(self, size: int, genes: Genes) -> tuple[Floats, Floats]:
        point = self._at(size)
        value = self.link(size).forward(self.separable(size).evaluate(genes))
        # What nothing measured comes near to is less certain; so is another supernet's network.
        wider = (value > point.best) | self.extrapolation
        return value, point.half_width * np.where(wider, BEYOND, 1.0)

    def support(self, size: int, constraints: Sequence[Constraint]) -> int | None:
        """Measured records of the fit at an image size that meet the bounds.

        None where the file cannot tell: a cost that was not counted, or several at once.
        """
        found = next((s for s in self.fit.sizes if s.image_size == size), None)
        if found is None or self.extrapolation or self.fit.labels == "predicted":
            return 0
        names = {c.name for c in constraints}
        if not names:
            return found.records
        if len(names) > 1 or not names <= set(found.counts):
            return None
        counts = found.counts[names.pop()]
        upper = min((c.bound for c in constraints if c.relation == "<="), default=np.inf)
        lower = max((c.bound for c in constraints if c.relation == ">="), default=-np.inf)
        below = counts.at_most(float(np.nextafter(lower, -np.inf)))
        return max(counts.at_most(upper) - below, 0)
