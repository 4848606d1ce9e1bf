"""Dynamic-OFA's claims on the published tables that lie beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("dynamic_ofa")

from ofa_plugins_core.entries import JobContext

SHARED = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="../shared/data is not there: it lies beside the repository"
)


@pytest.fixture
def checked(host):
    """(name) -> what checking the claim comes to."""

    def call(name):
        claim = host.claim(f"dynamic_ofa_{name}")
        return claim.check(JobContext(host), {m.name: SHARED / m.place for m in claim.needs})

    return call


def judged(found):
    return [(c.ours, c.published, c.holds) for c in found.comparisons if c.holds is not None]


def test_the_published_filter_leaves_27_of_63(checked):
    assert judged(checked("filter")) == [(63, 63, True), (27, 27, True)]


def test_the_demo_follows_on_a_trace_of_ours(checked):
    assert checked("demo").verdict == "consistent"


def test_the_statistics_of_each_published_level_are_of_its_network(checked):
    found = checked("level_tables")
    assert found.verdict == "reproduced"
    assert judged(found) == [(6, 6, True), (7, 7, True)] * 2
    assert [c.kind for c in found.comparisons[:4]] == ["computed"] * 2 + ["published"] * 2
    assert [c.ours for c in found.comparisons[4:]] == pytest.approx([81.7, 185.1], abs=0.05)


def test_statistics_of_another_network_are_seen(checked, monkeypatch):
    monkeypatch.setattr("dynamic_ofa.claims.offline.widths_of", lambda geometry, arch: (16,))
    found = checked("level_tables")
    assert found.verdict == "differs"
    assert judged(found)[:2] == [(0, 6, False), (0, 7, False)]


def test_the_boards_tables_hold_another_devices_rows(checked):
    gpu, cpu = judged(checked("latency_rows"))
    assert (gpu, cpu) == ((102, None, False), (17, None, False))


def test_sums_of_the_boards_rows_have_the_order_and_not_the_milliseconds(checked):
    found = checked("latency_sums")
    most, least, ranks, values, *levels = (c.ours for c in found.comparisons)
    assert found.verdict == "differs"
    assert (most, least) == pytest.approx((2.29, 2.05), abs=0.01)
    assert (ranks, values) == pytest.approx((1.0, 0.992), abs=5e-4)
    assert levels == pytest.approx([18.2, 19.9, 23.7, 24.8, 27.3, 30.2], abs=0.051)


def test_no_network_of_the_narrow_space_is_as_fast_as_the_figures_by_the_table(checked):
    narrow, full = judged(checked("cpu_search"))
    assert narrow == (pytest.approx(1530, abs=0.5), 500.0, False)
    assert full[0] < narrow[0]
    assert full[2] is False
