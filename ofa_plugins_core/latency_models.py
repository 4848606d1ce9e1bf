"""A fitted latency predictor as one file.

The file ``latency.zip`` holds ``latency.json``, which says what it is, and each array of the fit
as NumPy writes it: numbers alone, nothing in it is ever run. The same fit is the same file.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from attrs import Attribute, field, frozen
from attrs.validators import ge, gt
from numpy.typing import NDArray

from ofa_plugins_core.config import plain, structure
from ofa_plugins_core.errors import InputError, OfaError, UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.latency_fits import LatencyFit, LatencyQuality
from ofa_plugins_core.own_tables import MODEL

FORMAT: Final = "ofa-latency-model"
HEADER: Final = "latency.json"
MOST_BYTES: Final = 2**30
"""Of what is read from one file."""
_NPY: Final = (1, 0)
"""Version in which NumPy writes a plain array."""
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
    resolutions: list[int] = field()
    least: float = field(validator=gt(0))
    split: Split
    seed: int
    command: str
    origin: str
    quality: LatencyQuality
    beside: dict[str, LatencyQuality] = field(factory=dict)
    settings: dict[str, Any] = field(factory=dict)

    @resolutions.validator
    def _are_sizes(self, attribute: Attribute[Any], found: list[int]) -> None:
        if not found or found != sorted(set(found)) or found[0] < 1:
            raise ValueError(
                f"resolutions: expected image sizes in ascending order, found {str(found)[:60]}"
            )


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
    except OfaError:
        raise
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:
        # a changed archive fails in any way: zlib's, NumPy's header reader's, the tokenizer's, …
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
    for name, info in infos.items():
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"its part {name!r:.60} is packed otherwise than by deflate")
    data = json.loads(archive.read(HEADER), parse_float=_finite, parse_constant=_finite)
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f"its {HEADER} is not of the format {FORMAT!r}")
    header = structure(data, Header, f"{path}: {HEADER}", InputError)
    arrays = {
        name.removesuffix(".npy"): _array(name, archive.read(name))
        for name in infos
        if name != HEADER
    }
    return StoredModel(path, header, arrays)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"its {HEADER} has {text[:20]}, which is no finite number")
    return value


def _array(name: str, content: bytes) -> NDArray[Any]:
    """An array as NumPy wrote it; memory is taken only once its size is that of its content."""
    stream = io.BytesIO(content)
    if np.lib.format.read_magic(stream) != _NPY:
        raise ValueError(f"its array {name!r:.60} is of another version of the format")
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    if any(type(n) is not int or n < 0 for n in shape):
        raise ValueError(f"its array {name!r:.60} is of the shape {str(shape)[:60]}")
    if dtype.kind not in "biuf":
        raise ValueError(f"its array {name!r:.60} is not of numbers")
    if math.prod(shape) * dtype.itemsize != len(content) - stream.tell():
        raise ValueError(f"its array {name!r:.60} is larger or smaller than it says")
    stream.seek(0)
    values: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    if not np.isfinite(values).all():
        raise ValueError(f"its array {name!r:.60} is not of finite numbers")
    return values


def is_of(model: StoredModel, supernet: Supernet) -> bool:
    """Whether a fit names a supernet; whether that is the same still, says ``check_supernet``."""
    return model.header.supernet in (supernet.name, supernet.space.name)


def check_supernet(model: StoredModel, supernet: Supernet) -> None:
    """Refuse a fit of other networks.

    Args:
        supernet: as it is built, at the image sizes of the fit.

    Raises:
        UsageError: it is of another supernet, or of one that was another then.
    """
    header = model.header
    advice = f"fit one: ofa run fit --kind latency --supernet {supernet.name} --data FILE.csv"
    if not is_of(model, supernet):
        raise UsageError(
            f"{model.path} was fitted for {header.supernet}, not for {supernet.name}", advice=advice
        )
    if header.networks != networks_digest(supernet):
        raise UsageError(
            f"{model.path} was fitted for another {header.supernet}: with other choices or blocks",
            advice=advice,
        )
