"""From installed packages to records: each plugin found, loaded and asked by itself.

Nothing here raises for what a plugin does wrong: it is recorded on the plugin, with blame.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from types import ModuleType
from typing import Any, Final, TypeAlias

import attrs
import pluggy

from ofa_plugins_core import hookspecs
from ofa_plugins_core.blame import BUILTIN, Plugin, shown
from ofa_plugins_core.entries import ClaimEntry, CostModelEntry, JobEntry, WeightsEntry
from ofa_plugins_core.errors import UnknownNameError
from ofa_plugins_core.hookspecs import (
    API_VERSION,
    ENTRY_POINT_GROUP,
    HOOKS,
    KIND_OF,
    PROJECT,
)

CORE_DISTRIBUTION: Final = "ofa-plugins-core"
Loader: TypeAlias = Callable[[], object]
Records: TypeAlias = dict[str, list[Any]]

_CALLABLES: Final = ("build", "load", "run", "check")
_NAMES: Final[Mapping[type, tuple[str, str]]] = {
    ClaimEntry: (r"[a-z][a-z0-9_-]*", "small letters, digits, - and _"),
    JobEntry: (r"[a-z][a-z0-9_-]*", "small letters, digits, - and _"),
    CostModelEntry: (r"[^\s@<>=:,]+", "no space and none of @ < > = : ,"),
    WeightsEntry: (  # the place of the file in a cache folder, and never outside of it
        r"\w[\w.=+-]*(/\w[\w.=+-]*)*",
        "letters, digits and . _ = + -; parts separated by /",
    ),
}
_ANY_NAME: Final = (r"\S+", "no space")


def candidates(extra: Mapping[str, ModuleType]) -> Iterator[tuple[Plugin, Loader]]:
    """Every plugin there is, the core's own first, and how to import each."""
    yield _core(), lambda: import_module("ofa_plugins_core.builtin.plugin")
    for name, module in extra.items():
        yield Plugin(name, "in-process", "0"), partial(_itself, module)
    points = [(_described(p), p.load) for p in entry_points(group=ENTRY_POINT_GROUP)]
    yield from sorted(points, key=lambda found: (found[0].name, found[0].distribution))


def _itself(module: ModuleType) -> ModuleType:
    return module


def _core() -> Plugin:
    try:
        return Plugin(BUILTIN, CORE_DISTRIBUTION, version(CORE_DISTRIBUTION))
    except PackageNotFoundError:
        return Plugin(BUILTIN, CORE_DISTRIBUTION, "uninstalled")


def _described(point: EntryPoint) -> Plugin:
    dist = point.dist
    if dist is None:
        return Plugin(point.name, "unknown", "unknown")
    return Plugin(point.name, dist.name, dist.version)


def new_registry() -> pluggy.PluginManager:
    """An empty pluggy registry that knows the hooks."""
    registry = pluggy.PluginManager(PROJECT)
    registry.add_hookspecs(hookspecs)
    return registry


def load(plugin: Plugin, loader: Loader, registry: pluggy.PluginManager) -> Records:
    """Import a plugin and ask all of its hooks; {} where it fails, which is recorded on it."""
    module = _imported(plugin, loader)
    if module is None or not _registered(plugin, module, registry):
        return {}
    plugin.module = module
    records: Records = {}
    for hook in HOOKS:
        for implementation in getattr(registry.hook, hook).get_hookimpls():
            if implementation.plugin is module:
                records[hook] = _asked(plugin, hook, implementation)
                if plugin.module is None:
                    registry.unregister(module)
                    return {}
    return records


def _imported(plugin: Plugin, loader: Loader) -> ModuleType | None:
    try:
        module = loader()
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # an import may raise anything, SystemExit too
        plugin.fail(plugin.blames("import", error))
        return None
    if not isinstance(module, ModuleType):
        plugin.fail(f"{plugin.label}: its entry point names {module!r:.60}, where a module is due")
        return None
    stated = getattr(module, "OFA_API", None)
    if stated != API_VERSION:
        said = f"states OFA_API = {stated!r}" if hasattr(module, "OFA_API") else "states no OFA_API"
        plugin.fail(
            f"{plugin.label}: {said}, this core speaks {API_VERSION}; install matching versions",
            "incompatible",
        )
        return None
    return module


def _registered(plugin: Plugin, module: ModuleType, registry: pluggy.PluginManager) -> bool:
    """Register with pluggy, which checks names and signatures; again out of it on an error."""
    fault = _misspelt(module) or _unmarked(module)
    if fault is None and registry.is_registered(module):
        fault = f"its module {module.__name__} is another plugin's already"
    if fault is not None:
        plugin.fail(f"{plugin.label}: {fault}")
        return False
    try:
        registry.register(module, name=plugin.name)
        registry.check_pending()
    except Exception as error:  # pluggy's word on signatures and wrappers is the blame
        if registry.is_registered(module):
            registry.unregister(module)  # by object: its name may not have been taken
        plugin.fail(f"{plugin.label}: {_on_one_line(error)}")
        return False
    return True


def _on_one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _marks(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """(function name, pluggy's mark or None) of the functions of a module."""
    for name, value in vars(module).items():
        if inspect.isfunction(value):
            yield name, getattr(value, f"{PROJECT}_impl", None)


def _misspelt(module: ModuleType) -> str | None:
    """What is wrong with a hook that no specification knows, with the nearest ones."""
    for name, mark in _marks(module):
        hook = (mark.get("specname") or name) if mark else name
        if mark and hook not in HOOKS:
            return UnknownNameError("hook", hook, HOOKS).message
    return None


def _unmarked(module: ModuleType) -> str | None:
    """A function that is named like a hook and is not marked would never be called."""
    for name, mark in _marks(module):
        if mark is None and name in HOOKS:
            return f"{name}() is not marked with @hookimpl"
    return None


def _asked(plugin: Plugin, hook: str, implementation: pluggy.HookImpl) -> list[Any]:
    """The records of one hook; generators raise late, so they are exhausted here."""
    records: list[Any] = []
    if implementation.hookwrapper or implementation.wrapper:
        plugin.fail(f"{plugin.label}: {hook}() is a wrapper; hooks only yield records")
        return records
    try:
        for record in _iterated(implementation.function()):
            fault = faults(hook, record)
            if fault is not None:
                plugin.fail(f"{plugin.label}: {hook}() {fault}")
                return []
            records.append(record)
            plugin.offer(KIND_OF[hook], record.name)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # hooks are guarded as imports are
        plugin.fail(plugin.blames(f"{hook}()", error))
        return []
    return records


def _iterated(found: Any) -> Iterable[Any]:
    if not isinstance(found, Iterable):
        raise TypeError(f"a hook yields records, this one returned {found!r:.60}")
    return found


def faults(hook: str, record: Any) -> str | None:
    """What is wrong with a record that a hook yielded, or None."""
    due: Any = HOOKS[hook]
    if not isinstance(record, due):
        return f"yielded {record!r:.80}, where a {due.__name__} is due"
    try:
        name = record.name
    except Exception as error:
        return f"yielded a {due.__name__} whose name raises {shown(error)}"
    fault = _name_fault(due, name) or _field_fault(record)
    return f"yielded {due.__name__} {name!r:.60}: {fault}" if fault else None


def _name_fault(due: type, name: object) -> str | None:
    pattern, words = _NAMES.get(due, _ANY_NAME)
    if isinstance(name, str) and re.fullmatch(pattern, name):
        return None
    return f"a name is a text ({words})"


def _field_fault(record: Any) -> str | None:
    if not isinstance(record.summary, str):
        return f"summary must be a text, found {record.summary!r:.60}"
    for name in ("options", "row"):
        value = getattr(record, name, None)
        if value is not None and not (isinstance(value, type) and attrs.has(value)):
            return f"{name} must be an attrs class, found {value!r:.60}"
    for name in _CALLABLES:
        if hasattr(record, name) and not callable(getattr(record, name)):
            return f"{name} must be callable, found {getattr(record, name)!r:.60}"
    aliases = getattr(record, "aliases", ())
    if not isinstance(aliases, tuple) or not all(isinstance(a, str) for a in aliases):
        return f"aliases must be a tuple of texts, found {aliases!r:.60}"
    return None
