"""The form and its fit: accuracy = ceiling − exp(−z), z a sum of weighted bits.

The ceiling makes gains shrink as a network gets better, so that the optimum of a search stays
believable; z keeps the optimum exact. Form and its evidence: specs/search.md, "Measured
accuracies". Accuracies are in percent throughout.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_search.additive.values import Floats, Settings, link

Indices = NDArray[np.intp]

STEPS: Final = 3
"""Gauss–Newton steps: the first starts from the measured values, two more settle it."""

SMALLEST_GAP: Final = 0.5
"""Points below the ceiling that a measured value counts as at least, when the fit starts."""


@frozen(eq=False)
class Samples:
    """What the form is fitted to: n networks, F bits, R image sizes.

    Attributes:
        bits: (n, F) features.
        size: (n,) index of the image size.
        accuracy: (n,) percent.
        sizes: R.
    """

    bits: Floats
    size: Indices
    accuracy: Floats
    sizes: int

    def take(self, rows: NDArray[np.bool_]) -> Samples:
        """The rows of a (n,) mask."""
        return Samples(self.bits[rows], self.size[rows], self.accuracy[rows], self.sizes)

    def rows_of(self, size: int) -> Indices:
        """Rows of one image size, by its index."""
        return np.flatnonzero(self.size == size)


@frozen(eq=False)
class Coefficients:
    """A fitted form; one row an image size.

    Attributes:
        ceiling: (R,) percent, never reached.
        base: (R,) z of the network without any bit.
        weights: (R, F).
    """

    ceiling: Floats
    base: Floats
    weights: Floats

    def score(self, bits: Floats, size: Indices) -> Floats:
        """(n, F) bits and (n,) image sizes -> (n,) z."""
        z = np.empty(len(bits))
        for index in range(len(self.base)):
            rows = size == index
            z[rows] = self.base[index] + bits[rows] @ self.weights[index]
        return z

    def predict(self, bits: Floats, size: Indices) -> Floats:
        """(n, F) bits and (n,) image sizes -> (n,) percent."""
        return link(self.ceiling[size], self.score(bits, size))


def ceilings(samples: Samples, delta: float) -> Floats:
    """(R,) third highest accuracy (one lucky record decides nothing) plus delta, at most 100."""
    top = []
    for index in range(samples.sizes):
        found = np.sort(samples.accuracy[samples.rows_of(index)])
        top.append(found[-min(3, len(found))])
    return np.minimum(np.array(top) + delta, 100.0)


def fit(samples: Samples, settings: Settings) -> Coefficients:
    """Least squares of the form by Gauss–Newton, shrunk by a ridge.

    Minimises Σ (y − ceiling + exp(−z))² + ridge·|w|² + ridge·tie·Σ_r |v_r|² over b, w, v, with
    z = b_r + bits·(w + v_r) at image size r, and w ≥ 0: on the whole, more is not worse.
    """
    ceiling = ceilings(samples, settings.delta)
    rows = [samples.rows_of(index) for index in range(samples.sizes)]
    z = -np.log(np.maximum(ceiling[samples.size] - samples.accuracy, SMALLEST_GAP))
    for _ in range(STEPS):
        parts = [
            _linearised(samples.bits[r], samples.accuracy[r], z[r], ceiling[i], settings)
            for i, r in enumerate(rows)
        ]
        base, weights = _solve(parts, settings)
        for index, r in enumerate(rows):
            # Far outside, one step's tangent would overshoot.
            z[r] = np.clip(base[index] + samples.bits[r] @ weights[index], -5.0, 2.0)
    return Coefficients(ceiling, base, weights)


@frozen(eq=False)
class _Part:
    """One image size's normal equations, its own deviation already eliminated.

    Attributes:
        normal: (F, F), towards: (F,): what is left for the shared weights.
        own_matrix: (F, F), own: (F,): deviation = own − own_matrix @ shared.
        mean_bits: (F,), mean_target: the weighted means, which give the base.
    """

    normal: Floats
    towards: Floats
    own_matrix: Floats
    own: Floats
    mean_bits: Floats
    mean_target: float


def _linearised(
    bits: Floats, accuracy: Floats, z: Floats, ceiling: float, settings: Settings
) -> _Part:
    slope = np.exp(-z)
    target = z + (accuracy - ceiling) / slope + 1.0
    share = slope**2 / (slope**2).sum()
    mean_bits, mean_target = share @ bits, float(share @ target)
    centred = (bits - mean_bits) * slope[:, None]
    normal = centred.T @ centred
    towards = centred.T @ ((target - mean_target) * slope)
    stiff = normal + settings.ridge * settings.tie * np.eye(len(normal))
    solved = np.linalg.solve(stiff, np.column_stack([normal, towards]))
    own_matrix, own = solved[:, :-1], solved[:, -1]
    return _Part(
        normal - normal @ own_matrix,
        towards - normal @ own,
        own_matrix,
        own,
        mean_bits,
        mean_target,
    )


def _solve(parts: list[_Part], settings: Settings) -> tuple[Floats, Floats]:
    """(R,) bases and (R, F) weights from all image sizes' equations."""
    size = len(parts[0].towards)
    normal = settings.ridge * np.eye(size) + sum((p.normal for p in parts), np.zeros((size, size)))
    towards = sum((p.towards for p in parts), np.zeros(size))
    shared = non_negative((normal + normal.T) / 2, towards)
    weights = np.stack([shared + p.own - p.own_matrix @ shared for p in parts])
    base = [p.mean_target - p.mean_bits @ w for p, w in zip(parts, weights, strict=True)]
    return np.array(base), weights


def non_negative(normal: Floats, towards: Floats) -> Floats:
    """argmin over w ≥ 0 of ½ w·normal·w − towards·w, normal positive definite.

    Active set (Lawson and Hanson, from the full side): drop what is negative, then let back in,
    one at a time, what the gradient asks for.
    """
    size = len(towards)
    free = np.ones(size, dtype=bool)
    weights = np.zeros(size)
    for _ in range(4 * size + 1):
        weights = np.zeros(size)
        weights[free] = np.linalg.solve(normal[np.ix_(free, free)], towards[free])
        if (weights < 0).any():
            free &= weights >= 0
            continue
        wanted = np.where(free, 0.0, towards - normal @ weights)
        if wanted.max(initial=0.0) <= 1e-9:
            break
        free[int(np.argmax(wanted))] = True
    return np.maximum(weights, 0.0)
