"""Block profiling's claims: what needs no file runs on the paper's figures or on a toy."""

from __future__ import annotations

import sys
from hashlib import sha256
from subprocess import run
from types import SimpleNamespace

import pytest

from block_profile.claims import asking, entries, figures, panels, rules, searches, spaces
from block_profile.profiling.result import ProfileResult
from ofa_plugins_core import Host, JobContext, SupernetEntry
from ofa_plugins_core.reduction.data import Drop, Reduction
from ofa_plugins_core.reduction.supernet import reduced
from ofa_plugins_core.testing import in_process, toy_supernet

CLAIMS = {entry.name.removeprefix("block_profile_"): entry for entry in entries()}


@pytest.fixture
def context():
    """A host that knows the toy."""
    plugin = in_process("toys", ofa_supernets=[SupernetEntry("toy", "…", toy_supernet)])
    return JobContext(Host.discover(extra={"toys": plugin}))


@pytest.fixture
def mits(tmp_path, monkeypatch):
    """A file that is known as MIT's predictor."""
    file = tmp_path / "acc_predictor.pth"
    file.write_bytes(b"weights")
    monkeypatch.setattr(asking, "MITS", sha256(b"weights").hexdigest())
    return {"mit_predictor": file}


def judged(found):
    return [(c.ours, c.published, c.holds) for c in found.comparisons if c.holds is not None]


class TestDropSet:
    PUBLISHED = "e3k3, e3k5, e3k7, e4k3"

    def test_the_rule_drops_the_published_four_by_the_published_means(self, context):
        found = CLAIMS["drop_set"].check(context, {})
        assert found.verdict == "consistent"  # published means, published space
        assert judged(found) == [(self.PUBLISHED, self.PUBLISHED, True)] * 2

    def test_with_another_mean_it_differs(self, context, monkeypatch):
        other = {**figures.ACCURACY, figures.label(4, 3): 77.6}
        monkeypatch.setattr(rules, "ACCURACY", other)
        assert CLAIMS["drop_set"].check(context, {}).verdict == "differs"


class TestSpaces:
    def test_the_published_rule_leaves_a_forced_layer_out_of_some_networks(
        self, context, monkeypatch
    ):
        monkeypatch.setattr(spaces, "SUPERNET", "toy")  # two layers a unit, depths 1 and 2
        found = CLAIMS["forced"].check(context, {})
        assert judged(found) == [(1.0, 1, True), (0.5, 1, False)]
        assert "one too few" in found.comparisons[1].why

    def test_blocks_are_counted_at_each_place(self, context, monkeypatch):
        monkeypatch.setattr(spaces, "BLOCKS", {"toy": 15})
        found = CLAIMS["combinations"].check(context, {})
        assert judged(found) == [(16, 15, False)]

    def test_what_is_dropped_is_looked_up_in_the_space(self):
        toy = toy_supernet()
        drops = (Drop({"k": 5, "e": 3}), Drop({"k": 3, "e": 3}, unit=1))
        small = reduced(toy, Reduction("small", drop=drops))
        assert spaces.dropped_of(toy, small) == "e3k5; at some places e3k3"
        assert spaces.dropped_of(toy, toy) == "–"


class TestPredictor:
    def test_the_known_file_is_mits(self, mits):
        assert asking.whose(mits) == "MIT's predictor"
        assert asking.other_predictor(mits) == ""

    def test_another_file_is_named_and_what_follows_is_not_called_reproduced(
        self, context, monkeypatch, mits
    ):
        mits["mit_predictor"].write_bytes(b"others")
        means = figures.ACCURACY
        monkeypatch.setattr(panels, "profile_of", lambda *_, **__: None)
        monkeypatch.setattr(panels, "means_of", lambda *_: means)
        found = CLAIMS["accuracy"].check(context, mits)
        assert "By the predictor in acc_predictor.pth" in found.note
        assert "acc_predictor.pth, given as mit_predictor, is not the OFA authors'" in found.chosen
        assert str(mits["mit_predictor"].parent) not in found.note + found.chosen
        assert found.verdict != "reproduced"


class TestPanels:
    def test_ratios_are_in_order_where_their_blocks_are_apart(self):
        assert panels.ratios(figures.ACCURACY) == "e6, e4, e3"
        mixed = {**figures.ACCURACY, figures.label(3, 3): 77.45}
        assert panels.ratios(mixed) == "mixed"

    def test_the_units_that_gain_the_most(self):
        assert panels.most(figures.DEPTH_GAINS) == "3, 4"
        assert panels.most((0.5, 0.1, 0.9, 0.2)) == "0, 2"


class TestSearches:
    @pytest.mark.parametrize(("gain", "chance"), [(2.0, 0.01), (-2.0, 1.0)])
    def test_a_loss_is_no_gain_however_certain(self, gain, chance):
        comparison = SimpleNamespace(difference=gain, p=0.01)
        found = SimpleNamespace(comparisons=lambda: {("reduced", "whole"): comparison})
        assert searches._chance(found) == chance

    def test_means_of_many_seeds_are_held_closer_than_one_seed(self):
        assert searches.within((83.7, 0.1), 20, (83.8, 0.1)) == pytest.approx(0.063)
        assert searches.within((83.7, 0.1), 5, (83.8, 0.0)) == pytest.approx(0.089)

    @pytest.mark.parametrize(("small", "verdict"), [(83.78, "reproduced"), (83.68, "differs")])
    def test_a_mean_within_a_seeds_spread_alone_differs(
        self, context, monkeypatch, mits, small, verdict
    ):
        lots = {"reduced": small, "whole": 83.24, "control": 83.3}
        values = {role: [mean - 0.1, mean + 0.1] * 10 for role, mean in lots.items()}
        monkeypatch.setattr(
            searches, "contest_of", lambda *_, **__: SimpleNamespace(values=values.__getitem__)
        )
        assert CLAIMS["max_accuracy"].check(context, mits).verdict == verdict

    def test_what_fronts_are_judged_by_is_ours(self, context, monkeypatch, mits):
        fronts = {"reduced": [3.0, 3.1], "whole": [1.0, 1.1]}
        comparison = SimpleNamespace(difference=2.0, p=0.01)
        found = SimpleNamespace(
            values=fronts.__getitem__, comparisons=lambda: {("reduced", "whole"): comparison}
        )
        monkeypatch.setattr(searches, "contest_of", lambda *_, **__: found)
        checked = CLAIMS["note10_front"].check(context, {**mits, "note10_tables": None})
        chance = checked.comparisons[0]
        assert (chance.published, chance.against, chance.holds) == (None, 0.05, True)
        assert "our" in chance.beside

    @pytest.mark.parametrize("what", ["profile", "contest"])
    def test_what_the_user_stops_ends_the_claim(self, context, monkeypatch, what, tmp_path):
        stopped = {
            "profile": ProfileResult(None, None, 0.0, interrupted=True),
            "contest": SimpleNamespace(interrupted=True),
        }[what]
        monkeypatch.setattr(asking, f"run_{what}", lambda context, options: stopped)
        name = {"profile": "depths", "contest": "max_accuracy"}[what]
        with pytest.raises(KeyboardInterrupt):
            CLAIMS[name].check(context, {"mit_predictor": tmp_path})


def test_offering_claims_loads_nothing_that_checks_them():
    code = "import sys, block_profile.plugin as p; list(p.ofa_claims()); print(*sys.modules)"
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert not [name for name in loaded if name.startswith("block_profile.claims.")]
