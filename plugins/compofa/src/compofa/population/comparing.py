"""Two clouds of measured networks at equal cost: how far apart, how tight, how near the front.

Pure functions on arrays: no file, no supernet. *Ours* is the population that is asked about,
*theirs* the one that it is compared to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.events import Listener, Progress, silent

Values: TypeAlias = NDArray[np.float64]

LEAST: Final = 30
"""Networks at one image size from which a curve is fitted."""
IN_BIN: Final = 5
"""Networks of each population from which a bin is compared."""
TAIL: Final = 0.05
"""Share of each population at either end of the costs that is left out of the comparison."""
LEVEL: Final = 0.95
"""Of the intervals."""
KNOWN: Final = 0.9
"""Share of the resamples that have to know a number, for an interval."""


@frozen(eq=False)
class Cloud:
    """Measured networks.

    Attributes:
        cost: (n,) in the cost's unit.
        top1: (n,) percent.
        size: (n,) image size, pixels.
    """

    cost: Values
    top1: Values
    size: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.cost)

    def at(self, size: int | None) -> Cloud:
        """The networks of one image size; None: of all."""
        return self if size is None else self.take(np.flatnonzero(self.size == size))

    def take(self, rows: NDArray[np.intp]) -> Cloud:
        """Some of the networks."""
        return Cloud(self.cost[rows], self.top1[rows], self.size[rows])

    def again(self, generator: np.random.Generator) -> Cloud:
        """As many networks, drawn from these with replacement, image size by image size."""
        rows = []
        for size in np.unique(self.size):
            here = np.flatnonzero(self.size == size)
            rows.append(here[generator.integers(len(here), size=len(here))])
        return self.take(np.concatenate(rows))


@frozen
class Estimate:
    """A number with the interval that resampling the networks gives.

    Attributes:
        value: of the records as they are.
        low, high: ends of the 95 % interval.
    """

    value: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Whether it is above 0: ``holds``, ``reversed`` (it is below), or ``undecided``."""
        if self.low > 0:
            return "holds"
        return "reversed" if self.high < 0 else "undecided"


Numbers: TypeAlias = dict[str, float]
"""Name -> what is asked of two populations."""


def estimated(
    ask: Callable[[Cloud, Cloud], Numbers],
    ours: Cloud,
    theirs: Cloud,
    draws: int,
    generator: np.random.Generator,
    listener: Listener = silent,
) -> dict[str, Estimate]:
    """Numbers of two populations, each with its interval.

    The interval says what other networks of the same two supernets would have given. It does not
    know of what all networks of a file share: the images, and the one training. Its ends are NaN
    where the number is, or where too many resamples have none.
    """
    found = ask(ours, theirs)
    again = np.empty((draws, len(found)))
    for number in range(draws):
        again[number] = list(ask(ours.again(generator), theirs.again(generator)).values())
        listener(Progress("resample", number + 1, draws))
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    out = {}
    for (name, value), column in zip(found.items(), again.T, strict=True):
        known = column[np.isfinite(column)]
        enough = np.isfinite(value) and len(known) >= KNOWN * draws
        low, high = np.quantile(known, ends) if enough else (np.nan, np.nan)
        out[name] = Estimate(value, float(low), float(high))
    return out


# ------------------------------------------------------------------------------- equal cost


def shared_range(ours: Cloud, theirs: Cloud) -> tuple[float, float]:
    """Ends of the costs that the middle nine tenths of both populations have in common."""
    low = max(float(np.quantile(c.cost, TAIL)) for c in (ours, theirs))
    high = min(float(np.quantile(c.cost, 1 - TAIL)) for c in (ours, theirs))
    return low, high


def at_equal_cost(ours: Cloud, theirs: Cloud) -> Numbers:
    """How far apart two populations are at equal cost, in points.

    Each population's accuracy is a parabola in the cost. ``mean``: the difference of the two,
    averaged over the costs of theirs within the range that both share; positive where ours is the
    more accurate. ``first``, ``last``: the difference at the ends of that range. ``ours``,
    ``theirs``: standard deviation of each around its own parabola; ``tighter``: by how much ours
    is the smaller. NaN where the range is empty.
    """
    low, high = shared_range(ours, theirs)
    places = theirs.cost[(theirs.cost >= low) & (theirs.cost <= high)]
    curves, ends = (curve(ours), curve(theirs)), np.array([low, high])
    gaps = curves[0](places) - curves[1](places)
    first, last = (curves[0](ends) - curves[1](ends)).tolist()
    spreads = [
        float(np.std(c.top1 - f(c.cost))) for c, f in zip((ours, theirs), curves, strict=True)
    ]
    mean = float(np.mean(gaps)) if len(gaps) else float("nan")
    return {
        "mean": mean,
        "first": first,
        "last": last,
        "ours": spreads[0],
        "theirs": spreads[1],
        "tighter": spreads[1] - spreads[0],
    }


def curve(cloud: Cloud) -> Callable[[Values], Values]:
    """Accuracy as a parabola in the cost, by least squares."""
    middle, scale = float(np.mean(cloud.cost)), float(np.std(cloud.cost)) or 1.0
    features = np.vander((cloud.cost - middle) / scale, 3)
    weights = np.linalg.lstsq(features, cloud.top1, rcond=None)[0]

    def at(cost: Values) -> Values:
        found: Values = np.vander((cost - middle) / scale, 3) @ weights
        return found

    return at


def bin_edges(ours: Cloud, theirs: Cloud, bins: int) -> Values:
    """(bins + 1,) ends of bins over the costs that both populations reach, evenly on a log axis."""
    low = max(c.cost.min() for c in (ours, theirs))
    high = min(c.cost.max() for c in (ours, theirs))
    return np.geomspace(low, high, bins + 1) if 0 < low < high else np.zeros(0)


def bins_of(cloud: Cloud, edges: Values) -> NDArray[np.int64]:
    """(n,) the bin of each network; -1 or the number of bins outside of all."""
    place = np.searchsorted(edges, cloud.cost, side="right") - 1
    place[cloud.cost == edges[-1]] = len(edges) - 2
    return place


def in_bins(cloud: Cloud, edges: Values) -> tuple[NDArray[np.int64], Values]:
    """(bins,) networks and (bins,) their mean accuracies; NaN in an empty bin.

    A bin holds its lower end; the last one holds the highest cost, too.
    """
    count, place = len(edges) - 1, bins_of(cloud, edges)
    rows = (place >= 0) & (place < count)
    networks = np.bincount(place[rows], minlength=count)
    total = np.bincount(place[rows], weights=cloud.top1[rows], minlength=count)
    means = np.full(count, np.nan)
    np.divide(total, networks, out=means, where=networks > 0)
    return networks, means


def binned_gaps(ours: Cloud, theirs: Cloud, edges: Values) -> tuple[Values, float]:
    """(bins,) difference of the mean accuracies, points, and their mean.

    The mean has the weights of theirs, over the bins where both have networks enough; NaN where
    there is none. No curve is assumed; but within a bin the costs are not quite equal.
    """
    if not len(edges):
        return np.zeros(0), float("nan")
    (ours_in, first), (theirs_in, second) = (in_bins(c, edges) for c in (ours, theirs))
    gaps: Values = first - second
    rows = np.flatnonzero(np.minimum(ours_in, theirs_in) >= IN_BIN)
    mean = float(np.average(gaps[rows], weights=theirs_in[rows])) if len(rows) else float("nan")
    return gaps, mean


# ------------------------------------------------------------------------------- the front


def below_front(cloud: Cloud, everyone: Cloud) -> Values:
    """(n,) points between each network and the most accurate of everyone that costs no more."""
    order = np.lexsort((-everyone.top1, everyone.cost))
    best = np.maximum.accumulate(everyone.top1[order])
    place = np.searchsorted(everyone.cost[order], cloud.cost, side="right") - 1
    found: Values = best[place] - cloud.top1
    return found


def together(ours: Cloud, theirs: Cloud) -> Cloud:
    """Both populations as one."""
    pairs = ((getattr(ours, n), getattr(theirs, n)) for n in ("cost", "top1", "size"))
    return Cloud(*(np.concatenate(pair) for pair in pairs))


def near_front(ours: Cloud, theirs: Cloud, points: float, edges: Values) -> tuple[float, float]:
    """Shares of each population that lie within so many points below the front of all records.

    At equal cost: shares bin by bin, averaged with the weights of theirs, over the bins where
    both have networks enough. NaN where there is no such bin.
    """
    everyone, clouds = together(ours, theirs), (ours, theirs)
    near = [below_front(c, everyone) <= points for c in clouds]
    places = [bins_of(c, edges) for c in clouds]
    shares, weights = [], []
    for number in range(len(edges) - 1):
        both = [n[p == number] for n, p in zip(near, places, strict=True)]
        if min(map(len, both)) >= IN_BIN:
            shares.append([float(np.mean(b)) for b in both])
            weights.append(len(both[1]))
    if not weights:
        return float("nan"), float("nan")
    first, second = np.average(np.array(shares), axis=0, weights=weights)
    return float(first), float(second)
