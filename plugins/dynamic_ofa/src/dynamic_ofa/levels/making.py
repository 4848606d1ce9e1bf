"""A level table in the making: candidates measured, chosen, calibrated; loads torch."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from attrs import define, evolve, field

from dynamic_ofa.levels.candidates import Pool
from dynamic_ofa.levels.choosing import spread, strict_front
from dynamic_ofa.levels.examining import Examined, examined, opened, weights_of
from dynamic_ofa.levels.kept import Kept
from dynamic_ofa.levels.options import LevelsOptions
from dynamic_ofa.levels.result import LevelsResult, Measured
from dynamic_ofa.levels.table import LevelRow, LevelTable
from dynamic_ofa.levels.timing import Stopwatch, levelled
from dynamic_ofa.levels.writing import command_of, written
from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Notice, Progress
from ofa_plugins_core.interfaces import ClassedSupernet, Device, Supernet
from ofa_plugins_core.jobs.choosing import DEFAULT_DEVICE, device_of, watched
from ofa_plugins_core.jobs.lut.measuring import arch_key
from ofa_plugins_core.jobs.measuring import Bench
from ofa_plugins_core.jobs.resuming import begun
from ofa_plugins_core.timing import Effort
from ofa_plugins_core.values import Arch
from ofa_plugins_core.words import counted


def made(context: JobContext, options: LevelsOptions, pool: Pool) -> LevelsResult:
    """Measure candidates, and make a table of the best.

    Raises:
        UsageError: nothing says how accurate the candidates are, or the device is not there.
        InputError: weights or images are missing or broken, or nothing can be written.
    """
    name = options.device or DEFAULT_DEVICE
    given = {k: getattr(options, k) for k in ("threads", "host", "mode")}
    device = watched(context, name, device_of(context, name, given))
    archs = [c.arch for c in pool.candidates]
    with opened(context, options, archs) as bench:
        _mention(bench, pool)
        kept = Kept(
            context.out,
            _of(options, bench, device, archs),
            context.resume,
            lambda: begun(context),
        )
        work = _Making(context, options, pool, bench, device, kept)
        try:
            return work.done()
        finally:
            kept.close()


def _mention(bench: Bench, pool: Pool) -> None:
    """What a user should know before it begins.

    Raises:
        UsageError: there is no accuracy at all.
    """
    tell = bench.context.listener
    if bench.images is None and any(c.accuracy is None for c in pool.candidates):
        raise UsageError(
            "levels need accuracies: nothing predicts them here, and no images are given",
            advice="--data FOLDER measures them; --predictor and --predictor-weights predict them",
        )
    if bench.calibration is None:
        tell(
            Notice(
                "no images to calibrate batch norm: each level has the weights' own statistics; "
                "--calibrate-data FOLDER measures them"
            )
        )
    many = counted(len(pool.candidates), "candidate")
    tell(Notice(f"{many}, {pool.origin}, are measured here; Ctrl-C keeps what is there"))


def _of(
    options: LevelsOptions, bench: Bench, device: Device, archs: Sequence[Arch]
) -> dict[str, Any]:
    """What is measured: another folder's rows are refused by it."""
    return {
        "supernet": bench.loaded.supernet.name,
        "classes": bench.loaded.classes,
        **bench.of,
        "device": dict(device.describe()),
        "batch": options.batch or 1,
        "effort": plain(_effort(options)),
    }


def _effort(options: LevelsOptions) -> Effort:
    return Effort(
        precision=options.precision,
        least=options.least,
        most=options.most,
        warmup=options.warmup,
    )


@define(eq=False)
class _Making:
    """A table in the making."""

    context: JobContext
    options: LevelsOptions
    pool: Pool
    bench: Bench
    device: Device
    kept: Kept
    known: dict[str, Examined] = field(factory=dict)

    def done(self) -> LevelsResult:
        """Measure, choose and write; an interrupt keeps what is measured."""
        started = time.monotonic()
        try:
            self._measure()
            found = self._chosen()
        except KeyboardInterrupt:
            if not self.kept.timings:  # nothing is kept, nothing to go on with
                raise
            found = self._result(interrupted=True)
        found = evolve(found, seconds=time.monotonic() - started)
        return found if found.table is None else written(self.context, self.options, found)

    def _measure(self) -> None:
        archs = [c.arch for c in self.pool.candidates]
        stopwatch = Stopwatch(
            self.context,
            self.device,
            self._supernet(archs),
            _effort(self.options),
            self.options.batch or 1,
        )
        stopwatch.time(archs, self.kept)
        if self.bench.images is None:
            return
        for number, arch in enumerate(archs, 1):
            if arch_key(arch) not in self.kept.accuracies:
                self._examined(arch, f"candidate {number} of {len(archs)}")
            self.context.listener(Progress("accuracy", number, len(archs), "networks"))

    def _supernet(self, archs: Sequence[Arch]) -> Supernet:
        """As it is built, for as many classes, at every image size of the candidates."""
        supernet: Supernet = self.bench.loaded.supernet
        if isinstance(supernet, ClassedSupernet):
            supernet = supernet.with_classes(self.bench.loaded.classes)
        return supernet.at(sorted({arch.image_size for arch in archs})).as_built()

    def _examined(self, arch: Arch, label: str) -> Examined:
        """Accuracy and statistics of a network; the accuracy is kept, where there is one."""
        key = arch_key(arch)
        if key not in self.known:
            found = self.known[key] = examined(self.bench, arch, label)
            if found.accuracy is not None:
                self.kept.add_accuracy(key, found.accuracy)
        return self.known[key]

    def _result(self, **more: Any) -> LevelsResult:
        measured, latencies = [], levelled(self.kept.timings)
        for candidate in self.pool.candidates:
            key = arch_key(candidate.arch)
            one = Measured(candidate, latencies.get(key), self.kept.accuracies.get(key))
            measured.append(one)
        return LevelsResult(
            run=self.context.out,
            candidates=measured,
            origin=self.pool.origin,
            searched=self.pool.searched,
            **{"table": None, **more},
        )

    def _chosen(self) -> LevelsResult:
        """The front of what was measured, and the levels that spread over it."""
        found = self._result()
        points = [one.point for one in found.candidates]
        front = strict_front(points)
        chosen = [front[n] for n in spread([points[n] for n in front], self.options.levels)]
        rows = [self._row(found.candidates[n], level, chosen) for level, n in enumerate(chosen)]
        return evolve(found, table=self._table(rows), front=front, chosen=chosen)

    def _row(self, one: Measured, level: int, chosen: Sequence[int]) -> LevelRow:
        arch, accuracy = one.candidate.arch, one.judged
        assert one.latency is not None and accuracy is not None
        examined = self._examined(arch, f"level {level + 1} of {len(chosen)}")
        costs = {name: dict(m) for name, m in one.candidate.costs.items()}
        promised = next((float(m["value"]) for m in costs.values() if m["unit"] == "ms"), None)
        return LevelRow(
            arch=plain(arch.as_dict()),
            accuracy=accuracy,
            latency=evolve(one.latency, predicted=promised),
            costs=costs,
            calibrated=examined.calibrated,
            statistics=examined.statistics,
        )

    def _table(self, rows: Sequence[LevelRow]) -> LevelTable:
        described = dict(self.device.describe())
        return LevelTable(
            supernet=self.bench.loaded.supernet.name,
            classes=self.bench.loaded.classes,
            weights=weights_of(self.bench),
            device=described,
            levels=tuple(rows),
            mode=_mode(self.options, described),
            source=command_of(self.context, self.options),
        )


def _mode(options: LevelsOptions, described: Mapping[str, str]) -> str:
    """Of the device, in words."""
    words = [options.mode or described.get("mode", "")]
    if described.get("threads"):
        words.append(counted(int(described["threads"]), "thread"))
    if (options.batch or 1) > 1:
        words.append(f"batches of {options.batch}")
    return ", ".join(w for w in words if w)
