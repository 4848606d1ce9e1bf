"""A fitted latency predictor as a cost, network by network."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.errors import InputError, PluginError
from ofa_plugins_core.interfaces import Archs, Supernet
from ofa_plugins_core.latency_fits import LatencyPredictor, Values
from ofa_plugins_core.latency_models import StoredModel
from ofa_plugins_core.pricing import encoded
from ofa_plugins_core.values import RESOLUTION, Genes, Kind, SearchSpace

FEW: Final = 4096
"""Networks at once, up to which answers are kept."""
MOST_KEPT: Final = 1_000_000


def latencies(form: str, predictor: LatencyPredictor, genes: Genes, least: float) -> Values:
    """What a predictor says of (n, genes): (n,) ms, looked at, and not below half of ``least``.

    Args:
        form: its name, for messages. least: of the latencies that it was fitted to, ms.

    Raises:
        PluginError: these are no latencies.
    """
    found = np.asarray(predictor.predict(genes), dtype=float)
    if found.shape != (len(genes),) or not np.isfinite(found).all():
        raise PluginError(f"the latency predictor {form!r} gave no number for each network")
    bounded: Values = np.maximum(found, least / 2)
    return bounded


@frozen(eq=False, slots=False)
class FittedLatency:
    """Latency by a fitted predictor, in ms: no sum of rows, so it is searched network by network.

    Attributes:
        name: ``latency@`` and the name that the user gave it.
        supernet: whose networks are priced. fitted: the same, or one that it is a smaller space
            of, at the model's image sizes.
        model: the file. predictor: loaded from it for ``fitted``.
    """

    name: str
    supernet: Supernet
    fitted: Supernet
    model: StoredModel
    predictor: LatencyPredictor
    unit: str = field(default="ms", init=False)
    kind: Kind = field(default="predicted", init=False)
    _memo: dict[bytes, float] = field(factory=dict, init=False, repr=False)

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Image sizes that it was fitted at, in pixels."""
        return tuple(self.model.header.resolutions)

    @property
    def source(self) -> str:
        """Form, device, and how far off it was on networks that it had not seen."""
        header = self.model.header
        quality = header.quality
        return (
            f"{header.form} fitted to {header.split.train} networks of {header.supernet} on "
            f"{header.device}; off by {quality.mape:.2g} % on {quality.networks} that it had not "
            f"seen; {header.origin}"
        )

    def evaluate(self, archs: Archs) -> Values:
        """(n,) latencies in ms of exchange dicts, Archs, or an encoded (n, genes) array.

        Raises:
            InputError: an architecture is not of the supernet's space, or of an image size that
                the data did not have.
            PluginError: the form gives what are no latencies.
        """
        space, genes = encoded(self.supernet.space, archs)
        if not len(genes):
            return np.zeros(0)
        distinct, which = np.unique(self._fitted(space, genes), axis=0, return_inverse=True)
        in_order: Values = self._known(distinct)[which.ravel()]
        return in_order

    def _known(self, genes: Genes) -> Values:
        """(n,) latencies of distinct networks; of those that were asked for before, as then.

        A search comes back to many networks, half of all as measured.
        """
        header = self.model.header
        if len(genes) > FEW:
            return latencies(header.form, self.predictor, genes, header.least)
        if len(self._memo) > MOST_KEPT:
            self._memo.clear()
        keys = [row.tobytes() for row in genes]
        new = [i for i, key in enumerate(keys) if key not in self._memo]
        if new:
            found = latencies(header.form, self.predictor, genes[new], header.least)
            self._memo.update(zip((keys[i] for i in new), found.tolist(), strict=True))
        return np.array([self._memo[key] for key in keys])

    @cached_property
    def _smaller(self) -> bool:
        """Whether it is asked of a smaller space than the one that was fitted."""
        pairs = zip(self.supernet.space.genes[1:], self.fitted.space.genes[1:], strict=False)
        same = len(self.supernet.space.genes) == len(self.fitted.space.genes)
        return not same or any((a.name, a.options) != (b.name, b.options) for a, b in pairs)

    def _fitted(self, space: SearchSpace, genes: Genes) -> Genes:
        """Networks of a space as networks of the fitted one, canonical, at its image sizes."""
        at = {size: i for i, size in enumerate(self.resolutions)}
        sizes = np.array([at.get(s, len(at)) for s in space.resolutions], dtype=np.uint8)
        index = sizes[genes[:, RESOLUTION]]
        if (lacking := index == len(at)).any():
            size = space.resolutions[int(genes[np.argmax(lacking), RESOLUTION])]
            known = ",".join(map(str, self.resolutions))
            raise InputError(
                f"{self.name} was fitted at {known} pixels, not at {size}",
                advice=f"--resolutions {known}, or fit it to networks of more image sizes",
            )
        if self._smaller:
            return self.fitted.space.encode(space.decode(genes))
        rows = space.canonical(genes)
        rows[:, RESOLUTION] = index
        return rows

    def interval(
        self, archs: Archs, values: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """(n,) ends of 80 % intervals, ms, by the errors on held-out networks; None: too few."""
        quality = self.model.header.quality
        if quality.low is None or quality.high is None:
            return None
        return values * quality.low, values * quality.high
