"""What ``ofa run reduce`` returns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from block_profile.reducing.removals import Removal
from ofa_plugins_core.jobs.results import Row
from ofa_plugins_core.reduction.supernet import ReducedSupernet


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

    most_rows = 60

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
        rows = [[r.what, r.where, r.reason] for r in self.removals]
        before, after = self.space.whole.space.count(), self.space.space.count()
        title = (
            f"{self.space.name}: {after:,} of {before:,} networks an image size, "
            f"{self.space.reduced.share:.2g} of them · {self.rule}"
        )
        shown: list[Row] = [(title, ["dropped", "where", "why"], rows)]
        if self.spared:
            shown.append(
                ("not dropped, though the rule says so", ["why"], [[s] for s in self.spared])
            )
        if self.control is not None:
            count = self.control.space.count()
            shown.append((f"{self.control.name}: a random control, {count:,} networks", (), ()))
        return shown
