"""Latency by a table: a sum of rows, refused where rows are missing."""

from __future__ import annotations

import json

import pytest

from ofa_plugins_core import InputError, UsageError
from ofa_plugins_core.builtin import latency
from ofa_plugins_core.builtin.latency import LatencyOptions, rows_are_of
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
            key: {"count": 9, "mean": 0.25 + len(key) * i, "std": 40.0 * noisy}
            for i, key in enumerate(keys[: len(keys) - drop])
        }
        (folder / f"{size}_lookup_table.json").write_text(json.dumps(rows))
    return folder


def test_sums_of_rows(tmp_path):
    model = ENTRY.build(TOY, LatencyOptions("mine", toy_tables(tmp_path)))
    assert (model.name, model.unit, model.kind) == ("latency@mine", "ms", "measured")
    assert str(tmp_path) in model.source
    genes = everything(TOY.space)[::13]
    for arch, value in zip(TOY.space.decode(genes), model.evaluate(genes), strict=True):
        rows = model.folder.table(arch.image_size).rows
        expected = sum(rows[row_key(b)].mean for b in TOY.geometry().blocks(arch))
        assert value == pytest.approx(expected, rel=1e-12)


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
    with pytest.raises(InputError, match="2 rows that toy needs are missing") as caught:
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
