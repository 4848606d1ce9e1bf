"""What ``ofa run switch`` returns: how the run went, as figures with unit and kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final, Protocol

from attrs import frozen

from dynamic_ofa.ledger import UNITS, Inference, Scores, Switched
from dynamic_ofa.levels.table import LevelTable
from dynamic_ofa.live.view import event_line
from dynamic_ofa.quantities import Limits
from ofa_plugins_core.config import plain
from ofa_plugins_core.jobs.results import INTERRUPTED, Row
from ofa_plugins_core.values import Kind, Measurement

STEADY: Final = 5
"""Inferences after the first of a stay at a level, at least, whose median is the steady latency."""
SHOWN: Final = 12
"""Events that are shown; all are in events.jsonl."""
DOUBT: Final[tuple[Kind, ...]] = ("predicted", "published", "computed", "measured")
"""Kinds of accuracy, the least sure first: a mean is of the least sure kind in it."""


class Facts(Protocol):
    """What a switcher says of itself."""

    @property
    def resident_bytes(self) -> int:
        """Of all levels, what they share counted once."""

    @property
    def largest_bytes(self) -> int:
        """Of the largest level alone."""

    @property
    def load_seconds(self) -> float:
        """Until the first inference could run."""


@frozen(kw_only=True, eq=False)
class SwitchResult:
    """A live run.

    Attributes:
        run: its folder, or None.
        table: of levels. levels: how the user named it.
        policy, device, mode, images: as the user named them. batch: images an inference.
        limits: on latency.
        scores: over all inferences. settle_s: until things count as settled, seconds.
        inferences: in the order of time. events: switches among them.
        facts: of the switcher.
        contended: (from, to) in seconds, where the second load worked; None: there was none.
        contend: its processes.
        interrupted: the user stopped it; --resume goes on.
    """

    run: Path | None
    table: LevelTable
    levels: str
    policy: str
    device: str
    mode: str
    images: str
    batch: int
    limits: Limits
    scores: Scores
    settle_s: float
    inferences: Sequence[Inference]
    events: Sequence[Switched]
    facts: Facts
    contended: tuple[float, float] | None = None
    contend: int = 0
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """130 where it was interrupted."""
        return INTERRUPTED if self.interrupted else 0

    @property
    def switches(self) -> list[Switched]:
        """Changes of level."""
        return [event for event in self.events if event.before != event.after]

    @property
    def accuracy_kind(self) -> Kind:
        """Of the levels that ran, the least sure."""
        ran = {self.table.levels[i.level].accuracy.kind for i in self.inferences}
        return next(kind for kind in DOUBT if kind in ran)

    def as_json(self) -> dict[str, Any]:
        """All but the inferences, which are in inferences.jsonl and trace.jsonl."""
        found: dict[str, Any] = {
            "run": None if self.run is None else str(self.run),
            "levels": self.levels,
            "supernet": self.table.supernet,
            "policy": self.policy,
            "device": self.device,
            "mode": self.mode,
            "images": self.images,
            "batch": self.batch,
            "limit": [{"from_s": start, "ms": limit} for start, limit in self.limits.steps],
            "settle_s": self.settle_s,
            "scores": _scores(self.scores, self.accuracy_kind),
            "by_level": self._by_level(),
            "switching": self._switching(),
            "memory": {
                "resident": _figure(self.facts.resident_bytes, "bytes"),
                "largest_level": _figure(self.facts.largest_bytes, "bytes"),
            },
            "load": _figure(self.facts.load_seconds, "s"),
            "events": [plain(event) for event in self.events],
            "interrupted": self.interrupted,
        }
        if self.contended is not None:
            start, end = self.contended
            found["contended"] = {"processes": self.contend, "from_s": start, "to_s": end}
        return found

    def _by_level(self) -> list[dict[str, Any]]:
        rows = []
        for number, (row, share) in enumerate(
            zip(self.table.levels, self.scores.shares, strict=True)
        ):
            own = [i.latency_ms for i in self.inferences if i.level == number]
            found = {
                "level": number,
                "accuracy": Measurement(row.accuracy.value, "%", row.accuracy.kind).as_dict(),
                "table_latency": Measurement(row.latency.value, "ms", row.latency.kind).as_dict(),
                "share": _figure(100 * share, "% of inferences"),
                "latency": _figure(fmean(own), "ms") if own else None,
            }
            rows.append(found)
        return rows

    def _switching(self) -> dict[str, Any]:
        """Times of switches, and the first inference after one against the steady ones."""
        took = [event.took_ms for event in self.switches if event.took_ms is not None]
        firsts = first_to_steady(self.inferences)
        found: dict[str, Any] = {"count": len(self.switches)}
        if took:
            found |= {"mean": _figure(fmean(took), "ms"), "most": _figure(max(took), "ms")}
        if firsts:
            found["first_inference"] = {
                "switches": len(firsts),
                "median": _figure(median(firsts), "of steady"),
                "most": _figure(max(firsts), "of steady"),
            }
        return found

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        title = f"{self.table.supernet} on {self.device}, levels {self.mode}"
        title += ": interrupted, --resume goes on" if self.interrupted else ""
        first = ["policy", f"{self.policy}, limit {_said(self.limits)}"]
        return [
            (
                title,
                ["", ""],
                [first, *_score_rows(self.scores, self.accuracy_kind), *self._own_rows()],
            ),
            ("by level", ["level", "accuracy", "table", "here", "share"], self._level_rows()),
            *self._event_rows(),
        ]

    def _own_rows(self) -> list[list[str]]:
        switching, rows = self._switching(), list[list[str]]()
        if "mean" in switching:
            mean, most = (switching[name]["value"] for name in ("mean", "most"))
            rows.append(["a switch", f"{mean:.2f} ms, at most {most:.2f} ms (measured)"])
        if "first_inference" in switching:
            first = switching["first_inference"]
            said = f"{first['median']['value']:.2f} times a steady one (median, measured)"
            rows.append(["first inference after it", said])
        whole, one = self.facts.resident_bytes, self.facts.largest_bytes
        said = f"{whole / 1e6:.1f} MB, {whole / one:.2f} times the largest level alone"
        return [*rows, ["resident", said]]

    def _level_rows(self) -> list[list[str]]:
        rows = []
        for found in self._by_level():
            here = "" if found["latency"] is None else f"{found['latency']['value']:.1f} ms"
            rows.append(
                [
                    str(found["level"]),
                    f"{found['accuracy']['value']:.2f} % {found['accuracy']['kind']}",
                    f"{found['table_latency']['value']:.1f} ms",
                    here,
                    f"{found['share']['value']:.1f} %",
                ]
            )
        return rows

    def _event_rows(self) -> list[Row]:
        if not self.events:
            return []
        left = len(self.events) - SHOWN
        title = "events" if left <= 0 else f"the first {SHOWN} of {len(self.events)} events"
        return [(title, [""], [[event_line(event)] for event in self.events[:SHOWN]])]


def _said(limits: Limits) -> str:
    """``60 ms, 45 ms from 10 s``."""
    first, *others = limits.steps
    return ", ".join([f"{first[1]:g} ms", *(f"{ms:g} ms from {start:g} s" for start, ms in others)])


def _figure(value: float, unit: str, kind: Kind = "measured") -> dict[str, Any]:
    return Measurement(value, unit, kind).as_dict()


def _scores(scores: Scores, accuracy: Kind) -> dict[str, Any]:
    """Figures with unit and kind; counts as they are."""
    found: dict[str, Any] = plain(scores)
    for name, unit in UNITS.items():
        kind = accuracy if name in ("accuracy", "value") else "measured"
        found[name] = None if found[name] is None else _figure(found[name], unit, kind)
    return found


def _score_rows(scores: Scores, accuracy: Kind) -> list[list[str]]:
    """Scores for the terminal: name and text."""
    settled = scores.settled_late
    rows = [
        ["inferences", f"{scores.inferences:,} in {scores.seconds:.1f} s"],
        ["latency", f"{scores.latency_ms:.1f} ms, mean"],
        ["late", f"{100 * scores.late:.1f} % of inferences"],
        ["late, when settled", "nothing settled" if settled is None else f"{100 * settled:.1f} %"],
        ["accuracy", f"{scores.accuracy:.2f} % {accuracy}, mean of inferences"],
        ["value", f"{scores.value:.2f} %: the same, late ones counting 0"],
        ["switches", f"{scores.switches:,}"],
    ]
    if scores.energy_mj is not None:
        rows.append(["energy", f"{scores.energy_mj:.1f} mJ an inference"])
    return rows


def first_to_steady(inferences: Sequence[Inference]) -> list[float]:
    """Of each stay at a level but the first: its first latency over the median of the next ones.

    Stays too short to have a steady latency are left out.
    """
    stays: list[list[float]] = []
    level: int | None = None
    for inference in inferences:
        if inference.level != level:
            stays.append([])
            level = inference.level
        stays[-1].append(inference.latency_ms)
    return [stay[0] / median(stay[1:]) for stay in stays[1:] if len(stay) > STEADY]
