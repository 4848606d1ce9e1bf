"""Plugins that look installed without pip: a folder on the path with code and its metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from ofa_plugins_core.hookspecs import API_VERSION, ENTRY_POINT_GROUP, hookimpl


def in_process(name: str, **hooks: Iterable[Any]) -> ModuleType:
    """A plugin made of records, for ``Host.discover(extra={name: …})``.

    Args:
        hooks: hook -> the records that it yields.
    """
    module = ModuleType(name)
    vars(module)["OFA_API"] = API_VERSION
    for hook, records in hooks.items():
        vars(module)[hook] = hookimpl(_yielding(list(records)))
    return module


def _yielding(records: list[Any]) -> Any:
    def hook() -> list[Any]:
        return records

    return hook


def installed(
    site: Path,
    name: str,
    source: str | Mapping[str, str],
    *,
    module: str | None = None,
    distribution: str | None = None,
    version: str = "1.0",
    requires: tuple[str, ...] = (),
) -> Path:
    """Write a plugin into a folder as pip would; put the folder on ``sys.path`` to discover it.

    Args:
        site: the folder, made where it is not there.
        name: of the entry point.
        source: of the plugin's module, or of several by module name.
        module: that the entry point names; ``NAME`` where it is left out.
        distribution: ``ofa-plugins-NAME`` where it is left out.
        requires: lines of its metadata, for example ``"torch; extra == 'torch'"``.

    Returns:
        the folder.
    """
    module = module or name
    distribution = distribution or f"ofa-plugins-{name}"
    for stem, text in ({module: source} if isinstance(source, str) else source).items():
        path = site.joinpath(*stem.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    info = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {distribution}", f"Version: {version}"]
    lines += [f"Requires-Dist: {line}" for line in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    points = f"[{ENTRY_POINT_GROUP}]\n{name} = {module}\n"
    (info / "entry_points.txt").write_text(points, encoding="utf-8")
    return site
