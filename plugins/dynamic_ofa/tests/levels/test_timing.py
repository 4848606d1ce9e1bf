"""Latencies are brought to one speed of the device by the reference that ran beside them."""

from __future__ import annotations

import pytest

from dynamic_ofa.levels.kept import Timing
from dynamic_ofa.levels.table import Latency
from dynamic_ofa.levels.timing import levelled


def timing(value, reference, low=None, high=None):
    return Timing(Latency(value=value, low=low, high=high, count=5), reference)


def test_what_ran_while_the_reference_took_twice_as_long_is_half_as_slow():
    found = levelled({"a": timing(10.0, 1.0), "b": timing(10.0, 2.0)})
    assert found["a"].value == pytest.approx(15.0)  # at 1.5, the mean of the reference
    assert found["b"].value == pytest.approx(7.5)


def test_bounds_go_with_the_value_and_the_rest_stays():
    found = levelled({"a": timing(10.0, 1.0, 8.0, 12.0), "b": timing(20.0, 2.0)})
    assert (found["a"].low, found["a"].high, found["a"].count) == pytest.approx((12.0, 18.0, 5))
    assert found["b"].value == pytest.approx(found["a"].value)
    assert found["b"].low is None and found["b"].high is None


def test_without_a_reference_a_latency_stays_as_it_was_measured():
    found = levelled({"a": timing(10.0, None), "b": timing(10.0, 1.0), "c": timing(10.0, 3.0)})
    assert [found[key].value for key in "abc"] == pytest.approx([10.0, 20.0, 20.0 / 3])
    assert levelled({"a": timing(10.0, None)})["a"].value == 10.0
    assert levelled({}) == {}
