"""The networks that a run brings to be compared, whichever job made it.

A search, a sweep and the targets of CompOFA have a front; ``evaluate`` has measured networks,
``levels`` candidates, ``dataset`` records. A plugin's own job takes part with a ``front``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.report.results import MAX_BYTES, Point, Run, measurement
from ofa_plugins_core.values import Measurement

PREDICTED: Final = "predicted "
"""Before the name of what was predicted where it was measured, too."""
RECORDS: Final = "dataset.jsonl"
UNMEASURED: Final = (
    "No measured accuracy stands behind these predictions; their intervals may be too narrow."
)
"""Of ``unmeasured`` networks."""
UNITS: Final = {"params": "count", "flops": "MACs", "peak_memory": "items", "latency": "ms"}
"""Of plain numbers: the records of a data set name no units."""


def points_of(run: Run) -> tuple[Point, ...]:
    """Every network of a run that has an architecture and numbers; () where there is none.

    What was measured carries the plain name, the prediction of the same ``predicted NAME``.

    Raises:
        InputError: a network of the result is broken; names it and what was found.
    """
    if run.search is not None:
        return run.search.points
    if run.job == "dataset":
        said = run.result.get("data") if isinstance(run.result, Mapping) else None
        return tuple(_records(run.folder / RECORDS, str(said) if said else None))
    for key in ("networks", "candidates"):
        found = run.result.get(key) if isinstance(run.result, Mapping) else None
        if isinstance(found, list) and found and all(map(_has_arch, found)):
            return tuple(_point(e, f"{run.folder}: {key}[{i}]") for i, e in enumerate(found))
    return ()


def unmeasured(points: Sequence[Point]) -> bool:
    """Accuracies are predicted, and no measured record stands behind any of them: the predictor
    learned another one's answers, or extrapolates."""
    known = [p for p in points if p.accuracy is not None]
    return bool(known) and all(p.support == 0 and _is_predicted(p) for p in known)


def _is_predicted(point: Point) -> bool:
    return point.accuracy is not None and point.accuracy.kind == "predicted"


def _has_arch(entry: object) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("arch"), Mapping)


def _point(entry: Mapping[str, Any], where: str) -> Point:
    try:
        numbers = _numbers(entry)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        said = f"lacks {error}" if isinstance(error, KeyError) else error
        raise InputError(f"{where}: {said}") from error
    accuracy = numbers.pop("accuracy", None)
    extrapolated = bool(entry.get("extrapolated", False))
    return Point(entry["arch"], accuracy, numbers, extrapolated, label=_label(entry))


def _numbers(entry: Mapping[str, Any]) -> dict[str, Measurement]:
    """Name -> number: what was measured first, so that a prediction does not take its name."""
    measured = {"accuracy": entry.get("top1"), **(entry.get("measured") or {})}
    measured |= {"forward": entry.get("forward"), "top5": entry.get("top5")}
    found = {k: measurement(k, v) for k, v in measured.items() if v is not None}
    for name, value in {**(entry.get("costs") or {}), **(entry.get("predicted") or {})}.items():
        key = str(name) if name not in found else f"{PREDICTED}{name}"
        found[key] = measurement(key, value)
    return found


def _label(entry: Mapping[str, Any]) -> str:
    level, number = entry.get("level"), entry.get("number")
    if isinstance(level, int):
        return f"level {level}"
    return f"network {number}" if isinstance(number, int) else ""


def _records(file: Path, source: str | None) -> Iterator[Point]:
    """Records of a predictor's data set: measured top-1 in percent, plain computed costs."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise InputError(f"{file} is longer than {MAX_BYTES // 2**20} MiB")
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {file}: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            said = {"value": entry["top1"], "unit": "%", "kind": "measured", "source": source}
            top1 = measurement("top1", said)
            costs = {str(k): _plain(str(k), v) for k, v in entry.get("costs", {}).items()}
            yield Point(dict(entry["arch"]), top1, costs, label=_label(entry))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise InputError(f"{file}, line {number}: no record of a network: {error}") from error


def _plain(name: str, value: object) -> Measurement:
    unit = next((u for k, u in UNITS.items() if name.partition("@")[0].startswith(k)), "")
    return measurement(name, {"value": value, "unit": unit, "kind": "computed"})
