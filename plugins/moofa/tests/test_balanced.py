"""Balanced draws: as many networks in each range, none outside, nothing by chance of rejection."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from moofa.balanced import Balanced, BalancedOptions, balanced, shares
from ofa_plugins_core import Host, UsageError
from ofa_plugins_core.builtin.costs import entries
from ofa_plugins_core.pricing import evaluate_separable
from ofa_plugins_core.separable import Factor, Separable
from ofa_plugins_core.testing import SamplerSuite, toy_supernet
from ofa_plugins_core.testing.toys import everything

COSTS = {e.name: e for e in entries()}


@pytest.fixture(scope="module")
def host():
    return Host.discover()


def cost(supernet, name="peak_memory"):
    return COSTS[name].build(supernet, COSTS[name].options())


def places(sampler, values):
    """Range of each value: the first includes its start, the others only their end."""
    return np.maximum(np.searchsorted(sampler.edges, values, side="left") - 1, 0)


def test_moofas_ranges(host):
    supernet = host.supernet("moofa_v3")
    entry = host.sampler("balanced")
    sampler = entry.build(supernet, entry.options(low=250e3, high=800e3))
    genes = sampler.sample(100, np.random.default_rng(0))
    values = sampler.cost.evaluate(genes)
    counts = np.bincount(places(sampler, values), minlength=15)
    assert counts[counts > 0].min() >= counts.max() - 1
    assert (counts > 0).sum() == 12  # nothing between 250k and 286k, and nothing above 696,192
    assert values.min() >= 250e3


@pytest.mark.parametrize("name", ["peak_memory", "flops", "params"])
def test_every_network_of_a_range_is_equally_likely(name):
    supernet = toy_supernet()
    sampler = Balanced(supernet, cost(supernet, name), ranges=3)
    every = everything(supernet.space)
    place = places(sampler, sampler.cost.evaluate(every))
    drawn = sampler.sample(30_000, np.random.default_rng(5))
    found = places(sampler, sampler.cost.evaluate(drawn))
    for number in set(place.tolist()):
        rows, counts = np.unique(drawn[found == number], axis=0, return_counts=True)
        expected = (found == number).sum() / (place == number).sum()
        assert len(rows) == (place == number).sum()
        assert abs(counts - expected).max() < 6 * np.sqrt(expected)


@pytest.mark.parametrize("name", ["flops", "params"])
def test_ranges_of_sums_are_filled_to_the_ends(host, name):
    """Where uniform draws never come: the least and the greatest fifteenth."""
    supernet = host.supernet("moofa_v3").at([128, 224])
    sampler = Balanced(supernet, cost(supernet, name))
    genes = sampler.sample(150, np.random.default_rng(1))
    assert np.bincount(places(sampler, sampler.cost.evaluate(genes))).tolist() == [10] * 15


@pytest.mark.parametrize(
    "options",
    [
        BalancedOptions(low=5.0, high=1.0),
        BalancedOptions(ranges=0),
        BalancedOptions(low=1.0, high=2.0),
        BalancedOptions(cost="flops", low=1.0, high=2.0),
    ],
)
def test_what_cannot_be_filled(host, options):
    supernet = host.supernet("moofa_v3").at([128])
    sampler = host.sampler("balanced").build(supernet, options)
    with pytest.raises(UsageError, match="balanced: "):
        sampler.sample(3, np.random.default_rng(0))


def test_shares():
    assert shares(7, 3) == [3, 2, 2]
    assert shares(2, 3) == [1, 1, 0]


class TestLaws(SamplerSuite):
    """What every sampler keeps."""

    @pytest.fixture
    def sampler(self, supernet):
        return Balanced(supernet, cost(supernet), ranges=4)


class Rising:
    """A cost that a plugin might bring: a sum of real numbers."""

    name, unit, kind, source = "energy", "mJ", "computed", None

    def __init__(self, supernet):
        self.supernet = supernet

    def separable(self, size):
        flops = cost(self.supernet, "flops").separable(size)
        terms = (Factor(f.name, f.genes, np.sqrt(f.table + 0.1)) for f in flops.factors)
        return Separable("sum", tuple(terms))

    def evaluate(self, archs):
        return evaluate_separable(self.supernet.space, self.separable, archs)


def test_any_separable_cost_is_balanced_also_one_that_no_core_knows(host):
    supernet = host.supernet("moofa_v3").at([128])
    entry = host.sampler("balanced")
    sampler = entry.build(supernet, entry.options(cost="energy", ranges=6), Rising(supernet))
    genes = sampler.sample(60, np.random.default_rng(0))
    values = sampler.cost.evaluate(genes)
    assert np.bincount(places(sampler, values)).tolist() == [10] * 6


def test_a_cost_without_tables_is_refused_with_what_to_do(host):
    supernet = host.supernet("moofa_v3")
    rough = SimpleNamespace(name="rough", unit="", kind="measured", source=None, evaluate=len)
    with pytest.raises(UsageError, match="no sum or maximum of tables") as caught:
        balanced(supernet, BalancedOptions(cost="rough"), rough)
    assert "--archs FILE" in (caught.value.advice or "")


def test_a_cost_that_nobody_offers_is_refused(host):
    with pytest.raises(UsageError, match="no_such"):
        balanced(host.supernet("moofa_v3"), BalancedOptions(cost="no_such"))


def test_a_range_that_holds_no_network_is_left_out_of_a_sum_too(host):
    supernet = host.supernet("moofa_v3").at([128])
    most = float(cost(supernet, "flops").evaluate([largest_of(supernet)])[0])
    sampler = Balanced(supernet, cost(supernet, "flops"), 2, 0.9 * most, 1.1 * most)
    values = sampler.cost.evaluate(sampler.sample(20, np.random.default_rng(0)))
    assert ((values >= 0.9 * most) & (values <= most)).all()


def largest_of(supernet):
    return supernet.space.decode((supernet.space.sizes - 1).astype(np.uint8)[None])[0]
