"""The live run itself: an inference, what it tells, what the policy decides, the switch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from attrs import field, frozen

from dynamic_ofa.governing import Governor
from dynamic_ofa.ledger import Inference
from dynamic_ofa.live.contending import Contention
from dynamic_ofa.live.log import Log
from dynamic_ofa.live.view import Shown, View
from dynamic_ofa.monitoring.watching import Settings
from dynamic_ofa.quantities import Limits
from ofa_plugins_core.interfaces import Observation


class Ran(Protocol):
    """One inference of a switcher."""

    @property
    def level(self) -> int:
        """Number of the level that ran."""

    @property
    def latency_ms(self) -> float:
        """What it took."""


class Switching(Protocol):
    """What a live run asks of a switcher."""

    def run(self, images: Any) -> Ran:
        """One inference at the level that is on."""

    def switch(self, level: int) -> float:
        """Change the level; ms that it took."""


class Watching(Protocol):
    """What a live run asks of monitors."""

    def latest(self) -> Mapping[str, float]:
        """The last readings, at once."""


@frozen
class Clock:
    """Time of a run; tests have one of their own.

    Attributes:
        now: seconds since some moment. sleep: for so many seconds.
    """

    now: Callable[[], float] = time.perf_counter
    sleep: Callable[[float], None] = time.sleep


@frozen(kw_only=True)
class Length:
    """When a run ends: by time, by number of inferences, or whichever comes first.

    Attributes:
        seconds, count: None: that does not end it; one of them is given.
    """

    seconds: float | None
    count: int | None = None

    def over(self, time: float, done: int) -> bool:
        """Whether nothing is left to run."""
        timed_out = self.seconds is not None and time >= self.seconds
        return timed_out or (self.count is not None and done >= self.count)

    def progress(self, time: float, done: int) -> tuple[float, float, str]:
        """How far it is: done, of, in which unit; by what will be over first."""
        parts = [] if self.seconds is None else [(time, self.seconds, "seconds")]
        parts += [] if self.count is None else [(float(done), float(self.count), "inferences")]
        return max(parts, key=lambda part: part[0] / part[1])


@frozen(kw_only=True, eq=False)
class LiveRun:
    """A run with all that takes part in it.

    Attributes:
        images: (number of the level, of the inference) -> what the switcher runs; not timed.
        every: seconds between frames; None: the next follows at once.
        actions: what the policy had actuators set to where a resumed run goes on.
    """

    switcher: Switching
    images: Callable[[int, int], Any]
    governor: Governor
    limits: Limits
    length: Length
    watch: Watching
    settings: Settings
    contention: Contention
    log: Log
    view: View
    every: float | None = None
    clock: Clock = field(factory=Clock)
    actions: Mapping[str, float] = field(factory=dict)

    def go(self) -> None:
        """Run until the length is over; what the log holds counts as done.

        Raises:
            PluginError: the policy failed, with blame; what was run is in the log.
        """
        self.settings.apply(self.actions)
        started = self.clock.now() - self.log.elapsed
        while not self.length.over(now := self.clock.now() - started, len(self.log.inferences)):
            self.contention.at(now)
            self._infer(started)
            self._decide()
            self._show()
            self._wait(started)

    def _infer(self, started: float) -> None:
        """The limit is the one that held when it began."""
        images = self.images(self.governor.level, len(self.log.inferences))
        limit = self.limits.at(self.clock.now() - started)
        ran = self.switcher.run(images)
        self.log.add(
            Inference(
                time_s=self.clock.now() - started,
                level=ran.level,
                latency_ms=ran.latency_ms,
                limit_ms=limit,
                readings=self.watch.latest(),
            )
        )

    def _decide(self) -> None:
        last = self.log.inferences[-1]
        decision = self.governor.observe(observed(last))
        actions = self.settings.apply(decision.actions)
        changed = decision.level != last.level
        took = self.switcher.switch(decision.level) if changed else None
        event = self.log.decided(decision, actions, took)
        if event is not None:
            self.view.switched(event)

    def _show(self) -> None:
        last = self.log.inferences[-1]
        done, total, unit = self.length.progress(last.time_s, len(self.log.inferences))
        self.view.show(
            Shown(
                last=last,
                late_share=self.log.late_share,
                done=min(done, total),
                total=total,
                unit=unit,
                contended=self.contention.working,
            )
        )

    def _wait(self, started: float) -> None:
        """For the next frame; those that came meanwhile are left out."""
        if self.every is None:
            return
        now = self.clock.now() - started
        due = self.every * math.ceil(now / self.every)
        if self.length.seconds is not None:
            due = min(due, self.length.seconds)
        self.clock.sleep(max(0.0, due - now))


def observed(inference: Inference) -> Observation:
    """An inference as the policy is shown it."""
    return Observation(
        inference.time_s,
        inference.latency_ms,
        inference.limit_ms,
        inference.readings,
        inference.level,
    )
