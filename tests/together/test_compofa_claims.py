"""CompOFA's claims on the published records and tables that lie beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from ofa_plugins_core.claims import Checked
from ofa_plugins_core.entries import JobContext

SHARED = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="../shared/data is not there: it lies beside the repository"
)
QUICK = {"evolution": {"population": 20, "generations": 2}}


@pytest.fixture
def checked(host):
    """(name, settings) -> what checking the claim comes to."""

    def call(name: str, settings=None) -> Checked:
        claim = host.claim(f"compofa_{name}")
        files = {m.name: SHARED / m.place for m in claim.needs}
        return claim.check(JobContext(host, settings=settings or {}), files)

    return call


def ours(found: Checked) -> list[float]:
    return [c.ours for c in found.comparisons]


def test_under_each_latency_the_best_measured_is_as_good(checked):
    found = checked("best")
    assert found.verdict == "reproduced"
    assert {c.published for c in found.comparisons} == {None}
    gaps = [c.ours - c.against for c in found.comparisons]
    assert gaps == pytest.approx([0.16, 1.12, 0.008, 0.728, 0.936], abs=1.1e-3)
    assert "ahead under 3 of 5 bounds and behind under 0; under 2 neither" in found.note


def test_once_for_alls_front_is_nowhere_above(checked):
    found = checked("parity")
    assert found.verdict == "consistent"
    assert "lies above by 0.048 points" in found.chosen
    assert ours(found)[0] == pytest.approx(-0.048, abs=1e-3)


def test_the_published_average_is_not_found(checked, monkeypatch):
    monkeypatch.setattr("compofa.claims.population.DRAWS", 100)
    found = checked("average")
    assert found.verdict == "differs"
    assert [c.holds for c in found.comparisons] == [True] * 3 + [False] * 3
    assert ours(found)[:3] == pytest.approx([0.089, 0.261, 0.072], abs=1e-3)


def test_a_search_of_few_generations_is_not_216_times_as_long(checked):
    found = checked("search", QUICK)
    assert found.verdict == "differs"
    assert 0 < found.comparisons[0].ours < 216
