"""Flags from the fields of an options class, and options from flags and YAML."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import attrs
import typer

from ofa_plugins_core.config import Words, options_of, plain, read_yaml, structure, unknown_key
from ofa_plugins_core.errors import PluginError, UsageError

COMMON: Final = {
    "config": (str | None, None, "FILE", "options in YAML; flags win over it"),
    "set": (
        list[str] | None,
        None,
        "NAME.KEY=VALUE",
        "an option of a cost, searcher, …; repeatable",
    ),
    "seed": (str | None, None, "N", "seed of every random choice; default 0"),
    "out": (str | None, None, "DIR", "folder for the results"),
    "resume": (bool, False, None, "go on with what --out holds"),
    "json": (bool, False, None, "print JSON on stdout"),
}
"""What every job takes: name -> type, default, metavar, help."""


def parameters(options: type) -> list[inspect.Parameter]:
    """The flags of a job: those of its options class, then those of every job.

    Raises:
        PluginError: a field has the name of a flag that every job has.
    """
    types = typing.get_type_hints(options)
    fields = [f for f in _fields(options) if f.init]
    taken = [f.name for f in fields if f.name in COMMON]
    if taken:
        raise PluginError(f"{options.__name__}.{taken[0]}: every job has a flag of that name")
    own = [_flag(f, types[f.name]) for f in fields]
    return own + [
        _parameter(name, kind, default, {"help": text, "metavar": metavar})
        for name, (kind, default, metavar, text) in COMMON.items()
    ]


def _fields(options: type) -> tuple[Any, ...]:
    return attrs.fields(options) if attrs.has(options) else ()


def _flag(field: Any, kind: Any) -> inspect.Parameter:
    said = dict(field.metadata)
    said["help"] = _help(field, said)
    inner = without_none(kind)
    if inner is bool:
        return _parameter(field.name, bool | None, None, said)
    said.setdefault("metavar", _metavar(inner))
    return _parameter(field.name, (list[str] if repeatable(inner) else str) | None, None, said)


def _help(field: Any, said: Mapping[str, Any]) -> str:
    words = [str(said.get("help", ""))]
    if said.get("unit"):
        words.append(f"({said['unit']})")
    if said.get("example"):
        words = [f"{' '.join(words)}, for example {said['example']}".lstrip(" ,")]
    if field.default is attrs.NOTHING:
        words.append("[required]")
    elif isinstance(field.default, str | int | float) and field.default not in (False, ""):
        words.append(f"[default: {field.default}]")
    return " ".join(w for w in words if w)


def _parameter(name: str, kind: Any, default: Any, said: Mapping[str, Any]) -> inspect.Parameter:
    long = "--" + name.replace("_", "-")
    if kind == bool | None:
        long = f"{long}/--no-{long[2:]}"
    names = [long, *(f"-{said['short']}" for _ in [0] if said.get("short"))]
    option = typer.Option(
        *names, help=said.get("help"), metavar=said.get("metavar"), show_default=False
    )
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )


def without_none(kind: Any) -> Any:
    """``X`` of ``X | None``."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    members = [a for a in get_args(kind) if a is not NoneType]
    return members[0] if len(members) == 1 else Union[tuple(members)]  # noqa: UP007  # a value


def repeatable(kind: Any) -> bool:
    """Whether the flag may be given more than once."""
    return (get_origin(kind) or kind) in (list, tuple)


def _metavar(kind: Any) -> str:
    if options_of(kind):
        return "|".join(str(c) for c in options_of(kind))
    if repeatable(kind) and get_args(kind):
        return _metavar(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        return "|".join(_metavar(a) for a in get_args(kind))
    return {int: "N", float: "NUMBER", Path: "PATH"}.get(kind, "TEXT")


def from_flags(options: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the user gave as flags; text as Words, to be read as the field's type."""
    types = typing.get_type_hints(options)
    return {
        name: _typed(value, without_none(types.get(name, str)))
        for name, value in given.items()
        if value is not None and value != [] and name not in COMMON
    }


def _typed(value: Any, kind: Any) -> Any:
    if isinstance(value, str):
        return Words(value)
    if isinstance(value, list | tuple):
        element = next(iter(get_args(kind)), str)
        words = value if element in (str, Path) else [w for v in value for w in v.split(",")]
        return [Words(w) for w in words]
    return value


def from_file(path: Path, job: str) -> dict[str, Any]:
    """The options in a YAML file; ``lut-as`` is read as ``lut_as``.

    Raises:
        UsageError: it is not plain YAML, or belongs to another job.
        InputError: it cannot be read.
    """
    found = {k.replace("-", "_"): v for k, v in read_yaml(path, UsageError).items()}
    meant = found.pop("job", job)
    if meant != job:
        raise UsageError(f"{path} is of the job {meant!r}, not of {job!r}")
    return found


def settings(texts: list[str], before: object) -> dict[str, dict[str, Any]]:
    """``NAME.KEY=VALUE`` on top of what a file's ``set:`` says: name -> key -> value.

    Raises:
        UsageError: one of them does not read so.
    """
    if not isinstance(before, Mapping) or not all(isinstance(v, Mapping) for v in before.values()):
        raise UsageError(
            f"set: expected NAME: {{KEY: VALUE}}, found {plain(before)!r:.60}",
            advice="in YAML what flags say as evolution.population=50 is "
            "set: {evolution: {population: 50}}",
        )
    found: dict[str, dict[str, Any]] = {str(k): dict(v) for k, v in before.items()}
    for text in texts:
        left, equals, value = text.partition("=")
        name, _, key = left.strip().rpartition(".")
        if not equals or not name or not key:
            raise UsageError(
                f"cannot read --set {text!r}",
                advice="write --set NAME.KEY=VALUE, for example --set evolution.population=50",
            )
        found.setdefault(name, {})[key.replace("-", "_")] = Words(value.strip())
    return found


def option_value(name: str, entries: Sequence[Any], key: str, value: object) -> Any:
    """One setting, as the type that the options of an entry of that name ask for.

    Raises:
        UsageError: none of them has the key, or the value is of another type.
    """
    known: list[str] = []
    for entry in entries:
        fields = [f.name for f in _fields(entry.options) if f.init]
        if key in fields:
            return structure(value, typing.get_type_hints(entry.options)[key], f"{name}.{key}")
        known += fields
    raise UsageError(f"{name}: {unknown_key(key, known)}")


def has_option(entry: Any, key: str) -> bool:
    """Whether an entry's options have a key."""
    return any(f.name == key for f in _fields(entry.options) if f.init)


def signed(call: Callable[..., Any], flags: list[inspect.Parameter]) -> Callable[..., Any]:
    """A function that typer sees with these parameters."""

    def command(**given: Any) -> Any:
        return call(**given)

    command.__signature__ = inspect.Signature(flags)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in flags}
    return command


def missing(options: type, data: Mapping[str, Any]) -> Iterator[str]:
    """Fields that have no default and were not given."""
    for field in _fields(options):
        if field.init and field.default is attrs.NOTHING and field.name not in data:
            yield field.name
