"""What many networks are made of."""

import pytest

from ofa_plugins_core.errors import OfaError
from ofa_plugins_core.report.anatomy import anatomy_of
from ofa_plugins_core.report.networks import memory_of
from ofa_plugins_core.report.points import points_of
from ofa_plugins_core.report.results import read_run


@pytest.fixture
def run(make_run, result, toy_entry):
    return read_run(make_run({**result, "front": [toy_entry(n) for n in range(0, 400, 7)]}))


def test_every_network_has_its_own_blocks_and_its_own_memory(run, toy_host):
    points = points_of(run)
    found = anatomy_of(toy_host, run, points)
    supernet = toy_host.supernet("toy")
    history = memory_of(toy_host, supernet)
    assert len(found.networks) == len(points)
    for point, numbers in zip(points, found.networks, strict=True):
        blocks = [found.blocks[n] for n in numbers]
        told = supernet.geometry().blocks(point.arch)
        assert [b["name"] for b in blocks] == [b.name for b in told]
        assert [len(b["ops"]) for b in blocks] == [len(b.ops) for b in told]
        assert [b["out"][1] for b in blocks] == [
            next(o for o in reversed(b.ops) if not o.name.startswith("shortcut")).size_out
            for b in told
        ]
        own = [(b["name"], op, items) for b in blocks for op, items in b["memory"]]
        assert own == list(history(point.arch))


def test_a_block_that_several_share_is_there_once(run, toy_host):
    found = anatomy_of(toy_host, run, points_of(run))
    assert len({str(b) for b in found.blocks}) == len(found.blocks)
    assert len(found.blocks) < sum(map(len, found.networks))


def test_the_peak_is_the_cost_that_the_result_says(run, toy_host):
    points = points_of(run)
    found = anatomy_of(toy_host, run, points)
    for point, numbers in zip(points, found.networks, strict=True):
        peak = max(items for n in numbers for _, items in found.blocks[n]["memory"])
        assert peak == point.costs["peak_memory"].value


def test_no_network_has_none(run, toy_host):
    assert anatomy_of(toy_host, run, ()) is None


def test_a_supernet_that_is_gone_is_named(make_run, result, toy_host):
    run = read_run(make_run(result, supernet="gone"))
    with pytest.raises(OfaError, match="unknown supernet 'gone'"):
        anatomy_of(toy_host, run, points_of(run))
