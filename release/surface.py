"""What the compatibility statement promises, as data that can be kept and compared.

The snapshot lies in tests/public_surface.json; docs/compatibility.md says in words what it means.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final

import attrs

ROOMS: Final = {
    "archive": ("Archive",),
    "claims": ("lazily",),
    "events": ("Listener", "Progress", "silent"),
    "geometry": ("Block", "Geometry", "Op", "Site", "output_size"),
    "interfaces": ("*",),
    "latency_fits": ("Labelled", "LatencyFit", "LatencyTask"),
    "phases": ("Hyperparameters", "Phase"),
    "plans": ("Change", "Plan", "PlanOptions"),
    "pricing": ("BlockCostModel", "encoded"),
    "reduction.supernet": ("reduced",),
    "scoring": ("Scores", "ranking"),
    "timed_costs": ("MeasuredCost", "Reading"),
    "values": ("Dimension", "Gene", "Genes", "Kind", "Number"),
}
"""Module of the core -> its names that plugin authors are told to import from it."""

NOT_PROMISED: Final = ("nn.devices.onnx_blocks", "report.canvas")
"""Modules that the guide shows and that stand on other libraries' forms: they may change."""

MADE_OTHERWISE: Final = ("Host",)
"""Classes whose constructor is nobody's business: ``Host.discover()``."""


def described() -> dict[str, Any]:
    """The public surface of the installed core: plain mappings of names to texts."""
    import ofa_plugins_core as core
    from ofa_plugins_core import hookspecs, testing
    from ofa_plugins_core.builtin import plugin as builtin
    from ofa_plugins_core.cli.main import COMMANDS

    own = {entry.name: entry for entry in builtin.ofa_jobs()}
    return {
        "api": hookspecs.API_VERSION,
        "entry points": hookspecs.ENTRY_POINT_GROUP,
        "hooks": {hook: record.__name__ for hook, record in hookspecs.HOOKS.items()},
        "names": {name: _named(getattr(core, name)) for name in core.__all__},
        "rooms": {room: dict(_room(room, names)) for room, names in ROOMS.items()},
        "testing": {name: _toy(getattr(testing, name)) for name in testing.__all__},
        "commands": sorted(COMMANDS),
        "jobs": {name: _fields(own[name].options) for name in sorted(own)},
    }


def _room(room: str, names: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    module = import_module(f"ofa_plugins_core.{room}")
    if names == ("*",):
        defined = vars(module).items()
        names = tuple(n for n, v in defined if getattr(v, "__module__", "") == module.__name__)
    yield from ((n, _named(getattr(module, n))) for n in sorted(names) if not n.startswith("_"))


def _toy(value: Any) -> Any:
    """A name of the kit: how it is called; of a suite only that it is there, laws may be added."""
    return _signature(value) if inspect.isfunction(value) else "there"


def _named(value: Any) -> Any:
    """A class, function or anything else that is public."""
    if inspect.isfunction(value):
        return _signature(value)
    if not inspect.isclass(value):
        return "there"
    if getattr(value, "_is_protocol", False):
        return {"asks for": dict(_members(value))}
    return {"takes": _taken(value), "offers": dict(_members(value))}


def _taken(kind: type) -> dict[str, str]:
    """What its constructor takes; nothing where another function makes it."""
    if kind.__name__ in MADE_OTHERWISE:
        return {}
    if attrs.has(kind):
        return _fields(kind)
    return _signature(kind.__init__) if inspect.isfunction(kind.__init__) else {}  # type: ignore[misc]


def _fields(record: type) -> dict[str, str]:
    """Field -> its type, with ``= default`` where it has one."""
    written = _annotations(record)
    return {
        f.alias or f.name: _by_name(f.kw_only) + _field(f, written[f.name])
        for f in attrs.fields(record)
        if f.init
    }


def _annotations(record: type) -> dict[str, str]:
    """Types as the source has them: attrs' own are others once somebody has resolved them."""
    found: dict[str, str] = {}
    for base in reversed(record.__mro__):
        found |= vars(base).get("__annotations__", {})
    return found


def _field(field: Any, kind: str) -> str:
    return kind if field.default is attrs.NOTHING else f"{kind} = {_shown(field.default)}"


def _shown(default: Any) -> str:
    """A default as text that is the same in each process."""
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return "…"
    return str(getattr(default, "__qualname__", None) or repr(default))


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """Public attributes and methods, those of the class and of what it inherits from ours."""
    ours = [c for c in kind.__mro__ if c.__module__.startswith("ofa_plugins_core.")]
    fields = {f.name for f in attrs.fields(kind)} if attrs.has(kind) else set()
    annotated = {n: str(a) for c in ours for n, a in vars(c).get("__annotations__", {}).items()}
    defined = {n: v for c in reversed(ours) for n, v in vars(c).items() if n not in fields}
    for name in sorted({*defined, *annotated} - fields):
        if not name.startswith("_"):
            yield name, _member(defined[name]) if name in defined else annotated[name]


def _member(value: Any) -> Any:
    if isinstance(value, property):
        return f"property: {inspect.signature(value.fget).return_annotation}"  # type: ignore[arg-type]
    if isinstance(value, classmethod | staticmethod):
        value = value.__func__
    if isinstance(value, int | str):
        return repr(value)
    return _signature(value) if inspect.isfunction(value) else "there"


def _by_name(only: bool) -> str:
    return "by name, " if only else ""


def _signature(function: Any) -> dict[str, str]:
    """Parameter -> its type, with ``= default`` where it has one; ``return`` -> what is given."""
    signature = inspect.signature(function)
    found = {name: _parameter(p) for name, p in signature.parameters.items() if name != "self"}
    given = signature.return_annotation
    return {**found, "return": given if isinstance(given, str) else str(given)}


def _parameter(parameter: inspect.Parameter) -> str:
    kind = parameter.annotation if isinstance(parameter.annotation, str) else "Any"
    kind = _by_name(parameter.kind is parameter.KEYWORD_ONLY) + kind
    return kind if parameter.default is parameter.empty else f"{kind} = {_shown(parameter.default)}"


def broken(kept: Any, found: Any, place: str = "") -> list[str]:
    """What of the kept surface plugins or users could miss now; each as one line.

    Removed and changed things break. So does what is added but has no default: a field of a
    record, a parameter, and whatever a Protocol asks for.
    """
    if not isinstance(kept, Mapping) or not isinstance(found, Mapping):
        same = set(kept) <= set(found) if isinstance(kept, list) else kept == found
        return [] if same else [f"{place}: was {kept!r}, is {found!r}"]
    lines = [f"{place}.{name}: removed" for name in kept if name not in found]
    for name in kept:
        if name in found:
            lines += broken(kept[name], found[name], f"{place}.{name}".lstrip("."))
    if _may_not_grow(place, kept):
        new = [name for name in found if name not in kept]
        needed = [name for name in new if " = " not in str(found[name])]
        lines += [f"{place}.{name}: added without a default" for name in needed]
        lines += [f"{place}.{name}: added before {after}" for name, after in _inserted(kept, found)]
    return [line.lstrip(".") for line in lines]


def _may_not_grow(place: str, kept: Mapping[str, Any]) -> bool:
    """Whether these are fields, parameters, or what a Protocol asks for."""
    last = place.rsplit(".", 1)[-1]
    return last in ("takes", "asks for") or "return" in kept or place.startswith("jobs.")


def _inserted(kept: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """New parameters before old ones that can be given by position; (new, old)."""
    names = [n for n in found if n != "return" and "by name" not in str(found[n])]
    for i, name in enumerate(names):
        after = next((n for n in names[i:] if n in kept), None)
        if name not in kept and after is not None:
            yield name, after


def added(kept: Any, found: Any, place: str = "") -> list[str]:
    """What is new, and could be relied on from now on without being kept; each as one line."""
    if isinstance(kept, list) and isinstance(found, list):
        return [f"{place}.{name}" for name in found if name not in kept]
    if not isinstance(kept, Mapping) or not isinstance(found, Mapping):
        return []
    lines = [f"{place}.{name}" for name in found if name not in kept]
    for name in kept:
        lines += added(kept[name], found.get(name), f"{place}.{name}")
    return [line.lstrip(".") for line in lines]
