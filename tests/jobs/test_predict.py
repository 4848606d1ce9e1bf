"""``ofa run predict`` and ``ofa run sample``."""

from __future__ import annotations

from pathlib import Path

import pytest


def test_predictions_are_json_lines_in_percent(ofa, archs):
    done = ofa("run", "predict", "--supernet", "toy", "--archs", str(archs), "--json")
    assert done.code == 0, done.err
    assert len(done.lines) == 3
    for line in done.lines:
        assert list(line) == ["accuracy", "low", "high", "extrapolated"]
        assert 0 < line["low"] <= line["accuracy"] <= line["high"] <= 100
        assert isinstance(line["extrapolated"], bool)


def test_the_table_says_what_the_predictor_is_worth(ofa, archs):
    done = ofa("run", "predict", "--supernet", "toy", "--archs", str(archs))
    assert done.out == ""
    assert "additive: made up" in done.err
    assert "predicted" in done.err


def test_without_a_fit_it_says_how_to_get_one(ofa, archs):
    done = ofa("run", "predict", "--supernet", "bare", "--archs", str(archs))
    assert done.code == 2
    assert "ofa run fit makes one" in done.err


def test_samples_are_what_archs_reads(ofa):
    done = ofa("run", "sample", "--supernet", "toy", "--sampler", "even", "--n", "5", "--json")
    assert done.code == 0, done.err
    assert len(done.lines) == 5
    Path("drawn.jsonl").write_text(done.out)
    priced = ofa("run", "cost", "--supernet", "toy", "--archs", "drawn.jsonl", "--json")
    assert len(priced.lines) == 5


def test_samples_follow_the_seed(ofa):
    words = ("run", "sample", "--supernet", "toy", "--sampler", "even", "--json")
    assert ofa(*words, "--seed", "3").out == ofa(*words, "--seed", "3").out
    assert ofa(*words, "--seed", "3").out != ofa(*words, "--seed", "4").out


@pytest.mark.parametrize("words", [("--n", "0"), ("--n", "3000000"), ("--sampler", "evn")])
def test_impossible_samples_are_wrong_use(ofa, words):
    assert ofa("run", "sample", "--supernet", "toy", *words).code == 2
