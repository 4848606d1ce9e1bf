"""The claim about switching: answers are checked, times measured; torch is loaded to do it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from ofa_plugins_core import Checked, Comparison, JobContext
from ofa_plugins_core.jobs.networks import needs_torch

if TYPE_CHECKING:
    from dynamic_ofa.switching.ways import Mode

TABLE: Final = "moofa_v3"
"""Of levels; ships, with synthetic weights."""
MODES: Final[tuple[Mode, ...]] = ("resident", "in_place")
ROUNDS: Final = 2
ROUNDING: Final = 1e-4
"""Share of the largest logit by which sums in float32 may be off."""
SWITCH_MS: Final = 24_000.0
"""The quickest published switch: a process ends, another begins."""
FIRST_MS: Final = 5_000.0
"""The quickest published first inference after one."""


@frozen(eq=False)
class Answers:
    """Of each level, an image and what a network extracted for that level alone says of it.

    Attributes:
        images: tensors (1, 3, size, size). logits: tensors (1, classes).
    """

    images: Sequence[Any]
    logits: Sequence[Any]

    def off(self, level: int, logits: Any) -> float:
        """How far logits are off a level's, as a share of its largest."""
        due = self.logits[level]
        return float((logits - due).abs().max() / due.abs().max())


@frozen
class Played:
    """Switches of one way, the worst of each.

    Attributes:
        off: share of the largest logit by which an answer was off its level's.
        switch, first, load: a switch, the inference after it, the loading, ms.
    """

    off: float
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
    answers = answers_of(context, TABLE)
    return Checked(
        [row for mode in MODES for row in _rows(mode, played(context, TABLE, mode, answers))],
        f"The six levels of the table {TABLE} on synthetic weights, this machine's processor, one "
        "thread. Beside the times: the quickest that the published program has on a Jetson Xavier "
        "NX, with another process for each switch, 24 to 85 s, its first inference 5 to 30 s. The "
        "machines differ, so that times are only shown.",
    )


def answers_of(context: JobContext, table: str) -> Answers:
    """Every level's own network, extracted, with the level's statistics, on a drawn image."""
    import torch

    from dynamic_ofa.switching.loading import found_table, load_for, prepared
    from ofa_plugins_core.nn import calibrate

    found = found_table(table)
    loaded = load_for(context, found, None, None)
    generator = torch.Generator().manual_seed(context.seed)
    images, logits = [], []
    for level in prepared(context, found, loaded, torch.device("cpu")):
        network: Any = loaded.net.extract(level.arch)
        network.eval()
        calibrate.apply(network, level.statistics)
        size = int(level.arch["image_size"])
        images.append(torch.rand(1, 3, size, size, generator=generator))
        with torch.inference_mode():
            logits.append(network(images[-1]))
    return Answers(images, logits)


def played(context: JobContext, table: str, mode: Mode, answers: Answers) -> Played:
    """Some switches to each level, each with the inference after it."""
    from dynamic_ofa.switching.switcher import Switcher

    switches, firsts, off = [], [], []
    with Switcher(table, mode=mode, host=context.host, threads=1, start=0) as net:
        for level in (*range(1, len(net.levels)), 0) * ROUNDS:
            switches.append(net.switch(level))
            ran = net.run(answers.images[level])
            firsts.append(ran.latency_ms)
            off.append(answers.off(level, ran.output))
        load = 1000 * net.facts().load_seconds
    return Played(max(off), max(switches), max(firsts), load)


def _rows(mode: Mode, found: Played) -> list[Comparison]:
    name = mode.replace("_", " ")
    shown = [
        ("a switch, slowest", found.switch, SWITCH_MS),
        ("first inference after it, slowest", found.first, FIRST_MS),
        ("loading, once", found.load, None),
    ]
    return [
        Comparison(
            f"{name}: answers after a switch, off by at most, share of the largest logit",
            found.off,
            None,
            within=ROUNDING,
            against=0.0,
            beside="the level's own network, extracted",
        ),
        *(
            Comparison(f"{name}: {what}", mine, theirs, "ms", "measured", "shown")
            for what, mine, theirs in shown
        ),
    ]
