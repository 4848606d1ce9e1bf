"""What breaks a law in other ways than its plugin in ``unlawful/`` does."""

from __future__ import annotations

import math
from contextlib import contextmanager
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import numpy as np
import pytest
from attrs import evolve, frozen

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import Decision
from ofa_plugins_core.phases import Hyperparameters
from ofa_plugins_core.separable import Factor, Separable
from ofa_plugins_core.testing import (
    TOY_LEVELS,
    ToyPolicy,
    ToyPredictor,
    toy_cost,
    toy_plan,
    toy_supernet,
)
from ofa_plugins_core.testing.laws import (
    LawBrokenError,
    NotApplicableError,
    cost,
    device,
    monitor,
    plan,
    policy,
    predictor,
)

TOY = toy_supernet()
CHANGED = SimpleNamespace(**run_path(str(Path(__file__).parent / "unlawful" / "device.py")))
"""Devices with changes, as those whose plugin breaks a law."""
Wrapped, Machine = CHANGED.Wrapped, CHANGED.Machine


def breaks(law, subject, ground):
    with pytest.raises(LawBrokenError):
        law(subject, ground, np.random.default_rng(20))


@pytest.mark.parametrize(
    "factor",
    [
        Factor("of the resolution", (0, 1), np.zeros((2, 2))),
        Factor("of another shape", (1, 2), np.zeros((2, 3))),
        Factor("out of order", (2, 1), np.zeros((2, 2))),
        Factor("over far groups", (1, 11), np.zeros((2, 2))),
    ],
    ids=lambda factor: factor.name,
)
def test_unsound_tables_are_found(factor):
    deep = toy_supernet(stages=3)

    class Unsound(Wrapped):
        def separable(self, size):
            return Separable("sum", (factor,))

    breaks(cost.tables_are_sound, Unsound(toy_cost("params", deep)), deep)


class FittedOnNothing(Wrapped):
    """A predictor that was fitted on no image size, and does not say so."""

    resolutions = ()


def test_an_extrapolation_as_a_whole_has_to_say_so():
    breaks(
        predictor.fitted_sizes_are_not_extrapolated, FittedOnNothing(ToyPredictor(TOY.space)), TOY
    )


def with_phase(place, **changes):
    """The toy plan, one of its phases changed."""
    phases = list(toy_plan().phases)
    phases[place] = evolve(phases[place], **changes)
    return toy_plan(phases=tuple(phases))


BROKEN_PLANS = {
    plan.says_what_it_is: [toy_plan(full=()), toy_plan(source=""), toy_plan(phases=())],
    plan.numbers_make_sense: [
        with_phase(0, epochs=0),
        with_phase(1, subnets=0),
        with_phase(1, base_lr=0.0),
        with_phase(2, warmup_epochs=4),
        with_phase(2, subnets=1, sandwich=True),
    ],
    plan.shared_numbers_make_sense: [
        toy_plan(hyper=Hyperparameters(batch=0)),
        toy_plan(hyper=Hyperparameters(momentum=1.0)),
        toy_plan(hyper=Hyperparameters(min_scale=0.0)),
    ],
    plan.phases_are_counted: [
        with_phase(1, number=2),
        with_phase(2, step="teacher", number=2),
        toy_plan(finetune=toy_plan().phases[2]),
    ],
    plan.opens_dimensions_of_the_space: [
        with_phase(1, open={"w": 2}),
        with_phase(1, open={"d": 0}),
    ],
    plan.nothing_closes: [with_phase(2, open={"d": 1}), with_phase(2, open={"ks": 1})],
    plan.shrinks: [with_phase(0, epochs=0)],
}


@pytest.mark.parametrize(
    ("law", "broken"),
    [(law, broken) for law, several in BROKEN_PLANS.items() for broken in several],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_plan_breaks(law, broken):
    breaks(law, broken, TOY)


def test_a_plan_for_other_image_sizes_breaks():
    breaks(plan.says_what_it_is, toy_plan(TOY.at([96])), TOY)


class OneTooFarInWords(ToyPolicy):
    def decide(self, state, observation):
        return state, Decision(state[0], "on and on")


class BeginsNowhere(ToyPolicy):
    def initial(self, levels):
        return len(levels)


class BelievesInMonitors(ToyPolicy):
    def decide(self, state, observation):
        assert observation.readings["cpu_percent"] >= 0
        return super().decide(state, observation)


def test_a_policy_that_takes_a_monitor_for_granted_breaks():
    with pytest.raises(KeyError):
        policy.level_is_in_range(BelievesInMonitors(), TOY_LEVELS, np.random.default_rng(20))


@pytest.mark.parametrize("broken", [OneTooFarInWords(), BeginsNowhere()])
def test_a_policy_that_leaves_the_levels_breaks(broken):
    breaks(policy.level_is_in_range, broken, TOY_LEVELS)


@frozen
class Reads:
    found: object

    def read(self):
        return self.found


@pytest.mark.parametrize(
    ("law", "found"),
    [
        (monitor.reads_numbers_by_name, [40.0]),
        (monitor.reads_numbers_by_name, {"cpu_percent": math.nan}),
        (monitor.reads_numbers_by_name, {"cpu_percent": "40"}),
        (monitor.reads_numbers_by_name, {"": 40.0}),
        (monitor.names_say_the_unit, {"heat": 40.0}),
    ],
)
def test_a_broken_monitor_breaks(law, found):
    breaks(law, Reads(found), None)


class Dial:
    """An actuator, as its keywords say; what is set sticks unless it does not."""

    def __init__(self, values=(1.0, 2.0), unit="threads", sticks=True):
        self.values, self.unit, self.sticks, self.now = values, unit, sticks, 1.0

    def get(self):
        return self.now

    def set(self, value):
        self.now = value if self.sticks else value + 1


@pytest.mark.parametrize(
    ("law", "changed"),
    [
        (monitor.values_increase, {"values": (2.0, 1.0)}),
        (monitor.values_increase, {"values": ()}),
        (monitor.values_increase, {"unit": ""}),
        (monitor.values_increase, {"values": (2.0, 3.0)}),
        (monitor.setting_what_is_set_changes_nothing, {"sticks": False}),
    ],
)
def test_a_broken_actuator_breaks(law, changed):
    law(Dial(), None, np.random.default_rng(20))
    breaks(law, Dial(**changed), None)


class Tired(Machine):
    """Gives less with each session."""

    @contextmanager
    def session(self):
        try:
            with super().session() as session:
                yield session
        finally:
            self.change = lambda found, passes: [0.0 * time for time in found]


def only_short(found, passes):
    return found if passes < 4 else []


def slow_batch(found, passes):
    return [time if time < 0.2 else math.inf for time in found]


BROKEN_DEVICES = {
    device.says_what_it_is: [
        Machine(describe=dict),
        Machine(describe=lambda: {"cores": 4}),
        Machine(describe=lambda: {"model": " "}),
    ],
    device.describes_itself_alike: [Machine(describe=CHANGED.counting())],
    device.runs_any_block: [
        Machine(lambda found, passes: [0.0] * passes),
        Machine(lambda found, passes: [math.nan] * passes),
        Machine(lambda found, passes: [-1.0] * passes),
        Machine(lambda found, passes: ["1 ms"] * passes),
    ],
    device.runs_whole_networks: [Machine(slow_batch)],
    device.gives_as_many_passes_as_asked: [
        Machine(lambda found, passes: [*found, 1.0]),
        Machine(only_short),
    ],
    device.works_take_turns: [CHANGED.LetsGoOfEverything()],
    device.tells_its_conditions: [
        Machine(reading={"cpu_mhz": math.inf}),
        Machine(reading={"cpu_mhz": "fast"}),
        Machine(reading={"": 1.0}),
    ],
    device.ends_whatever_happens: [Machine(swallows=(Exception,)), Tired()],
}


@pytest.mark.parametrize(
    ("law", "broken"),
    [(law, broken) for law, several in BROKEN_DEVICES.items() for broken in several],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_device_breaks(law, broken):
    breaks(law, broken, TOY)


@pytest.mark.parametrize("law", device.LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("error", [UsageError("no such GPU"), InputError("the host is away")])
def test_a_device_that_is_not_there_breaks_nothing(law, error):
    def away():
        raise error

    with pytest.raises(NotApplicableError, match=error.message):
        law(Machine(session=away, describe=away), TOY, np.random.default_rng(20))


@pytest.mark.parametrize("part", ["load", "conditions"])
def test_a_session_without_everything_breaks(part):
    class Half:
        def session(self):
            return contextmanager(lambda: (yield type("Session", (), {part: None})()))()

    breaks(device.runs_any_block, Half(), TOY)
