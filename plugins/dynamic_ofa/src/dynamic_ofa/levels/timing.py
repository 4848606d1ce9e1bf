"""Latencies of candidates: the whole networks on the device, in turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from attrs import frozen

from dynamic_ofa.levels.kept import Kept
from dynamic_ofa.levels.table import Latency
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.events import Progress
from ofa_plugins_core.interfaces import Device, DeviceSession, LoadedWork, Supernet
from ofa_plugins_core.jobs.lut.kept import NETWORKS
from ofa_plugins_core.jobs.lut.measuring import Plan, Turn, turns_of
from ofa_plugins_core.jobs.lut.works import Needed
from ofa_plugins_core.timing import Effort, Timed, measure
from ofa_plugins_core.values import Arch

_NO_ROWS: Final = Needed({}, {}, {})


@frozen(eq=False)
class Stopwatch:
    """Times networks on one device.

    Attributes:
        supernet: as it is built, at every image size that is asked for.
        effort: for each network. batch: images a pass.
    """

    context: JobContext
    device: Device
    supernet: Supernet
    effort: Effort
    batch: int

    def time(self, archs: Sequence[Arch], kept: Kept) -> None:
        """Time the networks that are not kept yet; each is kept as it comes.

        Raises:
            KeyboardInterrupt: the user stopped it; what came until then is kept.
            UsageError, InputError, MissingExtraError: the device is not to be had.
            PluginError: the device says what cannot be.
        """
        plan = Plan(self.supernet, _NO_ROWS, None, archs, self.effort, self.batch)
        turns = list(turns_of(plan, {NETWORKS: kept.latencies}))
        if not turns:  # what is whole needs no device any more
            return
        with self.device.session() as session:
            for turn in turns:
                self._turn(session, turn, kept, len(archs))

    def _turn(self, session: DeviceSession, turn: Turn, kept: Kept, total: int) -> None:
        generator = np.random.Generator(np.random.PCG64([self.context.seed, 2]))
        before, count = len(kept.latencies), len(turn.works)
        ready: dict[str, LoadedWork] = {}

        def tell(share: float) -> None:
            done = min(before + int(share * count), total)
            self.context.listener(Progress("latency", done, total, "networks"))

        try:
            for key, work in turn.works.items():
                ready[key] = session.load(work)
            for key, timed in measure(ready, self.effort, generator, session, tell):
                kept.add_latency(key, _latency(timed))
        finally:
            for loaded in ready.values():
                loaded.release()


def _latency(timed: Timed) -> Latency:
    return Latency(value=timed.mean, low=timed.low, high=timed.high, count=timed.count)
