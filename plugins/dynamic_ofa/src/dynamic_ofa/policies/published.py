"""The published rules of Dynamic-OFA, with all their settings, as a pure function.

Lou, Xun et al., CVPRW 2021: down one level when the windowed mean of latency is over the limit; up
one level for accuracy alone, and only after many quiet images; never up because there is room.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import evolve, frozen

from dynamic_ofa.policies.options import PublishedOptions
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Decision, Level, Observation

OUTLIER: Final = 1.5
"""Times the limit: 90 ms at 60 ms, as published."""


@frozen(kw_only=True)
class PublishedState:
    """What the rules remember.

    Attributes:
        levels: from fast to slow.
        level: the one that is on; None before the first image.
        images: seen since the last switch.
        quiet: images in a row without a violation, since the last switch.
        window: the last latencies that count, ms.
        ignored: images whose latencies are still to be left out.
        judged: the last image was none of them.
        rose: the last switch was a step up.
        ceiling: the lowest level that was given up; none from it on is tried again.
    """

    levels: tuple[Level, ...]
    level: int | None = None
    images: int = 0
    quiet: int = 0
    window: tuple[float, ...] = ()
    ignored: int = 0
    judged: bool = True
    rose: bool = False
    ceiling: int | None = None


@frozen
class Published:
    """The policy ``dynamic_ofa``.

    The level that is on is the one of the first observation, then what was decided: an inference
    that began at another level, and ends after the switch, says nothing of this one.
    """

    options: PublishedOptions = PublishedOptions()

    def initial(self, levels: Sequence[Level]) -> int:
        """The middle level, or the one that was asked for.

        Raises:
            UsageError: there is no such level.
        """
        start = self.options.start
        if start is not None and start >= len(levels):
            raise UsageError(
                f"dynamic_ofa.start: there is no level {start}: the table has {len(levels)}",
                advice=f"take 0 (the fastest) to {len(levels) - 1}",
            )
        return len(levels) // 2 if start is None else start

    def start(self, levels: Sequence[Level]) -> PublishedState:
        """Nothing was seen."""
        return PublishedState(levels=tuple(levels))

    def decide(
        self, state: PublishedState, observation: Observation
    ) -> tuple[PublishedState, Decision]:
        """One level down, one up, or as it is."""
        level = observation.level if state.level is None else state.level
        if observation.level != level:
            return state, Decision(level)
        seen = self._seen(state, level, observation)
        why = self._violation(seen, observation)
        if why and level > 0:
            return self._down(seen, level, why)
        if not self._is_outlier(observation):  # one that does not count proves nothing
            seen = evolve(seen, quiet=0 if why else seen.quiet + 1)
        if self._may_rise(seen, level):
            return self._up(seen, level)
        return seen, Decision(level)

    def _seen(self, state: PublishedState, level: int, observation: Observation) -> PublishedState:
        """With the latency, unless it is one of those that do not count."""
        window, ignored = state.window, max(0, state.ignored - 1)
        if not state.ignored and not self._is_outlier(observation):
            window = (*window, observation.latency)[-self.options.window :]
        return evolve(
            state,
            level=level,
            images=state.images + 1,
            window=window,
            ignored=ignored,
            judged=not state.ignored,
        )

    def _is_outlier(self, seen: Observation) -> bool:
        return seen.latency >= (self.options.outlier_ms or OUTLIER * seen.limit)

    def _violation(self, state: PublishedState, seen: Observation) -> str:
        """What is violated, for people; nothing is while images are ignored."""
        if not state.judged:
            return ""
        mean = sum(state.window) / self.options.window
        if mean > seen.limit:
            return f"the mean of {mean:.4g} ms is over the limit of {seen.limit:.4g} ms"
        for name in ("memory_percent", "gpu_memory_percent"):
            most, found = getattr(self.options, name), seen.readings.get(name)
            if most is not None and found is not None and found > most:
                return f"{name} of {found:.3g} is over {most:.3g}"
        return ""

    def _may_rise(self, state: PublishedState, level: int) -> bool:
        top = len(state.levels) if state.ceiling is None else state.ceiling
        wished = state.levels[level].accuracy < self.options.accuracy
        return wished and level + 1 < top and state.quiet >= self.options.quiet

    def _up(self, state: PublishedState, level: int) -> tuple[PublishedState, Decision]:
        accuracy = state.levels[level].accuracy
        reason = (
            f"{accuracy:.4g} % is below the wish of {self.options.accuracy:.4g} %, "
            f"{state.quiet} images in a row were quiet"
        )
        return self._switched(state, level + 1, rose=True), Decision(level + 1, reason)

    def _down(self, state: PublishedState, level: int, why: str) -> tuple[PublishedState, Decision]:
        """Back for good, where it had just come up to this level."""
        if self.options.commit and state.rose and state.images <= self._soon:
            state = evolve(state, ceiling=level)
            why += f"; level {level} is not tried again"
        return self._switched(state, level - 1, rose=False), Decision(level - 1, why)

    @property
    def _soon(self) -> int:
        """Images after a step up within which a violation is because of it.

        As many as it had to be quiet for; never fewer than it takes until the mean is of this level
        alone, or a steady load would be met again and again.
        """
        return max(self.options.quiet, self.options.ignore + self.options.window)

    def _switched(self, state: PublishedState, level: int, rose: bool) -> PublishedState:
        ignored = self.options.ignore
        return PublishedState(
            levels=state.levels, level=level, ignored=ignored, rose=rose, ceiling=state.ceiling
        )
