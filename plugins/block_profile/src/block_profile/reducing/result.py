"""What ``ofa run reduce`` returns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from block_profile.reducing.ends import End
from block_profile.reducing.removals import Removal, amount
from ofa_plugins_core.jobs.results import Row
from ofa_plugins_core.reduction.supernet import ReducedSupernet

MOST: Final = 60
"""So many removals are shown on the terminal."""


@frozen(eq=False)
class ReduceResult:
    """A smaller space.

    Attributes:
        run: its folder, or None. path: of the space's file, or None.
        base: the supernet, as the file names it.
        space: the supernet with what is left.
        rule: the rule as a sentence. profile: where it comes from.
        removals: what is dropped. spared: what the rule would drop and cannot.
        control: the random one, or None. control_path: its file.
        installed: files in the user's folder.
        ends: what both spaces reach, of metrics that are tables.
    """

    run: Path | None
    base: str
    space: ReducedSupernet
    rule: str
    profile: Path
    removals: Sequence[Removal]
    spared: Sequence[str] = ()
    path: Path | None = None
    control: ReducedSupernet | None = None
    control_path: Path | None = None
    installed: Sequence[Path] = ()
    ends: Sequence[End] = ()

    most_rows = MOST

    def as_json(self) -> dict[str, Any]:
        """Everything; the space as its file has it."""
        control = self.control
        return {
            "run": None if self.run is None else str(self.run),
            "supernet": self.base,
            "reduced": self.space.name,
            "profile": str(self.profile),
            "rule": self.rule,
            "space": None if self.path is None else str(self.path),
            "installed": [str(p) for p in self.installed],
            "networks": {
                "before": self.space.whole.space.count(),
                "after": self.space.space.count(),
            },
            "share": self.space.reduced.share,
            "ends": [
                {
                    "metric": e.metric.name,
                    "unit": e.metric.unit,
                    "end": "least" if e.metric.better == "lower" else "greatest",
                    "predictor": e.by,
                    "before": e.before,
                    "after": e.after,
                }
                for e in self.ends
            ],
            "removals": [
                {"what": r.what, "where": r.where, "reason": r.reason} for r in self.removals
            ],
            "spared": list(self.spared),
            "reduction": self.space.reduction.as_dict(),
            "control": None
            if control is None
            else {
                "space": None if self.control_path is None else str(self.control_path),
                "networks": control.space.count(),
                "reduction": control.reduction.as_dict(),
            },
        }

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        rows = [[r.what, r.where, r.reason] for r in _spread(self.removals)]
        before, after = self.space.whole.space.count(), self.space.space.count()
        title = (
            f"{self.space.name}: {after:,} of {before:,} networks an image size, "
            f"{100 * self.space.reduced.share:.2g} % of them · {self.rule}"
        )
        if len(rows) < len(self.removals):
            where = "space.yaml and with --json" if self.run else "with --json"
            title += (
                f"\n{len(self.removals)} are dropped, {len(rows)} of them shown; all in {where}"
            )
        shown: list[Row] = [(title, ["dropped", "where", "why"], rows)]
        if self.spared:
            shown.append(
                ("not dropped, though the rule says so", ["why"], [[s] for s in self.spared])
            )
        if self.control is not None:
            count = self.control.space.count()
            shown.append((f"{self.control.name}: a random control, {count:,} networks", (), ()))
        if self.ends:
            cells = [
                [e.label, amount(e.before, e.metric), amount(e.after, e.metric)] for e in self.ends
            ]
            shown.append(("what the spaces reach, exactly", ["", "whole", "smaller"], cells))
        return shown


def _spread(removals: Sequence[Removal]) -> list[Removal]:
    """Evenly spaced ones of many, the first and the last among them."""
    last, most = len(removals) - 1, min(MOST, len(removals))
    return [removals[round(i * last / max(most - 1, 1))] for i in range(most)]
