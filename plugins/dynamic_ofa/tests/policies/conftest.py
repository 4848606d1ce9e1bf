"""The published levels, and a policy in a closed loop with them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ofa_plugins_core.interfaces import Decision, Observation, StartingPolicy


@pytest.fixture(scope="session")
def looped():
    """(policy, levels, load, images, ...) -> the decision after each image.

    ``load`` is a factor of latency, or (number of the image) -> factor; ``readings`` the same way.
    """

    def run(policy, levels, load, images, *, limit=60.0, start=None, readings=None):
        state, decisions = policy.start(levels), []
        level = start
        if level is None:
            begins = isinstance(policy, StartingPolicy)
            level = policy.initial(levels) if begins else len(levels) - 1
        for image in range(images):
            factor = load(image) if callable(load) else load
            latency = levels[level].latency * factor
            seen = readings(image) if callable(readings) else readings or {}
            state, found = policy.decide(
                state, Observation(float(image), latency, limit, seen, level)
            )
            decision = found if isinstance(found, Decision) else Decision(found)
            decisions.append(decision)
            level = decision.level
        return decisions

    return run


@pytest.fixture(scope="session")
def visited():
    """(decisions) -> the levels in the order in which they were chosen."""

    def levels(decisions):
        found = [d.level for d in decisions]
        return [found[0], *(b for a, b in pairwise(found) if a != b)]

    return levels
