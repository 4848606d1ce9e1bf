"""Errors of predictions, with their unit and sign."""

from __future__ import annotations

import pytest

from ofa_plugins_core.jobs.agreement import agreement


def test_the_error_has_its_unit_and_its_sign():
    found = agreement([70, 72], [69, 70], "%").as_dict()
    assert found["rmse"] == {"value": pytest.approx(2.5**0.5), "unit": "%", "kind": "computed"}
    assert found["bias"]["value"] == pytest.approx(1.5)
    assert found["networks"] == 2


def test_one_pair_has_no_order():
    found = agreement([1], [2], "ms")
    assert (found.spearman, found.kendall, found.rmse) == (None, None, 1)
