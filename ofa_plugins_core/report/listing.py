"""Tables of text on a page: counts of verdicts at the top, headings, tables, and plain text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ofa_plugins_core.report.html import Markup, element, joined, table
from ofa_plugins_core.report.listed import Listed, overview_first


def listed_tables(tables: Sequence[Listed], verdicts: Mapping[str, int]) -> list[Markup]:
    """Tables as a page shows them.

    Args:
        tables: in the order of the result.
        verdicts: how many there are of each; {}: it has none.
    """
    body = [_counts(verdicts)] if verdicts else []
    for found in overview_first(tables) if verdicts else tables:
        body += _table(found, verdicts)
    return body


def _counts(verdicts: Mapping[str, int]) -> Markup:
    cards = [
        element("div", [element("dt", word), element("dd", f"{count:,}")], class_="card")
        for word, count in verdicts.items()
    ]
    return element("dl", cards, class_="cards")


def _table(found: Listed, verdicts: Collection[str]) -> list[Markup]:
    """A heading where its title ends in a verdict; its other lines; and its rows."""
    first, *more = found.title.split("\n")
    name, _, word = first.rpartition(": ")
    headed = word in verdicts
    heading = [element("h3", joined([f"{name}: ", _verdict(word)]), class_="claim")]
    if not found.columns:
        lines = [line for line in (more if headed else [first, *more]) if line.strip()]
        said = [element("p", line) for line in lines]
        return [*heading, *said] if headed else said
    columns = [(name, small) for name, _, small in (c.partition("\n") for c in found.columns)]
    said = [element("p", line) for line in more if line.strip()]
    if headed:
        return [*heading, *said, table(columns, found.rows, label=name)]
    return [table(columns, found.rows, first), *said]


def _verdict(word: str) -> Markup:
    return element("strong", word, class_="verdict")
