"""MOOFA's model_configs.yaml as supernet rows: one entry a model, edited without code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from attrs import asdict

from ofa_mit import MBV3_W1_0
from ofa_mit.networks import MBV3_W1_2
from ofa_plugins_core.config import plain, read_yaml
from ofa_plugins_core.errors import UsageError

LISTS: Final = {"expand_list": "e", "ks_list": "ks", "depth_list": "d", "image_size": "resolutions"}
"""Key of an entry -> field of our rows."""

WIDTHS: Final = {1.0: MBV3_W1_0, 1.2: MBV3_W1_2}
"""Width multiplier -> the published row."""


def own_rows(file: Path) -> dict[str, dict[str, Any]]:
    """Name -> what our YAML row says, for ``--supernet FILE.yaml``.

    Raises:
        InputError: the file cannot be read.
        UsageError: an entry has a key or a class that is none of the published ones.
    """
    found = read_yaml(file, UsageError)
    return {name: _row(f"{file}: {name}", name, given) for name, given in found.items()}


def _row(where: str, name: str, given: object) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise UsageError(f"{where}: expected a mapping, found {given!r:.60}")
    unknown = sorted(set(given) - {*LISTS, "model_class", "width_mult_list"})
    if unknown:
        known = ", ".join((*LISTS, "model_class", "width_mult_list"))
        raise UsageError(f"{where}: unknown key {unknown[0]!r}; known: {known}")
    family = _family(where, str(given.get("model_class", name)))
    fixed = _fixed(where, family, _listed(given.get("width_mult_list", 1.0)))
    chosen = {LISTS[k]: _listed(v) for k, v in given.items() if k in LISTS}
    return {"family": family, "name": f"{name}-own", **fixed, **chosen}


def _family(where: str, model: str) -> str:
    """Which of our families a class is of, by its name."""
    words = model.casefold()
    if "moofa" in words or "mc_ofa" in words or "constant" in words:
        return "memory_constant"
    if "compofa" in words or "compound" in words:
        return "compound"
    if "ofa" in words or "mobilenetv3" in words or "mbv3" in words:
        return "mbconv"
    raise UsageError(
        f"{where}: model_class: expected a class of OFA, CompOFA or MOOFA, found {model!r:.60}"
    )


def _fixed(where: str, family: str, multipliers: list[Any]) -> dict[str, Any]:
    """What the row has beyond the entry: OFA's network of that width, or MOOFA's schedule."""
    if family == "memory_constant":
        known: tuple[float, ...] = (1.0,)
    else:
        known = tuple(WIDTHS)
    if len(multipliers) != 1 or multipliers[0] not in known:
        said = " or ".join(str(w) for w in known)
        raise UsageError(
            f"{where}: width_mult_list: {said} is published for it, found {multipliers!r:.60}"
        )
    return {} if family == "memory_constant" else plain(asdict(WIDTHS[multipliers[0]]))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
