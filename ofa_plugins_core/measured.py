"""Measured networks, and what a predictor that is fitted to them gives back.

The seam of ``ofa run fit``: a plugin's ``PredictorEntry.fit`` takes a ``FitTask`` and returns a
``FittedFile``; reading records, judging, drawing, writing and installing are the job's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.correlations import kendall, pearson
from ofa_plugins_core.events import Listener, silent
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.values import Genes, SearchSpace

Values = NDArray[np.float64]
Label: TypeAlias = Literal["measured", "predicted"]


@frozen(eq=False)
class Measured:
    """Distinct networks of one space with their accuracies.

    Attributes:
        space: with the image sizes of the records.
        genes: (n, genes), canonical, distinct.
        top1: (n,) percent; the mean where a network was measured more than once.
        repeated: records that repeat a network.
    """

    space: SearchSpace
    genes: Genes
    top1: Values
    repeated: int


@frozen
class Quality:
    """How a fit does on networks that it has not seen.

    Attributes:
        networks: how many.
        tau: Kendall's τ-b between predicted and measured accuracy; 0 where one is constant.
        rmse: points.
        coverage: share of measured values inside the 80 % interval.
        bias: mean of predicted − measured, points.
        pearson: correlation of predicted and measured accuracy; None where one is constant.
    """

    networks: int
    tau: float
    rmse: float
    coverage: float
    bias: float
    pearson: float | None = None


@frozen(eq=False)
class HeldOut:
    """Networks that a fit has not seen.

    Attributes:
        predicted, measured: (n,) percent.
        half_width: (n,) points, of the 80 % interval.
    """

    predicted: Values
    measured: Values
    half_width: Values

    @property
    def quality(self) -> Quality:
        """How the fit does on them."""
        error = self.predicted - self.measured
        return Quality(
            networks=len(error),
            tau=kendall(self.predicted, self.measured) or 0.0,
            rmse=float(np.sqrt(np.mean(error**2))),
            coverage=float((np.abs(error) <= self.half_width).mean()),
            bias=float(error.mean()),
            pearson=pearson(self.predicted, self.measured),
        )


@frozen(eq=False)
class FitTask:
    """What a predictor is fitted to.

    Attributes:
        supernet: at the image sizes of the records.
        records: at least 60 networks, at least 20 an image size.
        dataset: whose accuracies they are.
        labels: ``predicted``: by another predictor, nothing was measured.
        origin: a sentence on where they come from, to be kept in the file.
        command: makes the file again, to be kept in it.
        seed: of every random choice.
        costs: of the records, by name: (n,) each.
        listener: takes progress.
    """

    supernet: Supernet
    records: Measured
    dataset: str
    labels: Label = "measured"
    origin: str = ""
    command: str = ""
    seed: int = 0
    costs: Mapping[str, NDArray[Any]] = field(factory=dict)
    listener: Listener = silent


@frozen
class SizeSummary:
    """A fit at one image size (pixels), for reports.

    Attributes:
        half_width: points, of the 80 % interval.
        best: highest prediction for a record, percent.
    """

    image_size: int
    records: int
    half_width: float
    best: float


@frozen(eq=False)
class FittedFile:
    """A fitted predictor as a file, and what it is worth.

    Attributes:
        content: of the file; the form's ``load`` reads it.
        ending: of its name, for example ``.json``.
        held_out: networks that this fit, or the same one on the others, has not seen.
        sizes: one an image size, increasing.
        judged: further tests by name, for example ``tail``.
        details: what else the form has to say, as JSON.
    """

    content: bytes
    ending: str
    held_out: HeldOut
    sizes: tuple[SizeSummary, ...]
    judged: Mapping[str, Quality] = field(factory=dict)
    details: Mapping[str, Any] = field(factory=dict)


Fitting: TypeAlias = Callable[[FitTask], FittedFile]
