"""One enumeration for many bounds: every network of a small space is scored once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from attrs import define, field

from ofa_plugins_core.archive import unmet
from ofa_plugins_core.errors import InfeasibleError
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Problem
from ofa_plugins_core.scoring import Scorer, Scores, all_separable, best_row, joined
from ofa_plugins_core.values import Constraint, Genes
from ofa_search.exact.searcher import Exact
from ofa_search.exhaustive import every, networks

FEW: Final = 16
"""Networks scored at a time where each takes its time: Ctrl-C loses no more than these."""

Kept = Mapping[str, Any]
"""What was scored before, as JSON: ``costs`` (name -> values) and ``accuracy``, in the order of
the enumeration."""


@define(eq=False)
class Enumeration:
    """The best network under each of several bounds, from scoring every network once.

    Attributes:
        problem: without the bounds.
        constraints: the bounds, each a question of its own.
        evaluations: networks scored so far, those kept from before included.
        total: networks of the space, over all image sizes.
    """

    problem: Problem
    constraints: Sequence[Constraint]
    evaluations: int = field(default=0, init=False)
    total: int = field(init=False)
    _best: dict[Constraint, tuple[Genes, Scores]] = field(factory=dict, init=False)
    _least: dict[Constraint, float] = field(factory=dict, init=False)
    _values: dict[str, list[float]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.total = networks(self.problem.supernet.space)

    @property
    def quick(self) -> bool:
        """Whether everything is tables: then it takes no time that would be worth keeping."""
        return all_separable(self.problem)

    def run(
        self,
        kept: Kept | None = None,
        keep: Callable[[Kept], None] = lambda kept: None,
        listener: Listener = silent,
    ) -> None:
        """Score every network; what is found so far stands also where it is interrupted.

        Args:
            kept: what an interrupted run scored; it is not scored again.
            keep: takes the same, after every few networks, where scoring takes its time.
        """
        score = Scorer(self.problem)
        known = _Known.of(kept, self.problem)
        for genes in self._parts():
            scores = known.next(len(genes)) if known is not None else None
            if scores is None:
                scores = score(genes)
            self._add(genes, scores)
            if not self.quick:
                self._remember(scores)
                keep(self._values_as_json())
            listener(Progress("network", self.evaluations, self.total))

    def genes(self, constraint: Constraint) -> Genes:
        """(1, genes) the best under a bound, or (0, genes) where none was seen that meets it."""
        if constraint in self._best:
            return self._best[constraint][0]
        return np.zeros((0, len(self.problem.supernet.space.genes)), dtype=np.uint8)

    def infeasible(self, constraint: Constraint) -> InfeasibleError:
        """Why nothing meets a bound, with the least value that was seen."""
        problem = self.problem.with_constraints((constraint,))
        if Exact().refuses(problem) is None:  # it knows which block keeps it from being met
            return Exact().infeasible(problem)
        return unmet(problem, {constraint: self._least[constraint]}, self.evaluations)

    def _parts(self) -> Iterator[Genes]:
        for genes in every(self.problem.supernet.space):
            step = len(genes) if self.quick else FEW
            for start in range(0, len(genes), step):
                yield genes[start : start + step]

    def _add(self, genes: Genes, scores: Scores) -> None:
        self.evaluations += len(genes)
        for constraint in self.constraints:
            values = scores.of(constraint.name)
            least = float(values.min())
            self._least[constraint] = min(least, self._least.get(constraint, least))
            rows = np.flatnonzero(constraint.met(values))
            if len(rows):
                self._keep(constraint, genes[rows], scores.take(rows))

    def _keep(self, constraint: Constraint, genes: Genes, scores: Scores) -> None:
        if constraint in self._best:
            before, theirs = self._best[constraint]
            genes, scores = np.concatenate([before, genes]), joined([theirs, scores])
        row = best_row(self.problem, scores)
        self._best[constraint] = genes[row], scores.take(row)

    def _remember(self, scores: Scores) -> None:
        for name, values in scores.costs.items():
            self._values.setdefault(name, []).extend(np.asarray(values, dtype=float).tolist())
        if scores.accuracy is not None:
            self._values.setdefault("", []).extend(scores.accuracy.tolist())

    def _values_as_json(self) -> Kept:
        costs = {name: values for name, values in self._values.items() if name}
        return {"costs": costs, "accuracy": self._values.get("")}


@define(eq=False)
class _Known:
    """Scores of an earlier run, handed out in the order of the enumeration."""

    scores: Scores
    count: int
    _next: int = 0

    @classmethod
    def of(cls, kept: Kept | None, problem: Problem) -> _Known | None:
        """None where nothing is kept, or something of it is missing."""
        if not kept or set(kept.get("costs", ())) != set(problem.costs):
            return None
        costs = {name: np.array(kept["costs"][name], dtype=float) for name in problem.costs}
        accuracy = kept.get("accuracy")
        known = None if accuracy is None else np.array(accuracy, dtype=float)
        lengths = {len(v) for v in (*costs.values(), *(() if known is None else (known,)))}
        if len(lengths) != 1 or (known is None) != (problem.predictor is None):
            return None
        return cls(Scores(costs, known), lengths.pop())

    def next(self, count: int) -> Scores | None:
        """The next so many, or None where they are not all there."""
        start, self._next = self._next, self._next + count
        if self._next > self.count:
            return None
        return self.scores.take(np.arange(start, self._next))
