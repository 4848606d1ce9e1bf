"""One conformance suite a seam: subclass it, give the fixture of what is tested, run pytest.

    class TestEnergy(CostModelSuite):
        @pytest.fixture
        def cost_model(self, supernet):
            return energy.build(supernet)

What a suite stands on (``supernet``, ``problem``, ``levels``) is a fixture too, a toy unless the
subclass gives another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ofa_plugins_core.entries import LatencyPredictorEntry
from ofa_plugins_core.interfaces import (
    Actuator,
    BuildableSupernet,
    CostModel,
    Device,
    ElasticModule,
    Level,
    Monitor,
    Predictor,
    Problem,
    RuntimePolicy,
    Sampler,
    Searcher,
    Supernet,
    TrainingPlan,
)
from ofa_plugins_core.reduction.data import Reduction
from ofa_plugins_core.reduction.supernet import reduced
from ofa_plugins_core.testing import laws, toys
from ofa_plugins_core.testing.laws import Law
from ofa_plugins_core.testing.laws import cost as cost_laws
from ofa_plugins_core.testing.laws import device as device_laws
from ofa_plugins_core.testing.laws import elastic as elastic_laws
from ofa_plugins_core.testing.laws import latency as latency_laws
from ofa_plugins_core.testing.laws import monitor as monitor_laws
from ofa_plugins_core.testing.laws import plan as plan_laws
from ofa_plugins_core.testing.laws import policy as policy_laws
from ofa_plugins_core.testing.laws import predictor as predictor_laws
from ofa_plugins_core.testing.laws import reduction as reduction_laws
from ofa_plugins_core.testing.laws import sampler as sampler_laws
from ofa_plugins_core.testing.laws import searcher as searcher_laws
from ofa_plugins_core.testing.laws import supernet as supernet_laws
from ofa_plugins_core.values import Genes, SearchSpace

SEED = 20
ROWS = 3


def each(found: Sequence[Law]) -> pytest.MarkDecorator:
    """One test a law."""
    return pytest.mark.parametrize("law", found, ids=lambda law: law.__name__)


tried = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
"""How often hypothesis tries: suites run over many subjects."""


def networks(space: SearchSpace) -> st.SearchStrategy[Genes]:
    """Up to three networks of a space, encoded, as they fall: unused slots hold anything."""
    row = st.tuples(*(st.integers(0, int(size) - 1) for size in space.sizes))
    rows = st.lists(row, min_size=1, max_size=ROWS)
    return rows.map(lambda found: np.array(found, dtype=np.uint8))


def _holds(law: Law, subject: Any, ground: Any) -> None:
    try:
        law(subject, ground, np.random.default_rng(SEED))
    except laws.NotApplicableError as reason:
        pytest.skip(str(reason))


class SupernetSuite:
    """For a supernet: its search space and torch-free geometry."""

    @pytest.fixture
    def supernet(self) -> Supernet:
        """The supernet that is tested."""
        raise NotImplementedError("give the fixture 'supernet'")

    @each(supernet_laws.LAWS)
    def test_law(self, law: Law, supernet: Supernet) -> None:
        """The law holds."""
        _holds(law, supernet, None)

    @tried
    @given(data=st.data())
    def test_any_network_agrees_with_the_tables(
        self, supernet: Supernet, data: st.DataObject
    ) -> None:
        """Blocks and tables agree for every network, not only for drawn ones."""
        rows = supernet.space.canonical(data.draw(networks(supernet.space)))
        supernet_laws.demand_blocks_agree(supernet.at(supernet.resolutions[:1]), _at_first(rows))


class _OnSupernet:
    """What is tested on a supernet; the toy, unless a subclass gives another."""

    @pytest.fixture
    def supernet(self) -> Supernet:
        """What the subject stands on."""
        return toys.toy_supernet()


class SamplerSuite(_OnSupernet):
    """For a sampler."""

    @pytest.fixture
    def sampler(self, supernet: Supernet) -> Sampler:
        """The sampler that is tested."""
        raise NotImplementedError("give the fixture 'sampler'")

    @each(sampler_laws.LAWS)
    def test_law(self, law: Law, sampler: Sampler, supernet: Supernet) -> None:
        """The law holds."""
        _holds(law, sampler, supernet)


class CostModelSuite(_OnSupernet):
    """For a cost."""

    @pytest.fixture
    def cost_model(self, supernet: Supernet) -> CostModel:
        """The cost that is tested."""
        raise NotImplementedError("give the fixture 'cost_model'")

    @each(cost_laws.LAWS)
    def test_law(self, law: Law, cost_model: CostModel, supernet: Supernet) -> None:
        """The law holds."""
        _holds(law, cost_model, supernet)

    @tried
    @given(data=st.data())
    def test_any_network_agrees_with_the_tables(
        self, cost_model: CostModel, supernet: Supernet, data: st.DataObject
    ) -> None:
        """Tables and ``evaluate`` agree for every network, not only for drawn ones."""
        rows = data.draw(networks(supernet.space))
        try:
            cost_laws.demand_tables_equal(cost_model, supernet, rows)
        except laws.NotApplicableError as reason:
            pytest.skip(str(reason))


class PredictorSuite(_OnSupernet):
    """For an accuracy predictor."""

    @pytest.fixture
    def predictor(self, supernet: Supernet) -> Predictor:
        """The predictor that is tested."""
        raise NotImplementedError("give the fixture 'predictor'")

    @each(predictor_laws.LAWS)
    def test_law(self, law: Law, predictor: Predictor, supernet: Supernet) -> None:
        """The law holds."""
        _holds(law, predictor, supernet)

    @tried
    @given(data=st.data())
    def test_any_network_agrees_with_the_tables(
        self, predictor: Predictor, supernet: Supernet, data: st.DataObject
    ) -> None:
        """Tables and ``predict`` agree for every network, not only for drawn ones."""
        rows = data.draw(networks(supernet.space))
        try:
            predictor_laws.demand_tables_equal(predictor, supernet, rows)
        except laws.NotApplicableError as reason:
            pytest.skip(str(reason))


class LatencyPredictorSuite(_OnSupernet):
    """For a form of latency predictor; it is fitted to a few networks, once for all laws."""

    _trials: ClassVar[dict[tuple[type, str], latency_laws.Trial]] = {}

    @pytest.fixture
    def entry(self) -> LatencyPredictorEntry:
        """The form that is tested."""
        raise NotImplementedError("give the fixture 'entry'")

    @pytest.fixture
    def options(self) -> Any:
        """Of the fit; None: the form's defaults."""
        return None

    @pytest.fixture
    def trial(
        self, entry: LatencyPredictorEntry, supernet: Supernet, options: Any
    ) -> latency_laws.Trial:
        """The form, fitted."""
        key = type(self), entry.name
        if key not in self._trials:
            self._trials[key] = latency_laws.trial_of(entry, supernet, options)
        return self._trials[key]

    @each(latency_laws.LAWS)
    def test_law(self, law: Law, trial: latency_laws.Trial, supernet: Supernet) -> None:
        """The law holds."""
        _holds(law, trial, supernet)


class ReductionSuite(_OnSupernet):
    """For a smaller space, on a supernet that has what it drops."""

    @pytest.fixture
    def reduction(self) -> Reduction:
        """The smaller space that is tested."""
        raise NotImplementedError("give the fixture 'reduction'")

    @each(reduction_laws.LAWS)
    def test_law(self, law: Law, reduction: Reduction, supernet: Supernet) -> None:
        """The law holds."""
        _holds(law, reduced(supernet, reduction), supernet)


class SearcherSuite:
    """For a searcher. ``problem`` has no bounds and asks for the best accuracy; laws add them."""

    @pytest.fixture
    def problem(self) -> Problem:
        """What is searched; a space that can be listed shows most."""
        return toys.toy_problem()

    @pytest.fixture
    def searcher(self) -> Searcher:
        """The searcher that is tested."""
        raise NotImplementedError("give the fixture 'searcher'")

    @each(searcher_laws.LAWS)
    def test_law(self, law: Law, searcher: Searcher, problem: Problem) -> None:
        """The law holds."""
        _holds(law, searcher, problem)


class ElasticModuleSuite:
    """For an elastic network in torch; skipped where torch is not installed."""

    @pytest.fixture
    def supernet(self) -> BuildableSupernet:
        """The supernet whose ``build`` makes it."""
        raise NotImplementedError("give the fixture 'supernet'")

    @pytest.fixture
    def elastic(self, supernet: BuildableSupernet) -> ElasticModule:
        """The network that is tested, with few classes; laws work on copies of it."""
        pytest.importorskip("torch", reason="elastic networks need the extra [torch]")
        return supernet.build(10)

    @each(elastic_laws.LAWS)
    def test_law(self, law: Law, elastic: ElasticModule, supernet: BuildableSupernet) -> None:
        """The law holds."""
        _holds(law, elastic, supernet)

    @settings(tried, max_examples=5)  # networks in torch, each run four times
    @given(data=st.data())
    def test_any_extracted_network_is_the_active_one(
        self, elastic: ElasticModule, data: st.DataObject
    ) -> None:
        """Any architecture, any image size from 32 pixels, batches of one and two."""
        (arch,) = elastic.space.decode(data.draw(networks(elastic.space))[:1])
        size, batch = data.draw(st.integers(32, 64)), data.draw(st.integers(1, 2))
        generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
        net = self._shaken(elastic)
        chosen = {**arch.as_dict(), "image_size": size}
        elastic_laws.extracted_is_active(net, chosen, elastic_laws.images(size, generator, batch))

    _kept: tuple[ElasticModule, Any] | None = None

    def _shaken(self, elastic: ElasticModule) -> Any:
        """Made once for all examples of a test."""
        if self._kept is None or self._kept[0] is not elastic:
            self._kept = elastic, elastic_laws.shaken_once(elastic)
        return self._kept[1]


class TrainingPlanSuite(_OnSupernet):
    """For a training plan."""

    @pytest.fixture
    def plan(self, supernet: Supernet) -> TrainingPlan:
        """The plan that is tested, made for the supernet."""
        raise NotImplementedError("give the fixture 'plan'")

    @each(plan_laws.LAWS)
    def test_law(self, law: Law, plan: TrainingPlan, supernet: Supernet) -> None:
        """The law holds."""
        _holds(law, plan, supernet)

    @tried
    @given(data=st.data())
    def test_any_step_draws_of_what_is_open(
        self, plan: TrainingPlan, supernet: Supernet, data: st.DataObject
    ) -> None:
        """Whatever the seed, the epoch and the step, not only for drawn ones."""
        place = data.draw(st.integers(0, len(plan.phases) - 1))
        seed, epoch, step = (data.draw(st.integers(0, 2**32)) for _ in range(3))
        plan_laws.demand_inside(supernet.space, plan.phases[place], (seed, place, epoch, step))


class DeviceSuite(_OnSupernet):
    """For a device; a law is skipped, and says why, where the device is not there."""

    @pytest.fixture
    def device(self) -> Device:
        """The device that is tested."""
        raise NotImplementedError("give the fixture 'device'")

    @each(device_laws.LAWS)
    def test_law(self, law: Law, device: Device, supernet: Supernet) -> None:
        """The law holds."""
        _holds(law, device, supernet)


class RuntimePolicySuite:
    """For a runtime policy."""

    @pytest.fixture
    def levels(self) -> Sequence[Level]:
        """The runtime table, from fast to accurate."""
        return toys.TOY_LEVELS

    @pytest.fixture
    def policy(self) -> RuntimePolicy:
        """The policy that is tested."""
        raise NotImplementedError("give the fixture 'policy'")

    @each(policy_laws.LAWS)
    def test_law(self, law: Law, policy: RuntimePolicy, levels: Sequence[Level]) -> None:
        """The law holds."""
        _holds(law, policy, levels)


class MonitorSuite:
    """For a monitor."""

    @pytest.fixture
    def monitor(self) -> Monitor:
        """The monitor that is tested."""
        raise NotImplementedError("give the fixture 'monitor'")

    @each(monitor_laws.MONITORS)
    def test_law(self, law: Law, monitor: Monitor) -> None:
        """The law holds."""
        _holds(law, monitor, None)


class ActuatorSuite:
    """For an actuator."""

    @pytest.fixture
    def actuator(self) -> Actuator:
        """The actuator that is tested."""
        raise NotImplementedError("give the fixture 'actuator'")

    @each(monitor_laws.ACTUATORS)
    def test_law(self, law: Law, actuator: Actuator) -> None:
        """The law holds."""
        _holds(law, actuator, None)


def _at_first(rows: Genes) -> Genes:
    out = rows.copy()
    out[:, 0] = 0
    return out
