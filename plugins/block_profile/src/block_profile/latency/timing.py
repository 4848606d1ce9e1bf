"""Networks of ``ofa run label`` timed on a device, a group of them in turns with a reference."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final

import numpy as np
from attrs import frozen

from block_profile.latency.correcting import Raw
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.events import Progress
from ofa_plugins_core.interfaces import DeviceSession, LoadedWork, Work
from ofa_plugins_core.jobs.lut.kept import NETWORKS
from ofa_plugins_core.jobs.lut.measuring import (
    Plan,
    Turn,
    reference_network,
    reference_turns,
    turns_of,
)
from ofa_plugins_core.jobs.lut.works import Needed
from ofa_plugins_core.timed_costs import MeasuredCost
from ofa_plugins_core.timing import Timed, measure, refuse_odd
from ofa_plugins_core.values import Genes

GROUP: Final = 8
"""Networks that take turns: an interrupt loses no more than these."""

TOLD: Final = "network labelled"

_NO_ROWS: Final = Needed({}, {}, {})


@frozen(eq=False)
class Stopwatch:
    """Times networks of a measured latency, with the effort and batch of that cost.

    The cost's memo takes no part: what it remembers was measured at another speed.
    """

    context: JobContext
    cost: MeasuredCost

    def groups(self, genes: Genes, first: int) -> Generator[list[Raw], None, None]:
        """Networks from ``first`` on, (n, genes), group by group, in their order.

        Raises:
            KeyboardInterrupt: the user stopped it; the group under way is lost.
            UsageError, InputError, MissingExtraError: the device is not to be had.
            PluginError: the device says what cannot be.
        """
        if first == len(genes):  # what is whole needs no device any more
            return
        cost, done = self.cost, first
        blocks = cost.supernet.geometry().blocks(reference_network(cost.supernet))
        with cost.device.session() as session:
            reference = session.load(Work(blocks, cost.batch))
            try:
                for turn in self._turns(genes[first:]):
                    yield self._group(session, turn, reference, done, len(genes))
                    done += len(turn.works)
            finally:
                reference.release()

    def _turns(self, genes: Genes) -> Iterator[Turn]:
        """Groups of neighbours, each as far as memory has room for it."""
        cost = self.cost
        for start in range(0, len(genes), GROUP):
            archs = cost.supernet.space.decode(genes[start : start + GROUP])
            plan = Plan(cost.supernet, _NO_ROWS, None, archs, cost.effort, cost.batch)
            yield from turns_of(plan, {NETWORKS: ()})

    def _group(
        self, session: DeviceSession, turn: Turn, reference: LoadedWork, done: int, total: int
    ) -> list[Raw]:
        generator = np.random.Generator(np.random.PCG64([self.context.seed, 2, done]))
        turns = reference_turns(NETWORKS, len(turn.works))
        ready: dict[str, LoadedWork] = {}

        def tell(share: float) -> None:
            if share < 1:  # a group that is whole is told when it is kept
                at = done + int(share * len(turn.works))
                self.context.listener(Progress(TOLD, at, total, "in groups"))

        try:
            for key, work in turn.works.items():
                ready[key] = session.load(work)
            effort = self.cost.effort
            timed = dict(measure(ready, effort, generator, session, tell, reference, turns))
        finally:
            for loaded in ready.values():
                loaded.release()
        return [_raw(timed.get(key), work) for key, work in turn.works.items()]


def _raw(timed: Timed | None, work: Work) -> Raw:
    """A network's mean and its reference's.

    Raises:
        InputError: the device ran no pass of either.
        PluginError: a block of it takes as long as none does.
    """
    if timed is None or not timed.reference:
        what = "network" if timed is None else "reference network"
        raise InputError(
            f"the device timed no pass of the {what}: a recording has ended, or holds no such one"
        )
    refuse_odd([timed.mean / len(work.blocks)], work.batch)
    return Raw(timed.mean, timed.reference)
