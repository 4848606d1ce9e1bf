"""Checkpoints: read without running anything that is in them, written whole or not at all."""

from __future__ import annotations

import io
import json
import math
import pickle
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from ofa_plugins_core import runs
from ofa_plugins_core.errors import InputError, MissingExtraError, UsageError
from ofa_plugins_core.nn.pickles import asked_for

State = dict[str, torch.Tensor]

ENDINGS: Final = (".safetensors", ".pth", ".pth.tar", ".pt", ".bin", ".ckpt", ".tar")
WRAPPED: Final = "state_dict"
ABOUT: Final = "ofa"
"""Where a file of ours says which step of which supernet it holds."""
PARALLEL: Final = "module."
"""What DataParallel puts before every name."""

PAGES: Final = (b"<!doctype", b"<html", b"<?xml", b"version https://git-lfs")
ADVICE: Final = "fetch or copy it again: ofa weights fetch NAME, ofa weights verify"
NO_CHECKPOINT: Final = (
    "name the file of weights itself (.pth, .pt, .pth.tar, .safetensors); "
    "`ofa weights fetch NAME` brings a published one, and then its NAME will do"
)
ANEW: Final = (
    "where you trust its origin, load it there and save its tensors alone: "
    'torch.save({"state_dict": net.state_dict()}, FILE)'
)


# ------------------------------------------------------------------------------ reading


def read_state(path: Path) -> State:
    """The tensors of a checkpoint, by name, on the CPU.

    Args:
        path: a safetensors file, a file of torch's (of any name), or a folder with one of them.
            {"state_dict": …} and DataParallel's ``module.`` are taken off.

    Raises:
        InputError: it is missing, truncated, no checkpoint, empty, holds other things than plain
            tensors, or is a pickle that asks for more than data; nothing of it is run.
    """
    path = file_of(Path(path))
    start = _start(path)
    found = _read_safetensors(path) if _is_safetensors(path, start) else _read_torch(path, start)
    return _tensors(path, _unwrapped(path, found))


def about_of(path: Path) -> dict[str, Any]:
    """What a file that we wrote says of itself; {} where it says nothing, as published ones.

    Raises:
        InputError: as ``read_state``.
    """
    path = file_of(Path(path))
    start = _start(path)
    if _is_safetensors(path, start):
        from safetensors import safe_open

        with safe_open(path, "pt") as file:
            found = file.metadata() or {}
    else:
        found = _read_torch(path, start)
    try:
        said = json.loads(found[ABOUT])
        return dict(said)
    except (KeyError, TypeError, ValueError, IndexError):
        return {}


def classes_of(state: Mapping[str, torch.Tensor]) -> int | None:
    """For how many classes the classifier of a checkpoint is; None where it has none."""
    for key in ("classifier.linear.weight", "classifier.linear.linear.weight"):
        if key in state:
            return int(state[key].shape[0])
    return None


def file_of(path: Path) -> Path:
    """The file itself, or the one checkpoint of a folder.

    Raises:
        InputError: there is none, or several.
    """
    if not path.exists():
        raise InputError(f"{path} is not there", advice="ofa weights list shows what is known")
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError(f"{path} is neither a file nor a folder")
    try:
        inside = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    files = [p for p in inside if p.name.endswith(ENDINGS) or p.name == "init"]
    files = files or [p for p in inside if not p.suffix]
    if len(files) != 1:
        names = ", ".join(p.name for p in files) or "none"
        raise InputError(
            f"{path} should hold one checkpoint; found: {names:.300}", advice="name the file"
        )
    return files[0]


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if not start:
        raise InputError(f"{path} is empty", advice=ADVICE)
    if start.lstrip().lower().startswith(PAGES):
        raise InputError(f"{path} is a web page or a pointer, not the file", advice=ADVICE)
    return start


def _is_safetensors(path: Path, start: bytes) -> bool:
    return path.suffix == ".safetensors" or start[8:9] == b"{"


def _read_safetensors(path: Path) -> State:
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load_file
    except ModuleNotFoundError as error:
        raise MissingExtraError("reading safetensors", "ofa-plugins-core", "torch") from error
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(
            f"{path} is truncated or no safetensors file: {_line(error)}", advice=ADVICE
        ) from error


def _read_torch(path: Path, start: bytes) -> Any:
    if start.startswith(b"PK"):
        _check_archive(path)
    elif start[:1] != b"\x80":
        what = "no checkpoint but a text" if _is_text(start) else "no checkpoint"
        raise InputError(
            f"{path} is {what}: neither torch's format nor safetensors", advice=NO_CHECKPOINT
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old formats, which are what was published
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refused(path) from error
    except MemoryError as error:
        raise InputError(f"{path} asks for more memory than there is") from error
    except Exception as error:  # a broken pickle raises whatever its bytes happen to say
        raise InputError(f"{path} is truncated or broken: {_line(error)}", advice=ADVICE) from error


def _is_text(start: bytes) -> bool:
    return all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start)


def _check_archive(path: Path) -> None:
    """Refuse what is cut off, and what unpacks to more than it is: torch compresses nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
            sound = any(item.filename.endswith("data.pkl") for item in archive.infolist())
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InputError(f"{path} is truncated or broken: {_line(error)}", advice=ADVICE) from error
    if not sound:
        raise InputError(f"{path} is an archive, but no checkpoint of torch's", advice="unpack it")
    if unpacked > path.stat().st_size:
        raise InputError(f"{path} would unpack to {unpacked:,} bytes: no checkpoint is compressed")


def _refused(path: Path) -> InputError:
    """A pickle that is broken, or that asks for more than tensors."""
    asked = asked_for(path)
    if not asked:
        return InputError(
            f"{path} is refused: a pickle, but no checkpoint of tensors; none of it was run",
            advice=ANEW,
        )
    more = f" and {len(asked) - 1} more" if len(asked) > 1 else ""
    return InputError(
        f"{path} is refused: it asks for {asked[0]:.100}{more}, and a checkpoint needs nothing "
        "but tensors; what it asks for could run any program, so none of it was run",
        advice=ANEW,
    )


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{lines[0]:.200}" if lines else type(error).__name__


def _unwrapped(path: Path, found: Any) -> Mapping[Any, Any]:
    if isinstance(found, Mapping) and isinstance(found.get(WRAPPED), Mapping):
        found = found[WRAPPED]
    if not isinstance(found, Mapping):
        raise InputError(f"{path} holds a {type(found).__name__}, not tensors by name", advice=ANEW)
    if not found:
        raise InputError(f"{path} holds no tensor", advice=ADVICE)
    if all(isinstance(key, str) and key.startswith(PARALLEL) for key in found):
        return {key.removeprefix(PARALLEL): value for key, value in found.items()}
    return found


def _tensors(path: Path, found: Mapping[Any, Any]) -> State:
    """Plain tensors, each with memory of its own size behind it."""
    for key, value in found.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            kind = type(value).__name__
            raise InputError(f"{path}: {key!r:.80} is a {kind}, not a tensor", advice=ANEW)
        if value.layout != torch.strided or value.is_quantized or value.is_meta:
            raise InputError(f"{path}: {key!r:.80} is no plain tensor", advice=ANEW)
        if value.numel() * value.element_size() > value.untyped_storage().nbytes():
            shape = tuple(value.shape)
            raise InputError(f"{path}: {key!r:.80} has less in it than its shape {shape} says")
    return {key: value.detach() for key, value in found.items()}


# ------------------------------------------------------------------------------ writing


def write_state(
    path: Path,
    state: Mapping[str, torch.Tensor],
    form: str | None = None,
    *,
    about: Mapping[str, Any] | None = None,
) -> str:
    """Write tensors by name, the whole file or nothing.

    Args:
        path: of the file; what is there is replaced.
        state: name -> tensor.
        form: ``safetensors`` or ``torch`` ({"state_dict": …}); by the path's ending if None.
        about: what the file says of itself, numbers and text; ``about_of`` reads it.

    Returns:
        The format that was written.

    Raises:
        UsageError: another format.
        InputError: it cannot be written: a full disk, for example; nothing is left then.
    """
    form = form or ("safetensors" if path.suffix == ".safetensors" else "torch")
    if form not in ("safetensors", "torch"):
        raise UsageError(f"unknown format {form!r}: safetensors or torch")
    own = {key: value.detach().cpu().contiguous().clone() for key, value in state.items()}
    said = dict(about or {})
    whole = (_as_safetensors if form == "safetensors" else _as_torch)(own, said)
    runs.write(path, whole, lasting=True)
    return form


def _as_safetensors(state: State, about: Mapping[str, Any]) -> bytes:
    try:
        from safetensors.torch import save
    except ModuleNotFoundError as error:
        raise MissingExtraError("writing safetensors", "ofa-plugins-core", "torch") from error
    return save(state, {ABOUT: json.dumps(about)} if about else None)


def _as_torch(state: State, about: Mapping[str, Any]) -> bytes:
    content = io.BytesIO()
    torch.save({WRAPPED: state, **({ABOUT: json.dumps(about)} if about else {})}, content)
    return content.getvalue()


# ------------------------------------------------------------------------------- filling


def synthetic_state(
    shapes: Mapping[str, Sequence[int]], dtype: torch.dtype = torch.float64
) -> State:
    """Tensors filled by a formula from their names, so that no weight file has to travel.

    Args:
        shapes: name in the new layout -> shape.
        dtype: of all but ``num_batches_tracked``, which counts.

    Returns:
        Name -> tensor; the same on every machine.
    """
    return {key: _synthetic(key, tuple(shape), dtype) for key, shape in shapes.items()}


def _synthetic(key: str, shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    if key.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    return torch.from_numpy(np.asarray(_values(key, shape))).to(dtype)


def _values(key: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Values of a tensor, from a generator that its name seeds."""
    draws = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode())))
    if key.endswith("running_mean"):
        return 0.1 * draws.standard_normal(shape)
    if key.endswith("running_var"):
        return draws.uniform(0.6, 1.4, shape)
    if key.endswith("_matrix"):
        return np.eye(shape[0]) + 0.05 * draws.standard_normal(shape)
    if len(shape) == 1:
        if key.endswith("weight"):
            return draws.uniform(0.6, 1.4, shape)
        return 0.1 * draws.standard_normal(shape)
    return math.sqrt(2 / math.prod(shape[1:])) * draws.standard_normal(shape)
