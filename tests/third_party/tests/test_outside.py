"""A plugin from outside works as our own do, and mixes with them."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec

import pytest

mixes = pytest.mark.skipif(find_spec("moofa") is None, reason="moofa is not installed")


def test_it_is_installed_for_real():
    try:
        found = distribution("ofa-outside")
    except PackageNotFoundError:
        pytest.skip("not installed: pip install tests/third_party/ofa_outside")
    assert found.version == "1.2"
    assert [(p.group, p.name) for p in found.entry_points] == [("ofa.plugins", "outside")]


def test_it_is_listed_with_what_it_offers(outside):
    plugin = outside.states()["outside"]
    assert (plugin["distribution"], plugin["version"]) == ("ofa-outside", "1.2")
    assert (plugin["state"], plugin["error"]) == ("loaded", None)
    assert plugin["offers"]["cost_models"] == ["traffic", "roofline"]
    assert plugin["offers"]["searchers"] == ["climb"]
    assert plugin["offers"]["jobs"] == ["shortlist"]
    assert plugin["offers"]["weights"] == ["moofa_v3_outside"]
    assert plugin["offers"]["supernets"] == []


def test_the_list_is_a_table_for_people(outside):
    shown = outside("plugins", "list")
    assert "outside" in shown.stdout
    assert "searchers: climb" in shown.stdout


def test_it_keeps_the_laws(outside):
    found = outside.json("plugins", "check", "outside")
    assert found["passed"]
    offers = {(f["kind"], f["name"]) for f in found["findings"]}
    assert {("cost_models", "traffic"), ("searchers", "climb"), ("jobs", "shortlist")} <= offers


def test_blocked_it_is_not_there(outside):
    assert outside.states("--block", "outside")["outside"]["state"] == "blocked"
    done = outside("--block", "outside", "run", "shortlist", "--supernet", "x", code=2)
    assert "outside" in done.stderr


def test_blocking_works_through_the_environment(outside):
    plugins = outside.json("plugins", "list", OFA_BLOCK="outside")
    assert [p["state"] for p in plugins if p["name"] == "outside"] == ["blocked"]


def test_blocking_what_is_not_there_names_the_nearest(outside):
    done = outside("--block", "outsider", "plugins", "list", code=2)
    assert "nearest known: outside" in done.stderr


@mixes
class TestMixing:
    def test_its_weights_are_listed_with_ours(self, outside, tmp_path):
        words = ("weights", "list", "--supernet", "moofa_v3")
        files = outside.json(*words, OFA_CACHE=str(tmp_path))
        assert {"moofa_v3_outside", "moofa_v3"} <= {file["name"] for file in files}

    def test_its_costs_price_our_supernets(self, outside, archs):
        small, large = outside.json(
            "run", "cost", "--supernet", "moofa_v3", "--archs", archs,
            "--cost", "traffic", "--cost", "params", "--cost", "roofline",
        )  # fmt: skip
        assert 0 < small["traffic"] < large["traffic"]
        assert isinstance(small["traffic"], int)
        assert 0 < small["roofline"] < large["roofline"]
        assert small["params"] < large["params"]

    def test_options_of_its_costs_are_set_from_the_command_line(self, outside, archs):
        words = ("run", "cost", "--supernet", "moofa_v3", "--cost", "roofline", "--archs", archs)
        slow = outside.json(*words, "--set", "roofline.gbytes=1", "--set", "roofline.gmacs=1e9")
        fast = outside.json(*words, "--set", "roofline.gbytes=10", "--set", "roofline.gmacs=1e9")
        for one, ten in zip(slow, fast, strict=True):
            assert one["roofline"] == pytest.approx(10 * ten["roofline"])

    def test_its_job_runs_on_our_supernets(self, outside):
        rows = outside.json(
            "run", "shortlist", "--supernet", "moofa_v3", "--count", "3", "--seed", "1"
        )
        assert [row["traffic"] for row in rows] == sorted(row["traffic"] for row in rows)
        assert set(rows[0]["arch"]) == {"ks", "e", "d", "image_size"}

    def test_its_job_ranks_by_our_costs(self, outside):
        rows = outside.json("run", "shortlist", "--supernet", "moofa_v3", "--cost", "peak_memory")
        assert len(rows) == 5

    def test_wrong_use_of_its_job_is_the_users(self, outside):
        done = outside("run", "shortlist", "--supernet", "moofa_v3", "--count", "0", code=2)
        assert "--count must be 1 or more" in done.stderr

    def test_our_search_takes_its_searcher_and_its_cost(self, outside):
        found = outside.json(
            "run", "search", "--supernet", "moofa_v3", "--cost", "traffic", "--searcher", "climb",
            "--constraint", "peak_memory<=600k", "--set", "climb.steps=3", "--seed", "7",
        )  # fmt: skip
        assert found["searcher"] == "climb"
        assert found["optimal"] is False
        assert found["front"][0]["costs"]["traffic"]["value"] > 0

    @pytest.mark.skipif(find_spec("ofa_search") is None, reason="ofa_search is not installed")
    def test_its_separable_cost_is_searched_exactly_by_ours(self, outside):
        found = outside.json(
            "run", "search", "--supernet", "moofa_v3", "--cost", "traffic",
            "--constraint", "traffic<=40M",
        )  # fmt: skip
        assert found["searcher"] == "exact"
        assert found["optimal"] is True
        assert found["front"][0]["costs"]["traffic"]["value"] <= 40e6
