"""What ``ofa reproduce`` returns: outcomes of claims, or a list of claims."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from attrs import asdict, field, frozen

from ofa_plugins_core.claims import Material, Verdict
from ofa_plugins_core.entries import ClaimEntry
from ofa_plugins_core.jobs.results import INTERRUPTED, Row
from ofa_plugins_core.words import counted

VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)

STYLES: Final = {
    "reproduced": "bold green",
    "consistent": "green",
    "holds": "green",
    "differs": "bold yellow",
    "needs": "cyan",
    "failed": "bold red",
    "here": "green",
}
"""What a terminal colours; the words alone say all of it."""
ARITHMETIC: Final = "arithmetic on published figures"
COLUMNS: Final = ("", "ours", "published", "unit", "kind", "")
"""Of a claim's figures; the last says whether they hold."""


def elsewhere(works: Iterable[str]) -> str:
    """Whose claims are here, and how there are more."""
    here = ", ".join(dict.fromkeys(works)) or "no work"
    return f"claims come with plugins; here: {here}; for another work's install its plugin"


@frozen(kw_only=True)
class Outcome:
    """What checking one claim came to.

    Attributes:
        claim, summary, work, source: as its entry has them.
        verdict: reproduced, consistent, differs, needs, or failed.
        rows: its comparisons as JSON.
        reason: how it was done; what it needs and how to get it; or why it failed.
        chosen: what we chose, where it is consistent for that.
        seconds: that it took.
        exit_code: of a claim that failed; else 0.
    """

    claim: str
    summary: str
    work: str
    source: str
    verdict: Verdict
    rows: Sequence[Mapping[str, Any]] = ()
    reason: str = ""
    chosen: str = ""
    seconds: float | None = None
    exit_code: int = 0

    @classmethod
    def of(cls, claim: ClaimEntry, verdict: Verdict, **found: Any) -> Outcome:
        """Of a claim."""
        said = {k: getattr(claim, k) for k in ("summary", "work", "source")}
        return cls(claim=claim.name, verdict=verdict, **said, **found)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Outcome:
        """As the journal has it; raises KeyError, TypeError, ValueError where it is broken."""
        outcome = cls(**data)
        if outcome.verdict not in VERDICTS:
            raise ValueError(outcome.verdict)
        return outcome

    def as_json(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)


@frozen(eq=False)
class Reproduction:
    """Outcomes of claims.

    Attributes:
        outcomes: in the order asked.
        asked: how many were asked for; more than there are: it was interrupted.
        only: verdicts that a terminal shows; none: all of them.
    """

    outcomes: Sequence[Outcome]
    asked: int
    only: Collection[Verdict] = ()

    most_rows: int = field(default=200, init=False)
    wrapped: bool = field(default=True, init=False)
    styles: Mapping[str, str] = field(default=STYLES, init=False)

    @property
    def exit_code(self) -> int:
        """130 interrupted; that of the first claim that failed; 0, also where some differ."""
        if len(self.outcomes) < self.asked:
            return INTERRUPTED
        return next((o.exit_code for o in self.outcomes if o.exit_code), 0)

    def as_json(self) -> dict[str, Any]:
        """Counts of verdicts, every outcome, and the same as tables for ``ofa report``."""
        counts = Counter(o.verdict for o in self.outcomes)
        tables = [self._overview(), *map(_listed, self.outcomes)]
        return {
            "interrupted": len(self.outcomes) < self.asked,
            "verdicts": {verdict: counts[verdict] for verdict in VERDICTS},
            "claims": [o.as_json() for o in self.outcomes],
            "tables": [dict(zip(("title", "columns", "rows"), t, strict=True)) for t in tables],
        }

    def as_tables(self) -> list[Row]:
        """A table a claim, and all verdicts at the end."""
        shown = [o for o in self.outcomes if not self.only or o.verdict in self.only]
        return [*(row for o in shown for row in _tables(o)), self._verdicts(shown)]

    def _counted(self) -> str:
        """How many claims of each verdict, and how many were not asked."""
        counts = Counter(o.verdict for o in self.outcomes)
        said = ", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v])
        unasked = self.asked - len(self.outcomes)
        left = f"; interrupted, {counted(unasked, 'claim')} not asked" if unasked else ""
        return f"{counted(len(self.outcomes), 'claim')}: {said}{left}"

    def _verdicts(self, shown: Sequence[Outcome]) -> Row:
        title = self._counted()
        if any(o.verdict == "needs" for o in self.outcomes):
            title += "\n`ofa reproduce --show` says which files are needed"
        rows = [(o.claim, o.work, o.verdict, _time(o)) for o in shown]
        return (title, ("claim", "work", "verdict", "seconds"), rows)

    def _overview(self) -> Row:
        """All verdicts of a page, each with its reason; what could not be checked has no more."""
        columns = ("claim", "work", "what it says", "verdict", "why", "seconds")
        rows = [(o.claim, o.work, o.summary, o.verdict, why_of(o), _time(o)) for o in self.outcomes]
        return (self._counted(), columns, rows)


def _time(outcome: Outcome) -> str:
    return "" if outcome.seconds is None else f"{outcome.seconds:.1f}"


def why_of(outcome: Outcome) -> str:
    """In one line: why it differs, is consistent no more, or could not be checked."""
    if outcome.verdict == "consistent":
        return outcome.chosen or ARITHMETIC
    if outcome.rows:
        failed = [row for row in outcome.rows if row.get("holds") is False]
        return "; ".join(dict.fromkeys(str(row["why"]) for row in failed if row.get("why")))
    return "; ".join(outcome.reason.splitlines())


def _listed(outcome: Outcome) -> Row:
    """One claim as a page has it: a heading, what it says and how it was done, and its figures.

    No column is called ``verdict``: that is for the table of all of them.
    """
    said = [f"{outcome.claim}: {outcome.verdict}", outcome.summary, outcome.source, outcome.reason]
    title = "\n".join(filter(None, said))
    whys = any(row.get("why") for row in outcome.rows)
    columns = ("figure", *COLUMNS[1:-1], "judged", *(("why",) if whys else ()))
    rows = [(*_cells(r), *((str(r.get("why", "")),) if whys else ())) for r in outcome.rows]
    return (title, columns, rows) if rows else (title, (), ())


def _tables(outcome: Outcome) -> Iterator[Row]:
    """One claim: what it says and where, its figures, and what there is to say of them."""
    title = f"{outcome.claim}: {outcome.verdict}\n{outcome.summary}\n{outcome.source}"
    rows = [_cells(found) for found in outcome.rows]
    yield (title, COLUMNS, rows) if rows else (title, (), ())
    yield ("\n".join([*_whys(outcome), *filter(None, [outcome.reason]), ""]) or " ", (), ())


def _whys(outcome: Outcome) -> list[str]:
    """Each reason once, with the figures that it is about."""
    found: dict[str, list[str]] = {}
    for row in outcome.rows:
        if why := row.get("why"):
            found.setdefault(str(why), []).append(str(row["what"]))
    more = [
        f"{what[0]}, and {len(what) - 1} more" if len(what) > 1 else what[0]
        for what in found.values()
    ]
    return [f"{what}: {why}" for what, why in zip(more, found, strict=True)]


def _cells(found: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(found["what"]),
        _shown(found["ours"]),
        _demanded(found),
        str(found["unit"]),
        str(found["kind"]),
        {None: "", True: "holds", False: "differs"}[found["holds"]],
    )


def _demanded(found: Mapping[str, Any]) -> str:
    """The published figure, with how ours has to stand to it."""
    if found["published"] is None and found.get("against") is None:
        return _shown(None)
    sign = {"at least": "≥ ", "at most": "≤ "}.get(str(found["relation"]), "")
    off = f" ± {_shown(found['within'])}" if found["within"] else ""
    if found.get("against") is not None:
        return f"none; {sign}{_shown(found['against'])}{off} ({found['beside']})"
    return f"{sign}{_shown(found['published'])}{off}"


def _shown(value: Any) -> str:
    """A figure for people: whole numbers whole, others to five digits."""
    if value is None:
        return "–"
    if isinstance(value, bool | str):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.5g}" if abs(value) < 10_000 or math.isinf(value) else f"{value:,.0f}"


@frozen(eq=False)
class Shown:
    """The claims, unchecked: ``--show``.

    Attributes:
        works: whose claims are here, asked for or not.
        there: the published files that are there.
    """

    claims: Sequence[ClaimEntry]
    works: Collection[str] = ()
    there: Collection[Material] = ()

    most_rows: int = field(default=200, init=False)
    wrapped: bool = field(default=True, init=False)
    styles: Mapping[str, str] = field(default=STYLES, init=False)
    worth_keeping: bool = field(default=False, init=False)

    def as_json(self) -> list[dict[str, Any]]:
        """A claim each, with what it needs."""
        keys = ("name", "summary", "work", "source", "seconds")
        return [
            {
                **{k: getattr(c, k) for k in keys},
                "needs": [{**asdict(m), "here": m in self.there} for m in c.needs],
            }
            for c in self.claims
        ]

    def as_tables(self) -> list[Row]:
        """Claims, and the published files."""
        claims = [
            (c.name, c.work, c.summary, f"{c.seconds:g}", "\n".join(m.name for m in c.needs))
            for c in self.claims
        ]
        names = ("claim", "work", "what it says", "seconds", "needs")
        files = {(m.name, m.place): m for c in self.claims for m in c.needs}
        said = [
            "\nPublished files that they need, your own copies",
            *map(self._file, files.values()),
        ]
        return [
            (counted(len(claims), "claim"), names, claims),
            *((text, (), ()) for text in said if files),
            (f"\n{elsewhere(self.works)}", (), ()),
        ]

    def _file(self, needed: Material) -> str:
        here = ": here" if needed in self.there else ""
        place = f"FOLDER/{needed.place} of --material FOLDER, or --given {needed.name}=PATH"
        return f"{needed.name}{here}\n  {needed.summary}; {needed.how}\n  {place}"
