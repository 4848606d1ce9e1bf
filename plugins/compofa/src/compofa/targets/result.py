"""What ``ofa run targets`` returns: a search's result, what it took, and the published table."""

from __future__ import annotations

import json
from typing import Any, Final

from attrs import frozen

from compofa.targets.presets import EVOLUTION, SOURCE, Target
from ofa_plugins_core import runs
from ofa_plugins_core.jobs.results import Row, SearchResult

PUBLISHED_CSV: Final = "targets.csv"
"""Columns as CompOFA's search writes them: model, accuracy, latency."""


@frozen(eq=False)
class TargetsResult:
    """The best network under each latency of a list.

    Attributes:
        target: the list.
        found: as a sweep over these bounds.
        networks: of the space, over all image sizes that were searched.
        seconds: of the job: reading tables and predictor, then the search.
    """

    target: Target
    found: SearchResult
    networks: int
    seconds: float

    @property
    def exit_code(self) -> int:
        """Of the command: 130 interrupted, 3 no latency can be met."""
        return self.found.exit_code

    @property
    def ratio(self) -> tuple[float, float] | None:
        """How many times as much the published evolution scores for as many targets, from and to.

        None where nothing is scored one by one, and where the search was interrupted.
        """
        if not self.found.evaluations or self.found.interrupted:
            return None
        low, high = (len(self.found.front) * n / self.found.evaluations for n in EVOLUTION)
        return low, high

    def as_json(self) -> dict[str, Any]:
        """A search's result, with the list and the effort beside it."""
        found = self.found.as_json()
        front = found.pop("front")
        return {**found, "target": self._target(), "effort": self._effort(), "front": front}

    def _target(self) -> dict[str, Any]:
        bounds = list(self.target.bounds)
        known: dict[str, Any] = {"name": self.target.name, "bounds": bounds, "unit": "ms"}
        if self.target.batch is not None:
            known |= {"batch": self.target.batch}
        return known | ({} if self.target.name is None else {"kind": "published", "source": SOURCE})

    def _effort(self) -> dict[str, Any]:
        ratio, targets = self.ratio, len(self.found.front)
        return {
            "networks": self.networks,
            "evaluations": self.found.evaluations,
            "seconds": round(self.seconds, 4),
            "published_evolution": {
                "evaluations": [targets * n for n in EVOLUTION],
                "a_target": list(EVOLUTION),
                "kind": "published",
                "source": f"{SOURCE}: P = 100, N = 500, one search a target",
            },
            "ratio": None if ratio is None else [round(r, 1) for r in ratio],
        }

    def as_rows(self) -> list[dict[str, Any]]:
        """Of front.csv."""
        return self.found.as_rows()

    def as_tables(self) -> list[Row]:
        """For the terminal: what was found, and what it took."""
        targets = len(self.found.front)
        low, high = (targets * n for n in EVOLUTION)
        rows = [
            ("here", f"{self.found.evaluations:,}", f"{self.seconds:.3g}"),
            ("published evolution (P = 100, N = 500)", f"{low:,} to {high:,}", ""),
        ]
        if self.ratio is not None:
            few, many = self.ratio
            rows.append(("times as many, published", f"{few:,.3g} to {many:,.3g}", ""))
        title = f"networks scored one by one for {targets} targets"
        return [*self.found.as_tables(), (title, ("", "evaluations", "seconds\nin all"), rows)]


def as_published(found: SearchResult) -> str:
    """CSV of model (the architecture), accuracy (percent) and latency (ms), a row a target.

    A target that no network meets has no row.
    """
    rows = []
    for item in found.items:
        accuracy = None if item.accuracy is None else item.accuracy.value
        latency = None if found.swept is None else item.costs[found.swept].value
        model = json.dumps(item.arch.as_dict())
        rows.append({"model": model, "accuracy": accuracy, "latency": latency})
    return runs.as_csv(rows) if rows else "model,accuracy,latency\n"
