"""Units of tables are asked for where milliseconds cannot be meant, and never guessed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ofa_plugins_core import UsageError
from ofa_plugins_core.jobs.lut.table import write_table
from ofa_plugins_core.table_units import IN_MS, in_milliseconds, suspected
from ofa_plugins_core.tables import TableFolder, row_key
from ofa_plugins_core.testing import toy_supernet

TOY = toy_supernet()
LUT = Path(__file__).parents[2] / "shared" / "data" / "lut"
needs_luts = pytest.mark.skipif(
    not LUT.is_dir(), reason=f"{LUT} is not there: published tables are not redistributed"
)


def tables(folder, typical, std=0.01):
    """Tables of the toy, whose rows take about as long as the typical one."""
    folder.mkdir(exist_ok=True)
    for size in TOY.resolutions:
        keys = sorted({row_key(b) for b in TOY.geometry().catalogue(size).blocks})
        times = {k: typical * (0.5 + n / len(keys)) for n, k in enumerate(keys)}
        rows = {k: {"count": 9, "mean": t, "std": std * t} for k, t in times.items()}
        (folder / f"{size}_lookup_table.json").write_text(json.dumps(rows))
    return folder


def opened(folder, typical):
    return TableFolder.open(tables(folder, typical), "mine")


@pytest.mark.parametrize("typical", [0.01, 0.05, 1.0, 30.0, 400.0])
def test_a_fast_gpu_and_a_slow_microcontroller_pass_unasked(tmp_path, typical):
    folder = opened(tmp_path, typical)
    assert suspected(folder) is None
    assert in_milliseconds(folder, None) is folder


@pytest.mark.parametrize(
    ("typical", "said", "unit"),
    [(0.0008, "are these seconds", "s"), (2500.0, "are these microseconds", "us")],
)
def test_what_no_device_does_is_asked(tmp_path, typical, said, unit):
    with pytest.raises(UsageError, match=said) as caught:
        in_milliseconds(opened(tmp_path, typical), None)
    assert "latency table mine" in caught.value.message
    assert f"--set latency.unit={unit}" in caught.value.advice
    assert "--set latency.unit=ms" in caught.value.advice


@pytest.mark.parametrize("odd", [32, 64])
def test_one_image_size_that_cannot_be_is_enough(tmp_path, odd):
    """A table that was put together from two sources."""
    folder = tables(tmp_path, 1.0)
    path = folder / f"{odd}_lookup_table.json"
    rows = json.loads(path.read_text())
    path.write_text(json.dumps({k: {**r, "mean": 1000 * r["mean"]} for k, r in rows.items()}))
    assert "microseconds" in suspected(TableFolder.open(folder)).message


@pytest.mark.parametrize(("unit", "refused"), [(None, False), ("ms", False), ("s", True)])
def test_a_table_of_ours_says_its_unit_itself(tmp_path, own_table, unit, refused):
    write_table(tmp_path, own_table())
    folder = TableFolder.open(tmp_path)
    if refused:
        with pytest.raises(UsageError, match="says itself that it is in ms: unit=s is wrong"):
            in_milliseconds(folder, unit)
    else:
        assert in_milliseconds(folder, unit) is folder


@pytest.mark.parametrize("unit", IN_MS)
def test_the_answer_is_taken_and_everything_is_in_ms(tmp_path, unit):
    folder = opened(tmp_path, 0.0008)
    found = in_milliseconds(folder, unit)
    factor = {"s": 1000.0, "ms": 1.0, "us": 0.001}[unit]
    assert (found.name, found.sizes, found.path) == (folder.name, folder.sizes, folder.path)
    for size in folder.sizes:
        for key, row in folder.table(size).rows.items():
            now = found.table(size).rows[key]
            assert now.mean == pytest.approx(factor * row.mean)
            assert now.std == pytest.approx(factor * row.std)
            assert now.count == row.count


def test_the_table_that_was_opened_stays_as_it_is(tmp_path):
    folder = opened(tmp_path, 0.0008)
    before = folder.table(32).total()
    in_milliseconds(folder, "s")
    assert folder.table(32).total() == before


def test_a_row_without_deviation_stays_without(tmp_path):
    rows = {"Conv-input:32x32x3-output:16x16x8": {"count": 1, "mean": 0.0005}}
    (tmp_path / "32_lookup_table.json").write_text(json.dumps(rows))
    (row,) = in_milliseconds(TableFolder.open(tmp_path), "s").table(32).rows.values()
    assert (row.mean, row.std) == (0.5, None)


class TestAsked:
    """On the command line."""

    def cost(self, ofa, archs, folder, *words):
        table = ("--cost", "latency", "--lut", f"mine={folder}")
        return ofa("run", "cost", "--supernet", "toy", *table, "--archs", str(archs), *words)

    @pytest.fixture
    def two(self, archs):
        """Networks at the table's image sizes."""
        lines = archs.read_text().splitlines()[:2]
        archs.write_text("\n".join(lines) + "\n")
        return archs

    def test_the_question_ends_the_command(self, ofa, two, tmp_path):
        done = self.cost(ofa, two, tables(tmp_path / "t", 0.0008), "--json")
        assert (done.code, done.out) == (2, "")
        assert "are these seconds?" in done.err
        assert "--set latency.unit=s" in done.err

    def test_the_answer_goes_on(self, ofa, two, tmp_path):
        folder = tables(tmp_path / "t", 0.0008)
        found = {}
        for unit in ("s", "ms"):
            done = self.cost(ofa, two, folder, "--json", "--set", f"latency.unit={unit}")
            assert done.code == 0, done.err
            found[unit] = [line["latency"] for line in done.lines]
        assert found["s"] == pytest.approx([1000 * v for v in found["ms"]], rel=1e-6)
        assert all(1 < v < 10 for v in found["s"])

    def test_only_units_are_an_answer(self, ofa, two, tmp_path):
        words = ("--set", "latency.unit=minutes")
        done = self.cost(ofa, two, tables(tmp_path / "t", 0.0008), *words)
        assert done.code == 2
        assert "ms, s or us" in done.err


@needs_luts
@pytest.mark.parametrize("name", ["note10", "jetson_cpu", "jetson_gpu"])
def test_the_published_tables_pass_unasked(name):
    folder = TableFolder.open(LUT / name)
    assert len(folder.sizes) == 17
    assert in_milliseconds(folder, None) is folder
