"""Claims about the run-time rules, replayed on constructed traces: nothing is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Final

from dynamic_ofa.claims.figures import GPU
from dynamic_ofa.claims.offline import levels_of
from dynamic_ofa.governing import Governor
from dynamic_ofa.policies.options import PublishedOptions
from dynamic_ofa.policies.published import Published
from dynamic_ofa.quantities import read_limits
from dynamic_ofa.simulating.conditions import conditions_of
from dynamic_ofa.simulating.shipped import find_trace
from dynamic_ofa.simulating.simulator import Pace, Played, play
from dynamic_ofa.traces import Moment, Trace
from ofa_plugins_core import Checked, Comparison, JobContext
from ofa_plugins_core.interfaces import Level

START: Final = 3
"""The demo's first level, counted from 0."""
LIMIT_MS: Final = 60.0
DEMO: Final = (77.5, 76.1, 74.9)
"""Percent, level after level."""
LOAD: Final = 1.25
"""Times as long an inference takes under the constructed load."""
BEGINS_S: Final = 2.5
"""When the second job starts, as published."""
LIMITS_MS: Final = (50.0, 60.0, 70.0, 80.0)
LOADS: Final = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5)
"""At which a run has to settle; the figure's levels take 48.8 to 79.5 ms by themselves."""
LONG_S: Final = 60.0
EDGE: Final = 1e-4
"""To which edges of the load are found."""


def demo(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The published rules on the published table, under a load that we constructed."""
    levels = levels_of(files["nets_6"], "nets_6").policy_levels()
    played = run(levels, find_trace("demo"), LIMIT_MS)
    sequence = sequence_of(played)
    accuracies = [levels[level].accuracy for level in sequence]
    judged = [Comparison("levels, one after another", _listed(sequence), "3, 2, 1")]
    for number, published in enumerate(DEMO):
        found = accuracies[number] if number < len(accuracies) else None
        what = f"top-1 of level {START - number}"
        judged.append(Comparison(what, found, published, "%", "published", "shown"))
    edges = (("from", 2, 1.1, LOAD), ("to", 1, LOAD, 1.5))
    shown = [
        Comparison(
            f"so it ends {word} a load of",
            round(edge_of(levels, level, low, high), 3),
            None,
            "×",
            relation="shown",
        )
        for word, level, low, high in edges
    ]
    return Checked(
        [*judged, *shown],
        f"The demo's own trace is not published: this one is constructed, latencies × {LOAD} from "
        f"{BEGINS_S} s on. Under less load than the range shown the run ends at level 2, under "
        "more at 0. Accuracies are the table's, and shown: its 74.968 is published as 74.9.",
        "the trace and its load are ours, a load at which the published sequence comes out",
    )


def commit(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """With the commit rule, and without it, under loads that stay: many, so that none is picked."""
    levels = [Level(accuracy, latency) for accuracy, latency in GPU]
    asked = tuple(product(LIMITS_MS, LOADS))
    held, left_off = (
        [_late_switches(run(levels, steady(load), limit, commit=rule)) for limit, load in asked]
        for rule in (True, False)
    )
    what = "switches in the last half minute of a steady load, most"
    return Checked(
        [
            Comparison(f"{what}, commit rule on", max(held), None, against=0, beside="settled"),
            Comparison(f"{what}, off", max(left_off), None, relation="shown"),
            Comparison(f"of {len(asked)} loads and limits, not settled with the rule off",
                       sum(map(bool, left_off)), None, relation="shown"),
        ],
        f"The figure's six GPU levels at limits of {LIMITS_MS[0]:g} to {LIMITS_MS[-1]:g} ms, "
        f"latencies × {LOADS[0]} to {LOADS[-1]} from {BEGINS_S} s to {LONG_S:g} s: constructed. "
        "The published program has the rule's line disabled: it steps between two levels for ever.",
    )  # fmt: skip


def run(levels: Sequence[Level], trace: Trace, limit_ms: float, commit: bool = True) -> Played:
    """The published rules on a trace, from the demo's first level on."""
    policy = Published(PublishedOptions(commit=commit))
    governor = Governor(policy, levels, "dynamic_ofa", start=START)
    return play(governor, conditions_of(trace, read_limits(f"{limit_ms:g} ms")), Pace())


def steady(factor: float) -> Trace:
    """A load that begins as the demo's does, and stays for a minute."""
    moments = (Moment(time_s=0.0), Moment(time_s=BEGINS_S, factor=factor))
    return Trace(name="steady", kind="constructed", duration_s=LONG_S, moments=moments)


def sequence_of(played: Played) -> list[int]:
    """Levels, one after another."""
    return [START, *(switched.after for switched in played.switches)]


def edge_of(levels: Sequence[Level], level: int, low: float, high: float) -> float:
    """The load between ``low`` and ``high`` up to which a run ends at a level or above it."""
    while high - low > EDGE:
        middle = (low + high) / 2
        stays = sequence_of(run(levels, steady(middle), LIMIT_MS))[-1] >= level
        low, high = (middle, high) if stays else (low, middle)
    return low


def _late_switches(played: Played) -> int:
    return sum(switched.time_s > LONG_S / 2 for switched in played.switches)


def _listed(sequence: Sequence[int]) -> str:
    return ", ".join(map(str, sequence))
