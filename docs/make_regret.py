"""Plays every policy on every trace that ships; writes the tables into docs/dynamic_ofa.md.

``python docs/make_regret.py``: a minute or less, the same on every machine. The levels are the
published figures in docs/data/nets_6_levels.json; nothing is measured, everything computed.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dynamic_ofa.levels.table import Accuracy, Latency, LevelRow, LevelTable, WeightsOf, write_table
from dynamic_ofa.simulating.constructing import constructed
from dynamic_ofa.simulating.job import run_simulate
from dynamic_ofa.simulating.options import SimulateOptions
from dynamic_ofa.simulating.result import Run, SimulateResult
from ofa_plugins_core import Host
from ofa_plugins_core.entries import JobContext

HERE = Path(__file__).parent
PAGE = HERE / "dynamic_ofa.md"
LEVELS = HERE / "data" / "nets_6_levels.json"
LIMIT, JITTER = "60 ms", 0.1
POLICIES: dict[str, tuple[str, dict[str, Any]]] = {
    "`dynamic_ofa`": ("dynamic_ofa", {}),
    "`dynamic_ofa`, commit off": ("dynamic_ofa", {"commit": False}),
    "`greedy`": ("greedy", {}),
    "`hysteresis`": ("hysteresis", {}),
}
"""How the page calls it -> policy and settings."""


def level_table(path: Path) -> Path:
    """The published figures as a table in a file; it has no statistics, so it cannot be run."""
    found = json.loads(LEVELS.read_text())
    rows = [
        LevelRow(
            arch={},
            accuracy=Accuracy(value=accuracy, kind=found["kind"]),
            latency=Latency(value=latency, kind=found["kind"]),
        )
        for accuracy, latency in found["levels"]
    ]
    write_table(
        path,
        LevelTable(
            supernet=found["supernet"],
            classes=1000,
            weights=WeightsOf(kind="unknown"),
            device={"about": found["source"]},
            levels=tuple(rows),
        ),
    )
    return path


def simulated(host: Host, table: Path, trace: str, label: str, jitter: float) -> Run:
    """One policy on one trace."""
    policy, given = POLICIES[label]
    context = JobContext(host, settings={policy: given})
    options = SimulateOptions(
        levels=str(table), policy=policy, limit=LIMIT, trace=trace, jitter=jitter, plot=False
    )
    result = run_simulate(context, options)
    assert isinstance(result, SimulateResult)
    return result.simulated


def regrets(host: Host, table: Path) -> Iterator[str]:
    """The rows of the table of regrets."""
    yield "| trace | policy | value % | regret | late % | settled late % | accuracy % | switches |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for trace in constructed():
        for label in POLICIES:
            still = simulated(host, table, trace.name, label, 0.0)
            yield _row(trace.name, label, simulated(host, table, trace.name, label, JITTER), still)


def _row(trace: str, label: str, noisy: Run, still: Run) -> str:
    """With noise, and without it in brackets."""
    a, b = noisy.scores, still.scores
    cells = [
        trace,
        label,
        f"{a.value:.2f} ({b.value:.2f})",
        f"{noisy.optimum.regret:.2f} ({still.optimum.regret:.2f})",
        f"{100 * a.late:.1f} ({100 * b.late:.1f})",
        f"{_share(a.settled_late)} ({_share(b.settled_late)})",
        f"{a.accuracy:.2f} ({b.accuracy:.2f})",
        f"{a.switches} ({b.switches})",
    ]
    return f"| {' | '.join(cells)} |"


def _share(value: float | None) -> str:
    return "?" if value is None else f"{100 * value:.1f}"


def traces() -> Iterator[str]:
    """The rows of the list of traces."""
    yield "| trace | s | what happens |"
    yield "| --- | ---: | --- |"
    for trace in constructed():
        yield f"| `{trace.name}` | {trace.duration_s:g} | {trace.about} |"


def page(text: str) -> str:
    """The page with its tables made anew."""
    with tempfile.TemporaryDirectory() as folder:
        table = level_table(Path(folder) / "nets_6.zip")
        parts = {"traces": traces(), "regret": regrets(Host.discover(), table)}
        for name, lines in parts.items():
            made = "\n".join(lines)
            marked = f"<!-- {name} -->\n\n{made}\n\n<!-- end of {name} -->"
            pattern = rf"<!-- {name} -->\n.*?<!-- end of {name} -->"
            text, count = re.subn(pattern, lambda _, m=marked: m, text, flags=re.DOTALL)
            assert count == 1, f"{PAGE} has {count} places for {name}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
