"""``ofa run lut --lut``: what is wrong with tables that are there, and what they are worth."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ofa_plugins_core.config import plain
from ofa_plugins_core.tables import row_key
from ofa_plugins_core.testing import toy_supernet

TOY = toy_supernet()


def tables(folder, factor=1.0, drop=0, noisy=(), copied=()):
    """Published tables of the toy; a row's time follows from its key."""
    folder.mkdir(parents=True, exist_ok=True)
    for size in TOY.resolutions:
        keys = sorted({row_key(b) for b in TOY.geometry().catalogue(size).blocks})
        rows = {}
        for n, key in enumerate(keys[: len(keys) - drop]):
            mean = (1.0 if key in copied else factor) * (0.1 + size * (n + 1) / 2000)
            rows[key] = {"count": 9, "mean": mean, "std": mean * (0.5 if key in noisy else 0.01)}
        (folder / f"{size}_lookup_table.json").write_text(json.dumps(rows))
    return folder


@pytest.fixture
def check(ofa):
    def call(*words):
        return ofa("run", "lut", "--supernet", "toy", *words)

    return call


class TestFlaws:
    """What is wrong with a table."""

    def test_a_good_one(self, check, tmp_path):
        done = check("--lut", str(tables(tmp_path / "good")), "--json")
        assert done.code == 0, done.err
        assert done.lines == [
            {
                "table": "good",
                "folder": str(tmp_path / "good"),
                "sizes": [32, 64],
                "rows": 36,
                "flaws": [],
                "lacking": {},
            }
        ]

    def test_a_bad_one(self, check, tmp_path):
        key = row_key(TOY.geometry().catalogue(32).blocks[3])
        done = check("--lut", str(tables(tmp_path / "bad", drop=2, noisy=[key])), "--json")
        (found,) = done.lines
        assert len(found["flaws"]) == 1
        assert "1 of 32 rows vary by more than 10% of their mean" in found["flaws"][0]
        assert {size: len(keys) for size, keys in found["lacking"].items()} == {"32": 2, "64": 2}

    def test_two_that_share_rows(self, check, tmp_path):
        keys = [row_key(b) for b in TOY.geometry().catalogue(32).blocks[:3]]
        keys += [row_key(b) for b in TOY.geometry().catalogue(64).blocks[:3]]
        one = tables(tmp_path / "one")
        two = tables(tmp_path / "two", factor=3.0, copied=keys)
        done = check("--lut", str(one), "--lut", f"other={two}", "--json")
        assert [t["table"] for t in done.lines] == ["one", "other"]
        (flaw,) = done.lines[0]["flaws"]
        assert (
            "6 of 36 rows (3 at each of 2 image sizes) are the same, bit for bit, in other" in flaw
        )

    def test_another_unit_is_doubted(self, check, tmp_path):
        done = check("--lut", str(tables(tmp_path / "t", factor=1e-4)), "--json")
        assert done.code == 0
        assert "are these seconds?" in done.lines[0]["flaws"][0]

    def test_ones_own_are_looked_at_too(self, check, tmp_path, own_table):
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "table.json").write_text(json.dumps(plain(own_table())))
        done = check("--lut", str(tmp_path / "mine"), "--json")
        assert done.code == 0, done.err
        assert (done.lines[0]["rows"], done.lines[0]["lacking"]) == (36, {})

    def test_only_sizes_that_are_asked_for(self, check, tmp_path):
        done = check("--lut", str(tables(tmp_path / "t")), "--resolutions", "64", "--json")
        assert (done.lines[0]["sizes"], done.lines[0]["rows"]) == ([64], 18)

    def test_rows_of_another_supernet(self, ofa, tmp_path):
        """A table of the toy for a supernet of other widths: which rows lack."""
        folder = tables(tmp_path / "t", drop=18)
        (folder / "32_lookup_table.json").write_text(
            '{"Conv-input:1x1x1-output:1x1x1": {"count": 1, "mean": 1}}'
        )
        (folder / "64_lookup_table.json").unlink()
        done = ofa("run", "lut", "--supernet", "toy", "--lut", str(folder))
        said = " ".join((done.out + done.err).replace("│", " ").split())
        assert done.code == 0
        assert "18 rows that it needs missing, at 32 px" in said

    def test_for_people(self, check, tmp_path):
        done = check("--lut", str(tables(tmp_path / "good")))
        said = " ".join((done.out + done.err).replace("│", " ").split())
        assert "latency table good" in said and "none found" in said
        assert "every row that it needs is there" in said

    @pytest.mark.parametrize("content", ["{", '{"a": 3}', ""])
    def test_a_broken_one(self, check, tmp_path, content):
        folder = tables(tmp_path / "t")
        (folder / "64_lookup_table.json").write_text(content)
        done = check("--lut", str(folder))
        assert done.code == 5
        assert "64_lookup_table.json" in done.err and "Traceback" not in done.err

    def test_no_table(self, check, tmp_path):
        done = check("--lut", str(tmp_path / "nowhere"))
        assert done.code == 5 and "nowhere" in done.err

    def test_one_name_for_two(self, check):
        done = check("--lut", "a=x", "--lut", "a=y")
        assert done.code == 2 and "each name once" in done.err


class TestMeasured:
    """Held against measured latencies."""

    @pytest.fixture
    def measured(self, tmp_path):
        """Networks that take twice the sum of their rows."""
        folder = tables(tmp_path / "t")
        genes = TOY.space.canonical(TOY.space.sample(20, np.random.default_rng(0)))
        lines = []
        for arch in TOY.space.decode(genes):
            rows = json.loads((folder / f"{arch.image_size}_lookup_table.json").read_text())
            total = sum(rows[row_key(b)]["mean"] for b in TOY.geometry().blocks(arch))
            lines.append(json.dumps({"arch": arch.as_dict(), "latency": 2 * total, "top1": 70}))
        path = tmp_path / "measured.jsonl"
        path.write_text("\n".join(lines) + "\n")
        return path

    def test_how_they_agree(self, check, measured, tmp_path):
        words = ("--lut", str(tmp_path / "t"), "--measured", str(measured), "--json")
        (found,) = check(*words).lines
        assert found["scale"] == pytest.approx([2.0, 2.0])
        agreement = found["agreement"]
        assert agreement["networks"] == 20
        assert agreement["spearman"] == pytest.approx(1.0)
        assert agreement["pearson"] == pytest.approx(1.0)
        assert agreement["mape"]["value"] == pytest.approx(50.0)
        assert (agreement["mape"]["unit"], agreement["mape"]["kind"]) == ("%", "measured")

    def test_for_people(self, check, measured, tmp_path):
        done = check("--lut", str(tmp_path / "t"), "--measured", str(measured))
        said = " ".join((done.out + done.err).replace("│", " ").split())
        assert "measured / summed 2.00 to 2.00" in said
        assert "Spearman 1.0000" in said

    @pytest.mark.parametrize("value", [None, "fast", True, 0, -1, "NaN", 1e12])
    def test_latencies_that_are_none(self, check, measured, tmp_path, value):
        lines = measured.read_text().splitlines()
        line = json.loads(lines[3])
        text = "NaN" if value == "NaN" else json.dumps(value)
        lines[3] = json.dumps({**line, "latency": "HERE"}).replace('"HERE"', text)
        measured.write_text("\n".join(lines))
        done = check("--lut", str(tmp_path / "t"), "--measured", str(measured))
        assert done.code == 5
        assert "measured.jsonl" in done.err and "4" in done.err
        assert "Traceback" not in done.err

    def test_one_without_latencies(self, check, archs, tmp_path):
        done = check("--lut", str(tables(tmp_path / "t")), "--measured", str(archs))
        assert done.code == 5
        assert "'latency' must be milliseconds over 0, found None" in done.err

    def test_no_file(self, check, tmp_path):
        done = check("--lut", str(tables(tmp_path / "t")), "--measured", "nowhere.jsonl")
        assert done.code == 5 and "nowhere.jsonl" in done.err
