"""Blocks and whole networks timed on a device, image size by image size."""

from __future__ import annotations

import json
import time
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np
from attrs import frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.events import Progress
from ofa_plugins_core.geometry import Block
from ofa_plugins_core.interfaces import Device, DeviceSession, LoadedWork, Supernet, Work
from ofa_plugins_core.jobs.lut.kept import NETWORKS, PARTS, ROWS, Kept
from ofa_plugins_core.jobs.lut.works import Needed
from ofa_plugins_core.own_tables import OwnRow
from ofa_plugins_core.timing import Effort, measure, refuse_odd
from ofa_plugins_core.values import DTYPE_BYTES, Arch
from ofa_plugins_core.words import duration

ROOM: Final = 2**30
"""Bytes of weights and tensors of the works that take turns: what a board's memory has room for."""

BESIDE: Final = 4
"""So many networks to one turn of the reference, and so many turns at least: it has to be known
better than any of them."""

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


@frozen(eq=False)
class Turn:
    """Works that take turns together.

    Attributes:
        kind: rows, parts or networks. note: for progress.
        works: key -> work.
    """

    kind: str
    note: str
    works: Mapping[str, Work]


def turns_of(plan: Plan, known: Mapping[str, Container[str]]) -> Iterator[Turn]:
    """Everything that is to be measured, in the order in which it is.

    Args:
        known: kind -> keys of what is measured already.
    """
    blocks = {ROWS: plan.rows} | ({} if plan.parts is None else {PARTS: plan.parts})
    for kind, needed in blocks.items():
        for size, new in needed.new.items():
            works = {
                key: Work((needed.blocks[key],), plan.batch)
                for key in new
                if key not in known[kind]
            }
            yield from _fitting(kind, f"{size} px", works)
    geometry = plan.supernet.geometry()
    nets = {arch_key(a): Work(geometry.blocks(a), plan.batch) for a in plan.archs}
    left = {key: work for key, work in nets.items() if key not in known[NETWORKS]}
    yield from _fitting(NETWORKS, "", left)


def _fitting(kind: str, note: str, works: Mapping[str, Work]) -> Iterator[Turn]:
    """As many together as there is room for, at least one."""
    group: dict[str, Work] = {}
    held = 0
    for key, work in works.items():
        size = _bytes(work)
        if group and held + size > ROOM:
            yield Turn(kind, note, group)
            group, held = {}, 0
        group[key] = work
        held += size
    if group:
        yield Turn(kind, note, group)


def _bytes(work: Work) -> int:
    """Of a work's weights, and of the largest input and output of an op."""
    ops = [op for block in work.blocks for op in block.ops]
    tensors = work.batch * max((op.inputs + op.outputs for op in ops), default=0)
    return DTYPE_BYTES["fp32"] * (sum(op.params for op in ops) + tensors)


def reference_turns(kind: str, works: int) -> int:
    """Turns of the reference in a round of so many works."""
    return max(BESIDE, works // BESIDE) if kind == NETWORKS else 1


def arch_key(arch: Arch) -> str:
    """What a network is kept under."""
    return json.dumps(arch.as_dict())


# ------------------------------------------------------------------------------- estimate


def estimated_seconds(session: DeviceSession, plan: Plan) -> tuple[float, float]:
    """How long measuring takes, from a few passes of every block at the largest image size.

    A block's time is taken to grow with its pixels; making it ready takes as long at any size.

    Returns:
        Seconds where the least passes do, and where all take the most.
    """
    largest = plan.supernet.resolutions[-1]
    pilot: dict[str, float] = {}
    began = time.monotonic()
    for key in plan.rows.sizes[largest]:
        with _loaded(session, plan.rows.blocks[key], plan.batch) as work:
            pilot[key] = min(work.times(PILOT), default=0.0)
    whole = sum(pilot.values())
    ready = max(0.0, time.monotonic() - began - PILOT * whole / 1000) / len(pilot)
    refuse_odd(pilot.values(), plan.batch)
    part = {s: (s / largest) ** 2 for s in plan.supernet.resolutions}
    rows = sum(whole * part[s] * len(new) / len(pilot) for s, new in plan.rows.new.items())
    blocks = float(np.mean([len(plan.supernet.geometry().blocks(a)) for a in plan.archs] or [0]))
    network = whole / len(pilot) * blocks
    nets = sum(network * part[a.image_size] for a in plan.archs)
    beside = network * part[plan.supernet.resolutions[0]]
    nets_turns = reference_turns(NETWORKS, len(plan.archs)) if plan.archs else 0
    rounds = len(plan.rows.new) + nets_turns
    both = 2 if plan.parts is not None else 1  # the parts of all blocks take about as long
    each = float(rows * both + nets + beside * rounds) / 1000
    once = ready * (len(plan.rows.blocks) * both + blocks * len(plan.archs))
    effort = plan.effort
    passes = (effort.warmup + effort.least, effort.warmup + effort.most)
    return once + each * passes[0], once + each * passes[1]


@contextmanager
def _loaded(session: DeviceSession, block: Block, batch: int) -> Iterator[LoadedWork]:
    """A block that is ready to run, and let go of afterwards."""
    work = session.load(Work((block,), batch))
    try:
        yield work
    finally:
        work.release()


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
            bench.all()
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

    def all(self) -> None:
        """Every turn, with the progress of its kind."""
        totals = {ROWS: len(self.plan.rows.blocks), NETWORKS: len(self.plan.archs)}
        totals[PARTS] = 0 if self.plan.parts is None else len(self.plan.parts.blocks)
        told: dict[str, _Told] = {}
        for turn in turns_of(self.plan, self.kept.found):
            teller = told.setdefault(turn.kind, _Told(self, turn.kind, totals[turn.kind]))
            self._turns(turn, teller)

    def _turns(self, turn: Turn, told: _Told) -> None:
        ready: dict[str, LoadedWork] = {}
        kind, works, before = turn.kind, turn.works, len(self.kept.found[turn.kind])
        try:
            for key, work in works.items():
                ready[key] = self.session.load(work)
            for key, timed in measure(
                ready,
                self.plan.effort,
                self.generator,
                self.session,
                lambda s: told(before + s * len(works), turn.note),
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
        words, behind = [note] if note else [], done - self._before
        if done >= self._total:
            words.append("done")
        elif behind >= 1:  # a first round with its warm-up tells little
            words.append(f"{duration(seconds * (self._total - done) / behind)} left")
        self._listener(Progress(self._what, int(done), self._total, ", ".join(words)))
