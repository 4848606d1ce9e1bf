"""Training plans, each of which breaks one law.

What nobody can train by is refused where the plan is built, with the same words.
"""

from __future__ import annotations

import random

import numpy as np
from attrs import evolve

from ofa_plugins_core import TrainingPlanEntry
from ofa_plugins_core.phases import Hyperparameters
from ofa_plugins_core.testing import toy_plan


def with_phase(supernet, place, **changes):
    """The toy plan, one of its phases changed."""
    plan = toy_plan(supernet)
    phases = list(plan.phases)
    phases[place] = evolve(phases[place], **changes)
    return evolve(plan, phases=tuple(phases))


class Changed:
    """The toy plan, with something of its own."""

    def __init__(self, supernet, **attributes):
        self.inner, self.supernet = toy_plan(supernet), supernet
        vars(self).update(attributes)

    def __getattr__(self, name):
        return getattr(vars(self)["inner"], name)


class LosesAPhase(Changed):
    def shrunk(self, share):
        return evolve(self.inner, phases=self.inner.phases[:-1])


class Gambles(Changed):
    def shrunk(self, share):
        random.random()
        return self.inner.shrunk(share)


class Renames(Changed):
    def shrunk(self, share):
        vars(self.supernet)["name"] += "'"
        return self.inner.shrunk(share)


def scrambled(supernet, change):
    """A plan that spoils the space that it was made for: what is drawn of it is no network."""
    kind = type(supernet.space)
    space = evolve(supernet.space)
    broken = type("Broken", (kind,), {"canonical": change, "__slots__": ()})
    vars(supernet)["space"] = broken(space.name, space.resolutions, space.genes, space.dimensions)
    return toy_plan(supernet)


def restless(self, genes):
    out = np.array(genes, dtype=np.uint8)
    out[:, 1] = 1 - out[:, 1]
    return out


BROKEN = {
    "says_what_it_is": lambda s: toy_plan(s.at([96])),
    "numbers_make_sense": lambda s: with_phase(s, 0, epochs=0),
    "shared_numbers_make_sense": lambda s: toy_plan(s, hyper=Hyperparameters(batch=0)),
    "phases_are_counted": lambda s: with_phase(s, 1, number=2),
    "opens_dimensions_of_the_space": lambda s: with_phase(s, 1, open={"w": 2}),
    "nothing_closes": lambda s: with_phase(s, 2, open={"d": 1}),
    "draws_inside": lambda s: scrambled(s, restless),
    "draws_follow_the_key": lambda s: scrambled(s, lambda self, genes: np.zeros_like(genes)),
    "shrinks": LosesAPhase,
    "no_other_randomness": Gambles,
    "supernet_stays": Renames,
}


def ofa_training_plans(law, name):
    yield TrainingPlanEntry(name, "breaks a law", lambda s, options: BROKEN[law](s))
