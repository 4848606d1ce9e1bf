"""Best ways through a chain of pieces: the longest path over their states."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Index = NDArray[np.intp]
Scores = NDArray[np.float64]


@frozen(eq=False)
class Links:
    """What is left of a piece: for each configuration the states that it joins.

    Attributes:
        before, after: (n,) states, sorted by both.
        states: how many there are before and after.
    """

    before: Index
    after: Index
    states: tuple[int, int]


@frozen(eq=False, slots=False)
class Paths:
    """Longest paths through the configurations of a chain of pieces, all laid end to end.

    Scores are (all configurations,) arrays, the pieces one after the other.
    """

    links: tuple[Links, ...]

    @cached_property
    def offsets(self) -> list[int]:
        """Start of each piece, and the end of the last."""
        return [0, *np.cumsum([len(x.before) for x in self.links]).tolist()]

    @cached_property
    def _segments(self) -> tuple[Index, list[Index]]:
        """Where configurations of the same two states start: for all pieces, and for each."""
        own = []
        for link in self.links:
            new = np.ones(len(link.before), dtype=bool)
            new[1:] = (np.diff(link.before) != 0) | (np.diff(link.after) != 0)
            own.append(np.flatnonzero(new))
        starts = [s + o for s, o in zip(own, self.offsets[:-1], strict=True)]
        return np.concatenate(starts), own

    @cached_property
    def plain(self) -> bool:
        """Whether no piece shares a gene with another."""
        return all(x.states == (1, 1) for x in self.links)

    @property
    def empty(self) -> bool:
        """Whether some piece has no configuration left."""
        return any(len(x.before) == 0 for x in self.links)

    def best(self, scores: Scores) -> tuple[float, list[int]]:
        """The largest sum along a path, and the path's configurations; (-inf, []) without one."""
        if self.empty:
            return -np.inf, []
        if self.plain:
            picks = [int(scores[a:b].argmax()) + a for a, b in self._bounds]
            return float(scores[picks].sum()), picks
        steps = self._matrices(scores)
        ahead = self._behind(steps)
        if ahead[0][0] == -np.inf:
            return -np.inf, []
        return float(ahead[0][0]), self._walk(scores, steps, ahead)

    def _walk(self, scores: Scores, steps: list[Scores], ahead: list[Scores]) -> list[int]:
        state, picks = 0, []
        for number, (link, step) in enumerate(zip(self.links, steps, strict=True)):
            target = int((step[state] + ahead[number + 1]).argmax())
            low, high = np.searchsorted(link.before, [state, state + 1])
            inside = low + np.searchsorted(link.after[low:high], [target, target + 1])
            start = self.offsets[number]
            picks.append(
                start + int(inside[0] + scores[start + inside[0] : start + inside[1]].argmax())
            )
            state = target
        return picks

    @cached_property
    def _bounds(self) -> list[tuple[int, int]]:
        return list(zip(self.offsets[:-1], self.offsets[1:], strict=True))

    def _matrices(self, scores: Scores) -> list[Scores]:
        """For each piece (before, after) the best configuration between two states."""
        starts, own = self._segments
        tops = np.maximum.reduceat(scores, starts)
        steps, position = [], 0
        for link, segment in zip(self.links, own, strict=True):
            step = np.full(link.states, -np.inf)
            step[link.before[segment], link.after[segment]] = tops[
                position : position + len(segment)
            ]
            position += len(segment)
            steps.append(step)
        return steps

    @staticmethod
    def _behind(steps: Sequence[Scores]) -> list[Scores]:
        """For each border the best sum from each state to the end; the first border first."""
        ahead = [np.zeros(steps[-1].shape[1])]
        for step in reversed(steps):
            ahead.append((step + ahead[-1]).max(axis=1))
        return ahead[::-1]

    def remaining(self, scores: Scores) -> list[Scores]:
        """For each border, the first one included, the best sum from each state to the end."""
        return self._behind(self._matrices(scores))

    def through(self, scores: Scores) -> Scores:
        """(all configurations,) the best sum of a path through each one."""
        steps = self._matrices(scores)
        ahead = self._behind(steps)
        so_far = np.zeros(1)
        out = np.empty(len(scores))
        for number, (link, step) in enumerate(zip(self.links, steps, strict=True)):
            part = slice(self.offsets[number], self.offsets[number + 1])
            out[part] = so_far[link.before] + scores[part] + ahead[number + 1][link.after]
            so_far = (so_far[:, None] + step).max(axis=0)
        return out

    def keep(self, chosen: NDArray[np.bool_]) -> Paths:
        """Only the chosen configurations."""
        return Paths(
            tuple(
                Links(x.before[m], x.after[m], x.states)
                for x, m in zip(self.links, np.split(chosen, self.offsets[1:-1]), strict=True)
            )
        )
