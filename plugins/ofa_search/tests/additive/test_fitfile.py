"""A fit's file says what it is, reads back as it was, and is refused in one line when broken."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.measured import Quality
from ofa_search.additive.features import Feature
from ofa_search.additive.fitfile import FORMAT, AdditiveFit, Counts, SizeFit, dumps, loads
from ofa_search.additive.values import Settings

QUALITY = Quality(100, 0.9, 0.3, 0.8, 0.01)


@pytest.fixture
def fit():
    counts = {"peak_memory": Counts.of(np.array([400, 300, 400, 500]))}
    sizes = tuple(
        SizeFit(size, 4, 80.0, -2.5, 0.4, 74.0, np.array([0.123456789, 0.0]), counts)
        for size in (64, 96)
    )
    features = (Feature("ks", 0, 5.0), Feature("d", 1, 3.0))
    return AdditiveFit(
        "toy", "imagenet", "measured", "us", "ofa run fit …", Settings(5.0, 30.0, 10.0),
        QUALITY, QUALITY, features, sizes,
    )  # fmt: skip


def changed(fit, **keys):
    return json.dumps({**json.loads(dumps(fit)), **keys})


def test_a_file_reads_back_as_it_was(fit):
    text = dumps(fit)
    assert dumps(loads(text, "toy.json")) == text


def test_it_says_where_it_comes_from_and_what_makes_it_again(fit):
    found = json.loads(dumps(fit))
    assert found["origin"] == "us"
    assert found["command"].startswith("ofa run fit")
    assert found["held_out"]["tau"] == 0.9


def test_it_holds_no_accuracy_of_any_record(fit):
    assert set(json.loads(dumps(fit))["sizes"][0]) == {
        "image_size", "records", "ceiling", "base", "half_width", "best", "weights", "counts",
    }  # fmt: skip


def test_records_are_counted_at_or_under_a_bound():
    counts = Counts.of(np.array([300, 400, 400, 500]))
    assert [counts.at_most(b) for b in (299, 300, 450, 9e9)] == [0, 1, 3, 4]


def test_counts_of_many_values_are_thinned_to_a_lower_estimate():
    counts = Counts.of(np.arange(10_000), most=100)
    assert len(counts.values) == 100
    assert 4_800 <= counts.at_most(5_000) <= 5_001
    assert counts.at_most(20_000) == 10_000


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "format"),
        ('{"format": "something else"}', "format"),
        ("[" * 100_000, "recursion"),
        (b"\xff\xfe\x00", "decode"),
        (f'{{"format": "{FORMAT}"}}', "'features' is missing"),
    ],
)
def test_another_file_is_refused_in_a_line(content, reason):
    with pytest.raises(InputError, match=reason) as caught:
        loads(content, "toy.json")
    assert caught.value.exit_code == 5
    assert "toy.json" in caught.value.message


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"sizes": []}, "no image size"),
        ({"labels": "guessed"}, "measured or predicted"),
        ({"features": [["ks", 0, "five"]]}, "expected a number"),
        ({"features": [["ks", 0, 5.0]]}, "2 weights for 1 features"),
        ({"settings": {"delta": True, "ridge": 1, "tie": 1}}, "expected a number"),
        ({"settings": {"delta": 1}}, "'ridge' is missing"),
        ({"sizes": {"a": 1}}, "indices"),
    ],
)
def test_a_broken_key_is_named(fit, keys, reason):
    with pytest.raises(InputError, match=reason):
        loads(changed(fit, **keys), "toy.json")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("weights", [0.1, float("nan")], "something else"),
        ("weights", [[0.1, 0.2]], "something else"),
        ("ceiling", 140.0, "makes no sense"),
        ("half_width", -1.0, "makes no sense"),
        ("base", float("inf"), "expected a number"),
        ("image_size", 16, "below 32"),
        ("image_size", 96, "not increasing"),
        ("records", -3, "whole number"),
        ("counts", {"peak_memory": [[3, 2], [1, 2]]}, "not increasing"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(fit, key, value, reason):
    found = json.loads(dumps(fit))
    found["sizes"][0][key] = value
    with pytest.raises(InputError, match=reason):
        loads(json.dumps(found), "toy.json")
