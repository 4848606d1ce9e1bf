"""Each law is broken by something that breaks it: a law that nothing can break says nothing."""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from attrs import evolve, frozen

from ofa_plugins_core.errors import InfeasibleError, InputError, UsageError
from ofa_plugins_core.events import Progress
from ofa_plugins_core.interfaces import Decision, Found, Predictions
from ofa_plugins_core.phases import Hyperparameters
from ofa_plugins_core.separable import Factor, Separable
from ofa_plugins_core.testing import (
    TOY_LEVELS,
    ToyDevice,
    ToyPolicy,
    ToyPredictor,
    everything,
    toy_cost,
    toy_plan,
    toy_problem,
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
    sampler,
    searcher,
)
from ofa_plugins_core.testing.laws import supernet as supernet_laws
from ofa_plugins_core.values import Gene, SearchSpace

TOY = toy_supernet()


def breaks(law, subject, ground):
    with pytest.raises(LawBrokenError):
        law(subject, ground, np.random.default_rng(20))


class Wrapped:
    """Everything of another object, but for what a subclass changes."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


class Cost(Wrapped):
    name, unit, kind, source = "toy", "count", "computed", None

    def __init__(self, change):
        super().__init__(toy_cost())
        self.change = change

    def evaluate(self, archs):
        return self.change(self.inner.evaluate(archs), archs)


def scribbles(values, archs):
    if isinstance(archs, np.ndarray) and len(archs):
        archs[:, 1] = 0
    return values


def depends_on_unused(values, archs):
    return values + archs[:, 4] if isinstance(archs, np.ndarray) else values


BROKEN_COSTS = {
    cost.says_what_it_is: Cost(lambda values, archs: values),
    cost.batch_equals_single: Cost(lambda values, archs: values + len(values)),
    cost.numbers_are_finite: Cost(lambda values, archs: values * np.nan),
    cost.equal_networks_cost_the_same: Cost(depends_on_unused),
    cost.any_image_size: Cost(lambda values, archs: values + len(values)),
    cost.asks_nothing_twice: Cost(lambda values, archs: values + np.arange(len(values))),
    cost.input_is_left_alone: Cost(scribbles),
    cost.tables_equal_evaluate: Cost(lambda values, archs: values.astype(float)),
}
BROKEN_COSTS[cost.says_what_it_is].unit = ""


@pytest.mark.parametrize("law", BROKEN_COSTS, ids=lambda law: law.__name__)
def test_a_broken_cost_breaks(law):
    breaks(law, BROKEN_COSTS[law], TOY)


def test_a_cost_of_anything_breaks_the_law_on_foreign_networks():
    class Anything(Wrapped):
        def evaluate(self, archs):
            return np.zeros(len(archs))

    breaks(cost.foreign_networks_are_refused, Anything(toy_cost()), TOY)


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


@frozen
class Draws:
    change: object

    def sample(self, n, generator):
        rows = TOY.space.canonical(TOY.space.sample(n, generator))
        return self.change(rows, generator)


def with_global_randomness(rows, generator):
    np.random.shuffle(rows)
    return rows


def counted(rows, generator, calls=[]):  # noqa: B006
    calls.append(1)
    return np.roll(rows, len(calls), axis=0)


BROKEN_SAMPLERS = {
    sampler.draws_what_is_asked: lambda rows, generator: rows[1:],
    sampler.none_is_a_number_too: lambda rows, generator: rows.ravel(),
    sampler.stays_inside: lambda rows, generator: rows + 2,
    sampler.draws_are_canonical: lambda rows, generator: TOY.space.sample(len(rows), generator),
    sampler.same_generator_same_draw: counted,
    sampler.no_other_randomness: with_global_randomness,
}


@pytest.mark.parametrize("law", sampler.LAWS, ids=lambda law: law.__name__)
def test_a_broken_sampler_breaks(law):
    breaks(law, Draws(BROKEN_SAMPLERS[law]), TOY)


class Predicts(Wrapped):
    """The toy predictor, its predictions changed."""

    def __init__(self, change=lambda p, archs: p, **attributes):
        super().__init__(ToyPredictor(TOY.space))
        self.change = change
        vars(self).update(attributes)

    def predict(self, archs):
        return self.change(self.inner.predict(archs), archs)


class FallingLink:
    def forward(self, score):
        return 100 / (1 + np.exp(score))

    def inverse(self, accuracy):
        return 0.0


def plus(part, amount):
    def change(p, archs):
        parts = {name: getattr(p, name) for name in ("value", "low", "high", "extrapolated")}
        more = amount(archs) if callable(amount) else amount
        return Predictions(**{**parts, part: parts[part] + more})

    return change


def unused(archs):
    return archs[:, 4] / 100 if isinstance(archs, np.ndarray) else 0


BROKEN_PREDICTORS = {
    predictor.says_what_it_is: Predicts(source=""),
    predictor.batch_equals_single: Predicts(plus("high", len)),
    predictor.interval_holds_the_value: Predicts(plus("low", 2.0)),
    predictor.equal_networks_predict_the_same: Predicts(plus("value", unused)),
    predictor.asks_nothing_twice: Predicts(lambda p, archs: scribbles(p, archs)),
    predictor.fitted_sizes_are_not_extrapolated: Predicts(plus("extrapolated", True)),
    predictor.tables_equal_predict: Predicts(plus("value", 0.001)),
    predictor.link_goes_there_and_back: Predicts(link=lambda size: FallingLink()),
}


@pytest.mark.parametrize("law", predictor.LAWS, ids=lambda law: law.__name__)
def test_a_broken_predictor_breaks(law):
    breaks(law, BROKEN_PREDICTORS[law], TOY)


def test_an_extrapolation_as_a_whole_has_to_say_so():
    breaks(predictor.fitted_sizes_are_not_extrapolated, Predicts(resolutions=()), TOY)


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


def test_a_draw_that_is_not_canonical_breaks():
    breaks(plan.draws_inside, toy_plan(), Supernet(space=space_of(RestlessCanonical)))


def test_a_draw_that_is_always_the_same_breaks():
    class OneNetwork(SearchSpace):
        def canonical(self, genes):
            return np.zeros_like(genes)

    breaks(plan.draws_follow_the_key, toy_plan(), Supernet(space=space_of(OneNetwork)))


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


class OneTooFarInWords(ToyPolicy):
    def decide(self, state, observation):
        return state, Decision(state[0], "on and on")


class BeginsNowhere(ToyPolicy):
    def initial(self, levels):
        return len(levels)


class WantsInfinity(ToyPolicy):
    def decide(self, state, observation):
        return state, Decision(0, actions={"cpu_max_mhz": math.inf})


class BelievesInMonitors(ToyPolicy):
    def decide(self, state, observation):
        assert observation.readings["cpu_percent"] >= 0
        return super().decide(state, observation)


def test_a_policy_that_takes_a_monitor_for_granted_breaks():
    with pytest.raises(KeyError):
        policy.level_is_in_range(BelievesInMonitors(), TOY_LEVELS, np.random.default_rng(20))


@pytest.mark.parametrize(
    ("law", "broken"),
    [
        (policy.level_is_in_range, OneTooFar()),
        (policy.level_is_in_range, OneTooFarInWords()),
        (policy.level_is_in_range, BeginsNowhere()),
        (policy.actions_are_numbers, WantsInfinity()),
        (policy.decides_purely, Forgetful()),
        (policy.state_is_not_changed, Scribbling()),
        (policy.starts_afresh, Forgetful()),
    ],
)
def test_a_broken_policy_breaks(law, broken):
    breaks(law, broken, TOY_LEVELS)


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


class Machine(Wrapped):
    """The toy device: what it says, what its sessions do and what its passes take are changed."""

    def __init__(self, times=lambda found, passes: found, **changes):
        super().__init__(ToyDevice())
        self.change, self.swallows = times, changes.pop("swallows", ())
        vars(self).update(changes)

    @contextmanager
    def session(self):
        with suppress(*self.swallows), self.inner.session() as session:
            yield Session(session, self)


class Session(Wrapped):
    def __init__(self, inner, machine):
        super().__init__(inner)
        self.machine = machine

    def load(self, work):
        return Loaded(self.inner.load(work), self.machine)

    def conditions(self):
        return vars(self.machine).get("reading", {})


class Loaded(Wrapped):
    def __init__(self, inner, machine):
        super().__init__(inner)
        self.machine = machine

    def times(self, passes):
        return self.machine.change(self.inner.times(passes), passes)


class Tired(Machine):
    """Gives less with each session."""

    @contextmanager
    def session(self):
        try:
            with super().session() as session:
                yield session
        finally:
            self.change = lambda found, passes: [0.0 * time for time in found]


class LetsGoOfEverything(Machine):
    """Releasing one work releases all."""

    def __init__(self):
        super().__init__()
        self.gone = False

    @contextmanager
    def session(self):
        with self.inner.session() as session:
            inner = Session(session, self)
            inner.load = lambda work: self.loaded(session, work)
            yield inner

    def loaded(self, session, work):
        def released():
            self.gone = True

        found = Loaded(session.load(work), self)
        self.change = lambda times, passes: [math.nan] if self.gone else times
        found.release = released
        return found


def counting(texts=[]):  # noqa: B006
    texts.append("again")
    return {"device": "toy", "said": " ".join(texts)}


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
    device.describes_itself_alike: [Machine(describe=counting)],
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
    device.works_take_turns: [LetsGoOfEverything()],
    device.tells_its_conditions: [
        Machine(reading={"cpu_mhz": math.inf}),
        Machine(reading={"cpu_mhz": "fast"}),
        Machine(reading={"": 1.0}),
    ],
    device.ends_whatever_happens: [Machine(swallows=(Exception,)), Tired()],
}


def test_every_law_of_devices_is_here():
    assert set(BROKEN_DEVICES) == set(device.LAWS)


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


class Finds:
    """Finds a given network, whatever is asked."""

    def __init__(self, row=-1, optimal=True, **odd):
        self.row, self.optimal, self.odd = row, optimal, odd

    def refuses(self, problem):
        return self.odd.get("reason")

    def search(self, problem, generator, listener=lambda event: None):
        listener(self.odd.get("event", Progress("step", 1, 1)))
        rows = everything(TOY.space)
        if self.odd.get("random"):
            self.row = (self.row + 1) % len(rows)
        genes = rows if problem.front else rows[[self.row]]
        return Found(genes + self.odd.get("more", 0), self.optimal, 1)


class NothingFits(Finds):
    def search(self, problem, generator, listener=None):
        raise InfeasibleError("nothing fits", smallest={}, binds="")


BROKEN_SEARCHERS = {
    searcher.refuses_in_words: Finds(reason=False),
    searcher.finds_networks_of_the_space: Finds(more=2),
    searcher.respects_bounds: Finds(-1),
    searcher.says_what_is_infeasible: NothingFits(),
    searcher.same_generator_same_answer: Finds(0, random=True),
    searcher.front_is_not_dominated: Finds(),
    searcher.optimal_is_true: Finds(0),
    searcher.optimal_front_is_whole: Finds(0),
    searcher.tells_its_progress: Finds(event=Progress("step", 2, 1)),
}


@pytest.mark.parametrize("law", searcher.LAWS, ids=lambda law: law.__name__)
def test_a_broken_searcher_breaks(law):
    breaks(law, BROKEN_SEARCHERS[law], toy_problem())


def test_a_searcher_that_finds_the_impossible_breaks():
    breaks(searcher.says_what_is_infeasible, Finds(0), toy_problem())


class Supernet(Wrapped):
    """The toy with something of its own."""

    def __init__(self, **attributes):
        super().__init__(TOY)
        vars(self).update(attributes)


class WrongCount(SearchSpace):
    def count(self):
        return super().count() + 1


class LossyDecoding(SearchSpace):
    def decode(self, genes):
        return [evolve(a, image_size=32) for a in super().decode(genes)]


class RestlessCanonical(SearchSpace):
    def canonical(self, genes):
        out = super().canonical(genes)
        out[:, 1] = 1 - out[:, 1]
        return out


class Permissive(SearchSpace):
    def encode(self, archs):
        try:
            return super().encode(archs)
        except Exception:
            return np.zeros((1, len(self.genes)), dtype=np.uint8)


def space_of(kind, **changes):
    space = evolve(TOY.space, **changes)
    return kind(space.name, space.resolutions, space.genes, space.dimensions)


def geometry_with(change):
    geometry = TOY.geometry()
    return lambda: evolve(geometry, sites=change(geometry.sites))


def without_canonical():
    genes = [evolve(g, canonical=None) for g in TOY.space.genes]
    return space_of(SearchSpace, genes=tuple(genes))


def dearer(site):
    """A site whose block is another one at each call: blocks and tables disagree."""
    calls = []

    def block(size, values):
        found = site.block(size, values)
        calls.append(1)
        first = evolve(found.ops[0], channels_out=len(calls))
        return evolve(found, ops=(first, *found.ops[1:]))

    return evolve(site, block=block)


def other_options(space: SearchSpace) -> tuple[Gene, ...]:
    return (*space.genes[:-1], evolve(space.genes[-1], options=(7, 8)))


def unmoved(resolutions):
    return TOY


OTHER = toy_supernet(stages=3)
BROKEN_SUPERNETS = {
    supernet_laws.says_what_it_is: Supernet(resolutions=(1, 2)),
    supernet_laws.decode_and_encode: Supernet(space=space_of(LossyDecoding)),
    supernet_laws.canonical_is_settled: Supernet(space=space_of(RestlessCanonical)),
    supernet_laws.count_is_exact: Supernet(space=space_of(WrongCount)),
    supernet_laws.distinct_rows_are_distinct_networks: Supernet(space=without_canonical()),
    supernet_laws.blocks_agree_with_tables: Supernet(
        geometry=geometry_with(lambda sites: (dearer(sites[0]), *sites[1:]))
    ),
    supernet_laws.ops_fit_together: Supernet(
        geometry=geometry_with(lambda sites: (sites[0], *sites[2:]))
    ),
    supernet_laws.other_image_sizes: Supernet(at=unmoved),
    supernet_laws.as_built_is_settled: Supernet(as_built=lambda: OTHER),
    supernet_laws.priced_as_others: Supernet(priced_as=lambda other: TOY),
    supernet_laws.foreign_networks_are_refused: Supernet(space=space_of(Permissive)),
}


@pytest.mark.parametrize("law", supernet_laws.LAWS, ids=lambda law: law.__name__)
def test_a_broken_supernet_breaks(law):
    breaks(law, BROKEN_SUPERNETS[law], None)
