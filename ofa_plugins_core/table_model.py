"""From the sum of a network's rows to its latency: what additivity leaves out, and how much.

Rows are measured one at a time: each carries the cost of being started alone, and finds other
caches than in a network. Forms of a correction are fitted to whole networks measured on the same
device, and judged on networks that each fit has not seen (one left out at a time).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
from attrs import field, frozen
from attrs.validators import ge, gt, optional
from numpy.typing import NDArray

from ofa_plugins_core.correlations import pearson, spearman

Values = NDArray[np.float64]

COVERED: Final = 0.8
"""Share of networks that an interval is meant to hold."""

FEWEST: Final = 10
"""Networks from which a correction is fitted and an interval is told: with fewer neither is."""


@frozen
class Correction:
    """``scale`` × sum of rows + ``per_block`` × blocks + ``offset``, in ms.

    Attributes:
        scale: without unit.
        per_block: ms a block: what starting a row alone costs (negative), or a network's overhead.
        offset: ms a network.
    """

    scale: float = field(default=1.0, validator=gt(0))
    per_block: float = 0.0
    offset: float = 0.0

    def __attrs_post_init__(self) -> None:
        """Raises ValueError for numbers that are none."""
        if not all(map(math.isfinite, (self.scale, self.per_block, self.offset))):
            raise ValueError("a correction's numbers must be finite")

    def of(self, sums: Values, blocks: NDArray[np.int64]) -> Values:
        """(n,) sums of rows in ms and numbers of blocks -> (n,) latencies in ms."""
        found: Values = self.scale * sums + self.per_block * blocks + self.offset
        return found


FORMS: Final[Mapping[str, tuple[bool, bool, bool]]] = {
    "sum": (False, False, False),
    "scale": (True, False, False),
    "offset": (False, False, True),
    "per block": (False, True, False),
    "scale and offset": (True, False, True),
    "scale and per block": (True, True, False),
}
"""Form -> whether scale, per_block and offset are fitted."""


@frozen(kw_only=True)
class TableError:
    """What a table's predictions are worth, on whole networks measured on the same device.

    Attributes:
        networks: how many.
        mape: mean absolute error, percent of the latency measured at the device's mean speed.
        seen_mape: the same of the latency as it was at its moment; None where that is the same.
        spearman: rank correlation of predicted and measured; None where one is constant.
        pearson: of the values; None likewise.
        low, high: measured / predicted at the ends of an 80 % interval of one pass at any moment,
            the swings of the device's speed included; None where the networks are too few.
    """

    networks: int = field(validator=ge(1))
    mape: float = field(validator=ge(0))
    seen_mape: float | None = field(default=None, validator=optional(ge(0)))
    spearman: float | None
    pearson: float | None
    low: float | None = field(default=None, validator=optional(gt(0)))
    high: float | None = field(default=None, validator=optional(gt(0)))


@frozen(eq=False)
class Swing:
    """What the device's speed did while networks and rows were measured.

    Attributes:
        speeds: (m,) times of the reference's passes, as parts of their mean. weights: (m,) time
            spent at each.
        seen: (n,) what the networks took at their moment, ms.
    """

    speeds: Values
    weights: Values
    seen: Values


@frozen(kw_only=True)
class FormFit:
    """One form of correction, and its error on networks left out.

    Attributes:
        form: its name. correction: fitted to all networks.
    """

    form: str
    correction: Correction
    error: TableError


def error_of(predicted: Values, measured: Values, swing: Swing | None = None) -> TableError:
    """Compare latencies that were predicted with measured ones, (n,) ms each.

    Args:
        measured: freed of what the device's speed did, where ``swing`` tells what that was.
    """
    low, high = _interval(measured / predicted, swing)
    seen = None if swing is None else _mape(predicted, swing.seen)
    return TableError(
        networks=len(measured),
        mape=_mape(predicted, measured),
        seen_mape=seen,
        spearman=spearman(predicted, measured),
        pearson=pearson(predicted, measured),
        low=low,
        high=high,
    )


def _mape(predicted: Values, measured: Values) -> float:
    return float(100 * np.mean(np.abs(predicted - measured) / measured))


def _interval(ratio: Values, swing: Swing | None) -> tuple[float | None, float | None]:
    """Ends of the interval of networks to come: each error at each speed that was seen.

    It holds the prediction itself. The error's ends are a rank out where n is small.
    """
    if len(ratio) < FEWEST:
        return None, None
    beyond = int((len(ratio) + 1) * (1 - COVERED) / 2 + 1e-9) / len(ratio)  # of each end
    speeds = np.ones(1) if swing is None else swing.speeds
    weights = np.ones(1) if swing is None else swing.weights
    every = np.outer(ratio, speeds).ravel()
    share = np.outer(np.ones(len(ratio)), weights / weights.sum()).ravel() / len(ratio)
    low, high = _at(every, share, beyond), -_at(-every, share, beyond)
    return min(low, 1.0), max(high, 1.0)


def _at(values: Values, shares: Values, beyond: float) -> float:
    """The value up to which a share of them lies."""
    order = np.argsort(values)
    return float(values[order[np.searchsorted(np.cumsum(shares[order]), beyond - 1e-9)]])


def fitted_forms(
    sums: Values,
    blocks: NDArray[np.int64],
    measured: Values,
    least_row: float,
    swing: Swing | None = None,
    least_sum: float | None = None,
) -> list[FormFit]:
    """Every form of correction that makes sense, the best on networks left out first.

    Args:
        sums, blocks, measured: (n,) sums of rows (ms), numbers of blocks, measured latencies (ms).
        least_row: the cheapest row, ms: a form under which a block would cost nothing is left out.
        swing: as in ``error_of``.
        least_sum: of any network, ms: a form under which one would take no time is left out; None:
            the least of these.
    """
    least = float(sums.min()) if least_sum is None else least_sum
    found = []
    for form in FORMS:
        if len(measured) < FEWEST and form != "sum":
            continue
        correction = _fitted(form, sums, blocks, measured)
        if correction is None or not _sound(correction, least_row, least):
            continue
        held_out = _left_out(form, sums, blocks, measured)
        if held_out is not None:
            error = error_of(held_out, measured, swing)
            found.append(FormFit(form=form, correction=correction, error=error))
    return sorted(found, key=lambda f: f.error.mape)


def _sound(correction: Correction, least_row: float, least_sum: float) -> bool:
    row = correction.scale * least_row + correction.per_block
    return row > 0 and correction.scale * least_sum + correction.offset > 0


def _fitted(
    form: str, sums: Values, blocks: NDArray[np.int64], measured: Values
) -> Correction | None:
    """Least squares of the relative error."""
    free = FORMS[form]
    if not any(free):
        return Correction()
    columns = np.stack([sums, blocks.astype(float), np.ones(len(sums))], axis=1)
    fixed = np.zeros(len(sums)) if free[0] else sums
    chosen = columns[:, list(free)] / measured[:, None]
    solution, _, rank, _ = np.linalg.lstsq(chosen, 1 - fixed / measured, rcond=None)
    if rank < chosen.shape[1]:
        return None
    values = dict(zip(_names(free), map(float, solution), strict=True))
    return Correction(**values) if values.get("scale", 1.0) > 0 else None


def _names(free: tuple[bool, bool, bool]) -> list[str]:
    names = ("scale", "per_block", "offset")
    return [name for name, fitted in zip(names, free, strict=True) if fitted]


def _left_out(
    form: str, sums: Values, blocks: NDArray[np.int64], measured: Values
) -> Values | None:
    """(n,) predictions, each by a fit to the others."""
    found = np.empty(len(sums))
    for row in range(len(sums)):
        others = np.arange(len(sums)) != row
        fit = _fitted(form, sums[others], blocks[others], measured[others])
        if fit is None:
            return None
        found[row] = fit.of(sums[row : row + 1], blocks[row : row + 1])[0]
    return found if bool((found > 0).all()) else None
