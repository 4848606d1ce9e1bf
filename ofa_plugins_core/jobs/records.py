"""Measured accuracies from files: JSON lines, or the published pickle read without trusting it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import frozen

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.measured import Measured
from ofa_plugins_core.restricted_pickle import PlainArray, load_plain
from ofa_plugins_core.values import Genes, SearchSpace


@frozen
class Record:
    """One measured network.

    Attributes:
        arch: in the exchange form.
        top1: percent.
        place: file and line, for messages.
    """

    arch: Mapping[str, Any]
    top1: float
    place: str


MERGED: Final = "dataset.jsonl"
"""Of a run of ``ofa run dataset``: all of its records."""
PARTS: Final = (".jsonl", ".pkl", ".pickle")


def files_of(path: Path) -> list[Path]:
    """The files that a file, a run of ``ofa run dataset``, or a folder of parts stands for.

    Raises:
        InputError: a folder has no measured accuracies, or is of an unfinished run.
    """
    if not path.is_dir():
        return [path]
    if (path / MERGED).is_file():
        return [path / MERGED]
    if (path / "parts").is_dir():
        raise InputError(
            f"{path} is of a run that has not ended: its parts are not merged",
            advice=f"ofa run dataset --resume --out {shlex.quote(str(path))}; Ctrl-C merges too",
        )
    found = [f for f in path.iterdir() if f.suffix in PARTS]
    if not found:
        raise InputError(f"{path} holds no measured accuracies ({', '.join(PARTS)})")
    return sorted(found, key=_numbered)


def _numbered(file: Path) -> tuple[list[tuple[int, str]], str]:
    """gpu2 before gpu10."""
    words = re.findall(r"\d+|\D+", file.name)
    return [(int(w), "") if w.isdigit() else (-1, w) for w in words], file.name


def read_records(path: Path) -> list[Record]:
    """Read one file of measured accuracies, whichever of the two formats it has.

    JSON lines: ``{"arch": {…}, "top1": percent}`` a line, other keys ignored. Pickle: a dict with
    ``configs`` and ``accuracies`` (percent, or fractions when none exceeds 1), as published.

    Raises:
        InputError: the file cannot be read, or a record is broken; names the place.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    start = content.lstrip()[:1]
    if not start:
        raise InputError(f"{path} is empty; expected measured accuracies")
    # A pickle starts with an opcode, never with a brace.
    return list(_json_lines(path, content) if start == b"{" else _pickled(path, content))


def _json_lines(path: Path, content: bytes) -> Iterator[Record]:
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text in UTF-8: {error.reason}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{place}: not JSON: {error}") from error
        if not isinstance(found, dict) or not isinstance(found.get("arch"), dict):
            raise InputError(f'{place}: expected {{"arch": {{…}}, "top1": percent}}')
        yield Record(found["arch"], _percent(found.get("top1"), place), place)


def _percent(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise InputError(
            f"{place}: top1 must be a number of percent from 0 to 100, found {value!r:.60}"
        )
    return float(value)


def _pickled(path: Path, content: bytes) -> Iterator[Record]:
    found = load_plain(content, str(path))
    if not isinstance(found, dict) or not {"configs", "accuracies"} <= set(found):
        raise InputError(f"{path}: expected a dict with the keys configs and accuracies")
    configs, accuracies = found["configs"], _listed(found["accuracies"])
    if not isinstance(configs, list | tuple) or len(configs) != len(accuracies):
        raise InputError(f"{path}: configs and accuracies must be lists of one length")
    values = [_number(a) for a in accuracies]
    numbers = [v for v in values if isinstance(v, int | float)]
    scale = 100.0 if numbers and max(numbers) <= 1 else 1.0
    for index, (config, value) in enumerate(zip(configs, values, strict=True)):
        place = f"{path}, record {index}"
        if not isinstance(config, dict):
            raise InputError(f"{place}: expected a dict of choices, found {type(config).__name__}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            value *= scale
        arch = {str(k): _plain_choice(v) for k, v in config.items()}
        yield Record(arch, _percent(value, place), place)


def _listed(values: object) -> Sequence[object]:
    if isinstance(values, PlainArray):
        return values.as_list()
    return values if isinstance(values, list | tuple) else ()


def _number(value: object) -> object:
    """A Python number of a numpy scalar or an array of one element; anything else as it is."""
    if isinstance(value, PlainArray):
        listed = value.as_list()
        return listed[0] if len(listed) == 1 else None
    return value


def _plain_choice(value: object) -> object:
    if isinstance(value, PlainArray) and not value.scalar:
        return value.as_list()
    return [_number(v) for v in value] if isinstance(value, list | tuple) else _number(value)


def measured(space: SearchSpace, records: Sequence[Record]) -> Measured:
    """Records as one array over a space, at the image sizes that they have.

    Raises:
        InputError: a record is not of the space; names its place.
    """
    if not records:
        raise InputError("no measured networks were given")
    sizes = {int(s) for r in records if isinstance(s := _size(r.arch), int | float)}
    whole = space.with_resolutions({s for s in sizes if s >= 32} or space.resolutions)
    genes = _encode(whole, records)
    distinct, which = np.unique(genes, axis=0, return_inverse=True)
    top1 = np.array([r.top1 for r in records])
    count = np.bincount(which.ravel())
    mean = np.bincount(which.ravel(), weights=top1) / count
    return Measured(whole, distinct, mean, len(records) - len(distinct))


def _size(arch: Mapping[str, Any]) -> object:
    size = arch.get("image_size", arch.get("r"))
    return size[0] if isinstance(size, list) and len(size) == 1 else size


def _encode(space: SearchSpace, records: Sequence[Record]) -> Genes:
    try:
        return space.encode(r.arch for r in records)
    except InputError:
        for record in records:  # say which line it is, not which number in a merged list
            try:
                space.encode([record.arch])
            except InputError as error:
                message = error.message.removeprefix("architecture 0: ")
                raise InputError(f"{record.place}: {message}", advice=error.advice) from error
        raise
