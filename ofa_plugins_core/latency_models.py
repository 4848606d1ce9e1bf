"""A fitted latency predictor as one file, and as a cost.

The file ``latency.zip`` holds ``latency.json``, which says what it is, and each array of the fit
as NumPy writes it: numbers alone, nothing in it is ever run. The same fit is the same file.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from attrs import field, frozen
from attrs.validators import ge, gt
from numpy.typing import NDArray

from ofa_plugins_core.config import plain, structure
from ofa_plugins_core.errors import InputError, PluginError, UsageError
from ofa_plugins_core.interfaces import Archs, Supernet
from ofa_plugins_core.latency_fits import LatencyFit, LatencyPredictor, LatencyQuality, Values
from ofa_plugins_core.own_tables import MODEL
from ofa_plugins_core.pricing import encoded
from ofa_plugins_core.values import RESOLUTION, Genes, Kind, SearchSpace

FORMAT: Final = "ofa-latency-model"
HEADER: Final = "latency.json"
MOST_BYTES: Final = 2**30
"""Of what is read from one file."""
FEW: Final = 4096
"""Networks at once, up to which answers are kept."""
MOST_KEPT: Final = 1_000_000
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The time that a file in an archive has: the same fit is the same archive."""


@frozen(kw_only=True)
class Split:
    """How many networks a fit was fitted to, chosen by, and judged on."""

    train: int = field(validator=ge(1))
    dev: int = field(validator=ge(1))
    held_out: int = field(validator=ge(1))


@frozen(kw_only=True)
class Header:
    """What a fitted latency predictor is.

    Attributes:
        form: name of its ``LatencyPredictorEntry``.
        supernet: whose networks it knows. networks: digest of what these are made of.
        device: as the data call it. unit: of what it predicts.
        resolutions: image sizes of the data, pixels.
        least: of the data's latencies, ms; nothing is predicted below half of it.
        split: of the data. seed: of split and fit. command: makes the file again.
        origin: where the data came from.
        quality: on the held-out networks; beside: of other ways, on the same networks.
        settings: the form's own.
    """

    format: Literal["ofa-latency-model"] = "ofa-latency-model"
    version: Literal[1] = 1
    form: str
    supernet: str
    networks: str
    device: str
    unit: Literal["ms"] = "ms"
    resolutions: list[int]
    least: float = field(validator=gt(0))
    split: Split
    seed: int
    command: str
    origin: str
    quality: LatencyQuality
    beside: dict[str, LatencyQuality] = field(factory=dict)
    settings: dict[str, Any] = field(factory=dict)


@frozen(eq=False)
class StoredModel:
    """A file of a fitted latency predictor, read."""

    path: Path
    header: Header
    arrays: Mapping[str, NDArray[Any]]

    @property
    def fit(self) -> LatencyFit:
        """As the form's ``load`` takes it."""
        return LatencyFit(self.arrays, self.header.settings)


def networks_digest(supernet: Supernet) -> str:
    """Of the choices of a supernet and of all its blocks, at its first image size."""
    genes = [(g.name, [float(o) for o in g.options]) for g in supernet.space.genes[1:]]
    blocks = supernet.geometry().catalogue(supernet.resolutions[0]).blocks
    made_of = [genes, [block.as_dict() for block in blocks]]
    return sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


def as_bytes(header: Header, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The content of the file."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json.dumps(plain(header), indent=1, ensure_ascii=False, allow_nan=False)
        archive.writestr(zipfile.ZipInfo(HEADER, _EPOCH), text + "\n", zipfile.ZIP_DEFLATED)
        for name in sorted(arrays):
            values = io.BytesIO()
            np.lib.format.write_array(values, np.asarray(arrays[name]), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            archive.writestr(info, values.getvalue(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def model_file(place: Path) -> Path | None:
    """The file of a fitted predictor that a path names, or that lies in it as a folder; or None."""
    if place.is_dir():
        found = place / MODEL
        return found if found.is_file() else None
    return place if place.suffix == ".zip" else None


def read_model(path: Path) -> StoredModel:
    """Read a file of a fitted latency predictor, strictly.

    Raises:
        InputError: it cannot be read, or is none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _from_archive(path, archive)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, ValueError, EOFError, KeyError, RuntimeError) as error:
        # a cut or changed archive fails in many ways, NumPy's header reader in others
        raise InputError(
            f"{path} is no file of a fitted latency predictor: {str(error)[:120]}",
            advice="ofa run fit --kind latency makes one",
        ) from error


def _from_archive(path: Path, archive: zipfile.ZipFile) -> StoredModel:
    infos = {info.filename: info for info in archive.infolist()}
    if HEADER not in infos:
        raise ValueError(f"it has no {HEADER}")
    if sum(info.file_size for info in infos.values()) > MOST_BYTES:
        raise ValueError(f"it holds more than {MOST_BYTES:,} bytes")
    data = json.loads(archive.read(HEADER))
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"its {HEADER} is not of the format {FORMAT!r}")
    header = structure(data, Header, f"{path}: {HEADER}", InputError)
    arrays = {
        name.removesuffix(".npy"): np.lib.format.read_array(
            io.BytesIO(archive.read(name)), allow_pickle=False
        )
        for name in infos
        if name != HEADER
    }
    for name, values in arrays.items():
        if values.dtype.kind not in "biuf" or not np.isfinite(values).all():
            raise ValueError(f"its array {name!r:.60} is not of finite numbers")
    return StoredModel(path, header, arrays)


def check_supernet(model: StoredModel, supernet: Supernet) -> None:
    """Refuse a fit of other networks.

    Args:
        supernet: as it is built, at the image sizes of the fit.

    Raises:
        UsageError: it is of another supernet, or of one that was another then.
    """
    header = model.header
    advice = f"fit one: ofa run fit --kind latency --supernet {supernet.name} --data FILE.csv"
    if header.supernet not in (supernet.name, supernet.space.name):
        raise UsageError(
            f"{model.path} was fitted for {header.supernet}, not for {supernet.name}", advice=advice
        )
    if header.networks != networks_digest(supernet):
        raise UsageError(
            f"{model.path} was fitted for another {header.supernet}: with other choices or blocks",
            advice=advice,
        )


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
        supernet: whose networks are priced. fitted: the same, or the whole one that it is a smaller
            space of, at the model's image sizes.
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
