"""Claims of OFA and MOOFA on the published files that lie beside the repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moofa.claims import figures, records
from ofa_mit.claims import searching
from ofa_plugins_core import JobContext
from ofa_plugins_core.claims import Checked

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="../shared/data is not there: it lies beside the repository"
)


@pytest.fixture
def checked(host):
    """Name -> what checking the claim comes to."""

    def call(name: str) -> Checked:
        claim = host.claim(name)
        return claim.check(JobContext(host), {m.name: SHARED / m.place for m in claim.needs})

    return call


def ours(found: Checked) -> list[object]:
    return [c.ours for c in found.comparisons]


class TestWithoutFiles:
    def test_moofas_lead_exceeds_what_is_unknown_under_400k_alone(self, checked):
        found = checked("moofa_tight_memory")
        assert found.verdict == "differs"
        assert ours(found)[::2] == ["not told apart", "not told apart", "MOOFA"]

    def test_at_500k_its_published_search_missed_a_better_network(self, checked):
        found = checked("moofa_wide_memory").comparisons[::2]
        assert [c.ours for c in found if c.ours != "not told apart"] == ["MOOFA"]
        assert (found[1].what, found[1].published) == ("500k: in the lead", "OFA or CompOFA")
        assert "no better than theirs under 400k" in found[1].why

    def test_compofas_column_lies_below_the_best_of_its_space(self, checked):
        found = checked("moofa_table1_compofa").comparisons[::3]
        assert not any(c.holds for c in found)
        assert all(c.ours > c.published for c in found)

    def test_one_of_compofas_published_peaks_is_of_an_uncoupled_network(self, checked):
        (row,) = [c for c in checked("moofa_table1_compofa_peaks").comparisons if not c.holds]
        assert (row.ours, row.published) == (738_304, 722_448)
        assert row.why.endswith("networks of ofa_mbv3_w1.0 do, at 192 px")


@needs_shared
class TestWithFiles:
    def test_every_published_record_has_our_peak_memory(self, checked):
        found = checked("moofa_peak_memory")
        assert found.verdict == "reproduced"
        assert ours(found) == [1_664, 1_520, 832, 1_856, 2_080, 2_088, 10_040]

    @pytest.mark.parametrize(
        ("part", "better"),
        [("ofa", 0), ("compofa", 8), ("moofa", 2)],
    )
    def test_records_beat_table_1_under_every_bound_of_compofas(self, checked, part, better):
        found = checked(f"moofa_table1_{part}_records").comparisons
        assert sum(not c.holds for c in found) == better

    def test_no_lead_is_seen_in_the_records(self, checked):
        found = checked("moofa_tight_records")
        assert found.verdict == "differs"
        assert ours(found)[1::2] == pytest.approx([-0.352, -0.448, 0.504])
        assert "samples" in found.note

    def test_specialised_networks_have_the_macs_of_their_names(self, checked):
        found = checked("ofa_mobile_setting")
        assert found.verdict == "consistent"
        assert [c.what[-6:] for c in found.comparisons[:3]] == ["224 px", "224 px", "236 px"]

    def test_two_of_four_latencies_lie_beyond_the_tables(self, checked):
        found = checked("ofa_note10_latency")
        assert [c.holds for c in found.comparisons] == [True, False, True, False]
        assert all("tables end at 224 px" in c.why for c in found.comparisons if not c.holds)

    def test_the_tables_have_just_the_rows_that_are_needed(self, checked):
        assert checked("ofa_note10_tables").verdict == "reproduced"

    def test_under_25_ms_evolution_comes_near_the_best(self, checked, monkeypatch):
        enough = {"evolution": {"population": 50, "generations": 120}}
        monkeypatch.setattr(searching, "EVOLUTION", enough)
        assert checked("ofa_search_note10").verdict == "consistent"

    def test_a_record_counts_only_if_every_item_does(self, host, tmp_path):
        lines = (SHARED / "accuracy" / "moofa_v3.jsonl").read_text().splitlines()[:50]
        file = tmp_path / "moofa_v3.jsonl"
        file.write_text("\n".join(lines).replace("299520", "299521"))
        assert records.compared(JobContext(host), file).equal < 50


@needs_shared
class TestPublishedPredictors:
    @pytest.fixture(autouse=True)
    def torch(self):
        pytest.importorskip("torch", reason="the published predictors are torch files")

    def test_mits_sees_no_image_size_between_224_and_239(self, checked):
        order, *_ = checked("ofa_predictor_order").comparisons
        assert (order.ours, order.holds) == ("389M < 595M < 482M", False)
        assert "236" in order.why

    def test_moofas_do_as_well_as_published_and_our_fit_does_unseen(self, checked):
        found = checked("moofa_predictor_compofa")
        assert found.verdict == "reproduced"
        assert ours(found)[:4:3] == pytest.approx([0.888, 0.905], abs=2e-3)

    @pytest.mark.parametrize("name", ["ofa_search_promise", "moofa_predictor_promise"])
    def test_a_search_finds_where_they_promise_too_much(self, checked, monkeypatch, name):
        few = {"evolution": {"population": 40, "generations": 25}}
        monkeypatch.setattr(searching, "EVOLUTION", few)
        monkeypatch.setattr("moofa.claims.predictors.EVOLUTION", few)
        found = checked(name)
        assert found.verdict == "differs"
        assert found.comparisons[0].ours > found.comparisons[0].published

    @pytest.mark.parametrize("content", [b"not a predictor", b"\x80\x04cos\nsystem\n(S'x'\ntR."])
    def test_a_broken_or_hostile_file_fails_alone(self, ofa, tmp_path, content):
        file = tmp_path / "MC_OFA_acc.pth.tar"
        file.write_bytes(content)
        given = (
            *("--given", f"records_moofa_v3={SHARED / 'accuracy' / 'moofa_v3.jsonl'}"),
            *("--given", f"predictor_moofa_v3={file}"),
        )
        names = ("moofa_predictor_moofa", "moofa_widths")
        found = ofa("reproduce", *names, *given, "--json", code=5)
        assert [c["verdict"] for c in found["claims"]] == ["failed", "reproduced"]
        assert "MC_OFA_acc.pth.tar" in found["claims"][0]["reason"]


def test_the_figures_are_those_of_the_page():
    page = json.loads((Path(__file__).parents[2] / "docs/data/moofa_table1.json").read_text())
    for column in page["series"]:
        cells = [(p["bound"], p["top1"], p["peak_memory"], p["mflops"]) for p in column["points"]]
        assert [tuple(c) for c in figures.TABLE[column["supernet"]]] == cells
