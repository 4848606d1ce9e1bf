"""The problems of a contest: one question, asked in a smaller space, the whole and a control."""

from __future__ import annotations

from typing import cast

import numpy as np
from attrs import evolve, frozen

from block_profile.reducing.control import random_control
from block_profile.reducing.options import ContestOptions
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import silent
from ofa_plugins_core.interfaces import Problem
from ofa_plugins_core.jobs.asking import question_of
from ofa_plugins_core.jobs.choosing import cost_models, predictor_needed
from ofa_plugins_core.jobs.options import SearchOptions
from ofa_plugins_core.reduction.costs import whole_cost
from ofa_plugins_core.reduction.predictors import WholePredictor, whole_predictor
from ofa_plugins_core.reduction.supernet import ReducedSupernet
from ofa_plugins_core.scoring import ACCURACY

USUAL_COST = "flops"
"""Decides between equally accurate networks where no cost is named."""


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
    costs = {name: whole_cost(cost, small) for name, cost in problem.costs.items()}
    predictor = None if problem.predictor is None else whole_predictor(problem.predictor, small)
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
