"""Published level tables, read from their pickles; see ``pickles`` for what is read of one.

Lou, Xun et al. (2021) ship tables for their Jetson board: accuracies and latencies, architectures
of ofa_mbv3_w1.2, and batch norm statistics that were averaged over images, by the names of the
extracted network in the old layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from dynamic_ofa.levels.pickles import Array, Meter, Tensor, load_data, refused
from dynamic_ofa.levels.storages import RefusedError
from dynamic_ofa.levels.table import (
    Accuracy,
    Latency,
    LevelRow,
    LevelTable,
    NormStatistics,
    WeightsOf,
)
from ofa_plugins_core.errors import InputError

SUPERNET: Final = "ofa_mbv3_w1.2"
"""Of the published tables."""

CLASSES: Final = 1000
SUFFIXES: Final = (".pickle", ".pkl")
MOST_BYTES: Final = 2**28
"""Of a file: a level takes half a MB."""

ADVICE: Final = "a published table is a pickle of accu_lat, configs and bn_lists"

Averages = dict[str, tuple[Any, int]]
"""Name of a norm -> its average, (channels,), and over how many images."""


def read_published(path: Path, supernet: str = SUPERNET) -> LevelTable:
    """A published table as one of ours.

    Args:
        path: of the pickle.
        supernet: whose architectures it lists; the file does not say.

    Raises:
        InputError: it is missing, broken, or asks for what is not data; nothing of it is run.
    """
    found = load_data(_content(path), str(path))
    if not isinstance(found, dict) or not {"accu_lat", "configs"} <= found.keys():
        raise InputError(f"{path} holds no published level table", advice=ADVICE)
    try:
        rows = _rows(found)
        return LevelTable(
            supernet=supernet,
            classes=CLASSES,
            weights=WeightsOf(kind="unknown", source="published table"),
            device={"device": "published", "about": "the file does not say which"},
            levels=tuple(sorted(rows, key=lambda row: row.latency.value)),
            names="old",
            source=f"published table {path.name}",
        )
    except RefusedError as error:
        raise refused(str(path), error) from error
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        said = f"{path} is no published level table: {error!r:.120}"
        raise InputError(said, advice=ADVICE) from error


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(f"{path} is larger than any published table")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _rows(found: Mapping[str, Any]) -> list[LevelRow]:
    points, configs = _items(found["accu_lat"]), _items(found["configs"])
    lists = _items(found["bn_lists"]) if "bn_lists" in found else [None] * len(configs)
    return [_row(*parts) for parts in zip(points, configs, lists, strict=True)]


def _row(point: Any, config: Any, norms: Any) -> LevelRow:
    accuracy, latency = (_number(value) for value in _items(point))
    if not 0 <= accuracy <= 100:
        raise ValueError(f"an accuracy of {accuracy} %")
    statistics, images = (None, 0) if norms is None else _statistics(norms)
    return LevelRow(
        arch=_arch(config),
        accuracy=Accuracy(value=accuracy, kind="published", source="Dynamic-OFA"),
        latency=Latency(value=latency, kind="published"),
        calibrated=images,
        statistics=statistics,
    )


def _arch(config: Any) -> dict[str, Any]:
    """``{"ks", "e", "d", "image_size"}`` of a published configuration."""
    (size,) = _items(config["r"]) if isinstance(config["r"], list | tuple) else (config["r"],)
    lists = {key: [_whole(v) for v in _items(config[key])] for key in ("ks", "e", "d")}
    return {**lists, "image_size": _whole(size)}


def _statistics(norms: Any) -> tuple[NormStatistics, int]:
    """Of one level, and over how many images they were averaged."""
    pair = _items(norms)
    while len(pair) == 1:
        pair = _items(pair[0])
    means, variances = (_averages(kept) for kept in pair)
    if means.keys() != variances.keys():
        raise ValueError("means and variances of different norms")
    joined = {name: (means[name][0], variances[name][0]) for name in means}
    images = [count for _, count in (*means.values(), *variances.values())]
    return NormStatistics.of(joined), min(images, default=0)


def _averages(kept: Any) -> Averages:
    return {str(name): _average(meter) for name, meter in kept.items()}


def _average(meter: Meter) -> tuple[Any, int]:
    average = meter.kept["avg"]
    if not isinstance(average, Tensor):
        raise TypeError("an average that is no tensor")
    return average.values().reshape(-1), _whole(meter.kept.get("count", 0))


def _items(value: Any) -> Sequence[Any]:
    if isinstance(value, Array):
        return value.items
    if isinstance(value, list | tuple):
        return value
    raise TypeError(f"a list is due, found {value!r:.40}")


def _number(value: Any) -> float:
    """A number, or a scalar or tensor of one."""
    if isinstance(value, Array):
        (value,) = value.items
    if isinstance(value, Tensor):
        value = value.values().item()
    if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
        raise TypeError(f"a number is due, found {value!r:.40}")
    return float(value)


def _whole(value: Any) -> int:
    number = _number(value)
    if not number.is_integer():
        raise ValueError(f"a whole number is due, found {number}")
    return int(number)
