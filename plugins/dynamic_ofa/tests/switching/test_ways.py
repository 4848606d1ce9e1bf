"""In place: a level is on as a whole, or the one before it, or none; never a mixture."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from dynamic_ofa.levels.statistics import statistics_of_level  # noqa: E402
from dynamic_ofa.switching.ways import InPlace, Prepared  # noqa: E402
from ofa_plugins_core.errors import UsageError  # noqa: E402

CALLS = ("activate", "apply_statistics", "prepare")


class Faulty:
    """Notes the calls of a switch, and lets some of them fail once they have done their part.

    Attributes:
        calls: name and architecture, None where none is given.
        faults: (name of a call, error), each of which happens once, in this order.
    """

    def __init__(self, net):
        self.calls, self.faults = [], []
        for name in CALLS:
            setattr(net, name, self._noted(name, getattr(net, name, lambda: None)))

    def _noted(self, name, real):
        def call(*given):
            self.calls.append((name, given[0] if given else None))
            real(*given)
            if self.faults and self.faults[0][0] == name:
                raise self.faults.pop(0)[1]

        return call


@pytest.fixture
def network(weights_of):
    return weights_of()


@pytest.fixture
def faulty(network):
    return Faulty(network)


@pytest.fixture
def way(network, faulty, table):
    """At level 0."""
    levels = [
        Prepared(row.arch, statistics_of_level(n, row, network.extract(row.arch), table.names))
        for n, row in enumerate(table.levels)
    ]
    return InPlace(network.eval(), levels, 0)


@pytest.fixture
def is_whole(way, image, expected):
    """(level) -> whether it is on, and all of it."""

    def found(level):
        with torch.inference_mode(), way.running() as standing:
            output = standing.network(image)
        return standing.level == way.level == level and torch.allclose(
            output, expected[level], atol=1e-6
        )

    return found


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("call", CALLS)
def test_a_switch_that_fails_leaves_the_level_that_was_on(way, faulty, is_whole, call, error):
    faulty.faults = [(call, error("fault"))]
    with pytest.raises(error, match="fault"):
        way.switch(3)
    assert is_whole(0)
    way.switch(3)
    assert is_whole(3)


@pytest.mark.parametrize("level", [0, 3])
@pytest.mark.parametrize("call", CALLS)
def test_where_that_cannot_be_put_back_nothing_runs_until_a_switch_succeeds(
    way, faulty, is_whole, call, level
):
    faulty.faults = [(call, RuntimeError(n)) for n in ("first", "second", "third")]
    for said in ("first", "third"):  # the second while putting back, the third while none is on
        with pytest.raises(RuntimeError, match=said):
            way.switch(3)
        assert way.level is None
        with pytest.raises(UsageError, match="no level is on: a switch failed"), way.running():
            pass
    way.switch(level)
    assert is_whole(level)


def test_an_interrupt_while_it_is_put_back_ends_it(way, faulty):
    faulty.faults = [("activate", RuntimeError("first")), ("activate", KeyboardInterrupt())]
    with pytest.raises(KeyboardInterrupt):
        way.switch(3)
    assert way.level is None


def test_a_network_that_can_be_prepared_is_as_the_last_thing(way, faulty, table):
    faulty.calls.clear()
    way.switch(2)
    arch = table.levels[2].arch
    assert faulty.calls == [("activate", arch), ("apply_statistics", arch), ("prepare", None)]
