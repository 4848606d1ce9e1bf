"""Latency tables: what each block of a supernet takes on one device, at each image size.

Ours is one file (``own_tables``). The published form: ``<size>_lookup_table.json`` or ``.yaml``
maps a key such as ``Conv-input:224x224x3-output:112x112x24`` to ``{count, mean, std}`` in
milliseconds; some old files have ``var`` where others have ``std``. A network's latency is the sum
of its rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from ofa_plugins_core.config import read_json, read_yaml
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.geometry import SPATIAL, Block, Op
from ofa_plugins_core.own_tables import FILE as OWN
from ofa_plugins_core.own_tables import OwnTable, read_own

FILE: Final = re.compile(r"(\d{1,5})_lookup_table\.(json|ya?ml)")
MEASURE: Final = "measure your device again with: ofa run lut"


@frozen
class Row:
    """What was measured of one op.

    Attributes:
        count: how often it was run.
        mean: milliseconds.
        std: standard deviation in milliseconds, or None where the table has none.
    """

    count: int
    mean: float
    std: float | None = None

    @property
    def variation(self) -> float:
        """Coefficient of variation, std / mean; 0 where the table has no std or the mean is 0."""
        return self.std / self.mean if self.std is not None and self.mean else 0.0


@frozen(eq=False)
class Table:
    """The rows of one image size.

    Attributes:
        name: of the table's folder, or what the user calls it.
        size: image size in pixels.
        path: of the file.
        rows: key -> row.
    """

    name: str
    size: int
    path: Path
    rows: Mapping[str, Row]

    def total(self) -> float:
        """The sum of all means, ms."""
        return math.fsum(row.mean for row in self.rows.values())


@frozen(eq=False)
class TableFolder:
    """A folder of tables of one device; a file is read when its size is first asked for.

    Attributes:
        name: what the user calls the table, for example ``note10``.
        path: the folder.
        files: image size -> file, increasing.
        own: what else is known of a table that ``ofa run lut`` made: device, correction, error.
    """

    name: str
    path: Path
    files: Mapping[int, Path]
    own: OwnTable | None = None
    _read: dict[int, Table] = field(factory=dict, init=False, repr=False)

    @classmethod
    def open(cls, path: Path, name: str | None = None) -> TableFolder:
        """A table that ``ofa run lut`` made, or a folder of published ones.

        Args:
            path: a folder; of a table of ours its file, too.

        Raises:
            InputError: there is no such folder, no table in it, two of one size, or a broken one.
        """
        own = path if path.suffix == ".json" and path.is_file() else path / OWN
        if own.is_file():
            return cls._opened(own, name or own.resolve().parent.name)
        try:
            found = sorted(p for p in path.iterdir() if FILE.fullmatch(p.name))
        except OSError as error:
            raise InputError(
                f"cannot read the folder of latency tables {path}: {error.strerror or error}"
            ) from error
        files: dict[int, Path] = {}
        for file in sorted(found, key=_size_of):
            if _size_of(file) in files:
                raise InputError(
                    f"two tables for {_size_of(file)} px: {files[_size_of(file)]} and {file.name}",
                    advice="leave one of them in the folder",
                )
            files[_size_of(file)] = file
        if not files:
            raise InputError(
                f"no latency table in {path}",
                advice="its files are called <size>_lookup_table.json or .yaml",
            )
        return cls(name or path.resolve().name, path, files)

    @classmethod
    def _opened(cls, path: Path, name: str) -> TableFolder:
        table = read_own(path)
        sizes = sorted(map(int, table.rows))
        found = cls(name, path.parent, dict.fromkeys(sizes, path), table)
        for size in sizes:
            rows = {k: Row(r.count, r.mean, r.std) for k, r in table.rows[str(size)].items()}
            found._read[size] = Table(name, size, path, rows)
        return found

    @property
    def sizes(self) -> tuple[int, ...]:
        """Image sizes that have a table, increasing."""
        return tuple(self.files)

    def table(self, size: int) -> Table:
        """The table of one image size; read once.

        Raises:
            InputError: there is none, or the file is broken: with file, row and what is wrong.
        """
        if size not in self.files:
            there = ",".join(map(str, self.sizes))
            raise InputError(
                f"{self.path} has no latency table for {size} px",
                advice=f"a search keeps to those that it has by --resolutions {there}",
            )
        if size not in self._read:
            path = self.files[size]
            self._read[size] = Table(self.name, size, path, read_rows(path))
        return self._read[size]


def _size_of(path: Path) -> int:
    match = FILE.fullmatch(path.name)
    assert match is not None
    return int(match.group(1))


def read_rows(path: Path) -> dict[str, Row]:
    """Read one file of a table, JSON or YAML by its name.

    Raises:
        InputError: with the file, the row, what is wrong and what to do.
    """
    data = read_json(path) if path.suffix == ".json" else read_yaml(path)
    if not data:
        raise InputError(f"{path} has no rows", advice=MEASURE)
    return {key: _row(path, key, row) for key, row in data.items()}


def _row(path: Path, key: str, data: Any) -> Row:
    place = f"{path}: row {key!r}"
    if not isinstance(data, Mapping):
        raise _broken(place, "must be a mapping with count, mean and std", data)
    unknown = sorted(map(str, data.keys() - {"count", "mean", "std", "var"}))
    if unknown or {"std", "var"} <= data.keys():
        raise _broken(place, "may have count, mean, and std or var; nothing else", unknown or data)
    count, mean = (_number(place, name, data.get(name)) for name in ("count", "mean"))
    if count != int(count) or count < 1:
        raise _broken(place, "count must be a whole number from 1 up", count)
    std = None
    if "std" in data:
        std = _number(place, "std", data["std"])
    elif "var" in data:
        std = math.sqrt(_number(place, "var", data["var"]))
    return Row(int(count), mean, std)


def _number(place: str, name: str, value: Any) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or not 0 <= value < 1e12:  # neither NaN nor infinity is
        raise _broken(place, f"{name} must be a number of at least 0", value)
    return float(value)


def _broken(place: str, what: str, found: object) -> InputError:
    text = repr(found) if not isinstance(found, int) or found.bit_length() < 64 else "a huge number"
    return InputError(f"{place}: {what}, found {text:.60}", advice=f"mend the row, or {MEASURE}")


# ------------------------------------------------------------------------------- keys

_NAMES: Final = {
    "stem": "Conv",
    "final_expand": "Conv_1",
    "pool": "AvgPool2D",
    "feature_mix": "Conv_2",
    "classifier": "Logits",
}


def row_key(block: Block) -> str:
    """The key of a block's row, as the published tables write it.

    MBConv networks have the published keys. Ours beyond them: ``-expand_conv:1`` where a block
    keeps an expand convolution that changes no width (e = 1), and the rows of bottleneck networks.
    """
    if block.kind == "mbconv":
        return _mbconv_key(block)
    if block.kind == "bottleneck":
        return _bottleneck_key(block)
    first, last = block.ops[0], block.ops[-1]
    name = "MaxPool" if first.role == "pool" and last.size_out > 1 else _NAMES[block.kind]
    if first.role == "linear":
        return f"{name}-input:1x1x{first.channels_in}-output:{last.channels_out}"
    return f"{name}{_shapes(first, last)}{'-idskip:1' if block.shortcut else ''}"


def _shapes(first: Op, last: Op) -> str:
    return (
        f"-input:{first.size_in}x{first.size_in}x{first.channels_in}"
        f"-output:{last.size_out}x{last.size_out}x{last.channels_out}"
    )


def _mbconv_key(block: Block) -> str:
    ops = {op.name: op for op in block.ops}
    middle = ops["depthwise"]
    key = (
        f"expanded_conv{_shapes(block.ops[0], ops['project'])}-expand:{middle.channels_out}"
        f"-kernel:{middle.kernel}-stride:{middle.stride}-idskip:{int(block.shortcut)}"
        f"-se:{int(block.squeeze_excite)}-hs:{int(middle.activation == 'h_swish')}"
    )
    kept = "expand" in ops and ops["expand"].channels_in == middle.channels_in
    return key + "-expand_conv:1" if kept else key


def _bottleneck_key(block: Block) -> str:
    main = [op for op in block.ops if not op.name.startswith("shortcut")]
    middle = next(op for op in main if op.name in SPATIAL)
    return (
        f"bottleneck{_shapes(main[0], main[-1])}-expand:{middle.channels_out}"
        f"-kernel:{middle.kernel}-stride:{middle.stride}-idskip:{int(block.shortcut)}"
    )
