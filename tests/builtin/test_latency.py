"""Latency by a table: a sum of rows, refused where rows are missing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core import InputError, UsageError
from ofa_plugins_core.builtin import latency
from ofa_plugins_core.builtin.latency import LatencyOptions, rows_are_of
from ofa_plugins_core.config import plain
from ofa_plugins_core.jobs.lut.table import write_table
from ofa_plugins_core.own_tables import OwnRow
from ofa_plugins_core.pricing import measurements
from ofa_plugins_core.table_model import Correction
from ofa_plugins_core.tables import TableFolder, row_key
from ofa_plugins_core.testing import CostModelSuite
from ofa_plugins_core.testing.toys import everything, toy_supernet

TOY = toy_supernet()
ENTRY = latency.entry()


def toy_tables(folder, drop=0, noisy=False):
    """Tables of every row that the toy needs, but for the last few."""
    for size in TOY.resolutions:
        keys = sorted({row_key(b) for b in TOY.geometry().catalogue(size).blocks})
        rows = {
            key: {"count": 9, "mean": 0.25 + 0.01 * len(key) * i, "std": 0.4 * noisy}
            for i, key in enumerate(keys[: len(keys) - drop])
        }
        (folder / f"{size}_lookup_table.json").write_text(json.dumps(rows))
    return folder


def test_sums_of_rows(tmp_path):
    model = ENTRY.build(TOY, LatencyOptions("mine", toy_tables(tmp_path)))
    assert (model.name, model.unit, model.kind) == ("latency@mine", "ms", "predicted")
    assert str(tmp_path) in model.source
    genes = everything(TOY.space)[::13]
    for arch, value in zip(TOY.space.decode(genes), model.evaluate(genes), strict=True):
        rows = model.folder.table(arch.image_size).rows
        expected = sum(rows[row_key(b)].mean for b in TOY.geometry().blocks(arch))
        assert value == pytest.approx(expected, rel=1e-9)


def test_the_folder_names_the_table(tmp_path):
    (tmp_path / "board").mkdir()
    model = ENTRY.build(TOY, LatencyOptions(None, toy_tables(tmp_path / "board")))
    assert model.name == "latency@board"
    assert model.resolutions == TOY.resolutions


def test_a_table_is_needed():
    with pytest.raises(UsageError, match="latency@mine needs its table") as caught:
        ENTRY.build(TOY, LatencyOptions("mine"))
    assert "--lut mine=FOLDER" in caught.value.advice


def test_missing_rows(tmp_path):
    model = ENTRY.build(TOY, LatencyOptions("mine", toy_tables(tmp_path, drop=2)))
    with pytest.raises(InputError, match="lacks 2 rows that toy needs") as caught:
        model.evaluate(everything(TOY.space))
    assert "32_lookup_table.json" in caught.value.message
    assert "expanded_conv" in caught.value.message
    assert "ofa run lut" in caught.value.advice


def test_widths_tell_whose_rows_they_are(tmp_path):
    table = TableFolder.open(toy_tables(tmp_path)).table(32)
    assert rows_are_of(table) == "a network of widths 16, 24"


def test_the_published_convention(tmp_path):
    model = ENTRY.build(TOY, LatencyOptions("mine", toy_tables(tmp_path), "another"))
    assert model.kind == "published"
    assert model.source.startswith("published convention: priced as another")


def test_flaws_are_noticed(tmp_path):
    model = ENTRY.build(TOY, LatencyOptions("mine", toy_tables(tmp_path, noisy=True)))
    (notice, *_) = model.notices()
    assert notice.message.startswith("latency table mine: ")


class TestLaws(CostModelSuite):
    """What every cost keeps."""

    @pytest.fixture
    def cost_model(self, supernet, tmp_path):
        return ENTRY.build(supernet, LatencyOptions("mine", toy_tables(tmp_path)))


def placed(folder, table):
    """The folder, with the table in it as ``ofa run lut`` writes it."""
    folder.mkdir(exist_ok=True, parents=True)
    write_table(folder, table)
    return folder


class TestOwnTable:
    """A table that ``ofa run lut`` made: corrected, with an interval, predicted."""

    @pytest.fixture
    def table(self, own_table):
        return own_table()

    @pytest.fixture
    def model(self, tmp_path, table):
        return ENTRY.build(TOY, LatencyOptions("mine", placed(tmp_path / "run", table)))

    def test_the_sum_of_rows_is_corrected(self, model, table):
        """scale × sum + per_block × blocks + offset, network by network."""
        genes, fit = everything(TOY.space)[::13], table.correction
        for arch, value in zip(TOY.space.decode(genes), model.evaluate(genes), strict=True):
            blocks = TOY.geometry().blocks(arch)
            rows = table.rows[str(arch.image_size)]
            total = sum(rows[row_key(b)].mean for b in blocks)
            expected = fit.scale * total + fit.per_block * len(blocks) + fit.offset
            assert value == pytest.approx(expected, rel=1e-6)

    def test_without_a_correction_it_is_the_sum(self, tmp_path, table):
        plain_sum = evolve(table, correction=Correction())
        model = ENTRY.build(TOY, LatencyOptions("mine", placed(tmp_path, plain_sum)))
        genes = everything(TOY.space)[::37]
        for arch, value in zip(TOY.space.decode(genes), model.evaluate(genes), strict=True):
            rows = table.rows[str(arch.image_size)]
            total = sum(rows[row_key(b)].mean for b in TOY.geometry().blocks(arch))
            assert value == pytest.approx(total, rel=1e-6)

    def test_what_it_is(self, model):
        assert (model.name, model.unit, model.kind) == ("latency@mine", "ms", "predicted")
        assert model.source == (
            "table of toy measured on bench, Toy 1, 2 threads, batch 1; off by 2.5 % on 12 "
            "networks there"
        )
        assert model.resolutions == (32, 64)

    def test_its_interval_goes_with_every_number(self, model):
        genes = everything(TOY.space)[::200]
        for found, value in zip(measurements(model, genes), model.evaluate(genes), strict=True):
            assert (found.low, found.high) == pytest.approx((0.9 * value, 1.2 * value))
            assert (found.kind, found.unit) == ("predicted", "ms")

    def test_without_an_error_there_is_no_interval(self, tmp_path, table):
        options = LatencyOptions("mine", placed(tmp_path, evolve(table, error=None)))
        model, genes = ENTRY.build(TOY, options), everything(TOY.space)[:2]
        assert model.interval(genes, np.ones(2)) is None
        assert model.source.endswith("; not validated")
        assert measurements(model, genes)[0].low is None

    def test_a_published_table_knows_no_interval(self, tmp_path):
        model = ENTRY.build(TOY, LatencyOptions("mine", toy_tables(tmp_path)))
        assert model.interval(everything(TOY.space)[:2], np.ones(2)) is None

    def test_priced_as_another_its_error_is_not_known(self, tmp_path, table):
        model = ENTRY.build(TOY, LatencyOptions("mine", placed(tmp_path, table), "toy"))
        assert model.kind == "predicted"
        assert model.source.endswith("priced as toy: its error is not known")
        assert model.interval(everything(TOY.space)[:1], np.ones(1)) is None

    def test_the_file_works_as_well_as_its_folder(self, tmp_path, table, model):
        genes = everything(TOY.space)[::50]
        file = ENTRY.build(TOY, LatencyOptions("mine", tmp_path / "run" / "table.json"))
        assert file.evaluate(genes).tolist() == model.evaluate(genes).tolist()

    def test_an_installed_one_is_found_by_its_name(self, tmp_path, table, model, monkeypatch):
        monkeypatch.setenv("OFA_TABLES", str(tmp_path / "tables"))
        with pytest.raises(UsageError, match="latency@phone needs its table"):
            ENTRY.build(TOY, LatencyOptions("phone"))
        placed(tmp_path / "tables" / "phone", table)
        found = ENTRY.build(TOY, LatencyOptions("phone"))
        genes = everything(TOY.space)[::50]
        assert found.name == "latency@phone"
        assert found.evaluate(genes).tolist() == model.evaluate(genes).tolist()

    def test_rows_that_lack_are_named(self, tmp_path, table):
        rows = {size: dict(list(rows.items())[2:]) for size, rows in table.rows.items()}
        model = ENTRY.build(TOY, LatencyOptions("mine", placed(tmp_path, evolve(table, rows=rows))))
        with pytest.raises(InputError, match="lacks 2 rows that toy needs") as caught:
            model.evaluate(everything(TOY.space))
        assert "ofa run lut" in caught.value.advice

    def test_what_is_priced_is_the_network_as_built(self, tmp_path, table):
        class Altered:
            """A supernet whose published costs are of another network than is extracted."""

            def __getattr__(self, name):
                return getattr(TOY, name)

            def geometry(self):
                raise AssertionError("of the published network")

            def as_built(self):
                return TOY

        model = ENTRY.build(Altered(), LatencyOptions("mine", placed(tmp_path, table)))
        assert np.isfinite(model.evaluate(everything(TOY.space)[:3])).all()

    def test_its_unit_is_never_asked(self, tmp_path, table):
        tiny = {
            size: {k: evolve(r, mean=1e-6 * r.mean, std=0.0) for k, r in rows.items()}
            for size, rows in table.rows.items()
        }
        quick = evolve(table, rows=tiny, correction=Correction())
        ENTRY.build(TOY, LatencyOptions("mine", placed(tmp_path, quick)))

    def test_noisy_rows_are_noticed(self, tmp_path, table):
        key, row = next(iter(table.rows["32"].items()))
        rows = {**table.rows, "32": {**table.rows["32"], key: evolve(row, std=row.mean)}}
        model = ENTRY.build(TOY, LatencyOptions("mine", placed(tmp_path, evolve(table, rows=rows))))
        (notice,) = model.notices()
        assert "latency table mine: 1 of" in notice.message

    class TestLaws(CostModelSuite):
        """What every cost keeps."""

        @pytest.fixture
        def cost_model(self, supernet, tmp_path, own_table):
            return ENTRY.build(supernet, LatencyOptions("mine", placed(tmp_path, own_table())))


class TestSearched:
    """On the command line: exact search on a table is looking at all networks."""

    SEARCH = ("run", "search", "--supernet", "toy", "--json", "--cost", "latency")

    @pytest.fixture
    def folder(self, tmp_path, own_table):
        return placed(tmp_path / "mine", own_table())

    def test_the_fastest_network(self, ofa, folder):
        done = ofa(*self.SEARCH, "--lut", str(folder), "--minimize", "latency")
        assert done.code == 0, done.err
        (best,) = done.json["front"]
        found = best["costs"]["latency"]
        model = ENTRY.build(TOY, LatencyOptions("mine", folder))
        assert found["value"] == pytest.approx(model.evaluate(everything(TOY.space)).min())
        assert found["kind"] == "predicted"
        assert (found["low"], found["high"]) == pytest.approx(
            (0.9 * found["value"], 1.2 * found["value"])
        )

    def test_under_a_bound(self, ofa, folder):
        model = ENTRY.build(TOY, LatencyOptions("mine", folder))
        bound = float(np.median(model.evaluate(everything(TOY.space))))
        words = ("--lut", f"mine={folder}", "--constraint", f"latency<={bound}")
        done = ofa(*self.SEARCH, *words, "--maximize", "accuracy", "--resolutions", "all")
        assert done.code == 0, done.err
        for item in done.json["front"]:
            assert item["costs"]["latency"]["value"] <= bound

    def test_costs_carry_kind_and_interval_to_the_table_for_people(self, ofa, folder, archs):
        lines = archs.read_text().splitlines()[:1]
        archs.write_text(lines[0] + "\n")
        words = ("run", "cost", "--supernet", "toy", "--cost", "latency", "--archs", str(archs))
        done = ofa(*words, "--lut", str(folder))
        assert done.code == 0, done.err
        assert "predicted" in done.out + done.err
        assert "off by 2.5 %" in " ".join((done.out + done.err).split())


def test_conditions_and_references_do_not_change_what_is_priced(tmp_path, own_table):
    table = own_table()
    rows = {
        size: {k: OwnRow(mean=r.mean, std=r.std, count=r.count) for k, r in rows.items()}
        for size, rows in table.rows.items()
    }
    genes = everything(TOY.space)[::50]
    values = [
        ENTRY.build(TOY, LatencyOptions("a", placed(tmp_path / str(n), t))).evaluate(genes)
        for n, t in enumerate([table, evolve(table, rows=rows, networks=[], reference=None)])
    ]
    assert values[0].tolist() == values[1].tolist()
    assert plain(table) != plain(evolve(table, rows=rows))
