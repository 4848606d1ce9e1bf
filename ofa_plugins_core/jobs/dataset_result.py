"""What ``ofa run dataset`` returns: how many networks were measured, range by range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from attrs import frozen

from ofa_plugins_core.jobs.dataset_draw import Drawn
from ofa_plugins_core.jobs.results import INTERRUPTED, Row, number


@frozen(eq=False)
class DatasetResult:
    """Predictor data.

    Attributes:
        run: its folder.
        about: supernet, weights, data, device: what all networks share.
        drawn: the networks.
        records: of those that are measured, in the order of the draw.
        seconds: that measuring took now; what an earlier run has done is not in it.
        file: with all records.
    """

    run: Path
    about: Mapping[str, Any]
    drawn: Drawn
    records: Sequence[Mapping[str, Any]]
    seconds: float
    file: Path

    @property
    def interrupted(self) -> bool:
        """Fewer were measured than drawn."""
        return len(self.records) < len(self.drawn.archs)

    @property
    def exit_code(self) -> int:
        """Of the command."""
        return INTERRUPTED if self.interrupted else 0

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it and result.json holds it."""
        found: dict[str, Any] = {"run": str(self.run), **self.about}
        if self.interrupted:
            found["interrupted"] = True
        found |= {"asked": self.drawn.asked, "networks": len(self.drawn.archs)}
        found["evaluations"] = len(self.records)
        found["seconds"] = round(self.seconds, 3)
        if ranges := self.ranges():
            cost = self.drawn.balance
            found["balanced"] = {"cost": cost, "unit": self._unit(), "ranges": ranges}
        found["resolutions"] = self.sizes()
        return {**found, "files": [str(self.file)]}

    def _unit(self) -> str:
        return "" if self.drawn.balance is None else self.drawn.units[self.drawn.balance]

    def ranges(self) -> list[dict[str, Any]]:
        """Of the cost that was balanced: ends, networks, measured ones, their top-1."""
        if self.drawn.balance is None:
            return []
        edges = self.drawn.edges.tolist()
        places = [self.drawn.range_of(i) for i in range(len(self.drawn.archs))]
        measured = {r["number"] - 1: r["top1"] for r in self.records}
        found = []
        for place, (low, high) in enumerate(pairwise(edges)):
            here = [i for i, p in enumerate(places) if p == place]
            done = [measured[i] for i in here if i in measured]
            row: dict[str, Any] = {"low": low, "high": high, "networks": len(here)}
            row["measured"] = len(done)
            found.append({**row, "top1": [min(done), max(done)] if done else None})
        return found

    def sizes(self) -> dict[str, int]:
        """Image size -> measured networks."""
        sizes = [r["arch"]["image_size"] for r in self.records]
        return {str(size): sizes.count(size) for size in sorted(set(sizes))}

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        tables = [self._ranges_table()] if self.drawn.balance is not None else []
        rows = [[size, f"{count:,}"] for size, count in self.sizes().items()]
        title = "" if tables else self._title()
        return [*tables, (title, ["image size", "measured"], rows), self._next()]

    def _ranges_table(self) -> Row:
        rows = [
            [
                f"{number(round(r['low']))} to {number(round(r['high']))}",
                f"{r['networks']:,}",
                f"{r['measured']:,}",
                "" if r["top1"] is None else f"{r['top1'][0]:.2f} to {r['top1'][1]:.2f}",
            ]
            for r in self.ranges()
        ]
        heading = f"{self.drawn.balance}\n{self._unit()}"
        return (self._title(), [heading, "networks", "measured", "top-1\n%"], rows)

    def _title(self) -> str:
        said = self.about
        lines = [f"{said['supernet']} · weights: {said['weights']} · {said['data']}"]
        lines.append(f"{len(self.records):,} of {len(self.drawn.archs):,} networks measured")
        if said["untrained"]:
            lines.append("untrained weights: top-1 means nothing")
        if self.interrupted:
            lines.append("interrupted: --resume goes on")
        return "\n".join(lines)

    def _next(self) -> Row:
        fit = f"ofa run fit --supernet {self.about['supernet']} --data {self.run} --install"
        return ("", ["written", "next"], [[str(self.file), f"{fit} --dataset NAME"]])
