"""Blocks and whole networks timed on a device, image size by image size."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Final

import numpy as np
from attrs import frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import PluginError
from ofa_plugins_core.events import Progress
from ofa_plugins_core.geometry import Block
from ofa_plugins_core.interfaces import Device, DeviceSession, LoadedWork, Supernet, Work
from ofa_plugins_core.jobs.lut.kept import NETWORKS, PARTS, ROWS, Kept
from ofa_plugins_core.jobs.lut.works import Needed
from ofa_plugins_core.own_tables import OwnRow
from ofa_plugins_core.table_units import looks_like
from ofa_plugins_core.timing import Effort, measure
from ofa_plugins_core.values import DTYPE_BYTES, Arch

ROOM: Final = 2**30
"""Bytes of weights of the whole networks that take turns: what a board's memory has room for."""

BESIDE: Final = 4
"""So many networks to one turn of the reference: it has to be known better than any of them."""

PILOT: Final = 2
"""Passes of each block from which the time is estimated."""


@frozen(eq=False)
class Plan:
    """What is to be measured.

    Attributes:
        supernet: at the image sizes of the table, as it is built.
        rows: blocks. parts: of blocks, where asked for.
        archs: whole networks.
        effort: for each of them. batch: images a pass.
    """

    supernet: Supernet
    rows: Needed
    parts: Needed | None
    archs: Sequence[Arch]
    effort: Effort
    batch: int


def drawn_networks(supernet: Supernet, count: int, seed: int) -> list[Arch]:
    """Distinct uniform draws over all image sizes, fewer where there are not as many."""
    generator = np.random.Generator(np.random.PCG64([seed, 1]))
    drawn = supernet.space.canonical(supernet.space.sample(4 * count, generator))
    _, first = np.unique(drawn, axis=0, return_index=True)
    return supernet.space.decode(drawn[np.sort(first)[:count]]) if count else []


def reference_network(supernet: Supernet) -> Arch:
    """What takes a turn in every round: the middle option of every gene, at the smallest size."""
    space = supernet.space.with_resolutions(supernet.resolutions[:1])
    return space.decode((space.sizes[None] // 2).astype(np.uint8))[0]


def network_groups(plan: Plan, archs: Sequence[Arch]) -> Iterator[list[Arch]]:
    """Networks that take turns together: as many as there is room for, at least one."""
    group: list[Arch] = []
    held = 0
    for arch in archs:
        blocks = plan.supernet.geometry().blocks(arch)
        size = DTYPE_BYTES["fp32"] * sum(op.params for block in blocks for op in block.ops)
        if group and held + size > ROOM:
            yield group
            group, held = [], 0
        group.append(arch)
        held += size
    if group:
        yield group


def reference_turns(kind: str, works: int) -> int:
    """Turns of the reference in a round of so many works."""
    return max(1, works // BESIDE) if kind == NETWORKS else 1


def arch_key(arch: Arch) -> str:
    """What a network is kept under."""
    return json.dumps(arch.as_dict())


# ------------------------------------------------------------------------------- estimate


def estimated_seconds(session: DeviceSession, plan: Plan) -> tuple[float, float]:
    """How long measuring takes, from a few passes of every block at the largest image size.

    A block's time is taken to grow with its pixels.

    Returns:
        Seconds where the least passes do, and where all take the most.
    """
    largest = plan.supernet.resolutions[-1]
    pilot: dict[str, float] = {}
    for key in plan.rows.sizes[largest]:
        with loaded(session, plan.rows.blocks[key], plan.batch) as work:
            pilot[key] = min(work.times(PILOT), default=0.0)
    _refuse_odd(median(pilot.values()))
    whole = sum(pilot.values())
    part = {s: (s / largest) ** 2 for s in plan.supernet.resolutions}
    rows = sum(whole * part[s] * len(new) / len(pilot) for s, new in plan.rows.new.items())
    blocks = float(np.mean([len(plan.supernet.geometry().blocks(a)) for a in plan.archs] or [0]))
    network = whole / len(pilot) * blocks
    nets = sum(network * part[a.image_size] for a in plan.archs)
    beside = network * part[plan.supernet.resolutions[0]]
    rounds = len(plan.rows.new) + len(plan.archs) / BESIDE
    both = 2 if plan.parts is not None else 1  # the parts of all blocks take about as long
    each = float(rows * both + nets + beside * rounds) / 1000
    effort = plan.effort
    return each * (effort.warmup + effort.least), each * (effort.warmup + effort.most)


def _refuse_odd(typical: float) -> None:
    """Raise PluginError where a device's milliseconds cannot be; 0: it has run nothing."""
    meant = looks_like(typical) if typical else None
    if meant is not None:
        raise PluginError(
            f"the device says that a typical block takes {typical:.3g} ms, which none does: does "
            f"it answer in {meant}?"
        )


class loaded:  # noqa: N801 - reads as a word: with loaded(...)
    """A block that is ready to run, and let go of afterwards."""

    def __init__(self, session: DeviceSession, block: Block, batch: int) -> None:
        self._work = session.load(Work((block,), batch))

    def __enter__(self) -> LoadedWork:
        return self._work

    def __exit__(self, *_: object) -> None:
        self._work.release()


# ------------------------------------------------------------------------------- measuring


def measure_all(context: JobContext, device: Device, plan: Plan, kept: Kept) -> None:
    """Measure what is not kept yet; each result is kept as it comes.

    Raises:
        KeyboardInterrupt: the user stopped it; what came until then is kept.
        InputError: the device is gone, or nothing can be written.
        PluginError: the device says what cannot be.
    """
    generator = np.random.Generator(np.random.PCG64([context.seed, 2]))
    try:
        with device.session() as session:
            blocks = plan.supernet.geometry().blocks(reference_network(plan.supernet))
            reference = session.load(Work(blocks, plan.batch))
            bench = _Bench(context, session, plan, kept, generator, reference)
            bench.blocks(ROWS, plan.rows)
            if plan.parts is not None:
                bench.blocks(PARTS, plan.parts)
            bench.networks()
    finally:
        kept.close()


@frozen(eq=False)
class _Bench:
    context: JobContext
    session: DeviceSession
    plan: Plan
    kept: Kept
    generator: np.random.Generator
    reference: LoadedWork

    def blocks(self, kind: str, needed: Needed) -> None:
        """Every block of each image size in turns."""
        told = _Told(self, kind, len(needed.blocks))
        for size, new in needed.new.items():
            works = {
                key: Work((needed.blocks[key],), self.plan.batch)
                for key in new
                if key not in self.kept.found[kind]
            }
            self._turns(kind, works, told, f"{size} px")

    def networks(self) -> None:
        """Whole networks, a few at a time, in turns across image sizes."""
        left = [a for a in self.plan.archs if arch_key(a) not in self.kept.found[NETWORKS]]
        told = _Told(self, NETWORKS, len(self.plan.archs))
        geometry = self.plan.supernet.geometry()
        for group in network_groups(self.plan, left):
            works = {arch_key(a): Work(geometry.blocks(a), self.plan.batch) for a in group}
            self._turns(NETWORKS, works, told, "")

    def _turns(self, kind: str, works: Mapping[str, Work], told: _Told, note: str) -> None:
        if not works:
            return
        ready: dict[str, LoadedWork] = {}
        before = len(self.kept.found[kind])
        try:
            for key, work in works.items():
                ready[key] = self.session.load(work)
            for key, timed in measure(
                ready,
                self.plan.effort,
                self.generator,
                self.session,
                lambda s: told(before + s * len(works), note),
                self.reference,
                reference_turns(kind, len(works)),
            ):
                self.kept.add(kind, key, OwnRow.of(timed))
        finally:
            for loaded_work in ready.values():
                loaded_work.release()


class _Told:
    """Progress of one kind of work, with the time that is left."""

    def __init__(self, bench: _Bench, kind: str, total: int) -> None:
        self._listener, self._what, self._total = bench.context.listener, kind, total
        self._started, self._before = time.monotonic(), len(bench.kept.found[kind])

    def __call__(self, done: float, note: str) -> None:
        """So many are behind, those under way in part."""
        seconds = time.monotonic() - self._started
        left = seconds * (self._total - done) / max(0.01, done - self._before)
        words = [note] if note else []
        words.append(f"{duration(left)} left" if done < self._total else "done")
        self._listener(Progress(self._what, int(done), self._total, ", ".join(words)))


def durations(ends: tuple[float, float]) -> str:
    """A range of seconds as a person says it."""
    least, most = map(duration, ends)
    return f"about {most}" if least == most else f"{least} to {most}"


def duration(seconds: float) -> str:
    """Seconds as a person says it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
