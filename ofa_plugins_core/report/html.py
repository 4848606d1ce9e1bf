"""Elements of a page: text is escaped, what is an element already is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, TypeAlias


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


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
) -> Markup:
    """A table that scrolls by itself.

    Args:
        columns: (name, what stands small below it) of each.
        rows: of text.
        caption: above it.
        marked: number of the row to mark.
    """
    heads = [element("th", [name, element("small", small)], scope="col") for name, small in columns]
    lines = []
    for number, row in enumerate(rows):
        mark = {"class_": "best"} if number == marked else {}
        lines.append(element("tr", [element("td", cell) for cell in row], **mark))
    parts = [element("thead", element("tr", heads)), element("tbody", lines)]
    if caption:
        parts.insert(0, element("caption", caption))
    named = {"role": "region", "aria_label": caption} if caption else {}
    return element("div", element("table", parts), class_="scroll", tabindex="0", **named)


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
