"""From a profile to a smaller space and its worth, on published supernets and data."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path

import pytest

pytest.importorskip("block_profile")

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"{SHARED} is not there: what others measured stays with them"
)
SPACES = {
    "npu": (6, (4, 4, 4, 4, 4)),
    "note10": (7, (3, 4, 4, 4, 4)),
    "gpu": (6, (4, 3, 4, 3, 3)),
    "cpu": (9, (3, 3, 3, 4, 4)),
    "max_accuracy": (5, (4, 4, 4, 4, 4)),
}
"""Blocks that are left at each place, and the greatest depth of each unit; the least is 2."""


@pytest.mark.parametrize(("name", "left"), SPACES.items())
def test_the_published_spaces_hold_what_their_counts_say(host, name, left):
    blocks, depths = left

    found = host.supernet(f"ofa_mbv3_w1.2+{name}")

    assert found.space.count() == prod(
        sum(blocks**d for d in range(2, most + 1)) for most in depths
    )


@pytest.fixture
def small(tmp_path):
    """MOOFA without its small kernels with small ratios, its last unit shorter."""
    file = tmp_path / "space.yaml"
    drops = [{"block": {"k": 3, "e": 2}}, {"block": {"k": 5, "e": 2}, "unit": 3}]
    reduction = {"name": "small", "drop": drops, "keep": [{"gene": "d[4]", "options": [2, 3]}]}
    file.write_text(json.dumps({"base": "moofa_v3", "reduction": reduction}))
    return str(file)


def test_exact_search_of_a_smaller_space_bounds_the_others_there_and_the_whole_bounds_it(
    ofa, small
):
    def best(supernet, searcher):
        asked = ("--constraint", "peak_memory<=400k", "--searcher", searcher)
        few = ("--set", "evolution.generations=30") if searcher == "evolution" else ()
        found = ofa("run", "search", "--supernet", supernet, *asked, *few, "--json")["front"][0]
        assert found["costs"]["peak_memory"]["value"] <= 400_000
        return found["accuracy"]["value"]

    proven, whole = best(small, "exact"), best("moofa_v3", "exact")

    assert max(best(small, s) for s in ("evolution", "random", "unit_mutation")) <= proven
    assert proven < whole


def test_a_smaller_space_of_memory_and_its_contest_with_proven_ends(ofa):
    ofa("run", "profile", "--supernet", "moofa_v3", "--metrics", "accuracy,peak_memory",
        "--exact", "--num-archs", "0", "--no-log", "--out", "profile", "--json")  # fmt: skip
    made = ofa("run", "reduce", "--profile", "profile", "--name", "mem", "--install",
               "--random-control", "--out", "made", "--json")  # fmt: skip
    assert 0 < made["share"] < 1e-6 and len(made["removals"]) > 90

    found = ofa("run", "contest", "--supernet", "moofa_v3+mem", "--constraint",
                "peak_memory<=300k", "--repeats", "3", "--json")  # fmt: skip

    spaces = found["spaces"]
    (proven,), (whole,) = spaces["reduced"]["proven"], spaces["whole"]["proven"]
    assert max(spaces["reduced"]["values"]) <= proven <= whole
    assert max(spaces["whole"]["values"]) <= whole
    control = spaces["control"]
    assert all(v <= p for v, p in zip(control["values"], control["proven"], strict=True))
    assert spaces["reduced"]["mean"] > spaces["whole"]["mean"] + 0.5


@pytest.mark.parametrize("known", [("--num-archs", "100"), ("--exact", "--num-archs", "0")])
def test_networks_of_the_least_memory_are_left_also_where_a_profile_is_drawn(ofa, known):
    ofa("run", "profile", "--supernet", "moofa_v3", "--metrics", "accuracy,flops,peak_memory",
        *known, "--no-log", "--out", "profile", "--json")  # fmt: skip

    made = ofa("run", "reduce", "--profile", "profile", "--cost", "peak_memory", "--out", "made",
               "--json")  # fmt: skip
    ends = {e["metric"]: (e["before"], e["after"]) for e in made["ends"]}
    assert ends["peak_memory"] == (299_520, 299_520)
    best, left = ends["accuracy"]
    assert best - 0.3 < left < best

    found = ofa("run", "search", "--supernet", made["space"], "--constraint",
                "peak_memory<=300k", "--json")  # fmt: skip
    assert found["front"][0]["costs"]["peak_memory"]["value"] == 299_520


@needs_shared
def test_the_rules_find_the_published_spaces_in_the_published_predictors_profile(ofa):
    predictor = ("--predictor", "mlp", "--predictor-weights",
                 str(SHARED / "predictors" / "mit_mbv3_w1.2.pth"))  # fmt: skip
    ofa("run", "profile", "--supernet", "ofa_mbv3_w1.2", "--metrics", "accuracy,latency@note10",
        "--lut", str(SHARED / "lut" / "note10"), *predictor, "--resolutions", "224", "--rule",
        "paper", "--exact", "--no-log", "--out", "profile", "--json")  # fmt: skip

    def reduced(*words):
        made = ofa("run", "reduce", "--profile", "profile", "--by", "option", *words, "--json")
        return {r["what"] for r in made["removals"]}, made["networks"]["after"]

    gone, networks = reduced("--rule", "accurate")
    assert gone == {"MBConv3_3x3", "MBConv3_5x5", "MBConv3_7x7", "MBConv4_3x3"}
    assert networks == sum(5**d for d in (2, 3, 4)) ** 5
    assert reduced()[0] == {"MBConv3_7x7", "MBConv4_7x7", "depth 4"}

    found = ofa("run", "contest", "--supernet", "ofa_mbv3_w1.2+max_accuracy", *predictor,
                "--resolutions", "224", "--repeats", "6", "--json")  # fmt: skip
    assert found["comparisons"][0]["verdict"].startswith("better by 0.")
    assert found["spaces"]["reduced"]["proven"] == []
