"""Runtime policies, each of which breaks one law."""

from __future__ import annotations

import math
import random

from ofa_plugins_core import RuntimePolicyEntry
from ofa_plugins_core.interfaces import Decision
from ofa_plugins_core.testing import ToyPolicy


class Forgetful:
    """Remembers in itself what belongs into the state."""

    calls = 0

    def start(self, levels):
        return len(levels)

    def decide(self, state, observation):
        self.calls += 1
        return state, (self.calls + self.calls // 7) % state


class Scribbling(ToyPolicy):
    def start(self, levels):
        return [len(levels), 0]

    def decide(self, state, observation):
        state[1] = (state[1] + 1) % state[0]
        return state, state[1]


class OneTooFar(ToyPolicy):
    def decide(self, state, observation):
        return state, state[0]


class Counts:
    """Remembers how often it was started."""

    starts = 0

    def start(self, levels):
        self.starts += 1
        return len(levels), self.starts

    def decide(self, state, observation):
        return state, state[1] % state[0]


class WantsInfinity(ToyPolicy):
    def decide(self, state, observation):
        return state, Decision(0, actions={"cpu_max_mhz": math.inf})


class Gambles(ToyPolicy):
    def decide(self, state, observation):
        random.random()
        return super().decide(state, observation)


BROKEN = {
    "level_is_in_range": OneTooFar,
    "actions_are_numbers": WantsInfinity,
    "decides_purely": Forgetful,
    "state_is_not_changed": Scribbling,
    "starts_afresh": Counts,
    "no_other_randomness": Gambles,
}


def ofa_runtime_policies(law, name):
    yield RuntimePolicyEntry(name, "breaks a law", lambda options: BROKEN[law]())
