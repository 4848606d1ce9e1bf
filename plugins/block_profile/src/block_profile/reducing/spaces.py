"""The problems of a contest: one question, asked in a smaller space, the whole and a control."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from block_profile.reducing.control import random_control
from block_profile.reducing.options import ContestOptions
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import silent
from ofa_plugins_core.interfaces import Archs, CostModel, Predictor, Problem, SeparableCost
from ofa_plugins_core.jobs.asking import question_of
from ofa_plugins_core.jobs.choosing import cost_models, predictor_needed
from ofa_plugins_core.jobs.options import SearchOptions
from ofa_plugins_core.pricing import encoded
from ofa_plugins_core.reduction.predictors import WholePredictor, whole_predictor
from ofa_plugins_core.reduction.supernet import ReducedSupernet
from ofa_plugins_core.scoring import ACCURACY
from ofa_plugins_core.separable import Separable

USUAL_COST = "flops"
"""Decides between equally accurate networks where no cost is named."""


@frozen(eq=False)
class WholeCost:
    """A cost of the whole supernet, asked about networks of a smaller space.

    Attributes:
        model: the whole's. supernet: the smaller space.
    """

    model: CostModel
    supernet: ReducedSupernet

    def evaluate(self, archs: Archs) -> NDArray[Any]:
        """(n,) costs of n architectures of the smaller space."""
        _, genes = encoded(self.supernet.space, archs)
        return self.model.evaluate(self.supernet.reduced.to_whole(genes))

    def __getattr__(self, name: str) -> Any:
        """Name, unit, kind, source."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.model, name)


@frozen(eq=False)
class WholeSeparableCost(WholeCost):
    """The same where the cost is a sum or a maximum of tables."""

    def separable(self, size: int) -> Separable:
        """Its tables at one image size (pixels), over the smaller space's genes."""
        return self.supernet.reduced.separable(cast(SeparableCost, self.model).separable(size))


@frozen(eq=False)
class Spaces:
    """What is compared.

    Attributes:
        small: the problem in the smaller space. whole: the same in the whole one.
        named: the control that the user named, or None: a new one each repeat.
    """

    small: Problem
    whole: Problem
    named: Problem | None

    @property
    def reduced(self) -> ReducedSupernet:
        """The smaller space."""
        return cast(ReducedSupernet, self.small.supernet)

    def control(self, generator: np.random.Generator) -> Problem:
        """The named control; or one of the same size, drawn.

        Raises:
            UsageError: none can be drawn.
        """
        if self.named is not None:
            return self.named
        small = self.reduced
        control = random_control(self.whole.supernet, small.reduction, generator, "control")
        return inside(self.whole, control)


def inside(problem: Problem, small: ReducedSupernet) -> Problem:
    """A problem of a whole supernet, asked in a smaller space of it."""
    costs: dict[str, CostModel] = {
        name: (WholeSeparableCost if isinstance(cost, SeparableCost) else WholeCost)(cost, small)
        for name, cost in problem.costs.items()
    }
    assert problem.predictor is not None
    predictor: Predictor = whole_predictor(problem.predictor, small)
    return evolve(problem, supernet=small, costs=costs, predictor=predictor)


def spaces_of(context: JobContext, options: ContestOptions, front: bool) -> Spaces:
    """Names and flags as the same problem in each space.

    Args:
        front: fronts are searched, not the most accurate network.

    Raises:
        UnknownNameError, UsageError: they do not fit together, or the space is no smaller one.
    """
    chosen = context.host.supernet(options.supernet)
    if not isinstance(chosen, ReducedSupernet):
        raise UsageError(
            f"{chosen.name} is no smaller space, so there is nothing to compare",
            advice="SUPERNET+NAME, or a space.yaml of ofa run reduce; ofa list reductions",
        )
    problem = _problem(context, options, front)
    small = cast(ReducedSupernet, problem.supernet)
    whole_of = cast(WholePredictor, problem.predictor).predictor
    quiet = evolve(context, listener=silent)
    costs = cost_models(quiet, options, small.whole, problem.costs)
    whole = evolve(problem, supernet=small.whole, costs=costs, predictor=whole_of)
    named = None if options.control is None else _named(context, options.control, whole)
    return Spaces(problem, whole, named)


def _problem(context: JobContext, options: ContestOptions, front: bool) -> Problem:
    """The question in the smaller space."""
    asked = SearchOptions(
        supernet=options.supernet,
        cost=options.cost or (() if options.constraint else (USUAL_COST,)),
        lut=options.lut,
        lut_as=options.lut_as,
        device=options.device,
        measure=options.measure,
        batch=options.batch,
        as_built=options.as_built,
        dtype=options.dtype,
        classes=options.classes,
        predictor=options.predictor,
        predictor_weights=options.predictor_weights,
        dataset=options.dataset,
        constraint=options.constraint,
        resolutions=options.resolutions,
        points=0,
    )
    if any(":" in bound for bound in options.constraint):
        raise UsageError("a contest takes no range of bounds", advice="--constraint 'NAME<=BOUND'")
    question = question_of(context, asked)
    if question.chosen is None:
        predictor_needed(context, options, question.problem.supernet)  # says what is lacking
        raise UsageError("a contest needs a predictor of accuracy")
    return evolve(question.problem, front=front, objective=ACCURACY)


def _named(context: JobContext, name: str, whole: Problem) -> Problem:
    control = context.host.supernet(name)
    if not isinstance(control, ReducedSupernet) or control.whole.name != whole.supernet.name:
        raise UsageError(f"--control: {control.name} is no smaller space of {whole.supernet.name}")
    return inside(whole, control.at(whole.supernet.resolutions))
