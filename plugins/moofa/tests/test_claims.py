"""MOOFA's claims that need no published file: they run, hold or differ, and could fail."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from subprocess import run

import numpy as np
import pytest

from moofa.claims import entries, figures, leading, memory, records, sampled, searching, table
from moofa.claims.leading import Standing
from ofa_plugins_core import Host, InputError, JobContext, UsageError

CLAIMS = {entry.name.removeprefix("moofa_"): entry for entry in entries()}
GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def host():
    """Without CompOFA, which this plugin does not declare."""
    return Host.discover(block=["compofa"] if find_spec("compofa") else [])


@pytest.fixture
def checked(host):
    """Name -> what checking the claim comes to."""
    return lambda name: CLAIMS[name].check(JobContext(host), {})


class TestMemory:
    @pytest.mark.parametrize("name", ["widths", "constant_memory", "v1_smallest"])
    def test_is_as_published(self, checked, name):
        assert checked(name).verdict == "reproduced"

    def test_another_width_differs(self, checked, monkeypatch):
        monkeypatch.setattr(memory, "WIDTHS", "3, 8, 24, 96, 288, 360, 384, 392, 400")
        assert checked("widths").verdict == "differs"

    def test_of_a_stage_is_more_even_than_ofas(self, checked):
        by = {c.what: c.ours for c in checked("constant_memory").comparisons}
        even = by["most / least of a stage"]
        assert even == pytest.approx(696_192 / 614_016)
        assert even < by["the same with e = 3"] < by["the same with e = 2"]
        assert by["the same of OFA's largest network"] > 6

    def test_a_bound_that_v1_meets_is_no_refusal(self, host, monkeypatch):
        monkeypatch.setattr(memory, "TOO_LITTLE", "peak_memory<=450k")
        found = memory.smallest(JobContext(host), {})
        assert (found.verdict, found.comparisons[0].ours) == ("differs", None)


class TestTable1:
    @pytest.fixture
    def published(self, monkeypatch):
        """(row, change) -> MOOFA's column with a cell changed."""

        def call(row, **change):
            cells = list(figures.TABLE["moofa_v3"])
            cells[row] = cells[row]._replace(**change)
            monkeypatch.setitem(figures.TABLE, "moofa_v3", tuple(cells))

        return call

    def top1(self, found):
        return {c.what: c for c in found.comparisons if c.holds is not None}

    @pytest.mark.parametrize(
        ("part", "equal"), [("ofa", ["325k", "350k", "400k"]), ("moofa", ["325k", "350k"])]
    )
    def test_is_ours_under_the_tightest_bounds_and_below_ours_elsewhere(self, checked, part, equal):
        found = checked(f"table1_{part}")
        rows = self.top1(found)
        assert found.verdict == "differs"
        assert [what.removesuffix(": top-1") for what, c in rows.items() if c.holds] == equal
        assert all("promises too much" in c.why for c in rows.values() if not c.holds)

    @pytest.mark.parametrize("off", [0.39, -0.39])
    def test_a_published_top1_beyond_either_end_of_our_interval_differs(
        self, checked, published, off
    ):
        ours = self.top1(checked("table1_moofa"))["325k: top-1"].ours
        published(0, top1=ours + 0.98 * off)
        assert self.top1(checked("table1_moofa"))["325k: top-1"].holds
        published(0, top1=ours + off)
        assert not self.top1(checked("table1_moofa"))["325k: top-1"].holds

    def test_what_a_search_is_asked_for_is_shown_and_not_judged(self, checked):
        rows = checked("table1_moofa").comparisons
        assert {c.what.partition(": ")[2] for c in rows if c.holds is None} == {
            "peak memory",
            "MACs",
        }

    @pytest.mark.parametrize("part", ["ofa", "moofa"])
    def test_every_published_peak_is_one_of_the_space(self, checked, part):
        assert checked(f"table1_{part}_peaks").verdict == "reproduced"

    def test_a_peak_that_no_network_has_differs(self, checked, published):
        published(0, peak=305_281)
        (row,) = [c for c in checked("table1_moofa_peaks").comparisons if c.holds is False]
        assert (row.ours, row.published) == (305_280, 305_281)
        assert row.why == "no network of moofa_v3 has this peak memory"

    def test_what_the_stem_needs_is_no_networks_peak(self, host):
        supernet = host.supernet("moofa_v3").at([224])
        tables = list(memory.peak_tables(JobContext(host), supernet).values())
        assert table.nearest(supernet, tables, 188_241) == 378_048

    @pytest.mark.parametrize("name", ["table1_compofa", "tight_memory", "wide_memory"])
    def test_what_needs_compofa_says_so_without_it(self, checked, name):
        with pytest.raises(UsageError, match="compofa_elastic"):
            checked(name)

    def test_the_readme_has_moofas_figure_for_ofa(self, checked):
        found = checked("readme_400k")
        assert [c.holds for c in found.comparisons] == [False, True]
        assert "MOOFA's own network (73.34 %)" in found.comparisons[0].why


class TestLeading:
    @pytest.mark.parametrize(
        ("low", "high", "who"),
        [(72.1, 73, "MOOFA"), (71.9, 73, "not told apart"), (70, 70.9, "OFA or CompOFA")],
    )
    def test_is_who_is_ahead_by_more_than_is_unknown(self, low, high, who):
        others = {"ofa_mbv3_w1.0": Standing(69, 70, 71), "compofa_elastic": Standing(71, 71.5, 72)}
        assert leading.leader({**others, "moofa_v3": Standing(low, 72, high)}) == who

    def test_published_figures_are_compared_as_they_are(self):
        tied = {n: Standing(72, 72, 72) for n in figures.TABLE}
        assert leading.leader(tied) == "not told apart"
        assert leading.leader({**tied, "moofa_v3": Standing(72.1, 72.1, 72.1)}) == "MOOFA"


class TestMeasuredNetworks:
    """Those of a file, as if the authors had measured them."""

    @pytest.fixture
    def rows(self, host, tmp_path):
        """(peak memory, top-1) of networks -> the rows of OFA's column."""

        def call(*found):
            space = host.supernet("ofa_mbv3_w1.0").at([128, 160]).space
            genes = space.sample(400, np.random.default_rng(0))
            cost = host.cost_model("peak_memory").build(
                host.supernet("ofa_mbv3_w1.0").at([128, 160])
            )
            by = dict(
                zip(cost.evaluate(genes).astype(int).tolist(), space.decode(genes), strict=True)
            )
            lines = [{"arch": by[peak].as_dict(), "top1": top1} for peak, top1 in found]
            file = tmp_path / "records.jsonl"
            file.write_text("\n".join(map(json.dumps, lines)))
            files = {"records_ofa_mbv3_w1.0": file}
            return CLAIMS["table1_ofa_records"].check(JobContext(host), files)

        return call

    def test_no_better_than_table_1_but_for_a_labels_error_hold(self, rows):
        found = rows((262_912, 71.2), (410_368, 74.6))
        assert found.verdict == "reproduced"
        assert [c.ours for c in found.comparisons] == [71.2] * 3 + [74.6] * 5

    def test_a_better_one_differs_under_each_bound_that_it_meets(self, rows):
        found = rows((262_912, 71.3), (410_368, 74.6))
        assert [c.holds for c in found.comparisons] == [False, True, True] + [True] * 5
        assert "the authors' own records" in found.comparisons[0].why

    def test_a_bound_that_none_meets_is_shown(self, rows):
        found = rows((410_368, 74.6))
        assert [c.holds for c in found.comparisons] == [None] * 3 + [True] * 5
        assert found.comparisons[0].why == "none of the records is within it"

    def test_none_within_any_bound_is_refused(self, rows, monkeypatch):
        monkeypatch.setattr(sampled, "BOUNDS", (1, 2))
        with pytest.raises(InputError, match="holds no network of at most 2 items"):
            rows((410_368, 74.6))


class TestSearch:
    def test_under_400k_is_about_as_good_as_any_by_our_fit(self, checked):
        found = checked("search_400k")
        assert found.verdict == "consistent"
        (judged,) = [c for c in found.comparisons if c.holds is not None]
        assert (judged.published, judged.beside) == (None, "the best there is, by exact search")
        assert found.comparisons[3].ours == 14_505_770_328_381_657_234

    @pytest.mark.parametrize("name", ["search_400k", "search_325k"])
    def test_takes_seconds_that_are_shown_and_not_judged(self, checked, monkeypatch, name):
        monkeypatch.setattr(searching, "DRAWS", 1_000)
        assert {c.holds for c in checked(name).comparisons if c.unit == "s"} == {None}

    def test_the_share_of_draws_under_325k_is_that_of_the_published_one(self, checked, monkeypatch):
        monkeypatch.setattr(searching, "DRAWS", 200_000)
        found = checked("search_325k")
        assert found.verdict == "reproduced"
        share = found.comparisons[0]
        assert (share.ours, share.published) == (pytest.approx(3.6, abs=1), None)

    def test_another_share_differs(self, checked, monkeypatch):
        monkeypatch.setattr(searching, "DRAWS", 200_000)
        monkeypatch.setattr(searching, "SHARE", 6.3)
        assert checked("search_325k").verdict == "differs"


class TestRecords:
    @pytest.fixture
    def folder(self, tmp_path):
        """The golden networks of two supernets, as if they were a user's copy."""
        for name, file in (("moofa_v3", "moofa_v3"), ("moofa_v2", "imagenette_moofa_v2")):
            lines = (GOLDEN / f"{name}.jsonl").read_text().splitlines()[:6]
            (tmp_path / f"{file}.jsonl").write_text("\n".join(lines))
        return tmp_path

    @pytest.fixture
    def changed(self, folder):
        """(line, change of its record) -> the folder."""

        def call(line, change):
            file = folder / "moofa_v3.jsonl"
            lines = file.read_text().splitlines()
            record = json.loads(lines[line - 1])
            change(record)
            lines[line - 1] = json.dumps(record)
            file.write_text("\n".join(lines))
            return folder

        return call

    def peaks(self, host, place):
        return records.peaks(JobContext(host), {"records": place})

    def test_every_one_has_our_peak_memory(self, host, folder):
        found = self.peaks(host, folder)
        assert found.verdict == "reproduced"
        assert [(c.ours, c.published) for c in found.comparisons] == [(6, 6), (6, 6), (12, 12)]

    @pytest.mark.parametrize("off", [1, -1])
    def test_the_first_that_differs_is_named(self, host, changed, off):
        folder = changed(4, lambda r: r.update(peak_memory=r["peak_memory"] + off))
        found = self.peaks(host, folder)
        assert [c.holds for c in found.comparisons] == [True, False, False]
        row = found.comparisons[1]
        assert (row.ours, row.published) == (5, 6)
        assert row.why.startswith("the first that differs is record 4: ")

    @pytest.mark.parametrize("peak", [None, "many", True])
    def test_one_without_its_peak_memory_is_refused(self, host, changed, peak):
        with pytest.raises(InputError, match="record 3: expected peak_memory in items"):
            self.peaks(host, changed(3, lambda r: r.update(peak_memory=peak)))

    def test_one_of_another_space_is_refused_with_its_line(self, host, changed):
        with pytest.raises(InputError, match="line 5"):
            self.peaks(host, changed(5, lambda r: r["arch"].update(e=[6] * 20)))

    def test_a_file_by_itself_is_checked_alone(self, host, folder):
        found = self.peaks(host, folder / "moofa_v3.jsonl")
        assert [c.published for c in found.comparisons] == [6, 6]

    def test_a_file_of_a_supernet_that_is_not_here_is_left_out_and_named(self, host, folder):
        (folder / "compofa_elastic.jsonl").write_text("{}")
        found = self.peaks(host, folder)
        assert found.verdict == "reproduced"
        assert found.note.startswith("compofa_elastic.jsonl is left out: unknown supernet")

    def test_nothing_to_check_is_refused(self, host, tmp_path):
        with pytest.raises(InputError, match="holds no records"):
            self.peaks(host, tmp_path)
        (tmp_path / "nowhere.jsonl").write_text("{}")
        with pytest.raises(InputError, match=r"nowhere\.jsonl is left out"):
            self.peaks(host, tmp_path)


def test_too_few_records_to_judge_a_predictor_are_refused(host, tmp_path):
    supernet = host.supernet("moofa_v3")
    archs = supernet.space.decode(supernet.space.sample(59, np.random.default_rng(0)))
    file = tmp_path / "moofa_v3.jsonl"
    file.write_text("\n".join(json.dumps({"arch": a.as_dict(), "top1": 70.0}) for a in archs))
    files = {"records_moofa_v3": file, "predictor_moofa_v3": tmp_path / "unread"}
    with pytest.raises(InputError, match="has 59 distinct networks, too few"):
        CLAIMS["predictor_moofa"].check(JobContext(host), files)


def test_every_published_file_has_an_address():
    needed = {m.name: m.how for entry in entries() for m in entry.needs}
    assert needed
    assert [name for name, how in needed.items() if "https://" not in how] == []


def test_listing_claims_loads_nothing_that_checks_them():
    code = (
        "import sys, moofa.plugin as p; list(p.ofa_claims()); "
        "print([m for m in sys.modules if m.startswith('moofa.claims.') or m == 'torch'])"
    )
    said = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
