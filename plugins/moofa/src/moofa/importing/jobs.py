"""The sections on evaluation and search of a published configuration, as options of our jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moofa.importing.imported import WHERE, Imported
from ofa_plugins_core.bounds import parse_constraint
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.jobs.asking import MOST_BOUNDS

ENTRIES = ("ks", "e", "d", "image_size")
"""Of an architecture."""


def evaluating(
    out: Path, supernet: Supernet, given: dict[str, Any], found: Imported
) -> dict[str, Any]:
    """Options of ``ofa run evaluate`` for the one subnet.

    Raises:
        UsageError: it is none of the supernet's; names file and key.
    """
    for key in ("res_dir", "name"):
        if key in given:
            del given[key]
            found.drop(f"subnet_config.{key}", WHERE)
    plotted = found.taken(given, "draw_graphs", bool, "subnet_config")
    options: dict[str, Any] = {"plot": True} if plotted else {}
    drawn = _drawn(given, found)
    arch = {key: given.pop(key) for key in ENTRIES if key in given}
    for key in given:
        found.drop(f"subnet_config.{key}", "no entry of an architecture")
    if drawn or "d" not in arch:
        for key in arch:
            found.drop(f"subnet_config.{key}", "one network is drawn: random_sample")
        return {**options, "random": drawn or 1}
    if isinstance(sizes := arch.get("image_size"), list) and len(sizes) > 1:
        found.drop("subnet_config.image_size", f"only its first is evaluated: {sizes[0]}")
    file = out / "archs.jsonl"
    found.contents[file] = json.dumps(_checked(supernet, arch, found)) + "\n"
    return {**options, "archs": str(file)}


def _drawn(given: dict[str, Any], found: Imported) -> int:
    """How many networks are drawn; 0: none."""
    drawn = given.pop("random_sample", None) or 0
    if isinstance(drawn, bool):
        return int(drawn)
    count: int = found.read(drawn, int, "subnet_config.random_sample")
    if count < 0:
        where = found.at("subnet_config.random_sample")
        raise UsageError(f"{where}: expected a whole number from 0 up, found {count}")
    return count


def _checked(supernet: Supernet, arch: Mapping[str, Any], found: Imported) -> dict[str, Any]:
    """The subnet as an exchange dict, in canonical form."""
    space = supernet.space
    try:
        (checked,) = space.decode(space.encode([_whole(supernet, arch)]))
    except InputError as error:
        why = error.message.removeprefix("architecture 0: ")
        named = re.match(r"'?(\w+)", why)
        key = f".{named[1]}" if named and named[1] in ENTRIES else ""
        raise UsageError(f"{found.at('subnet_config')}{key}: {why}") from error
    return checked.as_dict()


def _whole(supernet: Supernet, arch: Mapping[str, Any]) -> dict[str, Any]:
    """An exchange dict: one number stands for every entry, and the largest size for none."""
    out: dict[str, Any] = {}
    for dimension in supernet.space.dimensions:
        value = arch.get(dimension.key)
        single = isinstance(value, int | float)
        out[dimension.key] = [value] * len(dimension.entries) if single else value
    size = arch.get("image_size", max(supernet.resolutions))
    out["image_size"] = size[0] if isinstance(size, list) and size else size
    return out


# ------------------------------------------------------------------------------- search


def searching(
    name: str, dataset: str | None, given: dict[str, Any], found: Imported
) -> dict[str, dict[str, Any]]:
    """Options of ``ofa run search``, and of ``fit`` where there is a data set for it.

    Raises:
        UsageError: a bound or a number that the search would refuse; names file and key.
    """
    search: dict[str, Any] = {"supernet": name, "cost": ["peak_memory", "flops"]}
    if dataset is not None:
        search["dataset"] = dataset
    search |= _bounds(given, found)
    file = found.taken(given, "acc_predictor_checkpoint", Path, "search_config")
    if file is not None and file.is_file():
        search |= {"predictor": "mlp", "predictor_weights": str(file)}
    elif file is not None:
        why = f"{file} is no file: ours predicts with what ships, or what ofa run fit makes"
        found.drop("search_config.acc_predictor_checkpoint", why)
    data = found.taken(given, "acc_dataset_path", Path, "search_config")
    for key in given:
        why = WHERE if key == "res_dir" else "no option of ours; see ofa run search --help"
        found.drop(f"search_config.{key}", why)
    fit = {} if data is None else {"fit": {"supernet": name, "data": str(data)}}
    return {"search": search} | fit


def _bounds(given: dict[str, Any], found: Imported) -> dict[str, Any]:
    """The bound on memory, or the range of bounds and how many."""
    bounds = [_bound(key, given, found) for key in ("min_constraint", "max_constraint")]
    ends = sorted(b for b in bounds if b is not None)
    if len(ends) == 2 and ends != bounds:
        found.notes.append(f"search: the bounds were swapped; mended: {ends[0]} to {ends[1]}")
    options: dict[str, Any] = {}
    if ends:
        options["constraint"] = [f"peak_memory<={':'.join(str(e) for e in dict.fromkeys(ends))}"]
    count = found.taken(given, "N_constraint", int, "search_config")
    if count is not None and len(set(ends)) == 2:
        if not 1 <= count <= MOST_BOUNDS:
            said = f"a range takes 1 to {MOST_BOUNDS:,} bounds, found {count}"
            raise UsageError(f"{found.at('search_config.N_constraint')}: {said}")
        options["points"] = count
    elif count is not None:
        found.drop("search_config.N_constraint", "there is no range of bounds to divide")
    return options


def _bound(key: str, given: dict[str, Any], found: Imported) -> int | float | None:
    """A bound as it was written, or None."""
    plain: int | float = given.get(key, 0)
    if found.taken(given, key, float, "search_config") is None:
        return None
    with found.refusing(f"search_config.{key}"):
        parse_constraint(f"peak_memory<={plain}")
    return plain
