"""Block profiling's claims on the published spaces, tables and predictor."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("block_profile")

from ofa_plugins_core.entries import JobContext

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="../shared/data is not there: it lies beside the repository"
)


@pytest.fixture
def files():
    """(claim) -> where its material is."""
    return lambda claim: {m.name: SHARED / m.place for m in claim.needs}


@pytest.fixture
def checked(host, files):
    """(name) -> what checking the claim comes to."""

    def call(name):
        claim = host.claim(f"block_profile_{name}")
        return claim.check(JobContext(host), files(claim))

    return call


@pytest.mark.parametrize(
    ("name", "verdict"), [("combinations", "reproduced"), ("spaces", "consistent")]
)
def test_the_published_spaces_are_here(checked, name, verdict):
    assert checked(name).verdict == verdict


def test_a_forced_layer_is_not_in_every_network_by_the_published_rule(checked):
    found = checked("forced")
    assert [c.ours for c in found.comparisons] == [1.0, 1.0, 0.6667, 0.3333]
    assert found.verdict == "differs"


@needs_shared
def test_the_note10s_panel_reproduces_and_a_strict_rule_is_shown_beside_it(checked):
    found = checked("note10")
    assert found.verdict == "reproduced"
    strict = [c.ours for c in found.comparisons if c.published is None]
    assert strict == pytest.approx([42.77, 43.50, 44.54], abs=0.005)


@needs_shared
@pytest.mark.parametrize("name", ["accuracy", "depths", "note10_space"])
def test_the_figures_and_the_space_that_follows_reproduce(checked, name):
    pytest.importorskip("torch", reason="the published predictor is a torch file")
    assert checked(name).verdict == "reproduced"


@needs_shared
def test_with_another_published_latency_the_panel_differs(checked, monkeypatch):
    other = {"MBConv6_3x3": 42.5}
    monkeypatch.setattr("block_profile.claims.panels.NOTE10_MS", other)
    assert checked("note10").verdict == "differs"


@needs_shared
def test_searches_in_the_smaller_spaces(host, files):
    pytest.importorskip("torch", reason="the published predictor is a torch file")
    from block_profile.claims.searches import max_accuracy, note10_front

    asked = {"repeats": 3}
    claim = host.claim("block_profile_max_accuracy")
    found = max_accuracy(JobContext(host), files(claim), **asked)
    small, whole, gain, _ = (c.ours for c in found.comparisons)
    assert small == pytest.approx(83.7, abs=0.2)
    assert gain == pytest.approx(small - whole)
    assert gain > 0

    claim = host.claim("block_profile_note10_front")
    found = note10_front(JobContext(host), files(claim), **asked)
    assert found.verdict == "differs"  # three repeats show nothing
    assert found.comparisons[0].ours > 0.05
