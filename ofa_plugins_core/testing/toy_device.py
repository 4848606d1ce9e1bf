"""A device for tests: what a pass takes is worked out from its blocks, so it can be known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from attrs import field, frozen

from ofa_plugins_core.interfaces import DeviceSession, Work


@frozen(eq=False)
class ToyDevice:
    """A device whose time is worked out from the blocks, not taken: equal passes are equal.

    A pass takes ``start`` + ``overhead`` for each block + ``per_mac`` for each multiply-accumulate;
    ``drift`` makes it slower from pass to pass, ``noise`` is of a generator with a fixed seed.

    Attributes:
        name: goes into its description.
        start, overhead, per_mac: ms.
        drift: what each pass adds to the time of those after it, as a part of its own.
        noise: standard deviation, as a part of the time.
        disturbed: share of passes that take ten times as long.
        passes: so many can be had, as of a recording; None: any number.
        seed: of the noise.
        before: is told the number of each pass, from 0, before it runs; may raise.
        ran: the work of each pass until now, those before the first that counts included.
        open: sessions that have not ended. held: work that was loaded and not let go of.
    """

    name: str = "toy"
    start: float = 0.0
    overhead: float = 0.01
    per_mac: float = 1e-6
    drift: float = 0.0
    noise: float = 0.0
    disturbed: float = 0.0
    passes: int | None = None
    seed: int = 0
    before: Callable[[int], None] = lambda number: None
    ran: list[Work] = field(factory=list, init=False)
    open: list[DeviceSession] = field(factory=list, init=False)
    held: list[Work] = field(factory=list, init=False)
    _generator: np.random.Generator = field(init=False, repr=False)

    @_generator.default
    def _seeded(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    def describe(self) -> dict[str, str]:
        """Its name, and how its time is worked out."""
        worked_out = f"{self.start} + {self.overhead} a block + {self.per_mac} a MAC, ms"
        return {"device": self.name, "model": worked_out}

    @contextmanager
    def session(self) -> Iterator[DeviceSession]:
        """Counted among those that are open until it ends."""
        session = ToySession(self)
        self.open.append(session)
        try:
            yield session
        finally:
            self.open.remove(session)

    def true_time(self, work: Work) -> float:
        """What a pass takes where nothing drifts or disturbs, ms."""
        macs = sum(op.macs for block in work.blocks for op in block.ops)
        return self.start + self.overhead * len(work.blocks) + self.per_mac * macs * work.batch

    def pass_of(self, work: Work) -> float | None:
        """The next pass, ms; None where there is none any more."""
        number = len(self.ran)
        self.before(number)
        if self.passes is not None and number >= self.passes:
            return None
        self.ran.append(work)
        noise = 1 + self.noise * self._generator.standard_normal()
        slower = 10.0 if self._generator.random() < self.disturbed else 1.0
        return float(self.true_time(work) * (1 + self.drift * number) * noise * slower)


@frozen(eq=False)
class ToySession:
    """A session of a toy device."""

    device: ToyDevice

    def load(self, work: Work) -> ToyWork:
        """Ready at once."""
        self.device.held.append(work)
        return ToyWork(self.device, work)

    def conditions(self) -> Mapping[str, float]:
        """How many passes are behind."""
        return {"passes": float(len(self.device.ran))}


@frozen(eq=False)
class ToyWork:
    """Work on a toy device."""

    device: ToyDevice
    work: Work

    def times(self, passes: int) -> list[float]:
        """Milliseconds of each pass."""
        found = (self.device.pass_of(self.work) for _ in range(passes))
        return [time for time in found if time is not None]

    def release(self) -> None:
        """It is not held any more."""
        self.device.held.remove(self.work)
