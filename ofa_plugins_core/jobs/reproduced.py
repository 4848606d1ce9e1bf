"""What ``ofa reproduce`` returns: outcomes of claims, or a list of claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, get_args

from attrs import asdict, field, frozen

from ofa_plugins_core.claims import Verdict
from ofa_plugins_core.entries import ClaimEntry
from ofa_plugins_core.jobs.results import INTERRUPTED, Row

VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)


@frozen(kw_only=True)
class Outcome:
    """What checking one claim came to.

    Attributes:
        claim, summary, work, source: as its entry has them.
        verdict: reproduced, differs, needs, or failed.
        rows: its comparisons as JSON.
        reason: how it was done; what it needs and how to get it; or why it failed.
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
    """

    outcomes: Sequence[Outcome]
    asked: int

    @property
    def exit_code(self) -> int:
        """130 interrupted; that of the first claim that failed; 0, also where some differ."""
        if len(self.outcomes) < self.asked:
            return INTERRUPTED
        return next((o.exit_code for o in self.outcomes if o.exit_code), 0)

    def as_json(self) -> dict[str, Any]:
        """Counts of verdicts, and every outcome."""
        counts = Counter(o.verdict for o in self.outcomes)
        return {
            "verdicts": {verdict: counts[verdict] for verdict in VERDICTS},
            "claims": [o.as_json() for o in self.outcomes],
        }

    def as_tables(self) -> list[Row]:
        """A table a claim, and the count of verdicts."""
        return [*map(_table, self.outcomes), self._sum()]

    def _sum(self) -> Row:
        counts = Counter(o.verdict for o in self.outcomes)
        said = ", ".join(f"{counts[v]} {v}" for v in VERDICTS if counts[v])
        return (f"{len(self.outcomes)} of {self.asked} claims: {said}", (), ())


def _table(outcome: Outcome) -> Row:
    title = f"{outcome.claim}: {outcome.verdict}\n{outcome.summary} ({outcome.source})"
    title = f"{title}\n{outcome.reason}" if outcome.reason else title
    columns = ("", "ours", "published", "unit", "kind", "")
    rows = [
        (
            str(r["what"]),
            _shown(r["ours"]),
            _shown(r["published"]),
            str(r["unit"]),
            str(r["kind"]),
            {None: "", True: "holds", False: f"differs: {r.get('why') or 'unknown why'}"}[
                r["holds"]
            ],
        )
        for r in outcome.rows
    ]
    return (title, columns, rows) if rows else (title, (), ())


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return (
        f"{value:,.6g}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


@frozen(eq=False)
class Shown:
    """The claims, unchecked: ``--show``."""

    claims: Sequence[ClaimEntry]
    there: Mapping[str, Path] = field(factory=dict)

    worth_keeping: bool = False

    def as_json(self) -> list[dict[str, Any]]:
        """A claim each, with what it needs."""
        keys = ("name", "summary", "work", "source", "seconds")
        return [
            {
                **{k: getattr(c, k) for k in keys},
                "needs": [{**asdict(m), "here": m.name in self.there} for m in c.needs],
            }
            for c in self.claims
        ]

    def as_tables(self) -> list[Row]:
        """Claims, and the published files."""
        claims = [
            (c.name, c.work, c.summary, f"{c.seconds:g}", ", ".join(m.name for m in c.needs))
            for c in self.claims
        ]
        files = {m.name: m for c in self.claims for m in c.needs}
        needed = [
            (m.name, m.place, "here" if m.name in self.there else "", f"{m.summary}: {m.how}")
            for m in files.values()
        ]
        return [
            ("claims", ("claim", "work", "what", "seconds", "needs"), claims),
            ("published files that they need, your own copies", ("name", "place", "", ""), needed),
        ]
