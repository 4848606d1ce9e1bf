"""What a predictor's ``fit`` returned, looked at before anything of it is written."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from attrs import asdict

from ofa_plugins_core.latency_fits import LatencyFit, LatencyTask
from ofa_plugins_core.measured import FitTask, FittedFile, HeldOut, Quality, SizeSummary

RESERVED: Final = frozenset(
    (
        "run",
        "supernet",
        "dataset",
        "predictor",
        "labels",
        "records",
        "resolutions",
        "held_out",
        "half_width",
        "repeated",
        "left_out",
        "files",
    )
)
"""Keys of the job's result, which a plugin's own entries stand beside."""
PART: Final = ".part"
"""Ending of a file that is still being written: no fit is found under it."""


def fit_flaw(made: FittedFile, task: FitTask) -> str | None:
    """Why what a predictor's ``fit`` returned cannot be kept, or None."""
    return next(_flaws(made, task.supernet.resolutions), None)


def _flaws(made: Any, resolutions: Sequence[int]) -> Iterator[str]:
    if not isinstance(made.content, bytes):
        yield f"its file's content is a {type(made.content).__name__}, not bytes"
    ending = made.ending
    if not isinstance(ending, str) or not re.fullmatch(r"\.\w{1,20}", ending) or ending == PART:
        yield f"its file's ending is {ending!r:.60}, not a dot and a word"
    yield from _held_out_flaws(made.held_out)
    yield from _sizes_flaws(made.sizes, resolutions)
    yield from _judged_flaws(made.judged)
    yield from _details_flaws(made.details, made.judged)


def _held_out_flaws(found: Any) -> Iterator[str]:
    if not isinstance(found, HeldOut):
        yield f"held_out is a {type(found).__name__}, not a HeldOut"
    shapes = set()
    for name in ("predicted", "measured", "half_width"):
        values = getattr(found, name)
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
            yield f"held_out.{name} is no array of numbers"
        if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
            yield f"held_out.{name} holds no finite number for each network"
        shapes.add(values.shape)
    if len(shapes) > 1:
        yield "held_out has not the same number of networks throughout"


def _sizes_flaws(found: Any, resolutions: Sequence[int]) -> Iterator[str]:
    if not isinstance(found, tuple | list) or not found:
        yield f"sizes is {found!r:.60}, not one SizeSummary an image size"
    for one in found:
        if not isinstance(one, SizeSummary):
            yield f"sizes holds a {type(one).__name__}, not a SizeSummary"
        for name in ("image_size", "records"):
            if type(getattr(one, name)) is not int:
                yield f"sizes: {name} is {getattr(one, name)!r:.60}, no whole number"
        for name in ("half_width", "best"):
            if not _finite(getattr(one, name)):
                yield f"sizes: {name} is {getattr(one, name)!r:.60}, no finite number"
    named = [one.image_size for one in found]
    if named != sorted(set(named)) or not set(named) <= set(resolutions):
        yield f"sizes are of {named}, where the records' are {list(resolutions)}"


def _judged_flaws(found: Any) -> Iterator[str]:
    if not isinstance(found, Mapping):
        yield f"judged is a {type(found).__name__}, not a mapping"
    for name, quality in found.items():
        if not isinstance(quality, Quality):
            yield f"judged: {name!r:.60} is a {type(quality).__name__}, not a Quality"
        if not all(v is None or _finite(v) for v in asdict(quality).values()):
            yield f"judged: {name!r:.60} holds what is no finite number"


def _details_flaws(found: Any, judged: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(found, Mapping):
        yield f"details is a {type(found).__name__}, not a mapping"
    for key in (*found, *judged):
        if not isinstance(key, str):
            yield f"details and judged go by names, not by {key!r:.60}"
        if key in RESERVED or (key in found and key in judged):
            yield f"{key!r} is an entry of the result already: details and judged have their own"
    try:
        json.dumps(dict(found), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        yield f"details are no JSON: {error}"


def _finite(value: object) -> bool:
    """A number that JSON takes; numpy's float64 is a float, its other types are none."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return plain and math.isfinite(value)  # type: ignore[arg-type]


def latency_flaw(made: LatencyFit, task: LatencyTask) -> str | None:
    """Why what a latency predictor's ``fit`` returned cannot be kept, or None."""
    return next(_latency_flaws(made), None)


def _latency_flaws(made: Any) -> Iterator[str]:
    if not isinstance(made.arrays, Mapping) or not made.arrays:
        yield f"its arrays are {made.arrays!r:.60}, not some by name"
    for name, values in made.arrays.items():
        if not isinstance(name, str) or not re.fullmatch(r"\w{1,60}", name):
            yield f"its arrays go by names of letters, digits and _, not by {name!r:.80}"
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf":
            yield f"its array {name!r} is no array of numbers"
        if not np.isfinite(values).all():
            yield f"its array {name!r} holds what is no finite number"
    if not isinstance(made.settings, Mapping):
        yield f"its settings are a {type(made.settings).__name__}, not a mapping"
    try:
        json.dumps(dict(made.settings), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        yield f"its settings are no JSON: {error}"
