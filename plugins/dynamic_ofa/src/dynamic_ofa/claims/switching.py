"""The claim about switching, measured here; torch is loaded to measure it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import frozen

from ofa_plugins_core import Checked, Comparison, JobContext
from ofa_plugins_core.jobs.networks import needs_torch

if TYPE_CHECKING:
    from dynamic_ofa.switching.ways import Mode

TABLE: Final = "moofa_v3"
"""Of levels; ships, with synthetic weights."""
MODES: Final[tuple[Mode, ...]] = ("resident", "in_place")
ROUNDS: Final = 2
SWITCH_MS: Final = 24_000.0
"""The quickest published switch: a process ends, another begins."""
FIRST_MS: Final = 5_000.0
"""The quickest published first inference after one."""


@frozen
class Times:
    """Milliseconds: the slowest switch, the slowest first inference after one, the loading."""

    switch: float
    first: float
    load: float


def switch(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Each level in turn, in both ways of switching.

    Raises:
        MissingExtraError: torch is not installed.
        UnknownNameError: no plugin offers the table's supernet.
    """
    needs_torch("switching")
    return Checked(
        [row for mode in MODES for row in _rows(mode, times(context, TABLE, mode))],
        f"This machine's processor, one thread, the six levels of the table {TABLE} on synthetic "
        "weights; published: a Jetson Xavier NX, another process for each switch, 24 to 85 s, its "
        "first inference 5 to 30 s. The machines differ; that no process is started is the point.",
    )


def times(context: JobContext, table: str, mode: Mode) -> Times:
    """Some switches to each level, each with the inference after it."""
    import torch

    from dynamic_ofa.switching.switcher import Switcher

    switches, firsts = [], []
    with Switcher(table, mode=mode, host=context.host, threads=1, start=0) as net:
        images = {size: torch.zeros(1, 3, size, size) for size in net.sizes}
        for _ in range(ROUNDS):
            for level in (*range(1, len(net.levels)), 0):
                switches.append(net.switch(level))
                firsts.append(net.run(images.__getitem__).latency_ms)
        load = 1000 * net.facts().load_seconds
    return Times(max(switches), max(firsts), load)


def _rows(mode: Mode, found: Times) -> list[Comparison]:
    """Judged against the quickest published ones."""
    name = mode.replace("_", " ")
    judged = [
        ("a switch, slowest", found.switch, SWITCH_MS),
        ("first inference after it, slowest", found.first, FIRST_MS),
    ]
    return [
        *(
            Comparison(f"{name}: {what}", mine, theirs, "ms", "measured", "at most")
            for what, mine, theirs in judged
        ),
        Comparison(f"{name}: loading, once", found.load, None, "ms", "measured", "shown"),
    ]
