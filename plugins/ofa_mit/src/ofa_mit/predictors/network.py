"""The predictors' network in numpy, read from a published torch file or from our npz."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core import runs
from ofa_plugins_core.errors import InputError, MissingExtraError

Floats = NDArray[np.float64]
FORMAT: Final = "ofa mlp predictor, 1"
MAX_BYTES: Final = 64 * 2**20
"""Most bytes that an npz may unpack to; the published networks take below 2 MB."""
_PICKLE: Final = b"\x80"
"""First byte of a pickle, which torch's older files are."""

PUBLISHED: Final = (
    ("layers.0.0.", "layers.1.0.", "layers.2.0.", "layers.3."),
    ("0.", "2.", "4.", "6."),
)
"""Prefixes of the four layers' keys: MOOFA's and ResNet-50's files, MIT's."""


@frozen(eq=False)
class Network:
    """Linear layers with ReLU between them.

    Attributes:
        layers: (weight (out, in), bias (out,)) of each.
        base: added to the result; the published ``base_acc``.
    """

    layers: tuple[tuple[Floats, Floats], ...]
    base: float

    @property
    def inputs(self) -> int:
        """Length of the vector that it reads."""
        return int(self.layers[0][0].shape[1])

    def __call__(self, vectors: NDArray[Any]) -> Floats:
        """(n, inputs) -> (n,) fractions; in double precision, so that a batch changes nothing."""
        vectors = np.asarray(vectors, dtype=float)
        for weight, bias in self.layers[:-1]:
            vectors = np.maximum(vectors @ weight.T + bias, 0)
        weight, bias = self.layers[-1]
        return np.asarray((vectors @ weight.T + bias)[:, 0] + self.base)


def read_network(file: Path) -> Network:
    """Read a published torch file, or an npz that ``write_network`` made.

    Raises:
        InputError: the file is missing, broken, or wants more than weights.
        MissingExtraError: a torch file, and torch is not installed.
    """
    if not file.is_file():
        raise InputError(f"there is no predictor file {file}")
    if _is_npz(file):
        return _from_npz(file)
    return _from_state(_torch_state(file), str(file))


def _is_npz(file: Path) -> bool:
    """Whether it is an npz of a sensible size, not torch's: a zip with a pickle, or a pickle.

    Raises:
        InputError: it cannot be read, is none of these, or would take too much memory.
    """
    try:
        with file.open("rb") as stream:
            pickled = stream.read(1) == _PICKLE
        members = zipfile.ZipFile(file).infolist() if zipfile.is_zipfile(file) else []
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"cannot read {file}: {error}") from error
    names = [m.filename for m in members]
    if not any(n.endswith(".npy") for n in names):
        if not pickled and not any(n.endswith("data.pkl") for n in names):
            raise InputError(f"{file} is broken: neither an npz nor a torch file")
        return False
    size = sum(m.file_size for m in members)
    if size > MAX_BYTES:
        raise InputError(f"{file} unpacks to {size:,} bytes: a predictor has at most {MAX_BYTES:,}")
    return True


def _torch_state(file: Path) -> Mapping[str, Any]:
    try:
        import torch
    except ImportError:
        what = f"reading the torch file {file.name}"
        raise MissingExtraError(what, "ofa-plugins-mit", "torch") from None
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    # torch's readers raise whatever a broken archive or a refused pickle leads them to.
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"{file} cannot be read as weights alone: {reason}",
            advice="only tensors are read from a predictor file; nothing else of it was run",
        ) from error
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict):
        raise InputError(f"{file} holds no named weights, but {type(state).__name__}")
    return {str(k): v.numpy() for k, v in state.items() if isinstance(v, torch.Tensor)}


def _from_state(state: Mapping[str, Any], name: str) -> Network:
    """Strictly: a key that is missing or not expected is an error that names it."""
    prefixes = next((p for p in PUBLISHED if f"{p[0]}weight" in state), PUBLISHED[0])
    weights = [f"{p}weight" for p in prefixes]
    biases = [f"{p}bias" for p in prefixes]
    optional = {biases[-1], "base_acc"}
    expected = {*weights, *biases, "base_acc"}
    missing = sorted(expected - optional - set(state))
    unknown = sorted(set(state) - expected)
    if missing or unknown:
        what = f"misses the key {missing[0]!r}" if missing else f"has a key {unknown[0]!r} too many"
        raise InputError(f"{name} is no published accuracy predictor: it {what}")
    parts = [(state[w], state.get(b, np.zeros(1))) for w, b in zip(weights, biases, strict=True)]
    return _checked(parts, state.get("base_acc", np.zeros(1)), name)


def _checked(parts: list[tuple[Any, Any]], base: Any, name: str) -> Network:
    layers = tuple((np.asarray(w, dtype=float), np.asarray(b, dtype=float)) for w, b in parts)
    width = layers[0][0].shape[-1] if layers else 0
    for weight, bias in layers:
        if weight.ndim != 2 or weight.shape[1] != width or bias.shape != weight.shape[:1]:
            raise InputError(
                f"{name}: a layer of shapes {weight.shape} and {bias.shape} does not fit "
                f"{width} inputs"
            )
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise InputError(f"{name}: a weight is not a finite number")
        width = weight.shape[0]
    constant = np.asarray(base, dtype=float).ravel()
    if width != 1 or len(constant) != 1 or not np.isfinite(constant[0]):
        raise InputError(f"{name} does not end in one number")
    return Network(layers, float(constant[0]))


def _from_npz(file: Path) -> Network:
    try:
        with np.load(file, allow_pickle=False) as found:
            if str(found["format"]) != FORMAT:
                raise ValueError(f"its format is {str(found['format'])!r:.40}, not {FORMAT!r}")
            count = int(found["layers"])
            if not 1 <= count <= 64:
                raise ValueError(f"it says that it has {count} layers")
            parts = [(found[f"weight{i}"], found[f"bias{i}"]) for i in range(count)]
            base = found["base"]
    except KeyError as error:
        raise InputError(f"{file} is no predictor file of ours: {error.args[0]}") from error
    except (ValueError, OSError, EOFError, TypeError, MemoryError) as error:
        raise InputError(f"{file} is no predictor file of ours: {error}") from error
    except zipfile.BadZipFile as error:
        raise InputError(f"{file} is broken: {error}") from error
    return _checked(parts, base, str(file))


def read_about(file: Path) -> str | None:
    """What is written beside the weights in an npz of a network that a user fitted, or None.

    Raises:
        InputError: the file is missing or broken.
    """
    if not file.is_file():
        raise InputError(f"there is no predictor file {file}")
    if not _is_npz(file):
        return None
    try:
        with np.load(file, allow_pickle=False) as found:
            return str(found["about"]) if "about" in found.files else None
    except (ValueError, OSError, EOFError, TypeError, MemoryError, zipfile.BadZipFile) as error:
        raise InputError(f"{file} is no predictor file of ours: {error}") from error


def network_bytes(network: Network, about: str | None = None) -> bytes:
    """The network as an npz that needs no torch, the same bytes for the same network.

    Args:
        about: text to keep beside the weights.
    """
    arrays: dict[str, Any] = {"format": np.array(FORMAT), "layers": np.array(len(network.layers))}
    for index, (weight, bias) in enumerate(network.layers):
        arrays |= {
            f"weight{index}": weight.astype(np.float32),  # as published: nothing is lost
            f"bias{index}": bias.astype(np.float32),
        }
    if about is not None:
        arrays["about"] = np.array(about)
    content = io.BytesIO()
    np.savez(content, base=np.array(network.base), **arrays)
    return content.getvalue()


def write_network(network: Network, file: Path) -> None:
    """Write an npz that needs no torch, as a whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    runs.write(file, network_bytes(network))
