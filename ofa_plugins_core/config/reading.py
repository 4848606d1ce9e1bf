"""Reading YAML and JSON safely: nothing runs, nothing expands, no key stands twice."""

from __future__ import annotations

import json
import math
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from ofa_plugins_core.errors import InputError, OfaError

MAX_BYTES: Final = 4 * 2**20
"""Longest configuration that is read."""

MAX_DEPTH: Final = 50
"""Deepest nesting of lists and mappings in YAML that is read."""


def read_yaml(path: Path, error: type[OfaError] = InputError) -> dict[str, Any]:
    """Read a YAML file that holds a mapping. Runs nothing, expands no aliases, no key twice.

    Raises:
        InputError: the file cannot be read.
        OfaError: of the given class, where its content is not such YAML.
    """
    text = _text(path, error)
    try:
        found = _loaded(text)
    except _yaml_errors() as failure:
        raise error(f"{path}: not plain YAML: {first_line(failure)}") from failure
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(k, str) for k in found):
        raise error(f"{path}: expected a mapping of names to values, found {shown(found)}")
    return found


def read_words(text: str) -> Any:
    """What a user typed as YAML's flow style, ``{a: 1}``; text that is none comes back as it is."""
    try:
        return _loaded(str(text))
    except _yaml_errors():
        return text


def read_json(path: Path, error: type[OfaError] = InputError) -> dict[str, Any]:
    """Read a JSON file that holds a mapping: no key twice, no NaN, no infinity.

    Raises:
        InputError: the file cannot be read.
        OfaError: of the given class, where its content is not such JSON.
    """
    text = _text(path, error)
    try:
        found = json.loads(
            text, object_pairs_hook=_once, parse_constant=_refused, parse_float=_float
        )
    except (ValueError, RecursionError) as failure:
        raise error(f"{path}: not plain JSON: {first_line(failure)}") from failure
    if not isinstance(found, dict):
        raise error(f"{path}: expected a mapping of names to values, found {shown(found)}")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for i, key in enumerate(keys) if key in keys[:i])
        raise ValueError(f"the key {twice!r} is there twice")
    return found


def _refused(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _float(word: str) -> float:
    found = float(word)  # 1e999 is infinity, too
    return found if math.isfinite(found) else _refused(word)


def _text(path: Path, error: type[OfaError]) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as failure:
        raise InputError(f"cannot read {path}: {failure.strerror or failure}") from failure
    if len(content) > MAX_BYTES:
        raise error(f"{path} is longer than {MAX_BYTES // 2**20} MiB: not a configuration")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        raise error(f"{path} is not text in UTF-8 (byte {failure.start})") from failure


def _yaml_errors() -> tuple[type[Exception], ...]:
    import yaml

    return (yaml.YAMLError, ValueError, RecursionError)


def _loaded(text: str) -> Any:
    import yaml

    _look_through(text)
    return yaml.load(text, Loader=_loader())  # derived from SafeLoader


def _look_through(text: str) -> None:
    """Refuse aliases, and nesting on which the parser's recursion would run out of stack."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > MAX_DEPTH:
            what = f"nested deeper than {MAX_DEPTH}" if depth > MAX_DEPTH else "aliases (*name)"
            mark: Any = event.start_mark
            raise yaml.composer.ComposerError(None, None, f"{what}: not read", mark)


@cache
def _loader() -> Any:
    """SafeLoader without aliases and without repeated keys, and with 1e3 as a number.

    Where PyYAML was built with libyaml its parser is used: six times as quick.
    """
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """See above."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            keys = [k.value for k, _ in node.value if isinstance(k.value, str)]
            if len(set(keys)) < len(keys):
                twice = next(k for i, k in enumerate(keys) if k in keys[:i])
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {twice!r} is there twice", node.start_mark
                )
            return super().construct_mapping(node, deep)

    number = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+.0123456789"))
    return Loader


def shown(value: object) -> str:
    """A value as it stands in a message: its repr, at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(lines[:2]) if lines else type(error).__name__
