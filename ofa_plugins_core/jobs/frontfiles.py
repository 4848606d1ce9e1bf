"""Networks of a search's run, read back from its folder, with what was predicted of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from ofa_plugins_core import runs
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.values import Arch, parse_arch

ADVICE: Final = "--run takes the folder of `ofa run search`"


@frozen(eq=False)
class Candidate:
    """A network of a run.

    Attributes:
        arch: canonical.
        accuracy: as the run has it (value, unit, kind, …), or None.
        costs: name -> the same.
    """

    arch: Arch
    accuracy: Mapping[str, Any] | None
    costs: Mapping[str, Mapping[str, Any]]


def read_front(folder: Path, supernet: Supernet) -> list[Candidate]:
    """The distinct networks of a search's front, or of a sweep, in its order.

    Raises:
        InputError: the folder holds no such result, or a broken one; names the entry.
        UsageError: it is of another supernet.
    """
    result = _result(folder)
    theirs = result.get("supernet")
    if theirs != supernet.name:
        raise UsageError(f"{folder} is of {theirs}, not of {supernet.name}")
    found: dict[Arch, Candidate] = {}
    for number, item in enumerate(result["front"]):
        try:
            if not item.get("infeasible"):
                candidate = _candidate(item, supernet)
                found.setdefault(candidate.arch, candidate)
        except (InputError, KeyError, TypeError, AttributeError, ValueError) as error:
            said = error.message if isinstance(error, InputError) else f"broken: {error!r}"
            said = said.removeprefix("architecture 0: ")
            raise InputError(f"{folder / runs.RESULT}: front[{number}]: {said}") from error
    if not found:
        raise InputError(f"{folder} found no network", advice=ADVICE)
    return list(found.values())


def _result(folder: Path) -> Mapping[str, Any]:
    path = folder / runs.RESULT
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}", advice=ADVICE) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is broken: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("front"), list):
        raise InputError(f"{path} holds no front", advice=ADVICE)
    return found


def _candidate(item: Mapping[str, Any], supernet: Supernet) -> Candidate:
    moved = supernet.at([parse_arch(supernet.space, item["arch"]).image_size])
    (arch,) = moved.space.decode(moved.space.encode([item["arch"]]))
    accuracy, costs = item.get("accuracy"), dict(item.get("costs") or {})
    for found in (*costs.values(), *([accuracy] if accuracy else [])):
        float(found["value"]), str(found["unit"]), str(found["kind"])
    return Candidate(arch, accuracy, costs)
