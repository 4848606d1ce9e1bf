"""Fronts of several objectives: joining pieces, keeping what nothing beats.

A part of a network that another part of the same state beats in every objective stays beaten
however both go on, since sums and maxima only grow along; so the non-dominated parts of each
border are enough for the whole front. With three objectives and more these can be millions: then
one part a box of a grid stands for its neighbours, and how far those are is added up and reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.events import Listener, Progress
from ofa_plugins_core.interfaces import Problem
from ofa_plugins_core.pareto import non_dominated, not_clearly_beaten, thin
from ofa_plugins_core.scoring import ACCURACY
from ofa_plugins_core.separable import Separable
from ofa_plugins_core.values import RESOLUTION, Genes
from ofa_search.exact.paths import Index, Links, Paths, Scores
from ofa_search.exact.pieces import Chain, chain_of
from ofa_search.exact.question import Question, ask, scaled, tables

CANDIDATES: Final = 2**20
"""Joint parts that are looked at in one go."""

ROOM: Final = 3000
"""Parts kept at a border when thinning (or three times the points asked for, if more)."""

PIECE_ROOM: Final = 300
"""Configurations of a piece kept when thinning."""

_CROWD: Final = 2**13
"""Parts from which on a coarse grid sorts out most before they are compared."""

Columns = NDArray[np.float64]


@frozen(eq=False)
class _Parts:
    """Paths from the start to a border: (n,) states, (n, columns) sums and maxima, (n, pieces)."""

    state: Index
    columns: Columns
    picks: Index

    def take(self, rows: Index) -> _Parts:
        return _Parts(self.state[rows], self.columns[rows], self.picks[rows])


@frozen(eq=False)
class Part:
    """The front of one resolution.

    Attributes:
        points: (n, objectives), minimised: accuracy negated.
        genes: (n, genes).
        epsilon: (objectives,) what thinning on the way may have cost; accuracy in the score's unit.
    """

    points: NDArray[np.float64]
    genes: Genes
    epsilon: NDArray[np.float64]


@define(eq=False)
class Trade:
    """One resolution of a front.

    Attributes:
        question: its bounds.
        names: objectives. quantities: their tables, minimised; then those of the bounds.
        chain: the space in pieces.
        room: parts kept at a border, 0 for all.
        epsilon: (objectives,) what thinning may have cost so far.
    """

    question: Question
    names: tuple[str, ...]
    quantities: tuple[Separable, ...]
    chain: Chain
    room: int
    listener: Listener
    epsilon: Scores = field(init=False)
    maxima: NDArray[np.bool_] = field(init=False)
    limits: Scores = field(init=False)
    compared: Index = field(init=False)

    @classmethod
    def of(
        cls, problem: Problem, index: int, names: tuple[str, ...], limit: int, listener: Listener
    ) -> Trade:
        """Prepare the front of one resolution."""
        size = problem.supernet.resolutions[index]
        question = ask(problem, index, problem.constraints, Separable("sum", ()))
        traded = [tables(problem, n, size) for n in names]
        minimised = [
            scaled(q, -1) if n == ACCURACY else q for n, q in zip(names, traded, strict=True)
        ]
        quantities = (*minimised, *(b.quantity for b in question.bounds))
        everything = [*quantities, *(f.quantity for f in question.filters)]
        chain = chain_of(problem.supernet.space, everything, limit)
        room = max(ROOM, 3 * problem.points) if problem.points and len(names) > 2 else 0
        return cls(question, names, quantities, chain, room, listener)

    def __attrs_post_init__(self) -> None:
        self.epsilon = np.zeros(len(self.names))
        self.maxima = np.array([q.reduce == "max" for q in self.quantities])
        objectives = len(self.names)
        self.limits = np.array([np.inf] * objectives + [b.limit for b in self.question.bounds])
        extra = [
            objectives + number
            for number, bound in enumerate(self.question.bounds)
            if not self._follows(bound.name)
        ]
        self.compared = np.array([*range(objectives), *extra], dtype=np.intp)

    def _follows(self, name: str) -> bool:
        """Whether the bounds on a sum follow from comparing it as an objective."""
        if name not in self.names:
            return False
        agrees = ">=" if name == ACCURACY else "<="
        own = [c for c in self.question.problem.constraints if c.name == name]
        return all(c.relation == agrees for c in own)

    def part(self) -> Part:
        """The front of this resolution."""
        configurations = self._configurations()
        parts = self._join(configurations)
        genes = self._genes(parts, configurations)
        points = parts.columns[:, : len(self.names)].copy()
        met = self.question.met(genes)
        points, genes = points[met], genes[met]
        epsilon = self.epsilon
        if ACCURACY in self.names:
            column = self.names.index(ACCURACY)
            score = -points[:, column]
            points[:, column] = -self.question.link.forward(score)
            epsilon = self._in_percent(epsilon, column, score)
        return Part(points, genes, epsilon)

    def _in_percent(self, epsilon: Scores, column: int, score: Scores) -> Scores:
        """The score's epsilon as the largest difference of accuracy that it can make."""
        out = epsilon.copy()
        if out[column] and len(score):
            link = self.question.link
            out[column] = float((link.forward(score + epsilon[column]) - link.forward(score)).max())
        return out

    # ------------------------------------------------------------------ configurations

    def _configurations(self) -> list[tuple[Links, Columns, Index]]:
        """For each piece the configurations that filters and comparison leave."""
        terms = self._terms()
        allowed = self._allowed()
        out = []
        for piece, columns, ok in zip(self.chain.pieces, terms, allowed, strict=True):
            rows = np.flatnonzero(ok)
            pair = piece.before[rows] * piece.states[1] + piece.after[rows]
            kept = rows[self._undominated(pair, columns[rows], self._own_room())]
            kept = np.sort(kept)
            links = Links(piece.before[kept], piece.after[kept], piece.states)
            out.append((links, columns[kept], kept))
        return out

    def _own_room(self) -> int:
        return PIECE_ROOM if self.room else 0

    def _terms(self) -> list[Columns]:
        sums, _ = self.chain.sums(
            [q for q, m in zip(self.quantities, self.maxima, strict=True) if not m]
        )
        peaks, _ = self.chain.maxima(
            [q for q, m in zip(self.quantities, self.maxima, strict=True) if m]
        )
        floors = [_floor(q) for q, m in zip(self.quantities, self.maxima, strict=True) if m]
        out = []
        for own_sums, own_peaks in zip(sums, peaks, strict=True):
            columns = np.empty((len(own_sums), len(self.quantities)))
            columns[:, ~self.maxima] = own_sums
            columns[:, self.maxima] = np.maximum(own_peaks, floors)
            out.append(columns)
        return out

    def _allowed(self) -> list[NDArray[np.bool_]]:
        filters = self.question.filters
        peaks, _ = self.chain.maxima([f.quantity for f in filters])
        bounds = np.array([f.bound for f in filters])
        return [np.asarray(np.all(p <= bounds, axis=1)) for p in peaks]

    def _start(self) -> _Parts:
        columns = np.zeros((1, len(self.quantities)))
        for number, quantity in enumerate(self.quantities):
            fixed = [float(f.table[()]) for f in quantity.factors if not f.genes]
            if self.maxima[number]:
                columns[0, number] = max(fixed, default=_floor(quantity))
            else:
                columns[0, number] = sum(fixed)
        return _Parts(np.zeros(1, np.intp), columns, np.zeros((1, 0), np.intp))

    # ------------------------------------------------------------------ joining

    def _join(self, configurations: list[tuple[Links, Columns, Index]]) -> _Parts:
        parts = self._start()
        if not self.question.possible:
            return parts.take(np.zeros(0, np.intp))
        paths = Paths(tuple(c[0] for c in configurations))
        if paths.empty:
            empty = np.zeros((0, len(configurations)), np.intp)
            return _Parts(np.zeros(0, np.intp), parts.columns[:0], empty)
        lightest, heaviest = self._remaining(paths, configurations)
        for number, (links, columns, _) in enumerate(configurations):
            self.listener(
                Progress("stage", number, len(configurations), f"{len(parts.state)} parts")
            )
            made = [
                self._keep(chunk, number + 1, lightest, heaviest)
                for chunk in self._chunks(parts, links, columns)
            ]
            parts = _joined(made, len(self.quantities), number + 1)
            if len(made) > 1:
                parts = self._keep(parts, number + 1, lightest, heaviest)
        return parts

    def _remaining(
        self, paths: Paths, configurations: list[tuple[Links, Columns, Index]]
    ) -> tuple[list[list[Scores]], list[list[Scores]]]:
        """For each bound and border the least and the most that is still to come."""
        lightest, heaviest = [], []
        for column in range(len(self.names), len(self.quantities)):
            weight = np.concatenate([c[1][:, column] for c in configurations])
            lightest.append([-r for r in paths.remaining(-weight)])
            heaviest.append(paths.remaining(weight))
        return lightest, heaviest

    def _chunks(self, parts: _Parts, links: Links, columns: Columns) -> Iterator[_Parts]:
        """Joint parts in portions: every part with every configuration of its state."""
        for state in np.flatnonzero(np.bincount(parts.state, minlength=1)):
            low, high = np.searchsorted(links.before, [state, state + 1])
            rows = np.flatnonzero(parts.state == state)
            if high == low:
                continue
            step = max(1, CANDIDATES // (high - low))
            for start in range(0, len(rows), step):
                yield self._product(parts, rows[start : start + step], links, columns, low, high)

    def _product(
        self, parts: _Parts, rows: Index, links: Links, columns: Columns, low: int, high: int
    ) -> _Parts:
        left = np.repeat(rows, high - low)
        right = np.tile(np.arange(low, high), len(rows))
        joint = np.empty((len(left), len(self.quantities)))
        for column, largest in enumerate(self.maxima):
            join = np.maximum if largest else np.add
            joint[:, column] = join.outer(
                parts.columns[rows, column], columns[low:high, column]
            ).ravel()
        return _Parts(links.after[right], joint, np.column_stack([parts.picks[left], right]))

    def _keep(
        self, parts: _Parts, border: int, lightest: list[list[Scores]], heaviest: list[list[Scores]]
    ) -> _Parts:
        """What can still meet the bounds and that nothing of the same state beats."""
        first = len(self.names)
        ok = np.ones(len(parts.state), dtype=bool)
        points = parts.columns.copy()
        for number, (least, most) in enumerate(zip(lightest, heaviest, strict=True)):
            weight, limit = parts.columns[:, first + number], self.limits[first + number]
            ok &= weight + least[border][parts.state] <= limit
            points[:, first + number] = np.maximum(weight, limit - most[border][parts.state])
        rows = np.flatnonzero(ok)
        return parts.take(rows[self._undominated(parts.state[rows], points[rows], self.room)])

    def _undominated(self, state: Index, columns: Columns, room: int) -> Index:
        """Rows that no row of the same state beats; at most ``room`` a state, if it is not 0."""
        kept = [np.zeros(0, np.intp)]
        worst = np.zeros(len(self.names))
        for one in np.flatnonzero(np.bincount(state, minlength=1)):
            rows = np.flatnonzero(state == one)
            points = columns[rows][:, self.compared]
            if len(points) > max(4 * room, _CROWD):
                clear = not_clearly_beaten(points)
                rows, points = rows[clear], points[clear]
            if len(points) > 4 * room and room:
                chosen, away = thin(points, 4 * room)
                rows, points = rows[chosen], points[chosen]
                worst = np.maximum(worst, away[: len(self.names)])
            best = non_dominated(points)
            kept.append(rows[best])
        self.epsilon = self.epsilon + worst
        return np.concatenate(kept)

    def _genes(
        self, parts: _Parts, configurations: list[tuple[Links, Columns, Index]]
    ) -> NDArray[np.uint8]:
        space = self.question.problem.supernet.space
        genes = np.zeros((len(parts.state), len(space.genes)), dtype=np.uint8)
        for number, (piece, (_, _, kept)) in enumerate(
            zip(self.chain.pieces, configurations, strict=True)
        ):
            if len(parts.state):
                genes[:, list(piece.genes)] = piece.rows[kept[parts.picks[:, number]]]
        genes[:, RESOLUTION] = self.question.index
        return genes


def _floor(quantity: Separable) -> float:
    """The smallest term of a maximum: what a piece without any term counts as."""
    return min((float(np.min(f.table)) for f in quantity.factors), default=0.0)


def _joined(made: list[_Parts], columns: int, pieces: int) -> _Parts:
    if not made:
        empty = np.zeros((0, pieces), np.intp)
        return _Parts(np.zeros(0, np.intp), np.zeros((0, columns)), empty)
    return _Parts(
        np.concatenate([m.state for m in made]),
        np.concatenate([m.columns for m in made]),
        np.concatenate([m.picks for m in made]),
    )
