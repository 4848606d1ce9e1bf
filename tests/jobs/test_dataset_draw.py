"""Which networks predictor data is measured on: what a sampler returns is looked at first."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import frozen

from ofa_plugins_core import Host, SamplerEntry, SupernetEntry
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import PluginError, UsageError
from ofa_plugins_core.events import silent
from ofa_plugins_core.interfaces import Ranged
from ofa_plugins_core.jobs.dataset_draw import draw
from ofa_plugins_core.jobs.dataset_options import DatasetOptions
from ofa_plugins_core.testing import in_process
from ofa_plugins_core.testing.toys import toy_supernet


@frozen
class OverACost:
    """Options of a sampler that knows no ranges."""

    cost: str = "params"


@frozen
class InRanges:
    """Options of a sampler that fills ranges."""

    cost: str = "params"
    ranges: int = 3
    low: float | None = None
    high: float | None = None


@frozen(eq=False)
class Halves:
    """A third party's sampler that fills ranges of a cost."""

    space: object
    cost: object
    edges: object

    def sample(self, n, generator):
        return self.space.sample(n, generator)


@frozen(eq=False)
class Drawing:
    """A sampler that returns what a test wants of the whole draw."""

    space: object
    of: object

    def sample(self, n, generator):
        return self.of(self.space.sample(n, generator))


def raising(rows):
    raise ValueError("no such width")


@pytest.fixture
def drawn():
    """Draws three networks of the toy with a sampler of the plugin ``third``."""

    def run(*, build=None, options=None, cost=None, **flags):
        known = {} if options is None else {"options": options}
        entry = SamplerEntry("mine", "a sampler", build, cost=cost, **known)
        supernet = SupernetEntry("toy", "a toy", toy_supernet)
        plugin = in_process("third", ofa_samplers=[entry], ofa_supernets=[supernet])
        context = JobContext(Host.discover(extra={"third": plugin}), silent)
        return draw(context, DatasetOptions(supernet="toy", sampler="mine", n=3, **flags))

    return run


def giving(of):
    return lambda supernet, options: Drawing(supernet.space, of)


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (lambda rows: None, "gave a NoneType, not an array of options"),
        (lambda rows: rows.tolist(), "gave a list, not an array of options"),
        (lambda rows: rows.astype(float), "gave an array of float64, not of whole numbers"),
        (lambda rows: rows[:0], r"of shape \(0, 11\), not \(3, 11\)"),
        (lambda rows: rows[:2], r"of shape \(2, 11\), not \(3, 11\)"),
        (lambda rows: rows[:, 1:], r"of shape \(3, 10\), not \(3, 11\)"),
        (lambda rows: rows[0], r"of shape \(11,\), not \(3, 11\)"),
        (lambda rows: rows + 200, "gave option 20. of image_size, which has 2: 0 to 1"),
        (lambda rows: rows.astype(int) - 9, "gave option -.* of image_size"),
        (raising, r"sample\(\) raised ValueError: no such width"),
    ],
)
def test_what_is_no_sample_is_its_plugins_fault(drawn, of, said):
    with pytest.raises(PluginError, match=rf"^plugin 'third' .*: sampler 'mine': .*{said}"):
        drawn(build=giving(of))


def test_any_whole_numbers_will_do_and_equal_networks_are_one(drawn):
    """A draw that is not canonical means the network that it stands for."""
    one = drawn(build=giving(lambda rows: rows.astype(np.int64)))
    assert (one.asked, 1 <= len(one.archs) <= 3) == (3, True)
    space = one.supernet.space
    raw = space.sample(500, np.random.default_rng(3))
    twin = next(row for row in raw if (row != space.canonical(row[None])[0]).any())
    pair = np.stack([twin, space.canonical(twin[None])[0], twin])
    assert len(drawn(build=giving(lambda rows: pair)).archs) == 1


class TestRanges:
    def test_each_network_is_told_the_range_that_it_fills(self, drawn):
        edges = np.array([0.0, 1e4, 1e9])
        build = lambda supernet, options, cost: Halves(supernet.space, cost, edges)  # noqa: E731
        found = drawn(build=build, options=InRanges, cost="cost", balance="params", ranges=2)
        assert found.balance == "params"
        for number, costs in enumerate(found.costs):
            assert found.range_of(number) == int(costs["params"] > 1e4)

    @pytest.mark.parametrize("edges", [None, (), (3,), (3, 3), (3, 2), (1, float("nan")), "ab"])
    def test_edges_that_are_no_ranges_are_its_plugins_fault(self, drawn, edges):
        build = lambda supernet, options, cost: Halves(supernet.space, cost, edges)  # noqa: E731
        with pytest.raises(PluginError, match=r"'third' .*sampler 'mine': .*edges"):
            drawn(build=build, options=InRanges, cost="cost")

    @pytest.mark.parametrize("flag", [{"ranges": 7}, {"low": "5"}, {"high": "5k"}])
    def test_a_flag_that_a_sampler_has_no_option_for_is_refused(self, drawn, flag):
        (name,) = flag
        build = lambda supernet, options, cost: Drawing(supernet.space, lambda rows: rows)  # noqa: E731
        with pytest.raises(UsageError, match=f"--{name}: the sampler mine has no option") as caught:
            drawn(build=build, options=OverACost, cost="cost", **flag)
        assert caught.value.advice == "its options: cost"

    def test_what_it_has_an_option_for_is_taken(self, drawn):
        asked = []

        def build(supernet, options, cost):
            asked.append((options, cost.name))
            return Drawing(supernet.space, lambda rows: rows)

        drawn(build=build, options=OverACost, cost="cost", balance="flops")
        assert asked == [(OverACost("flops"), "flops")]

    @pytest.mark.parametrize("flag", [{"ranges": 7}, {"balance": "params"}])
    def test_a_sampler_without_a_cost_takes_none_of_them(self, drawn, flag):
        with pytest.raises(UsageError, match="the sampler mine fills no ranges of a cost"):
            drawn(build=giving(lambda rows: rows), **flag)

    def test_the_seam_is_a_protocol_of_the_core(self):
        space = toy_supernet().space
        assert isinstance(Halves(space, None, (0, 1)), Ranged)
        assert not isinstance(Drawing(space, None), Ranged)
