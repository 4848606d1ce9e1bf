"""What ``ofa plugins new`` writes: a complete plugin: code, packaging, a test that passes."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.machinery import PathFinder
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from ofa_plugins_core.errors import InputError, UnknownNameError, UsageError

KINDS: Final = {
    "actuator": "actuator",
    "claim": "claim of a paper",
    "cost_model": "cost",
    "device": "device",
    "job": "job",
    "latency_predictor": "latency predictor",
    "monitor": "monitor",
    "predictor": "predictor",
    "reduction": "smaller space",
    "runtime_policy": "runtime policy",
    "sampler": "sampler",
    "searcher": "searcher",
    "supernet": "supernet",
    "training_plan": "training plan",
}
"""Kind -> what its README calls it."""

OFFERED: Final = {
    kind: "runtime_policies" if kind == "runtime_policy" else f"{kind}s" for kind in KINDS
}
"""Kind -> that of its offers, as hooks and `ofa plugins list` name it."""

_SEARCH: Final = "ofa run search --supernet moofa_v3 --cost peak_memory"
_SWITCH: Final = "ofa run switch --levels moofa_v3 --policy hysteresis --limit '60 ms'"
_LIVE: Final = "--weights synthetic --count 20"
MIXED: Final = {
    "actuator": (f"{_SWITCH} --actuators $name {_LIVE}",),
    "claim": ("ofa reproduce $name",),
    "cost_model": (
        "ofa run search --supernet moofa_v3 --cost $name --constraint 'peak_memory<=400k'",
    ),
    "device": ("ofa run label --supernet compofa --device $name --measure --n 5 --out times.csv",),
    "job": ("ofa run $name --supernet moofa_v3 --cost peak_memory",),
    "latency_predictor": (
        "ofa run label --supernet compofa --device cpu --measure --n 60 --out labels.csv",
        "ofa run fit --kind latency --supernet compofa --predictor $name --data labels.csv",
    ),
    "monitor": (f"{_SWITCH} --monitors $name {_LIVE}",),
    "predictor": (f"{_SEARCH} --constraint 'peak_memory<=400k' --predictor $name",),
    "reduction": (
        "ofa run search --supernet moofa_v3+$name --cost flops --constraint 'peak_memory<=400k'",
    ),
    "runtime_policy": ("ofa run simulate --levels moofa_v3 --policy $name --limit '60 ms'",),
    "sampler": ("ofa run sample --supernet moofa_v3 --sampler $name --n 5",),
    "searcher": (f"{_SEARCH} --constraint 'peak_memory<=400k' --searcher $name",),
    "supernet": (
        "ofa run search --supernet $name --cost flops --minimize flops --constraint 'params>=20k'",
    ),
    "training_plan": (
        "ofa run train --supernet ofa_small --plan $name --all --smoke --no-finish --out trained",
    ),
}
"""Kind -> the commands that use it together with other plugins' parts."""

_RESERVED: Final = frozenset({"ofa", "ofa_plugins_core", "tests", "plugin", "test"})


def write_plugin(
    name: str, kind: str, folder: Path, taken: Mapping[str, str] | None = None
) -> list[Path]:
    """Write a new plugin and return its files.

    Args:
        name: of the plugin, of its package and of what it offers.
        kind: one of ``KINDS``.
        folder: to make.
        taken: names that are no longer free, and by what.

    Raises:
        UnknownNameError: there is no such kind.
        UsageError: the name cannot be a plugin's, or the folder exists.
        InputError: the folder cannot be written.
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of plugin", kind, KINDS)
    _check_name(name, taken or {})
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} exists", advice="name another folder: --out DIR")
    words = {
        "name": name,
        "kind": kind,
        "label": KINDS[kind],
        "Class": "".join(part.capitalize() for part in name.split("_")),
        "distribution": f"ofa-plugins-{name.replace('_', '-')}",
        "mixed": "\n    ".join(mixed(name, kind)),
    }
    return [_written(folder / path, text) for path, text in _contents(words)]


def mixed(name: str, kind: str) -> list[str]:
    """The commands that use a new plugin together with other plugins' parts."""
    return [Template(line).substitute(name=name) for line in MIXED[kind]]


def _check_name(name: str, taken: Mapping[str, str]) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name) or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} cannot be the name of a plugin",
            advice="small letters, digits and single _ between them, for example: energy_model",
        )
    why = taken.get(name) or _importable(name)
    if why or name in {*_RESERVED, *KINDS}:
        said = f": {why}" if why else ""
        raise UsageError(f"the name {name!r} is taken{said}", advice="name the plugin otherwise")


def _importable(name: str) -> str:
    """Why a package of this name would hide another one, or be hidden by it; empty: it would not.

    Nothing is imported; a folder without __init__.py hides nothing.
    """
    if name in sys.stdlib_module_names:
        return "it is a module of Python's"
    found = PathFinder.find_spec(name)
    return f"it can be imported, from {found.origin}" if found and found.origin else ""


def _contents(words: dict[str, str]) -> Iterator[tuple[str, str]]:
    """(path, text) of every file."""
    name, kind = words["name"], words["kind"]
    places = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        "init.py": f"src/{name}/__init__.py",
        f"{kind}/plugin.py": f"src/{name}/plugin.py",
        f"{kind}/code.py": f"src/{name}/{kind}.py",
        f"{kind}/test.py": f"tests/test_{name}.py",
    }
    templates = files("ofa_plugins_core.scaffold") / "templates"
    for template, path in places.items():
        text = templates.joinpath(f"{template}.txt").read_text(encoding="utf-8")
        yield path, Template(text).substitute(words)


def _written(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from None
    return path
