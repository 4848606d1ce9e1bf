"""A table by hand: a folder to copy to a board that no ssh reaches, and its answers as a recording.

What is measured is fixed beforehand: the same rows and networks as ``ofa run lut`` measures, in
the same kind of turns, each with as many passes. Its answers are played back by ``ofa run lut``,
which decides what counts, as ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import frozen

from devices_jetson.device import load_request
from devices_jetson.options import JetsonOptions
from devices_jetson.transport import script
from ofa_plugins_core import runs
from ofa_plugins_core.interfaces import Work
from ofa_plugins_core.jobs.lut.kept import KINDS
from ofa_plugins_core.jobs.lut.measuring import (
    PILOT,
    Plan,
    reference_network,
    reference_turns,
    turns_of,
)
from ofa_plugins_core.words import counted

SCRIPT: Final = "ofa_board.py"
REQUESTS: Final = "requests.jsonl"
ANSWERS: Final = "answers.jsonl"
REFERENCE: Final = "reference"
"""The network that takes a turn in every round; see ``timing.measure``."""


def requests(
    plan: Plan, options: JetsonOptions, generator: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """What the board is asked, in order; in the power mode that it is in.

    Args:
        plan: what is measured; ``effort.most`` passes each.
        options: processor, data type, threads, whether clocks are locked.
        generator: draws the order of each round.
    """
    yield {"do": "hello"}
    if options.lock_clocks:
        yield {"do": "lock"}
    beside = Work(plan.supernet.geometry().blocks(reference_network(plan.supernet)), plan.batch)
    yield {"do": "load", "work": REFERENCE, **load_request(beside, options)}
    loaded = 0
    for turn in turns_of(plan, dict.fromkeys(KINDS, ())):
        works = list(turn.works.values())
        names = [f"w{loaded + i}" for i in range(len(works))]
        loaded += len(works)
        for name, work in zip(names, works, strict=True):
            yield {"do": "load", "work": name, **load_request(work, options)}
        yield from _turns(names, reference_turns(turn.kind, len(works)), plan, generator)
        yield from ({"do": "release", "work": name} for name in names)
    yield {"do": "restore"}


def _turns(
    names: Sequence[str], turns: int, plan: Plan, generator: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Warm-up, then rounds with so many turns of the reference.

    Clocks and temperatures are asked once for each work, by its name, in the last round.
    """
    for name in names:
        yield {"do": "time", "work": name, "passes": PILOT + plan.effort.warmup}
    yield {"do": "time", "work": REFERENCE, "passes": plan.effort.warmup}
    every = [*names, *[REFERENCE] * turns]
    for left in reversed(range(plan.effort.most)):
        for index in generator.permutation(len(every)):
            yield {"do": "time", "work": every[index], "passes": 1}
            if not left and every[index] != REFERENCE:
                yield {"do": "conditions", "work": every[index]}


@frozen
class Packed:
    """A folder that was written.

    Attributes:
        folder: with script and requests. device: by name.
        rows, networks: that are measured. requests: lines.
        play: the command that turns the answers into a table.
    """

    folder: Path
    device: str
    rows: int
    networks: int
    requests: int
    play: str

    @property
    def steps(self) -> list[str]:
        """What to do with it."""
        return [
            f"copy {self.folder / SCRIPT} and {self.folder / REQUESTS} to the board",
            "set its power mode there, by its name: sudo nvpmodel -q shows the present one, "
            "grep POWER_MODEL /etc/nvpmodel.conf the number of each name on that board, "
            "sudo nvpmodel -m NUMBER sets it",
            f"python3 {SCRIPT} --requests {REQUESTS} --answers {ANSWERS}"
            "   (as root, or where sudo asks for no password; interrupted, the same goes on)",
            f"copy {ANSWERS} back, and here: {self.play}",
        ]

    def as_json(self) -> dict[str, Any]:
        """What is in it, and what to do."""
        return {
            "folder": str(self.folder),
            "device": self.device,
            "rows": self.rows,
            "networks": self.networks,
            "requests": self.requests,
            "steps": self.steps,
        }

    def as_tables(self) -> list[Any]:
        """The steps."""
        held = counted(self.rows, "row"), counted(self.networks, "network")
        title = f"{' and '.join(held)}, {counted(self.requests, 'request')}"
        return [(title, ["", "by hand"], [[str(n), s] for n, s in enumerate(self.steps, 1)])]


def pack(
    folder: Path,
    plan: Plan,
    options: JetsonOptions,
    generator: np.random.Generator,
    device: str,
    play: str,
) -> Packed:
    """Write the script and its requests.

    Args:
        device: name. play: see ``Packed``.

    Raises:
        InputError: they cannot be written.
    """
    count = 0
    runs.write(folder / SCRIPT, script())
    with runs.placed(folder / REQUESTS) as beside, beside.open("w", encoding="utf-8") as file:
        for count, request in enumerate(requests(plan, options, generator), 1):
            file.write(json.dumps({"n": count, **request}) + "\n")
    return Packed(folder, device, len(plan.rows.blocks), len(plan.archs), count, play)
