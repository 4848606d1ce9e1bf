"""Networks with known latencies in a file: the CSV of the published latency predictor.

``net_id,net_str,device,resolution,lat unit,end-to-end lat`` (Mills et al., CIKM 2021); how a
network is spelled says ``spelling``.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from attrs import frozen

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.latency_fits import Labelled, Values
from ofa_plugins_core.spelling import Spelling
from ofa_plugins_core.table_units import IN_MS
from ofa_plugins_core.values import RESOLUTION, Genes

COLUMNS: Final = ("net_id", "net_str", "device", "resolution", "lat unit", "end-to-end lat")
LEAST_SIZE: Final = 32
MOST_SIZE: Final = 65536
LEAST_MS: Final = 1e-6
MOST_MS: Final = 1e8
"""A nanosecond and a day: what lies beyond is of another unit, or damaged."""


@frozen(eq=False)
class LatencyData:
    """What a file of latencies holds.

    Attributes:
        supernet: as it is built, at the image sizes of the file.
        found: distinct networks, canonical, with their latencies in ms.
        device: as the file calls it.
        repeated: lines that repeat a network and were averaged.
    """

    supernet: Supernet
    found: Labelled
    device: str
    repeated: int


@frozen
class _Line:
    number: int
    net: str
    device: str
    size: int
    latency: float


def latency_csv(supernet: Supernet, genes: Genes, latency: Values, device: str) -> str:
    """The text of a file.

    Args:
        genes: (n, genes) of the supernet. latency: (n,) ms. device: what to call it.

    Raises:
        UsageError: the supernet's networks cannot be spelled.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    nets = Spelling.of(supernet.geometry()).write(genes)
    sizes = np.array(supernet.resolutions)[genes[:, RESOLUTION]].tolist()
    for number, (net, size, value) in enumerate(zip(nets, sizes, latency.tolist(), strict=True)):
        rows.writerow([number, net, device, size, "ms", repr(value)])
    return text.getvalue()


def read_latencies(files: Sequence[Path], supernet: Supernet) -> LatencyData:
    """Read one or more files of one device.

    Raises:
        InputError: a file cannot be read, or a line is broken or of another space; names it.
        UsageError: the supernet's networks cannot be spelled.
    """
    lines = [(file, line) for file in files for line in _lines(file)]
    devices = sorted({line.device for _, line in lines})
    if len(devices) != 1:
        raise InputError(
            f"latencies of {len(devices)} devices: {', '.join(devices)[:200]}",
            advice="a predictor is of one device: give each a file of its own",
        )
    supernet = supernet.as_built().at(sorted({line.size for _, line in lines}))
    spelling = Spelling.of(supernet.geometry())
    known: dict[str, Genes] = {}
    genes = np.empty((len(lines), len(supernet.space.genes)), dtype=np.uint8)
    for row, (file, line) in enumerate(lines):
        try:
            if line.net not in known:
                known[line.net] = spelling.read(line.net)
        except InputError as error:
            place = f"{file}, line {line.number}"
            raise InputError(f"{place}: {error.message}", advice=error.advice) from error
        genes[row] = known[line.net]
        genes[row, RESOLUTION] = supernet.resolutions.index(line.size)
    distinct, which = np.unique(genes, axis=0, return_inverse=True)
    latency = np.array([line.latency for _, line in lines])
    mean = np.bincount(which.ravel(), weights=latency) / np.bincount(which.ravel())
    return LatencyData(supernet, Labelled(distinct, mean), devices[0], len(lines) - len(distinct))


def _lines(file: Path) -> list[_Line]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not text in UTF-8: {error.reason}") from error
    try:
        found = list(_parsed(file, text))
    except csv.Error as error:
        raise InputError(f"{file} is no CSV: {error}") from error
    if not found:
        raise InputError(f"{file} holds no latencies")
    return found


def _parsed(file: Path, text: str) -> Iterator[_Line]:
    rows = csv.reader(io.StringIO(text), strict=True)
    head = next(rows, [])
    if tuple(word.strip() for word in head) != COLUMNS:
        raise InputError(
            f"{file}: its first line is {','.join(head)[:120]!r}",
            advice=f"expected {','.join(COLUMNS)}; ofa run label writes such a file",
        )
    for row in rows:
        if row:
            yield _line(f"{file}, line {rows.line_num}", rows.line_num, row)


def _line(place: str, number: int, row: Sequence[str]) -> _Line:
    if len(row) != len(COLUMNS):
        raise InputError(f"{place}: {len(row)} fields, expected {len(COLUMNS)}")
    _, net, device, size, unit, latency = (field.strip() for field in row)
    if not device:
        raise InputError(f"{place}: no device is named")
    if not size.isascii() or not size.isdigit() or not LEAST_SIZE <= int(size[:9]) <= MOST_SIZE:
        raise InputError(f"{place}: resolution: expected pixels, found {size!r:.60}")
    if unit not in IN_MS:
        raise InputError(f"{place}: lat unit: expected {', '.join(IN_MS)}, found {unit!r:.60}")
    try:
        value = float(latency) * IN_MS[unit]
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise InputError(
            f"{place}: end-to-end lat: expected a number above 0, found {latency!r:.60}"
        )
    if not LEAST_MS <= value <= MOST_MS:
        raise InputError(
            f"{place}: end-to-end lat: {value:g} ms is no network's latency",
            advice=f"{LEAST_MS:g} to {MOST_MS:g} ms are; look at the unit",
        )
    return _Line(number, net, device, int(size), value)
