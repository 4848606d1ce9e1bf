"""Networks with known latencies, and what a latency predictor that is fitted to them gives back.

The seam of ``ofa run fit --kind latency``: a plugin's ``LatencyPredictorEntry.fit`` takes a
``LatencyTask`` and returns a ``LatencyFit``, arrays and settings that its ``load`` understands;
reading data, splitting, judging on networks that no fit has seen, writing and installing are the
job's. Nothing of a fit is a program: its file holds numbers alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from attrs import field, frozen
from attrs.validators import and_, deep_mapping, ge, gt, instance_of, le, optional
from numpy.typing import NDArray

from ofa_plugins_core.correlations import spearman
from ofa_plugins_core.events import Listener, silent
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.table_model import error_of
from ofa_plugins_core.values import Genes

Values = NDArray[np.float64]

SHARES: Final = (10, 25)
"""Percent of the networks, the fastest, of which an overlap is told."""


@frozen(eq=False)
class Labelled:
    """Distinct networks of one space with their latencies.

    Attributes:
        genes: (n, genes) of the task's supernet, canonical.
        latency: (n,) ms.
    """

    genes: Genes
    latency: Values

    def take(self, rows: NDArray[np.intp]) -> Labelled:
        """Some of them."""
        return Labelled(self.genes[rows], self.latency[rows])


@frozen(eq=False)
class LatencyTask:
    """What a latency predictor is fitted to.

    Attributes:
        supernet: at the image sizes of the data, as it is built.
        train: to fit to. dev: to choose by, when to stop for example; neither is judged on.
        seed: of every random choice.
        listener: takes progress.
        folder: of the run, where a form may keep what it goes on with after an interruption; None:
            nothing is kept.
        resume: go on with what the folder holds.
    """

    supernet: Supernet
    train: Labelled
    dev: Labelled
    seed: int = 0
    listener: Listener = silent
    folder: Path | None = None
    resume: bool = False


@frozen(eq=False)
class LatencyFit:
    """A fitted latency predictor.

    Attributes:
        arrays: numbers by name, of any shape: the coefficients.
        settings: what else ``load`` needs, ready for JSON.
        note: a sentence for the user, on how the fit went.
        interrupted: the user stopped it; this is the best until then.
    """

    arrays: Mapping[str, NDArray[Any]]
    settings: Mapping[str, Any] = field(factory=dict)
    note: str = ""
    interrupted: bool = False


class LatencyPredictor(Protocol):
    """Architecture -> latency, without running anything."""

    def predict(self, genes: Genes) -> Values:
        """(n, genes) of the supernet that it was loaded for -> (n,) ms."""


@frozen(kw_only=True)
class LatencyQuality:
    """How a latency predictor does on networks that it has not seen.

    Attributes:
        networks: how many.
        mae: mean absolute error, ms. mape: of the relative error, percent.
        spearman: rank correlation of predicted and labelled; None where one is constant.
        overlap: share of the fastest networks -> part of them that it names, for example
            ``{"10 %": 0.9}``.
        low, high: labelled / predicted at the ends of an 80 % interval; None where the networks
            are too few to tell.
    """

    networks: int = field(validator=ge(1))
    mae: float = field(validator=ge(0))
    mape: float = field(validator=ge(0))
    spearman: float | None = field(validator=optional(and_(ge(-1), le(1))))
    overlap: dict[str, float] = field(validator=deep_mapping(instance_of(str), and_(ge(0), le(1))))
    low: float | None = field(default=None, validator=optional(gt(0)))
    high: float | None = field(default=None, validator=optional(gt(0)))

    def __attrs_post_init__(self) -> None:
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has two ends: low and high")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"the interval's low, {self.low:g}, is above its high, {self.high:g}")


def quality_of(predicted: Values, labelled: Values) -> LatencyQuality:
    """Compare predictions with what is known, (n,) ms each."""
    error = error_of(predicted, labelled)
    return LatencyQuality(
        networks=len(labelled),
        mae=float(np.abs(predicted - labelled).mean()),
        mape=error.mape,
        spearman=spearman(predicted, labelled),
        overlap={f"{share} %": _overlap(predicted, labelled, share) for share in SHARES},
        low=error.low,
        high=error.high,
    )


def _overlap(predicted: Values, labelled: Values, share: int) -> float:
    """Of the fastest networks, the part that is among the fastest by prediction, too."""
    count = max(1, round(len(labelled) * share / 100))
    fastest = [set(np.argsort(v, kind="stable")[:count].tolist()) for v in (predicted, labelled)]
    return len(fastest[0] & fastest[1]) / count
