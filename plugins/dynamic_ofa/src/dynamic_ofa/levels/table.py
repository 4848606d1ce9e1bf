"""A level table: what was measured of each level on one device, with its batch norm statistics.

One file, a zip: ``levels.json``, readable, and an array of statistics a level. Nothing in it is
code: JSON is structured strictly, arrays are read without pickle.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from ofa_plugins_core import runs
from ofa_plugins_core.config import plain, structure
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.interfaces import Level
from ofa_plugins_core.values import Kind

FILE: Final = "levels.zip"
CONTENT: Final = "levels.json"
FORMAT: Final = "ofa-level-table"
VERSION: Final = 1
MOST_BYTES: Final = 2**30
"""Of the files in a table, unpacked: a level has some 100 KiB."""

Names = Literal["own", "old", "new"]


@frozen(kw_only=True)
class Accuracy:
    """Top-1 accuracy of a level, percent.

    Attributes:
        kind: measured, predicted or published. source: data set or predictor.
        low, high: ends of an 80 % interval, where known.
    """

    value: float
    kind: Kind
    source: str | None = None
    low: float | None = None
    high: float | None = None


@frozen(kw_only=True)
class Latency:
    """Latency of a level, ms an inference.

    Attributes:
        value: mean of the passes. low, high: the middle 80 % of them lie between these.
        kind: measured or published. count: passes, 0 where unknown.
        predicted: what the search had promised, where it did, ms.
    """

    value: float
    kind: Kind = "measured"
    low: float | None = None
    high: float | None = None
    count: int = 0
    predicted: float | None = None


@frozen(eq=False)
class NormStatistics:
    """Batch norm's statistics of one level, float32.

    Attributes:
        names: of the norms, in the order of the network.
        widths: channels of each.
        values: (2, sum of widths): means, then biased variances.
    """

    names: tuple[str, ...]
    widths: tuple[int, ...]
    values: NDArray[np.float32]

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where shapes do not fit, or a number makes no sense."""
        if len(self.names) != len(self.widths) or self.values.shape != (2, sum(self.widths)):
            raise ValueError("statistics and the widths of their norms do not fit")
        if not np.isfinite(self.values).all() or (self.values[1] < 0).any():
            raise ValueError("statistics are finite, and variances not negative")

    @classmethod
    def of(cls, found: Mapping[str, tuple[Any, Any]]) -> NormStatistics:
        """From name -> (mean, variance), each array-like of the norm's channels."""
        pairs = {n: np.asarray([m, v], dtype=np.float32) for n, (m, v) in found.items()}
        values = np.concatenate(list(pairs.values()), axis=1) if pairs else np.zeros((2, 0))
        widths = tuple(pair.shape[1] for pair in pairs.values())
        return cls(tuple(pairs), widths, values.astype(np.float32))

    def items(self) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Name -> (mean, variance), each (channels,)."""
        ends = np.cumsum(self.widths)[:-1]
        parts = np.split(self.values, ends, axis=1) if self.names else []
        return {n: (p[0], p[1]) for n, p in zip(self.names, parts, strict=True)}


@frozen(kw_only=True)
class LevelRow:
    """One level.

    Attributes:
        arch: the field's dict, with its image size.
        energy: of an inference, mJ; None where unknown.
        costs: name -> value, unit, kind, as runs write them.
        calibrated: images on which the statistics were measured; 0: they are the weights' own.
        statistics: None where the table has none: it can be simulated, not run.
    """

    arch: Mapping[str, Any]
    accuracy: Accuracy
    latency: Latency
    energy: float | None = None
    costs: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    calibrated: int = 0
    statistics: NormStatistics | None = field(default=None, eq=False, repr=False)


@frozen(kw_only=True)
class WeightsOf:
    """Whose weights a table was made with.

    Attributes:
        kind: ``synthetic``: filled by the formula; ``file``: those with this hash; ``unknown``.
        sha256: of the supernet's tensors (``nn`` weights_digest), hexadecimal.
        source: for people.
    """

    kind: Literal["synthetic", "file", "unknown"]
    sha256: str | None = None
    source: str = ""


@frozen(kw_only=True)
class LevelTable:
    """Levels of one supernet on one device, from fast to slow.

    Attributes:
        supernet: by name. classes: of its classifier.
        device: what was measured on, as the device describes itself.
        mode: of the device: power mode, threads; in words.
        names: how statistics name norms: as the extracted network's modules, or as published
            files of the old or new layout name its tensors.
        source: where the table is from, and the command that makes it again.
    """

    supernet: str
    classes: int
    weights: WeightsOf
    device: Mapping[str, str]
    levels: tuple[LevelRow, ...]
    mode: str = ""
    names: Names = "own"
    source: str = ""

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where there is no level, or they are not from fast to slow."""
        times = [row.latency.value for row in self.levels]
        if not times:
            raise ValueError("a table has a level or more")
        if times != sorted(times) or not all(0 < t < float("inf") for t in times):
            raise ValueError("levels go from fast to slow, each of some ms")

    @property
    def threads(self) -> int | None:
        """Of a processor, with which the latencies were measured; None where it is not said."""
        said = self.device.get("threads", "") if self.device.get("device") == "cpu" else ""
        return int(said) if said.isascii() and said.isdigit() and int(said) else None

    def policy_levels(self) -> tuple[Level, ...]:
        """What a policy is told of the levels."""
        return tuple(Level(r.accuracy.value, r.latency.value, r.energy) for r in self.levels)


def write_table(path: Path, table: LevelTable) -> None:
    """Write a table, whole or not at all; the same table gives the same bytes.

    Raises:
        InputError: it cannot be written.
    """
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _put(archive, CONTENT, _as_json(table).encode())
        for number, row in enumerate(table.levels):
            if row.statistics is not None:
                array = BytesIO()
                np.save(array, row.statistics.values, allow_pickle=False)
                _put(archive, _array(number), array.getvalue())
    runs.write(path, buffer.getvalue())


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    about = zipfile.ZipInfo(name)  # of 1980: a date would change the bytes
    about.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(about, content)


def _array(number: int) -> str:
    return f"statistics_{number}.npy"


def _as_json(table: LevelTable) -> str:
    rows = []
    for row in table.levels:
        said = plain(evolve(row, statistics=None))
        norms = row.statistics
        said["statistics"] = None if norms is None else [norms.names, norms.widths]
        rows.append(said)
    found = {**plain(evolve(table, levels=table.levels)), "levels": rows}
    return json.dumps({"format": FORMAT, "version": VERSION, **found}, indent=1) + "\n"


def read_table(path: Path) -> LevelTable:
    """Read a table that ``write_table`` wrote.

    Raises:
        InputError: it is missing, broken, or no level table; says which part.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MOST_BYTES:
                raise InputError(f"{path}: larger than any level table")
            names = archive.namelist()
            if CONTENT not in names:
                raise InputError(f"{path} is no level table: {CONTENT} is missing", advice=_MAKE)
            content = json.loads(archive.read(CONTENT))
            arrays = {n: _loaded(archive.read(n)) for n in names if n.endswith(".npy")}
    except FileNotFoundError as error:
        raise InputError(f"no level table {path}", advice=_MAKE) from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    # What a damaged archive or array raises is not bounded: zlib, zipfile and numpy have their own.
    except Exception as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is no level table: {error!s:.120}", advice=_MAKE) from error
    return _structured(path, content, arrays)


_MAKE: Final = "ofa run levels makes one"


def _loaded(content: bytes) -> NDArray[Any] | None:
    """An array of real numbers; None for anything else."""
    try:
        found = np.load(BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError):  # numpy's own words advise to trust the file
        return None
    return found if isinstance(found, np.ndarray) and found.dtype.kind == "f" else None


def _structured(path: Path, content: Any, arrays: Mapping[str, Any]) -> LevelTable:
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise InputError(f"{path} is no level table: {CONTENT} does not say {FORMAT}", advice=_MAKE)
    version = content.pop("version", None)
    if version != VERSION:
        raise InputError(f"{path} is of version {version!r}; this program reads {VERSION}")
    rows = content.get("levels")
    rows = rows if isinstance(rows, list) else []
    given = [row.pop("statistics", None) if isinstance(row, dict) else None for row in rows]
    table = structure({**content, "levels": rows}, LevelTable, str(path), InputError)
    found = []
    for number, (row, names) in enumerate(zip(table.levels, given, strict=True)):
        statistics = None if names is None else _statistics(path, number, names, arrays)
        found.append(evolve(row, statistics=statistics))
    return evolve(table, levels=tuple(found))


def _statistics(path: Path, number: int, names: Any, arrays: Mapping[str, Any]) -> NormStatistics:
    try:
        labels, widths = names
        array = arrays[_array(number)]
        if array is None:
            raise ValueError(f"{_array(number)} holds no array of real numbers")
        array = array.astype(np.float32)
        return NormStatistics(tuple(map(str, labels)), tuple(int(w) for w in widths), array)
    except (KeyError, TypeError, ValueError) as error:
        why = f"{_array(number)} is missing" if isinstance(error, KeyError) else str(error)
        raise InputError(
            f"{path}: the batch norm statistics of level {number} are broken: {why}", advice=_MAKE
        ) from error
