"""What ``ofa run simulate`` returns: a policy's run beside what was possible, or several runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from attrs import frozen

from dynamic_ofa.ledger import UNITS, Inference, Scores, Switched
from dynamic_ofa.reach import Wish
from dynamic_ofa.simulating.optimum import Optimum
from dynamic_ofa.simulating.simulator import Played
from ofa_plugins_core.config import plain
from ofa_plugins_core.interfaces import Level
from ofa_plugins_core.jobs.results import Row


@frozen(eq=False, kw_only=True)
class Setting:
    """What all runs of a simulation share.

    Attributes:
        run: the folder, or None.
        about: table, supernet, device, trace, pace: as result.json says them.
        levels: from fast to slow. notes: what the levels or the limits cannot do.
    """

    run: Path | None
    about: Mapping[str, Any]
    levels: Sequence[Level]
    notes: Sequence[str] = ()

    def as_json(self) -> dict[str, Any]:
        """The first part of result.json."""
        return {
            "run": None if self.run is None else str(self.run),
            **self.about,
            "notes": list(self.notes),
        }

    @property
    def title(self) -> str:
        """For tables."""
        trace = self.about["trace"]
        return f"trace {trace['name']} ({trace['kind']}, {trace['duration_s']:g} s)"


@frozen(eq=False, kw_only=True)
class Run:
    """One policy on the trace.

    Attributes:
        policy: by name. start: number of its first level.
        played: its inferences and switches. scores: theirs.
        optimum: the best levels in hindsight for the same images. possible: their scores.
        wish: an accuracy that it was to reach, where it takes one.
    """

    policy: str
    start: int
    played: Played
    scores: Scores
    optimum: Optimum
    possible: Scores
    wish: Wish | None = None

    @property
    def sequence(self) -> list[int]:
        """Numbers of the levels in the order in which inferences ran at them."""
        ran = [i.level for i in self.played.inferences]
        return [ran[0], *(b for a, b in pairwise(ran) if a != b)]

    def as_json(self) -> dict[str, Any]:
        """Every figure was computed from the table's and the trace's."""
        found: dict[str, Any] = {
            "policy": self.policy,
            "start": self.start,
            "sequence": self.sequence,
            "scores": scores_as_json(self.scores),
            "optimum": scores_as_json(self.possible),
            "regret": _figure(self.optimum.regret, "percentage points"),
            "switches": plain(list(self.played.switches)),
        }
        return found if self.wish is None else {**found, "wish": self.wish.as_json()}


@frozen(eq=False)
class SimulateResult:
    """One policy on one trace."""

    setting: Setting
    simulated: Run

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it and result.json holds it."""
        return {**self.setting.as_json(), **self.simulated.as_json()}

    def as_rows(self) -> list[dict[str, Any]]:
        """An inference a row, for front.csv."""
        pairs = zip(
            self.simulated.played.inferences, self.simulated.optimum.inferences, strict=True
        )
        return [_row(seen, best) for seen, best in pairs]

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        run, levels = self.simulated, self.setting.levels
        title = (
            f"policy {run.policy} · {self.setting.title}\n(computed; optimum: the best levels in "
            "hindsight for the same images)\n"
            f"regret: {run.optimum.regret:.2f} points of value below the optimum"
        )
        tables = [
            (title, ["", run.policy, "optimum"], list(_compared(run.scores, run.possible))),
            _levels_table(run, levels),
        ]
        return [*tables, _switches_table(run.played.switches)] if run.played.switches else tables


@frozen(eq=False)
class Comparison:
    """Several policies on one trace."""

    setting: Setting
    simulated: Sequence[Run]

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it and result.json holds it."""
        return {**self.setting.as_json(), "policies": [run.as_json() for run in self.simulated]}

    def as_rows(self) -> list[dict[str, Any]]:
        """A policy a row, for front.csv."""
        return [
            {
                "policy": run.policy,
                **{k: v for k, v in plain(run.scores).items() if k != "shares"},
                "optimum_value": run.possible.value,
                "regret": run.optimum.regret,
            }
            for run in self.simulated
        ]

    def as_tables(self) -> list[Row]:
        """For the terminal; the best value first."""
        columns = ["policy", "value\n%", "regret\npoints", "late\n%", "settled\nlate %"]
        columns += ["accuracy\n%", "latency\nms", "switches", "levels"]
        best = sorted(self.simulated, key=lambda run: -run.scores.value)
        return [(f"{self.setting.title}, computed", columns, [_policy_row(run) for run in best])]


def scores_as_json(scores: Scores) -> dict[str, Any]:
    """Figures with unit and kind; counts as they are."""
    found = plain(scores)
    return {
        name: _figure(value, UNITS[name]) if name in UNITS and value is not None else value
        for name, value in found.items()
    }


def _figure(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "kind": "computed"}


def _row(seen: Inference, best: Inference) -> dict[str, Any]:
    found = {"time_s": seen.time_s, "level": seen.level, "latency_ms": seen.latency_ms}
    found |= {"limit_ms": seen.limit_ms, "late": seen.late, "best_level": best.level}
    return {**found, **seen.readings}


def _compared(scores: Scores, possible: Scores) -> Iterator[list[str]]:
    """Rows: what, the policy's, the optimum's."""
    both = scores, possible
    yield ["inferences", *(f"{s.inferences:,}" for s in both)]
    yield ["value: accuracy, 0 where late (%)", *(f"{s.value:.2f}" for s in both)]
    yield ["late (%)", *(_percent(s.late) for s in both)]
    yield ["late once settled (%)", *(_percent(s.settled_late) for s in both)]
    yield ["mean accuracy (%)", *(f"{s.accuracy:.2f}" for s in both)]
    yield ["mean latency (ms)", *(f"{s.latency_ms:.2f}" for s in both)]
    yield ["switches", *(f"{s.switches:,}" for s in both)]
    if scores.energy_mj is not None and possible.energy_mj is not None:
        yield ["mean energy (mJ)", f"{scores.energy_mj:.4g}", f"{possible.energy_mj:.4g}"]


def _percent(share: float | None) -> str:
    return "?" if share is None else f"{100 * share:.2f}"


def _levels_table(run: Run, levels: Sequence[Level]) -> Row:
    rows = [
        [str(n), f"{level.accuracy:.2f}", f"{level.latency:.4g}", _percent(own), _percent(best)]
        for n, (level, own, best) in enumerate(
            zip(levels, run.scores.shares, run.possible.shares, strict=True)
        )
    ]
    columns = ["level", "accuracy\n%", "latency\nms", "inferences\n%", "optimum's\n%"]
    return ("levels, as the table has them", columns, rows)


def _switches_table(switches: Sequence[Switched]) -> Row:
    rows = [
        [
            f"{s.time_s:.2f}",
            f"{s.before} → {s.after}",
            f"{s.latency_before_ms:.4g}",
            "?" if s.latency_after_ms is None else f"{s.latency_after_ms:.4g}",
            _percent(s.late_share),
            s.reason,
        ]
        for s in switches
    ]
    columns = ["s", "level", "ms\nbefore", "ms\nafter", "late so\nfar %", "because"]
    return ("switches", columns, rows)


def _policy_row(run: Run) -> list[str]:
    s, ways = run.scores, [str(n) for n in run.sequence]
    shown = " ".join(ways if len(ways) <= 9 else [*ways[:5], "…", *ways[-3:]])
    return [
        run.policy,
        f"{s.value:.2f}",
        f"{run.optimum.regret:.2f}",
        _percent(s.late),
        _percent(s.settled_late),
        f"{s.accuracy:.2f}",
        f"{s.latency_ms:.2f}",
        f"{s.switches:,}",
        shown,
    ]
