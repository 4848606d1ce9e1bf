"""Bounds as users write them."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_plugins_core import Constraint, UsageError
from ofa_plugins_core.values import BoundRange, parse_constraint


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("c<=400", 400),
        ("c <= 400k", 400e3),
        (" c<=400K ", 400e3),
        ("c<=1.5M", 1.5e6),
        ("c<=.5M", 5e5),
        ("c<=2G", 2e9),
        ("c<=1e3", 1e3),
        ("c<=1e3k", 1e6),
        ("c<=20 ms", 20),
        ("c<=-3", -3),
    ],
)
def test_suffixes(text, bound):
    assert parse_constraint(text) == Constraint("c", "<=", bound)


def test_percent():
    assert parse_constraint("accuracy>=75%") == Constraint("accuracy", ">=", 75)


@pytest.mark.parametrize(
    ("suffix", "unit"), [("KB", 1000), ("KiB", 1024), ("MB", 1000**2), ("MiB", 1024**2)]
)
@pytest.mark.parametrize(("dtype", "size"), [("int8", 1), ("fp16", 2), ("fp32", 4)])
def test_bytes(suffix, unit, dtype, size):
    assert parse_constraint(f"c<=2{suffix}", dtype).bound == 2 * unit / size


def test_bytes_of_a_cost_in_bytes():
    assert parse_constraint("w<=2MiB", None, lambda name: name == "w").bound == 2 * 1024**2


def test_bytes_need_a_data_type():
    with pytest.raises(UsageError, match="counts items") as caught:
        parse_constraint("c<=2KB")
    assert "--dtype" in caught.value.advice
    with pytest.raises(UsageError, match="unknown data type 'int9'"):
        parse_constraint("c<=2KB", "int9")


@pytest.mark.parametrize("order", ["300k:800k", "800k:300k", "800k : 300k"])
def test_ranges_in_either_order(order):
    found = parse_constraint(f"c<={order}")
    assert isinstance(found, BoundRange)
    bounds = [c.bound for c in found.constraints(3)]
    assert bounds == [300e3, 550e3, 800e3]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c",
        "c<=",
        "<=3",
        "c=3",
        "c==3",
        "c<3",
        "c=<3",
        "c<=x",
        "c<=nan",
        "c<=inf",
        "c<=1e999",
        "c<=1e999KB",
        "c<=3q",
        "c<=3m",
        "c<=1:2:3",
        "c<=1:",
        "c<=:2",
        "c<=3 4",
        "c<=0x10",
        "c d<=3",
    ],
)
def test_malformed(text):
    with pytest.raises(UsageError):
        parse_constraint(text, "int8")


def test_met():
    values = np.array([1, 2, 3])
    assert parse_constraint("c<=2").met(values).tolist() == [True, True, False]
    assert parse_constraint("c>=2").met(values).tolist() == [False, True, True]


def test_written_back():
    assert str(parse_constraint("c<=400k")) == "c<=400000"
