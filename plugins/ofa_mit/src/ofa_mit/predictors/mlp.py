"""The predictor ``mlp``: a published network's accuracies, as they are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
from attrs import frozen

from ofa_mit.predictors.layouts import (
    MOOFA_SIZES,
    RESNET_SIZES,
    Layout,
    choices_of,
    layout_for,
)
from ofa_mit.predictors.network import Network, read_network, write_network
from ofa_plugins_core.entries import FittedPredictorEntry
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Archs, Predictions, Supernet
from ofa_plugins_core.values import SearchSpace

CHUNK: Final = 2**14

FITTED_SIZES: Final[Mapping[str, tuple[int, ...]]] = {
    "ofa_mbv3_w1.0": (128, 160, 192),
    "compofa_elastic": (128, 160, 192),
}
"""Image sizes of the published records; their predictors have an input for 224 without any."""


@frozen(eq=False)
class MlpPredictor:
    """A published network on a supernet's space.

    It tells a search's optimum apart from an honest one badly: searched for long enough, it
    promises what no measured network reaches (specs/search.md). No interval is known for it.

    Attributes:
        network: in numpy.
        layout: how it reads an architecture.
        space: of the supernet.
        file: it came from, for reports.
        fitted: image sizes of the records behind it.
    """

    network: Network
    layout: Layout
    space: SearchSpace
    file: str
    fitted: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name of the form."""
        return "mlp"

    @property
    def source(self) -> str:
        """What it is, in a line."""
        return f"{self.file}: a network of others, its error not known"

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Image sizes of the records behind it."""
        return self.fitted

    def predict(self, archs: Archs) -> Predictions:
        """Predicted accuracies in percent; ``low`` and ``high`` are NaN: no interval is known.

        Raises:
            InputError: an architecture is not of the supernet's space.
            UsageError: it has an image size or an option that the network has no input for.
        """
        found = choices_of(self.space, archs)
        expands = self._expands()
        value = np.empty(len(found))
        for start in range(0, len(found), CHUNK):
            part = found.rows(slice(start, start + CHUNK))
            value[start : start + CHUNK] = 100.0 * self.network(self.layout.encode(part, expands))
        unknown = np.full(len(found), np.nan)
        return Predictions(value, unknown, unknown, ~np.isin(found.sizes, self.fitted))

    def _expands(self) -> tuple[float, ...]:
        entries = next(d.entries for d in self.space.dimensions if d.key == "e")
        values = {
            float(v)
            for e in entries
            for v in (self.space.genes[e].options if isinstance(e, int) else e.values)
        }
        return tuple(sorted(values))

    def save(self, file: Path) -> None:
        """Write the network as an npz that needs no torch."""
        write_network(self.network, file)


def load_mlp(
    supernet: Supernet, file: Path | None, entry: FittedPredictorEntry | None
) -> MlpPredictor:
    """Read a published predictor for a supernet.

    Raises:
        UsageError: no file was named, or its layout is not of this supernet's dimensions.
        InputError: the file is missing or broken.
    """
    if file is None:
        raise UsageError(
            "the predictor mlp needs a file: none ships",
            advice="--predictor-weights FILE, a published .pth, or an npz made by "
            "ofa run fit --from-mlp FILE",
        )
    network = read_network(file)
    layout = layout_for(network.inputs, str(file))
    keys = {d.key for d in supernet.space.dimensions}
    slots = sum(len(d.entries) for d in supernet.space.dimensions)
    if keys != layout.keys or slots != (29 if layout.name == "resnet" else 45):
        raise UsageError(f"{file.name} has the layout {layout.name}, which {supernet.name} has not")
    usual = RESNET_SIZES if layout.name == "resnet" else MOOFA_SIZES
    return MlpPredictor(
        network, layout, supernet.space, file.name, FITTED_SIZES.get(supernet.name, usual)
    )
