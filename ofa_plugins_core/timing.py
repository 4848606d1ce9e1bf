"""How long work takes on a device: passes until the answer is narrow, or enough is enough.

Works take turns, a visit each a round in an order that is drawn anew, so that what drifts (clocks,
temperature, another program) biases none of them. Works that are measured at different times are
held together by a reference, which takes its turn in every round: where it is slow, all was slow. A
pass that something else disturbed is set aside. Nothing here knows what a device is made of.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Generic, TypeVar

import numpy as np
from attrs import evolve, field, frozen
from attrs.validators import ge, gt

from ofa_plugins_core.errors import PluginError
from ofa_plugins_core.interfaces import DeviceSession, LoadedWork

K = TypeVar("K", bound=Hashable)

SIGMAS: Final = 5.0
FACTOR: Final = 2.0
"""A pass was disturbed that lies so many (robust) standard deviations off the median, and is twice
as long as it, or half: a neighbour that slows everything by a third is no disturbance, and leaving
its passes out would make short works look quicker than long ones."""

FASTEST: Final = 0.003
"""ms: a typical row is a block of several kernels, and starting them takes longer anywhere."""

SLOWEST: Final = 500.0
"""ms: some twenty blocks of a typical row's kind make a network; the slowest published table, of a
Jetson's processor, has 84 ms, and a microcontroller runs smaller images."""

FIFTHS: Final = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Quantiles that stand for a fifth of the passes each."""

_ROBUST: Final = 1.4826
"""Median absolute deviation of a normal distribution -> its standard deviation."""

_NINETY_FIVE: Final = 1.959964
_SECOND: Final = 2.3723
"""The 97.5 % quantile of Student's t is that of the normal plus this over its degrees of freedom,
and a third term: to 2 % from 4 degrees on (Cornish–Fisher: (z³ + z) / 4)."""
_FEW: Final = {1: 12.706, 2: 4.303, 3: 3.182}
"""The quantile of fewer degrees, as any table of it has them."""


@frozen(kw_only=True)
class Effort:
    """When a measurement is done.

    Attributes:
        precision: half width of the mean's 95 % confidence interval, as a part of the mean.
        least, most: passes that count; ``most`` is the cap, whatever the interval.
        visit: passes in a row at each visit.
        warmup: passes before the first that counts.
    """

    precision: float = field(default=0.02, validator=gt(0))
    least: int = field(default=10, validator=ge(2))
    most: int = field(default=60, validator=ge(2))
    visit: int = field(default=1, validator=ge(1))
    warmup: int = field(default=2, validator=ge(0))


@frozen
class Timed:
    """How long a pass takes, in ms.

    Attributes:
        mean, std: of the passes that count. median: of all.
        half_width: of the mean's 95 % confidence interval.
        low, high: the middle 80 % of the passes that count lie between them, and the mean.
        count: passes that count. disturbed: passes set aside.
        conditions: of the device at the end, by name with unit.
        reference: mean of the reference's passes in the same rounds, ms; None without one.
        reference_half_width: of that mean's 95 % confidence interval.
        reference_spread: what its passes took, ms, a number a fifth of them (``FIFTHS``): how the
            device's speed changes from pass to pass.
    """

    mean: float
    std: float
    median: float
    half_width: float
    low: float
    high: float
    count: int
    disturbed: int = 0
    conditions: Mapping[str, float] = field(factory=dict)
    reference: float | None = None
    reference_half_width: float | None = None
    reference_spread: tuple[float, ...] = ()

    @property
    def variation(self) -> float:
        """Coefficient of variation, std / mean."""
        return self.std / self.mean if self.mean else 0.0


def summary(times: Sequence[float], conditions: Mapping[str, float] | None = None) -> Timed:
    """What passes come to; those that something disturbed are counted, not averaged.

    Args:
        times: of one pass or more, ms.
    """
    kept = undisturbed(times)
    mean = statistics.fmean(kept)
    std = statistics.stdev(kept) if len(kept) > 1 else 0.0
    half = quantile(len(kept)) * std / math.sqrt(len(kept)) if len(kept) > 1 else math.inf
    tenth, ninth = np.quantile(kept, [0.1, 0.9]).tolist()
    ends = (min(tenth, mean), max(ninth, mean))  # one long pass among many lifts the mean above
    counts = (len(kept), len(times) - len(kept))
    middle = statistics.median(times)
    return Timed(mean, std, middle, half, *ends, *counts, dict(conditions or {}))


def undisturbed(times: Sequence[float]) -> list[float]:
    """The passes that nothing else disturbed; see ``SIGMAS`` and ``FACTOR``."""
    middle = statistics.median(times)
    spread = SIGMAS * _ROBUST * statistics.median(abs(t - middle) for t in times)
    low, high = min(middle - spread, middle / FACTOR), max(middle + spread, FACTOR * middle)
    return [t for t in times if low <= t <= high]


def quantile(count: int) -> float:
    """97.5 % quantile of Student's t (1908) for the mean of so many passes, two or more."""
    degrees = count - 1
    if degrees in _FEW:
        return _FEW[degrees]
    z = _NINETY_FIVE
    third = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    return z + _SECOND / degrees + third / degrees**2


class _Run(Generic[K]):
    """One work that is being measured."""

    def __init__(self, key: K, loaded: LoadedWork, effort: Effort) -> None:
        self.key, self.loaded, self.effort = key, loaded, effort
        self.times: list[float] = []
        self.exhausted = False

    def visit(self) -> None:
        found = _passes(self.key, self.loaded, self.effort.visit)
        self.times += found
        self.exhausted = len(found) < self.effort.visit

    def found(self, session: DeviceSession, beside: Sequence[float]) -> Timed:
        found = summary(self.times, session.conditions())
        if found.mean <= 0:
            raise _wrong(self.key, found.mean)
        if not beside:
            return found
        level, spread = summary(beside), np.quantile(undisturbed(beside), FIFTHS)
        return evolve(
            found,
            reference=level.mean,
            reference_half_width=level.half_width,
            reference_spread=tuple(spread.tolist()),
        )

    def done(self) -> bool:
        effort = self.effort
        if self.exhausted or len(self.times) >= effort.most:
            return True
        if len(self.times) < effort.least:
            return False
        found = summary(self.times)
        return found.count >= effort.least and found.half_width <= effort.precision * found.mean


def measure(
    works: Mapping[K, LoadedWork],
    effort: Effort,
    generator: np.random.Generator,
    session: DeviceSession,
    tell: Callable[[float], None] = lambda share: None,
    reference: LoadedWork | None = None,
    turns: int = 1,
) -> Iterator[tuple[K, Timed]]:
    """Time works in turns; each comes as soon as it is done.

    Args:
        works: key -> work that is ready to run.
        effort: when a work is done.
        generator: draws the order of each round.
        session: whose conditions are kept with each result.
        tell: is told after each round which share of the passes is behind, 0 to 1.
        reference: takes so many ``turns`` in every round.

    Raises:
        PluginError: the device says of a pass what cannot be.
    """
    running = [_Run(key, loaded, effort) for key, loaded in works.items()]
    for run in running:
        if effort.warmup:
            run.loaded.times(effort.warmup)
    beside: list[float] = []
    if reference is not None and effort.warmup:
        reference.times(effort.warmup)
    references = [] if reference is None else [reference] * turns
    total = len(running)
    while running:
        _round(running, effort, generator, references, beside)
        done = [run for run in running if run.done()]
        running = [run for run in running if run not in done]
        begun = sum(len(run.times) for run in running) / effort.most
        tell((total - len(running) + begun) / total)
        for run in done:
            if run.times:
                yield run.key, run.found(session, beside)


def _round(
    running: Sequence[_Run[K]],
    effort: Effort,
    generator: np.random.Generator,
    references: Sequence[LoadedWork],
    beside: list[float],
) -> None:
    """A visit to each work, and to each of the references, in an order of its own."""
    for index in generator.permutation(len(running) + len(references)):
        if index < len(running):
            running[index].visit()
        else:
            reference = references[index - len(running)]
            beside += _passes("the reference", reference, effort.visit)


def _passes(what: object, loaded: LoadedWork, count: int) -> list[float]:
    """So many passes, as far as there are any; each a number, 0 where the clock is too coarse."""
    found = list(loaded.times(count))
    for time in found:
        if not 0 <= time < math.inf:
            raise _wrong(what, time)
    return found


def _wrong(what: object, time: float) -> PluginError:
    return PluginError(f"the device says that a pass of {what!s:.80} took {time} ms")


# ------------------------------------------------------------------------------- units


def looks_like(typical: float) -> str | None:
    """What the time of a typical block seems to be in, where it cannot be milliseconds."""
    return "seconds" if typical < FASTEST else "microseconds" if typical > SLOWEST else None


def refuse_odd(times: Iterable[float], batch: int) -> None:
    """Raise PluginError where a device's milliseconds cannot be; 0: it has run nothing.

    Args:
        times: of blocks, ms a pass, as the device says.
        batch: images a pass: many may take long, and one is not quicker for being one of many.
    """
    typical = statistics.median(times)
    seconds, microseconds = 0 < typical < FASTEST, typical / batch > SLOWEST
    meant = "seconds" if seconds else "microseconds" if microseconds else None
    if meant is not None:
        raise PluginError(
            f"the device says that a typical block takes {typical:.3g} ms, which none does: does "
            f"it answer in {meant}?"
        )
