"""A smaller space as a file: ``--supernet space.yaml``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ofa_plugins_core import runs
from ofa_plugins_core.config import plain
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.fits import reductions_folder
from ofa_plugins_core.reduction.data import Reduction

FILE = "space.yaml"
CONTROL = "control.yaml"


def space_text(base: str, reduction: Reduction) -> str:
    """YAML, a removal a line; values as JSON, which YAML reads."""
    lines = [f"base: {_json(base)}", "reduction:"]
    for key, value in plain(reduction.as_dict()).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines += [f"  {key}:", *(f"    - {_json(one)}" for one in value)]
        else:
            lines.append(f"  {key}: {_json(value)}")
    return "\n".join(lines) + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def write_space(path: Path, base: str, reduction: Reduction) -> Path:
    """Write it.

    Raises:
        InputError: it cannot be written.
    """
    runs.write(path, space_text(base, reduction))
    return path


def installed_as(name: str, content: str) -> Path:
    """Where a space is installed under a name.

    Raises:
        UsageError: another space is, under that name.
    """
    path = reductions_folder() / f"{name}.yaml"
    if path.is_file() and path.read_text(encoding="utf-8") != content:
        raise UsageError(
            f"{path} is another smaller space", advice="choose another --name, or delete the file"
        )
    return path
