"""What ``ofa run levels`` returns: candidates, the front of them, and the levels chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen

from dynamic_ofa.levels.choosing import Point
from dynamic_ofa.levels.table import Accuracy, Latency, LevelTable
from ofa_plugins_core.jobs.frontfiles import Candidate
from ofa_plugins_core.jobs.results import INTERRUPTED, Row, number
from ofa_plugins_core.values import Measurement
from ofa_plugins_core.words import counted


@frozen(eq=False)
class Measured:
    """A candidate, what was predicted of it and what was measured, apart.

    Attributes:
        candidate: as it was found; its accuracy and costs are what the search had promised.
        latency: measured; None: not yet.
        accuracy: measured; None: not yet, or the prediction has to do.
    """

    candidate: Candidate
    latency: Latency | None = None
    accuracy: Accuracy | None = None

    @property
    def judged(self) -> Accuracy | None:
        """The accuracy that counts: measured, else as predicted."""
        found = self.candidate.accuracy
        if self.accuracy is not None or found is None:
            return self.accuracy
        return Accuracy(
            value=float(found["value"]),
            kind=found["kind"],
            source=found.get("source"),
            low=found.get("low"),
            high=found.get("high"),
        )

    @property
    def point(self) -> Point:
        """(accuracy %, ms); both are known."""
        judged = self.judged
        assert judged is not None and self.latency is not None
        return judged.value, self.latency.value

    def as_json(self) -> dict[str, Any]:
        """Predicted and measured apart."""
        predicted = {n: dict(m) for n, m in self.candidate.costs.items()}
        if self.candidate.accuracy is not None:
            predicted = {"accuracy": dict(self.candidate.accuracy), **predicted}
        measured = {
            "latency": None if self.latency is None else _ms(self.latency),
            "accuracy": None if self.accuracy is None else _percent(self.accuracy),
        }
        return {
            "arch": self.candidate.arch.as_dict(),
            "predicted": predicted,
            "measured": {k: v for k, v in measured.items() if v is not None},
        }


def _ms(found: Latency) -> dict[str, Any]:
    said = Measurement(found.value, "ms", found.kind, None, found.low, found.high).as_dict()
    return {**said, "count": found.count}


def _percent(found: Accuracy) -> dict[str, Any]:
    return Measurement(found.value, "%", found.kind, found.source, found.low, found.high).as_dict()


@frozen(eq=False)
class LevelsResult:
    """A level table, made or read.

    Attributes:
        run: its folder, or None. path: of the table, or None.
        table: None where it was interrupted.
        candidates: in the order in which they were found; () of a published table.
        front: numbers of the candidates on it, from fast to slow.
        chosen: numbers of the candidates that are the levels.
        origin: of the candidates. searched: how, where they were.
        seconds: of measuring.
        interrupted: the user stopped it; --resume goes on.
        plot: the picture, or None.
    """

    run: Path | None
    table: LevelTable | None
    candidates: Sequence[Measured] = ()
    front: Sequence[int] = ()
    chosen: Sequence[int] = ()
    origin: str = ""
    searched: Mapping[str, Any] | None = field(default=None)
    seconds: float = 0.0
    interrupted: bool = False
    path: Path | None = None
    plot: Path | None = None

    @property
    def exit_code(self) -> int:
        """130 where it was interrupted."""
        return INTERRUPTED if self.interrupted else 0

    def as_json(self) -> dict[str, Any]:
        """Everything but the statistics, which are in the table."""
        found: dict[str, Any] = {
            "run": None if self.run is None else str(self.run),
            "table": None if self.path is None else str(self.path),
            "plot": None if self.plot is None else str(self.plot),
            "candidates_from": self.origin,
            "searched": None if self.searched is None else dict(self.searched),
            "seconds": round(self.seconds, 3),
            "interrupted": self.interrupted,
            "candidates": [self._candidate(n) for n in range(len(self.candidates))],
        }
        return found if self.table is None else {**found, **_table_json(self.table)}

    def _candidate(self, index: int) -> dict[str, Any]:
        level = self.chosen.index(index) if index in self.chosen else None
        about = {"front": index in self.front, "level": level}
        return {"number": index, **self.candidates[index].as_json(), **about}

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        if self.table is None:
            done = sum(m.latency is not None for m in self.candidates)
            of = counted(len(self.candidates), "candidate")
            return [(f"interrupted: {done} of {of} timed; --resume goes on", (), ())]
        shown = [_levels_table(self.table)]
        if self.candidates:
            shown.insert(0, self._candidates_table())
        return shown

    def _candidates_table(self) -> Row:
        """What was promised beside what was measured."""
        names = list(self.candidates[0].candidate.costs)
        columns = ["", *names, "accuracy %", "ms, measured", "", "level"]
        rows = []
        for index, one in enumerate(self.candidates):
            costs = [number(one.candidate.costs[n]["value"]) for n in names]
            level = str(self.chosen.index(index)) if index in self.chosen else ""
            front = "front" if index in self.front else ""
            ms = "" if one.latency is None else _said(one.latency)
            rows.append([str(index), *costs, _said_accuracy(one.judged), ms, front, level])
        return (f"{counted(len(self.candidates), 'candidate')}, {self.origin}", columns, rows)


def _said(found: Latency) -> str:
    if found.low is None or found.high is None:
        return f"{found.value:.4g}"
    return f"{found.value:.4g} ({found.low:.4g} to {found.high:.4g})"


def _said_accuracy(found: Accuracy | None) -> str:
    return "" if found is None else f"{found.value:.2f} {found.kind}"


def _levels_table(table: LevelTable) -> Row:
    rows = []
    for index, row in enumerate(table.levels):
        norms = "none" if row.statistics is None else _norms(row.calibrated)
        cells = [str(index), _said_accuracy(row.accuracy), f"{_said(row.latency)} "]
        cells[-1] += row.latency.kind
        rows.append([*cells, str(row.arch.get("image_size", "")), norms])
    where = ", ".join(w for w in (table.device.get("device", ""), table.mode) if w)
    title = f"{counted(len(table.levels), 'level')} of {table.supernet} on {where}"
    columns = ["level", "accuracy %", "ms (middle 80 %)", "px", "batch norm"]
    return (title, columns, rows)


def _norms(images: int) -> str:
    return f"of {counted(images, 'image')}" if images else "the weights' own"


def _table_json(table: LevelTable) -> dict[str, Any]:
    return {
        "supernet": table.supernet,
        "classes": table.classes,
        "weights": {
            "kind": table.weights.kind,
            "sha256": table.weights.sha256,
            "source": table.weights.source,
        },
        "device": dict(table.device),
        "mode": table.mode,
        "levels": [
            {
                "arch": dict(row.arch),
                "accuracy": _percent(row.accuracy),
                "latency": _ms(row.latency),
                "calibrated": row.calibrated,
                "statistics": row.statistics is not None,
            }
            for row in table.levels
        ],
    }


@frozen(eq=False)
class PointsResult:
    """Points that others measured, filtered.

    Attributes:
        run: the folder, or None. source: the file. about: what it says of itself.
        cost: name of the second axis.
        points: (accuracy %, cost). front: numbers of those that the published filter keeps.
        chosen: of those, so many as were asked for, spread evenly.
        plot: the picture, or None.
    """

    run: Path | None
    source: str
    about: str
    cost: str
    points: Sequence[Point]
    front: Sequence[int]
    chosen: Sequence[int]
    plot: Path | None = None

    most_rows = 100

    def as_json(self) -> dict[str, Any]:
        """Every point, and which stay."""
        return {
            "run": None if self.run is None else str(self.run),
            "plot": None if self.plot is None else str(self.plot),
            "source": self.source,
            "about": self.about,
            "cost": self.cost,
            "kind": "published",
            "points": [list(p) for p in self.points],
            "kept": len(self.front),
            "front": [list(self.points[n]) for n in self.front],
            "levels": [list(self.points[n]) for n in self.chosen],
        }

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        rows = [
            [f"{self.points[n][0]:.3f}", number(self.points[n][1]), "x" if n in self.chosen else ""]
            for n in self.front
        ]
        title = f"{len(self.front)} of {counted(len(self.points), 'point')} stay · {self.source}"
        return [(title, ["accuracy %", self.cost, "chosen"], rows)]
