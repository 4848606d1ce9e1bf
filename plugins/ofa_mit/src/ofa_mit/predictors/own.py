"""The predictor ``mlp`` as a user fits it: a network on any space, with an interval."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from attrs import asdict, field, frozen

from ofa_mit.predictors.genes import GenesLayout, shape_of
from ofa_mit.predictors.network import Network
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import Archs, Predictions, Supernet
from ofa_plugins_core.measured import Label
from ofa_plugins_core.pricing import encoded
from ofa_plugins_core.values import Constraint, Genes, SearchSpace

LAYOUT: Final = "genes"
BEYOND: Final = 1.5
"""The interval's factor above the best prediction for a record, and at other image sizes."""


@frozen
class About:
    """What is written beside the weights of a network that was fitted here.

    Attributes:
        supernet, dataset: what it was fitted for.
        labels: whether the accuracies were measured, or predicted by another predictor.
        origin: where they come from. command: makes the file again.
        shape: name and options of each gene.
        centre, scale: of the layout.
        sizes: image sizes of the records, in pixels. records: how many of each.
        half_width: of the 80 % interval, points, from held-out errors.
        best: best prediction for a record at each image size, percent.
        tau, rmse: on the held-out fifth.
    """

    supernet: str
    dataset: str
    labels: Label
    origin: str
    command: str
    shape: list[list[Any]]
    centre: float
    scale: float
    sizes: list[int]
    records: list[int]
    half_width: float
    best: list[float]
    tau: float
    rmse: float

    def dumps(self) -> str:
        """As text, kept in the npz."""
        return json.dumps({"layout": LAYOUT, **asdict(self)}, ensure_ascii=False)

    @classmethod
    def loads(cls, text: str, name: str) -> About:
        """Read it again.

        Raises:
            InputError: it is of another layout, or a number in it makes no sense.
        """
        try:
            found = json.loads(text)
            if found.pop("layout") != LAYOUT:
                raise ValueError("its layout is not known here")
            about = cls(**found)
            about.check()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(f"{name} is no predictor file of ours: {error}") from error
        return about

    def check(self) -> None:
        """Raises ValueError or TypeError where a number makes no sense."""
        numbers = [self.centre, self.scale, self.half_width, self.tau, self.rmse, *self.best]
        if not all(math.isfinite(n) for n in numbers) or self.scale <= 0 or self.half_width < 0:
            raise ValueError("a number in it makes no sense")
        sizes = self.sizes
        if not sizes or sizes != sorted({int(s) for s in sizes}) or min(sizes) < 32:
            raise ValueError(f"its image sizes make no sense: {sizes!r:.60}")
        if not len(sizes) == len(self.best) == len(self.records):
            raise ValueError("its image sizes, records and best predictions differ in number")


@frozen(eq=False, slots=False)
class OwnMlp:
    """A network that was fitted to measured accuracies of a supernet.

    Attributes:
        network: in numpy.
        about: what it was fitted on.
        space: of the supernet.
    """

    network: Network
    about: About
    space: SearchSpace
    name: str = field(default="mlp", init=False)

    @property
    def source(self) -> str:
        """What it was fitted on and how well it does, in a line."""
        found = self.about
        return (
            f"{found.supernet} on {found.dataset}, {sum(found.records):,} {found.labels} subnets; "
            f"held out: Kendall τ {found.tau:.3f}, RMSE {found.rmse:.2f} points; "
            "a search can game it"
        )

    @property
    def dataset(self) -> str:
        """The data set whose top-1 accuracy it predicts."""
        return self.about.dataset

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Image sizes of the records."""
        return tuple(self.about.sizes)

    def predict(self, archs: Archs) -> Predictions:
        """Predicted accuracies in percent, with 80 % intervals.

        Raises:
            InputError: an architecture is not of the supernet's space.
        """
        space, genes = encoded(self.space, archs)
        value = self._values(space, genes)
        sizes = np.array(space.resolutions)[genes[:, 0]]
        outside = ~np.isin(sizes, self.about.sizes)
        best = np.interp(sizes, self.about.sizes, self.about.best)
        width = self.about.half_width * np.where(outside | (value > best), BEYOND, 1.0)
        low, high = np.maximum(value - width, 0.0), np.minimum(value + width, 100.0)
        return Predictions(value, low, high, outside)

    def _values(self, space: SearchSpace, genes: Genes) -> np.ndarray[Any, np.dtype[np.float64]]:
        layout = GenesLayout(self.about.centre, self.about.scale)
        chunk = 2**14
        value = np.empty(len(genes))
        for start in range(0, len(genes), chunk):
            vectors = layout.encode(space, genes[start : start + chunk])
            value[start : start + chunk] = self.network(vectors)
        return np.clip(100.0 * value, 0.0, 100.0)

    def support(self, size: int, constraints: Sequence[Constraint]) -> int | None:
        """Records at an image size; under bounds nobody has counted them."""
        if self.about.labels == "predicted":
            return 0
        counts: Mapping[int, int] = dict(zip(self.about.sizes, self.about.records, strict=True))
        found = counts.get(size, 0)
        return found if not constraints or not found else None


def own_mlp(network: Network, text: str, supernet: Supernet, name: str) -> OwnMlp:
    """The predictor of a network and of what is written beside it.

    Args:
        text: as ``About.dumps`` wrote it.
        name: of the file, for messages.

    Raises:
        InputError: the text is broken, or the network does not read such vectors.
        UsageError: it was fitted for another supernet, or for other choices.
    """
    about, space = About.loads(text, name), supernet.space
    if about.supernet not in (supernet.name, space.name):
        raise UsageError(
            f"{name} was fitted for {about.supernet}, not for {supernet.name}",
            advice=f"fit one: ofa run fit --supernet {supernet.name} --predictor mlp --data FILE",
        )
    if about.shape != shape_of(space):
        raise UsageError(
            f"{name} was fitted for other choices than {supernet.name} has now",
            advice="fit it again: measured networks stay good for as long as they are of its space",
        )
    layout = GenesLayout(about.centre, about.scale)
    if network.inputs != layout.inputs(space):
        wanted = layout.inputs(space)
        raise InputError(f"{name} reads {network.inputs} inputs, and {wanted} are written of it")
    return OwnMlp(network, about, space)
