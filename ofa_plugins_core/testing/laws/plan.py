"""Laws of training plans: (plan, the supernet that it is for, generator)."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Final

import numpy as np

from ofa_plugins_core.handing import absent_members
from ofa_plugins_core.interfaces import Supernet, TrainingPlan
from ofa_plugins_core.phases import Phase, draw, lowest_open
from ofa_plugins_core.plans import (
    hyper_flaw,
    numbers_flaw,
    open_flaw,
    order_flaw,
    teacher_flaw,
    whole_flaw,
)
from ofa_plugins_core.testing.laws import Law, NotApplicableError, demand, effects
from ofa_plugins_core.values import SearchSpace

Rng = np.random.Generator
STEPS: Final = 20
"""Steps whose draws are compared."""


def says_what_it_is(plan: TrainingPlan, supernet: Supernet, generator: Rng) -> None:
    """It has everything of the Protocol, phases, a source, and something to be compared to.

    Give it what is said to be missing; ofa_plugins_core.interfaces.TrainingPlan lists every member.
    """
    lacking = absent_members(plan, TrainingPlan)
    demand(not lacking, f"it has no {', '.join(lacking)}")
    _demand_none(whole_flaw(plan))
    _demand_none(teacher_flaw(plan))
    teacher: object = plan.teacher
    if isinstance(teacher, Supernet):  # a plan that teaches nothing may have none
        sizes = (tuple(teacher.resolutions), tuple(supernet.resolutions))
        demand(sizes[0] == sizes[1], f"its teacher has image sizes {sizes[0]}, not {sizes[1]}")


def _demand_none(flaw: str | None) -> None:
    demand(flaw is None, str(flaw))


def numbers_make_sense(plan: TrainingPlan, supernet: Supernet, generator: Rng) -> None:
    """Each phase has epochs, subnets, a learning rate, and a warm-up that ends before it does.

    Give each phase whole epochs and subnets from 1 on, a rate above 0, and a warm-up shorter than
    it is.
    """
    for phase in (*plan.phases, *plan.full, plan.finetune):
        _demand_none(numbers_flaw(phase))
        wanted = phase.epochs * phase.subnets
        demand(phase.subnet_epochs == wanted, f"{phase.label}: {phase.subnet_epochs} subnet epochs")


def shared_numbers_make_sense(plan: TrainingPlan, supernet: Supernet, generator: Rng) -> None:
    """Batch, momentum, weight decay, smoothing, distillation and crops are in their ranges.

    Mend the named field of Hyperparameters.
    """
    _demand_none(hyper_flaw(plan.hyper))


def phases_are_counted(plan: TrainingPlan, supernet: Supernet, generator: Rng) -> None:
    """The teacher is first, a step's phases stand together, counted from 1; finetune is apart.

    Put the teacher first and a step's phases side by side, numbered from 1; leave finetune out of
    phases.
    """
    _demand_none(order_flaw(plan))
    counts: Counter[str] = Counter()
    for before, phase in pairwise((None, *plan.phases)):
        assert phase is not None
        counts[phase.step] += 1
        wanted, apart = counts[phase.step], before is None or before.step != phase.step
        demand(phase.number == wanted, f"{phase.label} is phase {wanted} of its step")
        demand(not apart or wanted == 1, f"{phase.label} stands apart from the phase before it")


def opens_dimensions_of_the_space(plan: TrainingPlan, supernet: Supernet, generator: Rng) -> None:
    """What a phase opens are dimensions of the space, from one option of each to all of them.

    Open keys of space.dimensions, each with 1 to as many options as it has.
    """
    for phase in plan.phases:
        _demand_none(open_flaw(phase, supernet.space))


def nothing_closes(plan: TrainingPlan, supernet: Supernet, generator: Rng) -> None:
    """What an earlier phase opened stays open, and the last phase opens everything.

    Repeat in each phase what earlier ones opened, and leave the last phase's open empty.
    """
    trained = _trained(plan)
    for one, two in pairwise(trained):
        before, after = (lowest_open(supernet.space, phase) for phase in (one, two))
        closed = np.flatnonzero(after > before)
        names = ", ".join(supernet.space.genes[column].name for column in closed)
        demand(not names, f"{two.label} closes options of {names} that {one.label} opened")
    shut = np.flatnonzero(lowest_open(supernet.space, trained[-1]))
    names = ", ".join(supernet.space.genes[column].name for column in shut)
    demand(not names, f"the last phase leaves options of {names} closed")


def _trained(plan: TrainingPlan) -> list[Phase]:
    """The phases that train the supernet."""
    found = [phase for phase in plan.phases if not phase.alone]
    if not found:
        raise NotApplicableError("it trains one network: nothing in this space is elastic")
    return found


def draws_inside(plan: TrainingPlan, supernet: Supernet, generator: Rng) -> None:
    """A step's subnets are as many as said, canonical, and of the open options.

    Draw by ofa_plugins_core.phases.draw, on a space that you have not changed.
    """
    for place, phase in enumerate(plan.phases):
        demand_inside(supernet.space, phase, (int(generator.integers(2**31)), place, 0, 0))


def demand_inside(space: SearchSpace, phase: Phase, key: tuple[int, ...]) -> None:
    """Demand that one step's subnets are canonical ones of the open options."""
    rows = draw(space, phase, key)
    wanted = (phase.subnets, len(space.genes))
    demand(rows.shape == wanted, f"{phase.label} draws {rows.shape}, not {wanted}")
    demand((rows < space.sizes).all(), f"{phase.label} draws options that do not exist")
    demand(np.array_equal(rows, space.canonical(rows)), f"{phase.label}: draws are not canonical")
    # canonical rows hold option 0 where a slot is unused: raised to the open ones they are equal
    raised = np.maximum(rows, lowest_open(space, phase)).astype(np.uint8)
    same = np.array_equal(space.canonical(raised), rows)
    demand(same, f"{phase.label} draws options that it has not opened")


def draws_follow_the_key(plan: TrainingPlan, supernet: Supernet, generator: Rng) -> None:
    """The same seed, phase, epoch and step draw the same subnets; other steps draw others.

    Open more than one network in each phase, on a space that you have not changed.
    """
    for place, phase in enumerate(_trained(plan)):
        keys = [(3, place, 1, step) for step in range(STEPS)]
        rows = [draw(supernet.space, phase, key) for key in keys]
        again = [draw(supernet.space, phase, key) for key in keys]
        demand(np.array_equal(rows, again), f"{phase.label}: the same key draws other subnets")
        several = any((row != rows[0]).any() for row in rows)
        demand(several, f"{phase.label}: {STEPS} steps draw the very same subnets")


def shrinks(plan: TrainingPlan, supernet: Supernet, generator: Rng) -> None:
    """With a share of its epochs it is the same plan, at least one epoch a phase.

    Make shrunk() by giving each phase its share of epochs, at least one; Plan of
    ofa_plugins_core.plans does.
    """
    small = plan.shrunk(0.01)
    demand(len(small.phases) == len(plan.phases), "a phase is lost")
    for one, two in zip(plan.phases, small.phases, strict=True):
        demand(one.label == two.label, f"{one.label} becomes {two.label}")
        demand(two.open == one.open, f"{one.label} opens other options")
    numbers_make_sense(small, supernet, generator)
    whole = plan.shrunk(1.0)
    demand(tuple(whole.phases) == tuple(plan.phases), "all of its epochs are not all")


def used(plan: TrainingPlan, supernet: Supernet, generator: Rng) -> None:
    """As jobs use it."""
    for place, phase in enumerate(plan.shrunk(0.5).phases):
        draw(supernet.space, phase, (3, place, 0, 0))


no_other_randomness = effects.no_other_randomness(used)
supernet_stays = effects.supernet_stays(used)

LAWS: Final[tuple[Law, ...]] = (
    supernet_stays,  # first: what is changed once looks unchanged after that
    says_what_it_is,
    numbers_make_sense,
    shared_numbers_make_sense,
    phases_are_counted,
    opens_dimensions_of_the_space,
    nothing_closes,
    draws_inside,
    draws_follow_the_key,
    shrinks,
    no_other_randomness,
)
