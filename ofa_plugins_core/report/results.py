"""A run's folder, read back: strictly where it matters, leniently about what newer versions add."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Final, get_args

from attrs import field, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.config import read_yaml
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.values import Kind, Measurement

MAX_BYTES: Final = 512 * 2**20
"""Longest result that is read: a front of a million networks is shorter."""


SEARCH: Final = "search"
"""The job whose result always has a front; those of others may."""


@frozen
class Point:
    """One network of a front or of a sweep.

    Attributes:
        arch: the exchange dict.
        accuracy: in percent, or None where nothing predicts it.
        costs: by name, in the order of the user.
        extrapolated: outside of what the predictor was fitted on.
        bound: of a sweep, under which it was found.
        support: measured records that stand behind it, where the result says so.
        label: what its run calls it: ``level 2``, ``network 7``; of a front nothing.
    """

    arch: Mapping[str, Any]
    accuracy: Measurement | None
    costs: Mapping[str, Measurement]
    extrapolated: bool = False
    bound: float | None = None
    support: int | None = None
    label: str = ""


@frozen
class Missed:
    """A bound of a sweep that no network meets: the smallest reachable value, and what binds."""

    bound: float
    smallest: float | None
    binds: str


@frozen
class SearchRecord:
    """What a search found, as its result.json says.

    Attributes:
        points: in the order of the file: by the first cost, or by bound.
        missed: bounds of a sweep that nothing meets.
        swept: the cost whose bound was swept, or None.
        facts: the other keys of the result, as they are.
    """

    supernet: str
    points: tuple[Point, ...]
    missed: tuple[Missed, ...] = ()
    swept: str | None = None
    facts: Mapping[str, Any] = field(factory=dict)

    @property
    def costs(self) -> tuple[str, ...]:
        """Names of costs, in the order of the user."""
        return tuple(dict.fromkeys(name for p in self.points for name in p.costs))

    @property
    def ranked(self) -> list[Point]:
        """Distinct networks, the most accurate first; without accuracies the cheapest first."""
        distinct: dict[str, Point] = {}
        for point in self.points:
            distinct.setdefault(json.dumps(point.arch, sort_keys=True), point)
        return sorted(distinct.values(), key=_accuracy, reverse=True)


def _accuracy(point: Point) -> float:
    return float("-inf") if point.accuracy is None else point.accuracy.value


@frozen
class Run:
    """A run's folder.

    Attributes:
        folder: where it lies.
        configuration: the text of config.yaml. settings: the same, read.
        about: of run.json: command, seed, versions, times.
        result: of result.json, as it is.
        search: the same, read as a search's result; None where it is another job's.
    """

    folder: Path
    configuration: str
    settings: Mapping[str, Any]
    about: Mapping[str, Any]
    result: Any
    search: SearchRecord | None

    @property
    def job(self) -> str:
        """Name of the job."""
        return str(self.settings.get("job", "job"))


def read_run(folder: Path) -> Run:
    """Read a run's folder.

    Raises:
        InputError: it is missing, no run's folder, unfinished or broken.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder} is {'a file, not' if folder.exists() else 'not'} a run's folder"
        )
    if not (folder / runs.RESULT).is_file():
        raise InputError(
            f"{folder} holds no {runs.RESULT}: no run's folder, or its run has not ended",
            advice="`ofa run … --out FOLDER` makes one; --resume goes on with one",
        )
    for name in (runs.RECORD, runs.CONFIG):
        if not (folder / name).is_file():
            raise InputError(
                f"{folder} holds no {name}: no run's folder, or not all of it",
                advice="copy the whole folder that `ofa run … --out FOLDER` made",
            )
    result = _json(folder / runs.RESULT)
    about = _json(folder / runs.RECORD)
    if not isinstance(about, dict):
        raise InputError(f"{folder / runs.RECORD}: expected an object, found {about!r:.60}")
    settings = read_yaml(folder / runs.CONFIG)
    _check(result, settings.get("job"), str(folder / runs.RESULT))
    search = search_result(result, str(folder / runs.RESULT))
    return Run(folder, _text(folder / runs.CONFIG), settings, about, result, search)


def _check(result: Any, job: Any, where: str) -> None:
    """A result is an object or a list of objects; that of a search has a front.

    Raises:
        InputError: it is something else; says what.
    """
    for entry in result if isinstance(result, list) else [result]:
        if not isinstance(entry, dict):
            raise InputError(f"{where}: expected objects of a run's result, found {entry!r:.60}")
    if job != SEARCH:
        return
    front = result.get("front") if isinstance(result, dict) else None
    if not isinstance(front, list):
        said = f"found {front!r:.60}" if front is not None else "found none"
        raise InputError(f"{where}: no result of a search: front: expected a list, {said}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} is longer than {MAX_BYTES // 2**20} MiB")
        return json.loads(path.read_bytes(), parse_constant=_no_constant)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is broken: {str(error).splitlines()[0]}") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")


def search_result(result: Any, where: str = "") -> SearchRecord | None:
    """Read a result as a search's; None where it is something else.

    Args:
        result: as ``ofa run search --json`` prints it.
        where: put before messages.

    Raises:
        InputError: it has a front, but a broken one; names the entry and what was found.
    """
    if not isinstance(result, dict) or not isinstance(result.get("front"), list):
        return None
    if result["front"] and all(isinstance(entry, list) for entry in result["front"]):
        return None  # pairs of numbers: a published front, for example
    points: list[Point] = []
    missed: list[Missed] = []
    for number, entry in enumerate(result["front"]):
        try:
            if isinstance(entry, dict) and entry.get("infeasible"):
                missed.append(_missed(entry))
            else:
                points.append(_point(entry))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            said = f"lacks {error}" if isinstance(error, KeyError) else error
            raise InputError(f"{where}: front[{number}]: {said}".removeprefix(": ")) from error
    swept = result.get("swept")
    if swept is None and (missed or any(p.bound is not None for p in points)):
        swept = next((name for p in points for name in p.costs), "the cost")
    return SearchRecord(
        str(result.get("supernet", "unknown supernet")),
        tuple(points),
        tuple(missed),
        None if swept is None else _full_name(str(swept), points),
        {k: v for k, v in result.items() if k != "front"},
    )


def _full_name(name: str, points: Sequence[Point]) -> str:
    """``latency`` -> ``latency@note10``, where that is what the result holds."""
    known = dict.fromkeys(c for p in points for c in p.costs)
    return next((c for c in known if name in (c, c.partition("@")[0])), name)


def _point(entry: Any) -> Point:
    if not isinstance(entry, dict):
        raise ValueError(f"expected an object, found {entry!r:.60}")
    arch, accuracy, bound = entry["arch"], entry["accuracy"], entry.get("bound")
    if not isinstance(arch, dict):
        raise ValueError(f"arch: expected an object, found {arch!r:.60}")
    support = entry.get("support")
    return Point(
        arch,
        None if accuracy is None else measurement("accuracy", accuracy),
        {str(k): measurement(str(k), v) for k, v in entry["costs"].items()},
        bool(entry.get("extrapolated", False)),
        None if bound is None else _number("bound", bound),
        support if isinstance(support, int) else None,
    )


def measurement(name: str, found: Any) -> Measurement:
    """Read a number with its unit, kind, source and interval.

    Raises:
        ValueError, KeyError: it is none; names it and what was found.
    """
    if not isinstance(found, dict):
        raise ValueError(
            f"{name}: expected an object with value, unit and kind, found {found!r:.60}"
        )
    ends = [None if found.get(k) is None else _number(name, found[k]) for k in ("low", "high")]
    kind = found["kind"]
    if kind not in get_args(Kind):
        raise ValueError(
            f"{name}: kind must be one of {', '.join(get_args(Kind))}, found {kind!r:.40}"
        )
    source = found.get("source")
    value = _number(name, found["value"])
    return Measurement(
        value, str(found["unit"]), kind, None if source is None else str(source), *ends
    )


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"{name}: expected a number, found {value!r:.60}")
    return value


def _missed(entry: Mapping[str, Any]) -> Missed:
    smallest = entry.get("smallest")
    reached = None if smallest is None else _number("smallest", smallest)
    return Missed(_number("bound", entry["bound"]), reached, str(entry.get("binds", "")))
