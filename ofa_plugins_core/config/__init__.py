"""Configuration: YAML read safely, values structured strictly; every error has a path and a value.

The only room that knows yaml (``reading``) and cattrs (here). Strict means: a key that a class does
not have, or a value of another type, is an error. Text from the command line (``Words``) is read as
the type that is asked for, which YAML's values are not.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from enum import Enum
from functools import cache, partial
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar, Union, get_args, get_origin

import attrs
from cattrs import ClassValidationError, Converter, ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn

from ofa_plugins_core.config.reading import MAX_BYTES as MAX_BYTES
from ofa_plugins_core.config.reading import first_line, read_words, shown
from ofa_plugins_core.config.reading import read_json as read_json
from ofa_plugins_core.config.reading import read_yaml as read_yaml
from ofa_plugins_core.entries import SupernetEntry, SupernetFamilyEntry
from ofa_plugins_core.errors import OfaError, UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.reduction.data import Reduction

T = TypeVar("T")
_Reader: TypeAlias = Callable[[Converter, Any, Any], Any]
_REQUIRED: Final = "is required"
_UNKNOWN: Final = "unknown key "
_TRUE: Final = frozenset(("true", "yes", "on", "1"))
_FALSE: Final = frozenset(("false", "no", "off", "0"))


class Words(str):
    """Text that a user typed: may be read as a number, a list or whatever else is asked for."""

    __slots__ = ()


class _WrongError(ValueError):
    """A value that is not of the type asked for."""

    def __init__(self, expected: str, found: object) -> None:
        super().__init__(f"expected {expected}, found {shown(found)}")


class _InsideError(ValueError):
    """Something wrong at a place in a list or a mapping."""

    def __init__(self, step: object, cause: Exception) -> None:
        super().__init__(str(cause))
        self.step, self.cause = step, cause


def structure(
    data: object, target: type[T], where: str = "", error: type[OfaError] = UsageError
) -> T:
    """Plain data as an instance of an attrs class (or any other annotated type), strictly.

    Args:
        data: mappings, lists and scalars, as YAML gives them; Words as typed.
        target: the type.
        where: put before the path in messages: a file or an entry's name.
        error: what to raise: UsageError for options, InputError for an input file.

    Raises:
        OfaError: of the given class; the message has the path and the value found.
    """
    try:
        return _converter().structure(data, target)
    except Exception as failure:  # cattrs raises groups, and whatever a class's validators raise
        raise error(_said(list(_problems(failure, "")), where)) from failure


def _said(problems: Sequence[tuple[str, str]], where: str) -> str:
    """One line: unknown keys first, then the first wrong value, then every key that is missing."""
    placed = [(".".join(p for p in (where, path) if p), what) for path, what in problems]
    missing = [place for place, what in placed if what == _REQUIRED]
    wrong = [f"{place}: {what}" if place else what for place, what in placed if what != _REQUIRED]
    if not wrong and len(missing) == 1:
        return f"{missing[0]}: {_REQUIRED}"
    unknown = [line for line in wrong if _UNKNOWN in line]
    others = [line for line in wrong if _UNKNOWN not in line]
    said = unknown + others[:1]
    if len(others) > 1:
        said[-1] += f" (and {len(others) - 1} more)"
    return "; ".join(said + [f"missing: {', '.join(missing)}"] * bool(missing))


def plain(value: object) -> Any:
    """An attrs instance as mappings, lists and scalars, as ``structure`` reads them."""
    kind: type[Any] = type(value)
    if attrs.has(kind):
        fields = attrs.fields(kind)
        return {f.name: plain(getattr(value, f.name)) for f in fields if f.init}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path | str) else value


def as_yaml(data: Mapping[str, Any]) -> str:
    """A mapping as YAML, one line a key: what a run's config.yaml holds.

    Values are written as JSON, which YAML reads, so that a search need not load yaml.
    """
    lines = (
        f"{key}: {json.dumps(plain(value), ensure_ascii=False)}" for key, value in data.items()
    )
    return "".join(line + "\n" for line in lines)


class Families(Protocol):
    """Who knows the kinds of supernets that users describe; the host does."""

    def family(self, name: str) -> SupernetFamilyEntry:
        """A kind of supernet by name."""

    def supernet(self, name: str) -> Supernet:
        """A supernet by name, alias or file."""

    def supernet_entry(self, name: str) -> SupernetEntry:
        """A supernet by name or alias."""

    def entries(self, kind: str) -> list[Any]:
        """Every record of a kind."""


def supernet_from_file(host: Families, path: Path) -> Supernet:
    """A supernet from a user's own row: YAML with ``family``, the row's fields, and a ``name``.

    Or a variant of another: ``base``, and its options; or a smaller space of it: ``base``, and
    ``reduction``. Both are named after their base.

    Raises:
        InputError: the file is missing, or is no plain YAML.
        UsageError: it does not describe a supernet; with the key and the value found.
    """
    data = read_yaml(path)
    if "reduction" in data:
        return _reduced(host, path, data)
    if "base" in data:
        return _variant(host, path, data)
    family = data.pop("family", None)
    known = ", ".join(entry.name for entry in host.entries("families"))
    if not isinstance(family, str):
        found = "is required" if family is None else f"expected text, found {shown(family)}"
        raise UsageError(f"{path}: family: {found}; known: {known}")
    name = _own_name(host, path, data.pop("name", None))
    try:
        entry = host.family(family)
        return entry.build(name, structure(data, entry.row))
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", advice=error.advice) from error


def _variant(host: Families, path: Path, data: dict[str, Any]) -> Supernet:
    """Another supernet with some of its options set."""
    base = data.pop("base")
    if not isinstance(base, str):
        raise UsageError(f"{path}: base: expected a supernet's name, found {shown(base)}")
    try:
        entry = host.supernet_entry(base)
        options: Any = structure(data, entry.options)
        return entry.build(options) if data else entry.build()
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", advice=error.advice) from error


def _reduced(host: Families, path: Path, data: dict[str, Any]) -> Supernet:
    """A smaller space of another supernet, of a variant too."""
    from ofa_plugins_core.reduction.supernet import reduced

    found = _reduction(path, data.pop("reduction"))
    base = data.get("base")
    if not isinstance(base, str):
        what = "is required" if base is None else f"expected a supernet's name, found {shown(base)}"
        raise UsageError(f"{path}: base: {what}")
    _check_bases(path)
    whole = host.supernet(base) if len(data) == 1 else _variant(host, path, data)
    try:
        return reduced(whole, found)
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", advice=error.advice) from error


def _check_bases(path: Path) -> None:
    """Refuse a file that stands, over however many others, on itself."""
    seen: list[Path] = []
    at: object = str(path)
    while isinstance(at, str) and at.endswith((".yaml", ".yml")):
        if Path(at).resolve() in seen:
            raise UsageError(
                f"{path}: base: {at} stands on itself",
                advice="base: names a supernet, or another file",
            )
        seen.append(Path(at).resolve())
        at = read_yaml(Path(at)).get("base")


def reduction_from_file(path: Path) -> Reduction:
    """The reduction of a file that describes a smaller space.

    Raises:
        InputError: it is missing or broken.
        UsageError: it describes none.
    """
    data = read_yaml(path)
    if "reduction" not in data:
        raise UsageError(f"{path}: reduction: is required: what is dropped")
    return _reduction(path, data["reduction"])


def _reduction(path: Path, data: object) -> Reduction:
    return structure(data, Reduction, f"{path}: reduction")


def named_options(
    entry: SupernetEntry, changes: Sequence[str], smaller: Sequence[str] = ()
) -> dict[str, Words]:
    """The options in a variant's name: of ``moofa_v3+strides1-2`` the part ``strides1-2``.

    Args:
        smaller: names of smaller spaces: a part that is nothing else was meant for one, perhaps.

    Raises:
        UsageError: a part begins with no option of the supernet.
    """
    known = sorted((f.name for f in attrs.fields(entry.options) if f.init), key=len, reverse=True)
    found = {}
    for part in changes:
        key = next((k for k in known if part.startswith(k) and part != k), None)
        if key is None:
            raise UsageError(
                f"{entry.name} has no smaller space {part!r}, nor an option that begins so; "
                f"smaller spaces: {', '.join(smaller) or 'none'}; "
                f"options: {', '.join(sorted(known)) or 'none'}"
            )
        found[key] = Words(part.removeprefix(key).replace("-", ","))
    return found


def _own_name(host: Families, path: Path, given: object) -> str:
    """The name in the file, or the file's own; never another supernet's, whose fits it has not."""
    name = re.sub(r"[^\w.+-]", "_", path.stem) if given is None else given
    if not isinstance(name, str) or not re.fullmatch(r"[\w.+-]{1,100}", name):
        raise UsageError(f"{path}: name: expected a word, found {shown(name)}")
    taken = {n for e in host.entries("supernets") for n in (e.name, *e.aliases)}
    if name in taken:
        advice = "give it another: name: my_net"
        raise UsageError(f"{path}: name: {name!r} is another supernet's", advice=advice)
    return name


def describe(target: Any) -> str:
    """A type in a user's words: ``a whole number``, ``int8, fp16 or fp32``, …"""
    simple = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    if target in simple:
        return simple[target]
    if target is Path:
        return "a path"
    if target in (None, NoneType):
        return "null"
    choices = options_of(target)
    if choices:
        return _either([str(c) for c in choices])
    if _is_union(target):
        return _either([describe(a) for a in get_args(target)])
    if _is_sequence(target):
        return f"a list ({describe(get_args(target)[0])} each)" if get_args(target) else "a list"
    if _is_mapping(target) or attrs.has(target):
        return "a mapping"
    return str(getattr(target, "__name__", target))


def options_of(target: Any) -> tuple[Any, ...]:
    """The values that a Literal or an Enum allows; () for another type."""
    if get_origin(target) is Literal:
        return get_args(target)
    if isinstance(target, type) and issubclass(target, Enum):
        return tuple(member.value for member in target)
    return ()


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _is_union(target: Any) -> bool:
    return get_origin(target) in (Union, UnionType)


def _is_sequence(target: Any) -> bool:
    return (get_origin(target) or target) in (list, tuple, Sequence)


def _is_mapping(target: Any) -> bool:
    return (get_origin(target) or target) in (dict, Mapping)


@cache
def _converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for target, read in _SCALARS.items():
        converter.register_structure_hook(target, partial(_scalar, read))
    readers: tuple[tuple[Callable[[Any], bool], _Reader], ...] = (
        (_is_sequence, _sequence),
        (_is_mapping, _mapping),
        (_is_union, _union),
        (lambda target: bool(options_of(target)), _option),
    )
    for asked, reader in readers:
        converter.register_structure_hook_func(asked, partial(reader, converter))
    # before 26.1, cattrs' own hook for enumerations comes before any that asks
    converter.register_structure_hook(Enum, partial(_option, converter))
    converter.register_structure_hook_factory(attrs.has, partial(_class_reader, converter))
    return converter


def _scalar(read: Callable[[Any], Any], value: Any, target: Any) -> Any:
    try:
        return read(value)
    except (ValueError, OverflowError):
        raise _WrongError(describe(target), value) from None


def _whole(value: Any) -> int:
    if isinstance(value, Words):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise ValueError


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Words):
        raise ValueError
    number = float(value)
    if math.isnan(number):
        raise ValueError
    return number


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return str(value)


def _bool(value: Any) -> bool:
    if isinstance(value, Words) and value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    if not isinstance(value, bool):
        raise ValueError
    return value


def _path(value: Any) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError
    return Path(value)


_SCALARS: Final[Mapping[type, Callable[[Any], Any]]] = {
    int: _whole,
    float: _float,
    str: _str,
    bool: _bool,
    Path: _path,
}


def _option(converter: Converter, value: Any, target: Any) -> Any:
    """A Literal or an Enum; 1 is not True here."""
    for choice in options_of(target):
        typed = str(choice) if isinstance(value, Words) else choice
        if typed == value and (isinstance(value, Words) or type(typed) is type(value)):
            return target(choice) if isinstance(target, type) else choice
    raise _WrongError(describe(target), value)


def _union(converter: Converter, value: Any, target: Any) -> Any:
    """The first member that takes the value; None only for null."""
    members = [a for a in get_args(target) if a is not NoneType]
    if value is None and len(members) < len(get_args(target)):
        return None
    if type(value) is str and str in members:  # not a list of one text
        return value
    failures: list[Exception] = []
    for member in sorted(members, key=_looseness):
        try:
            return converter.structure(value, member)
        except Exception as failure:  # the next member may take it
            failures.append(failure)
    if len(failures) == 1:
        raise failures[0]
    raise _WrongError(describe(target), value)


def _looseness(target: Any) -> int:
    """Members that take less come first: text takes anything that was typed."""
    order = (options_of(target), target is int, target is float, target is bool)
    return next((i for i, ok in enumerate(order) if ok), 9 if target in (str, Path) else 5)


def _sequence(converter: Converter, value: Any, target: Any) -> Any:
    if isinstance(value, Words):
        value = [Words(w.strip()) for w in value.split(",")] if value else []
    elif isinstance(value, str) and get_args(target)[:1] in ((str,), (Path,)):
        value = [value]
    if not isinstance(value, list | tuple):
        raise _WrongError(describe(target), value)
    kinds = get_args(target) or (Any, ...)
    if get_origin(target) is tuple and kinds[-1] is not Ellipsis:
        if len(kinds) != len(value):
            raise _WrongError(f"a list of {len(kinds)}", value)
    else:
        kinds = (kinds[0],) * len(value)
    pairs = zip(kinds, value, strict=True)
    found = [_inside(converter, i, v, kind) for i, (kind, v) in enumerate(pairs)]
    return found if (get_origin(target) or target) is list else tuple(found)


def _mapping(converter: Converter, value: Any, target: Any) -> Any:
    if isinstance(value, Words):
        value = read_words(value)
    if not isinstance(value, Mapping):
        raise _WrongError(describe(target), value)
    of_keys, of_values = get_args(target) or (Any, Any)
    return {
        _inside(converter, k, k, of_keys): _inside(converter, k, v, of_values)
        for k, v in value.items()
    }


def _inside(converter: Converter, step: object, value: Any, target: Any) -> Any:
    try:
        return value if target is Any else converter.structure(value, target)
    except Exception as failure:  # whatever it is, it happened here
        raise _InsideError(step, failure) from failure


def _class_reader(converter: Converter, target: Any) -> Callable[[Any, Any], Any]:
    inner = make_dict_structure_fn(
        target, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True
    )

    def read(value: Any, _: Any) -> Any:
        if isinstance(value, target):
            return value
        if not isinstance(value, Mapping):
            raise _WrongError("a mapping", value)
        return inner(value, target)

    return read


def _problems(error: BaseException, path: str) -> Iterator[tuple[str, str]]:
    """(path, what is wrong) of everything in what structuring raised; at least one."""
    if isinstance(error, _InsideError):
        step = f"[{error.step}]" if isinstance(error.step, int) else f".{error.step}"
        yield from _problems(error.cause, (path + step).lstrip("."))
    elif isinstance(error, ClassValidationError):
        noted, others = error.group_exceptions()
        for inner, note in noted:
            yield from _problems(inner, f"{path}.{note.name}".lstrip("."))
        for inner in others:
            yield from _problems(inner, path)
    elif isinstance(error, ForbiddenExtraKeysError):
        known = [f.name for f in attrs.fields(error.cl) if f.init]
        for key in sorted(map(str, error.extra_fields)):
            yield path, unknown_key(key, known)
    elif isinstance(error, KeyError):
        yield path, _REQUIRED
    else:
        yield path, first_line(error)


def unknown_key(key: str, known: Sequence[str]) -> str:
    """What to say of a key that is none of the known ones: the nearest of them."""
    near = get_close_matches(key, known, n=3, cutoff=0.5)
    label = "nearest known" if near else "known"
    return f"{_UNKNOWN}{key!r}; {label}: {', '.join(near or known) or 'none'}"
