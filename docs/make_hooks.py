"""Writes docs/hooks.md from the hook specifications: python docs/make_hooks.py"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from ofa_plugins_core import hookspecs
from ofa_plugins_core.hookspecs import API_VERSION, ENTRY_POINT_GROUP, HOOKS, KIND_OF

PAGE: Final = Path(__file__).with_name("hooks.md")

COMMON: Final = {
    "name": "by which it is asked for; of a plugin's offers of one kind each has its own",
    "summary": "one line, for `ofa list` and help texts",
    "options": "attrs class whose fields a user can set: `--set NAME.key=value`, or in YAML",
    "build": "makes it, when it is asked for",
}
"""What fields of many records say; a record's own docstring comes first."""


def page() -> str:
    """The whole page."""
    return "\n".join([_introduction(), *map(_section, HOOKS)])


def _introduction() -> str:
    return textwrap.dedent(f"""\
        # Hooks

        Made from `ofa_plugins_core/hookspecs.py` by `python docs/make_hooks.py`; do not edit.

        A plugin is a module that states `OFA_API = {API_VERSION}`, is named by an entry point of
        the group `{ENTRY_POINT_GROUP}`, and implements any of these functions, marked with
        `@hookimpl`. Each yields frozen records; `from ofa_plugins_core import …` has the records
        and `hookimpl`. How to write, install, test and mix plugins: [plugins.md](plugins.md).
        """)


def _section(hook: str) -> str:
    summary, example = _parts(inspect.getdoc(getattr(hookspecs, hook)) or "")
    record = HOOKS[hook]
    return "\n".join(
        [
            f"## {hook}",
            "",
            summary,
            f"`ofa list {KIND_OF[hook]}` shows what there is.",
            "",
            f"Yields `{record.__name__}`: {_first_paragraph(record)}",
            "",
            "| field | type | default | |",
            "| --- | --- | --- | --- |",
            *_rows(record),
            "",
            "```python",
            example,
            "```",
            "",
        ]
    )


def _parts(text: str) -> tuple[str, str]:
    """(what the hook is for, its example as code)."""
    summary, _, example = text.partition("Example::")
    return summary.strip(), textwrap.dedent(example).strip()


def _first_paragraph(record: type) -> str:
    text = inspect.getdoc(record) or ""
    return " ".join(text.split("\n\n")[0].split())


def _rows(record: type) -> Iterator[str]:
    own = _documented(inspect.getdoc(record) or "")
    for field in attrs.fields(record):
        default = "" if field.default is attrs.NOTHING else f"`{_shown(field.default)}`"
        meaning = own.get(field.name) or COMMON.get(field.name, "")
        cells = (f"`{field.name}`", f"`{field.type}`", default, meaning.rstrip("."))
        yield f"| {' | '.join(_escaped(c) for c in cells)} |"


def _documented(text: str) -> dict[str, str]:
    """Field -> its meaning, from the section ``Attributes`` of a docstring."""
    found: dict[str, str] = {}
    for entry in re.split(r"\n    (?=\S)", text.partition("Attributes:")[2]):
        names, colon, meaning = entry.strip().partition(": ")
        if colon:
            words = " ".join(meaning.split()).replace("``", "`")
            found |= {name.strip(): words for name in names.split(",")}
    return found


def _shown(default: Any) -> str:
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = default.factory()
    return default.__name__ if isinstance(default, type) else repr(default)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
