"""Statistics of a level find their norms, under whatever names the table has them."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from attrs import evolve  # noqa: E402

from dynamic_ofa.levels.statistics import (  # noqa: E402
    as_table_statistics,
    statistics_of_level,
)
from dynamic_ofa.levels.table import NormStatistics  # noqa: E402
from ofa_plugins_core.errors import InputError  # noqa: E402
from ofa_plugins_core.nn import calibrate  # noqa: E402


@pytest.fixture
def row(table):
    return table.levels[3]


@pytest.fixture
def subnet(net, row):
    return net.extract(row.arch)


def renamed(row, name):
    items = row.statistics.items()
    return evolve(row, statistics=NormStatistics.of({name(k): v for k, v in items.items()}))


def test_by_own_names_they_are_those_of_the_table(row, subnet):
    found = statistics_of_level(3, row, subnet, "own")
    assert list(found) == ["layers.0.1", "layers.1.1", "layers.2.1", "layers.3.1"]
    for name, (mean, variance) in row.statistics.items().items():
        assert np.array_equal(found[name][0], mean) and np.array_equal(found[name][1], variance)


@pytest.mark.parametrize("layout", ["old", "new"])
def test_by_published_names_they_are_the_same(row, subnet, net, layout):
    published = renamed(row, lambda name: f"{layout}.{name}")
    own = statistics_of_level(3, row, net.extract(row.arch), "own")
    found = statistics_of_level(3, published, subnet, layout)
    assert found.keys() == own.keys()
    assert all(torch.equal(a, b) for k in own for a, b in zip(own[k], found[k], strict=True))


def test_measured_ones_come_back_as_they_were_in_float32(subnet, image):
    measured = calibrate.statistics_of(subnet, [image])
    found = as_table_statistics(measured).items()
    assert found.keys() == measured.keys()
    assert all(np.array_equal(found[k][0], measured[k][0].float()) for k in found)


def test_a_row_without_any_says_what_to_do(row, subnet):
    with pytest.raises(InputError, match="missing batch norm statistics of level 3") as refused:
        statistics_of_level(3, evolve(row, statistics=None), subnet, "own")
    assert "ofa run levels" in refused.value.advice


def test_a_network_without_norms_needs_none(row):
    assert statistics_of_level(3, evolve(row, statistics=None), torch.nn.ReLU(), "own") == {}


@pytest.mark.parametrize(
    ("rename", "said"),
    [
        (lambda n: n.replace("layers.3", "more.3"), r"level 3 .*: layers\.3\.1 has none"),
        (lambda n: f"old.{n}", r"level 3 .*: layers\.0\.1 has none"),
    ],
)
def test_statistics_of_other_norms_are_refused(row, subnet, rename, said):
    with pytest.raises(InputError, match=said):
        statistics_of_level(3, renamed(row, rename), subnet, "own")


def test_a_norm_too_many_is_named(table, net):
    with pytest.raises(InputError, match=r"it has no norm 'layers\.3\.1'"):
        statistics_of_level(1, table.levels[3], net.extract(table.levels[1].arch), "own")


def test_another_width_is_named(table, net):
    with pytest.raises(InputError, match=r"level 0 .*: layers\.1\.1 has 8 channels, not 12"):
        statistics_of_level(0, table.levels[1], net.extract(table.levels[0].arch), "own")
