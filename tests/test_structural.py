"""A wrapper that hands on what it wraps has what that has, on every Python."""

from __future__ import annotations

import pytest

from ofa_plugins_core.interfaces import (
    CostModel,
    IntervalCost,
    RecordSupport,
    SeparableCost,
    Supernet,
)
from ofa_plugins_core.testing import toy_cost, toy_supernet


class Wrapper:
    def __init__(self, wrapped):
        self.wrapped = wrapped

    def __getattr__(self, name):
        return getattr(self.wrapped, name)


@pytest.mark.parametrize(
    ("make", "protocols"), [(toy_cost, (CostModel, SeparableCost)), (toy_supernet, (Supernet,))]
)
def test_what_is_wrapped_is_seen(make, protocols):
    wrapped = make()
    for protocol in protocols:
        assert isinstance(wrapped, protocol)
        assert isinstance(Wrapper(wrapped), protocol)


@pytest.mark.parametrize("protocol", [IntervalCost, RecordSupport, Supernet])
def test_what_neither_has_is_not(protocol):
    assert not isinstance(toy_cost(), protocol)
    assert not isinstance(Wrapper(toy_cost()), protocol)


def test_what_only_an_instance_has_is_seen_as_before():
    class Bare:
        pass

    bare = Bare()
    assert not isinstance(bare, RecordSupport)
    bare.support = lambda size, constraints: None
    assert isinstance(bare, RecordSupport)
