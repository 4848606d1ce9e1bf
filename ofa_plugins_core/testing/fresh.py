"""A plugin as a process of its own finds it: what it loads, offers, prints and draws."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from ofa_plugins_core.hookspecs import ENTRY_POINT_GROUP
from ofa_plugins_core.testing.laws import LawBrokenError, NotApplicableError
from ofa_plugins_core.testing.laws.effects import states
from ofa_plugins_core.testing.laws.plugin import Seen

HEAVY: Final = (
    "torch",
    "torchvision",
    "horovod",
    "pymoo",
    "scipy",
    "sklearn",
    "matplotlib",
    "onnx",
    "onnxruntime",
    "pandas",
    "tensorflow",
)
"""Modules that take long to load; imported where they are used they cost nobody else anything."""

PATIENCE: Final = 120
"""Seconds that a process may take."""

_CODE: Final = "import sys; from ofa_plugins_core.testing.fresh import main; main(*sys.argv[1:])"


def seen(name: str) -> Seen:
    """Import a plugin in a process of its own, and ask its hooks there.

    Raises:
        NotApplicableError: it is no installed package's, so no other process finds it.
        LawBrokenError: the process did not get to the end.
    """
    if name not in {point.name for point in entry_points(group=ENTRY_POINT_GROUP)} | {"builtin"}:
        raise NotApplicableError("it is not installed: another process would not find it")
    with TemporaryDirectory(prefix="ofa-plugin-") as place:
        file = Path(place) / "seen.json"
        path = os.pathsep.join(str(Path(p).resolve()) for p in sys.path)
        done = subprocess.run(
            [sys.executable, "-c", _CODE, name, str(file)],
            cwd=place,  # not where a folder may hide a package
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "random"},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if not file.is_file():
            last = (done.stderr.strip().splitlines() or ["no word"])[-1]
            raise LawBrokenError(f"a process that imports it ends with {done.returncode}: {last}")
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return Seen(**found, printed=done.stdout)


def main(name: str, file: str) -> None:
    """In that process: look, and write what was seen."""
    from ofa_plugins_core.host import Host

    others = {point.name for point in entry_points(group=ENTRY_POINT_GROUP)} - {name}
    states()  # loads what it needs
    before, loaded = states(), set(sys.modules)
    host = Host.discover(others)
    plugin, after = host.plugin(name), states()
    facts = {
        "error": plugin.error,
        "offers": plugin.offers,
        "before": before,
        "after": after,
        "heavy": _heavy(loaded),
    }
    loaded |= set(sys.modules)
    _make_supernets(host, plugin.offers.get("supernets", ()))
    Path(file).write_text(json.dumps({**facts, "heavier": _heavy(loaded)}), encoding="utf-8")


def _make_supernets(host: Any, names: Collection[str]) -> None:
    """Those that cannot be made are told of elsewhere."""
    for name in names:
        try:
            host.supernet(name).geometry()
        except Exception:
            continue


def _heavy(before: Collection[str]) -> list[str]:
    return [name for name in HEAVY if name in sys.modules and name not in before]
