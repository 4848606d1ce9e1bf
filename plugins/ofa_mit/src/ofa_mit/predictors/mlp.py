"""The predictor ``mlp``: a published network's accuracies as they are, or a user's own network."""

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
from ofa_mit.predictors.network import Network, read_about, read_network, write_network
from ofa_mit.predictors.own import OwnMlp, own_mlp
from ofa_plugins_core.entries import FittedPredictorEntry
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import Archs, Predictions, Supernet
from ofa_plugins_core.values import SearchSpace

CHUNK: Final = 2**14


@frozen
class Checked:
    """What is known of a published predictor from the measured records of its supernet.

    Attributes:
        sizes: image sizes of the records; the networks have an input for 224 in any case.
        half_width: points within which 80 % of the records lie, its training records among them.
        best: highest prediction for a record, percent.
    """

    sizes: tuple[int, ...]
    half_width: float
    best: float


CHECKED: Final[Mapping[str, Checked]] = {
    "moofa_v3": Checked(MOOFA_SIZES, 0.461, 76.77),
    "ofa_mbv3_w1.0": Checked((128, 160, 192), 0.401, 75.91),
    "compofa_elastic": Checked((128, 160, 192), 0.905, 76.41),
}
"""Of MOOFA's files, on the 2,080, 2,088 and 1,664 published records at hand."""


@frozen(eq=False)
class MlpPredictor:
    """A published network on a supernet's space.

    A search can game it: searched for long enough, it promises what no measured network reaches
    (specs/search.md). So it has an interval only where records show one, and none beyond them.

    Attributes:
        network: in numpy.
        layout: how it reads an architecture.
        space: of the supernet.
        file: it came from, for reports.
        sizes: image sizes that it was made for.
        checked: against records, where there are any.
    """

    network: Network
    layout: Layout
    space: SearchSpace
    file: str
    sizes: tuple[int, ...]
    checked: Checked | None = None

    @property
    def name(self) -> str:
        """Name of the form."""
        return "mlp"

    @property
    def source(self) -> str:
        """What it is, in a line."""
        known = "its error is not known" if self.checked is None else "a search can game it"
        return f"{self.file}, a published network; {known}"

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Image sizes of the records behind it."""
        return self.sizes if self.checked is None else self.checked.sizes

    def predict(self, archs: Archs) -> Predictions:
        """Predicted accuracies in percent; the interval is 0 to 100 where none is known.

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
        outside = ~np.isin(found.sizes, self.resolutions)
        low, high = np.zeros(len(found)), np.full(len(found), 100.0)
        if self.checked is not None:
            known = ~outside & (value <= self.checked.best)
            low[known] = value[known] - self.checked.half_width
            high[known] = value[known] + self.checked.half_width
        return Predictions(value, low, high, outside)

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
) -> MlpPredictor | OwnMlp:
    """Read a predictor for a supernet: a published one, or one that a user fitted.

    Args:
        file: named by the user, or the folder of a run of ``ofa run fit``; comes first.
        entry: what the user installed for the supernet and data set.

    Raises:
        UsageError: there is no file, or it is not of this supernet's dimensions.
        InputError: the file is missing or broken.
    """
    if file is None and entry is not None:
        file = Path(str(entry.file))
    if file is None:
        raise UsageError(
            f"there is no predictor mlp for {supernet.name}: none ships",
            advice=f"fit one: ofa run fit --supernet {supernet.name} --predictor mlp --data FILE "
            "--install; or --predictor-weights FILE, a published .pth, or an npz of ofa run fit",
        )
    file = _named(file)
    if (about := read_about(file)) is not None:
        return own_mlp(read_network(file), about, supernet, str(file))
    return _published(supernet, file)


def _named(file: Path) -> Path:
    if not file.is_dir():
        return file
    found = sorted(file.glob("mlp-*.npz"))
    if len(found) != 1:
        raise InputError(f"{file} holds {len(found)} networks (mlp-*.npz); name the file")
    return found[0]


def _published(supernet: Supernet, file: Path) -> MlpPredictor:
    network = read_network(file)
    layout = layout_for(network.inputs, str(file))
    keys = {d.key for d in supernet.space.dimensions}
    slots = sum(len(d.entries) for d in supernet.space.dimensions)
    if keys != layout.keys or slots != (29 if layout.name == "resnet" else 45):
        raise UsageError(f"{file.name} has the layout {layout.name}, which {supernet.name} has not")
    sizes = RESNET_SIZES if layout.name == "resnet" else MOOFA_SIZES
    checked = CHECKED.get(supernet.name) if layout.name == "moofa" else None
    return MlpPredictor(network, layout, supernet.space, file.name, sizes, checked)
