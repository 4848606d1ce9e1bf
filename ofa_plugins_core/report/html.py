"""Elements of a page: text is escaped, what is an element already is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final, TypeAlias


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


LONG: Final = 40
"""Letters of a cell, from which on its column is given room."""

Content: TypeAlias = str | Iterable[str]


def element(name: str, content: Content = "", **attributes: str) -> Markup:
    """``<name …>content</name>``; ``class_`` stands for ``class``, ``_`` for ``-``."""
    pairs = "".join(
        f' {k.rstrip("_").replace("_", "-")}="{escape(v)}"' for k, v in attributes.items()
    )
    return Markup(f"<{name}{pairs}>{_inside(content)}</{name}>")


def joined(parts: Iterable[str]) -> Markup:
    """Parts one after the other."""
    return Markup(_inside(list(parts)))


def _inside(content: Content) -> str:
    if isinstance(content, Markup):
        return content
    if isinstance(content, str):
        return escape(content, quote=False)
    return "\n".join(_inside(part) for part in content)


def table(
    columns: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[str]],
    caption: str = "",
    marked: int | None = None,
    label: str = "",
) -> Markup:
    """A table that scrolls by itself.

    Args:
        columns: (name, what stands small below it) of each.
        rows: of text.
        caption: above it.
        marked: number of the row to mark.
        label: what a screen reader calls it, where no caption says so.
    """
    shown = [list(row) for row in rows]
    looks = [_look([row[i] for row in shown]) for i in range(len(columns))]
    heads = [
        element("th", [name, element("small", small)], scope="col", **look)
        for (name, small), look in zip(columns, looks, strict=True)
    ]
    lines = []
    for number, row in enumerate(shown):
        mark = {"class_": "best"} if number == marked else {}
        cells = [element("td", cell, **look) for cell, look in zip(row, looks, strict=True)]
        lines.append(element("tr", cells, **mark))
    parts = [element("thead", element("tr", heads)), element("tbody", lines)]
    if caption:
        parts.insert(0, element("caption", caption))
    named = {"role": "region", "aria_label": caption or label} if caption or label else {}
    return element("div", element("table", parts), class_="scroll", tabindex="0", **named)


def _look(cells: Sequence[str]) -> dict[str, str]:
    """Class of a column: ``words`` where one of its cells is no figure, ``long`` of sentences."""
    if not any(map(_is_word, cells)):
        return {}
    return {"class_": "words long" if max(map(len, cells)) > LONG else "words"}


def _is_word(cell: str) -> bool:
    """Such cells stand to the left and may be broken; figures stand to the right."""
    return bool(cell) and not any(letter.isdigit() for letter in cell[:3]) and cell != "–"


def facts(pairs: Mapping[str, Any]) -> Markup:
    """A table of names and values; nested ones are written as ``a.b``."""
    rows = [
        element("tr", [element("th", name, scope="row"), element("td", value)])
        for name, value in _flat(pairs)
    ]
    return element("div", element("table", element("tbody", rows), class_="facts"), class_="scroll")


def _flat(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        found = []
        for key, inner in value.items():
            found += _flat(inner, f"{path}.{key}" if path else str(key))
        return found
    return [(path, _shown(value))]


def _shown(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_shown, value[:50])) + (" …" if len(value) > 50 else "")
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
