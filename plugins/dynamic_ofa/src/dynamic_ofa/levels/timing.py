"""Latencies of candidates: the whole networks on the device, a bunch of them in turns.

What takes turns is slowed alike by whatever else goes on; a reference network that takes part in
every bunch holds the bunches together, those of a run that was resumed later too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from attrs import evolve, frozen

from dynamic_ofa.levels.kept import Kept, Timing
from dynamic_ofa.levels.table import Latency
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.events import Progress
from ofa_plugins_core.interfaces import Device, DeviceSession, LoadedWork, Supernet, Work
from ofa_plugins_core.jobs.lut.kept import NETWORKS
from ofa_plugins_core.jobs.lut.measuring import Plan, Turn, arch_key, reference_network, turns_of
from ofa_plugins_core.jobs.lut.works import Needed
from ofa_plugins_core.timing import Effort, Timed, measure
from ofa_plugins_core.values import Arch

BUNCH: Final = 4
"""Networks that take turns: an interrupt loses no more than these."""

BESIDE: Final = 2
"""Turns of the reference in a round: it has to be known better than any of them."""

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
        turns = list(self._turns([a for a in archs if arch_key(a) not in kept.timings]))
        if not turns:  # what is whole needs no device any more
            return
        blocks = self.supernet.geometry().blocks(reference_network(self.supernet))
        with self.device.session() as session:
            reference = session.load(Work(blocks, self.batch))
            try:
                for turn in turns:
                    self._turn(session, turn, kept, len(archs), reference)
            finally:
                reference.release()

    def _turns(self, archs: Sequence[Arch]) -> Iterator[Turn]:
        """Bunches of small and large networks alike, each as far as memory has room for it."""
        bunches = -(-len(archs) // BUNCH)
        for first in range(bunches):
            bunch = archs[first::bunches]
            plan = Plan(self.supernet, _NO_ROWS, None, bunch, self.effort, self.batch)
            yield from turns_of(plan, {NETWORKS: ()})

    def _turn(
        self, session: DeviceSession, turn: Turn, kept: Kept, total: int, reference: LoadedWork
    ) -> None:
        before, count = len(kept.timings), len(turn.works)
        generator = np.random.Generator(np.random.PCG64([self.context.seed, 2, before]))
        ready: dict[str, LoadedWork] = {}

        def tell(share: float) -> None:
            done = min(before + int(share * count), total)
            self.context.listener(Progress("latency", done, total, "networks"))

        try:
            for key, work in turn.works.items():
                ready[key] = session.load(work)
            timed = measure(ready, self.effort, generator, session, tell, reference, BESIDE)
            for key, found in timed:
                kept.add_timing(key, _timing(found))
        finally:
            for loaded in ready.values():
                loaded.release()


def _timing(found: Timed) -> Timing:
    latency = Latency(value=found.mean, low=found.low, high=found.high, count=found.count)
    return Timing(latency, found.reference)


def levelled(timings: Mapping[str, Timing]) -> dict[str, Latency]:
    """The latencies at the device's mean speed: where the reference was slow, all was slow."""
    known = [t.reference for t in timings.values() if t.reference]
    level = sum(known) / len(known) if known else 1.0
    return {
        key: _scaled(timing.latency, level / timing.reference if timing.reference else 1.0)
        for key, timing in timings.items()
    }


def _scaled(found: Latency, factor: float) -> Latency:
    low, high = (None if end is None else end * factor for end in (found.low, found.high))
    return evolve(found, value=found.value * factor, low=low, high=high)
