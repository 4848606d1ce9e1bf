"""Latency tables: read strictly, lazily, and told what is wrong with them."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from ofa_plugins_core import InputError, table_flaws
from ofa_plugins_core.config import plain
from ofa_plugins_core.geometry import Block, Op
from ofa_plugins_core.table_flaws import CopiedRows, FallingSums, NoisyRows, find_flaws
from ofa_plugins_core.table_model import Correction
from ofa_plugins_core.tables import Row, TableFolder, read_rows, row_key

CONV = "Conv-input:32x32x3-output:16x16x8"
ELASTIC = "expanded_conv-input:16x16x8-output:8x8x16-expand:24-kernel:3-stride:2-idskip:0-se:0-hs:0"
FIRST = "expanded_conv-input:16x16x8-output:16x16x8-expand:8-kernel:3-stride:1-idskip:1-se:0-hs:0"
ROWS = {
    CONV: {"count": 100, "mean": 1.5, "std": 0.01},
    ELASTIC: {"count": 100, "mean": 2.25, "std": 0.02},
    FIRST: {"count": 100, "mean": 0.5, "std": 0.01},
}


def written(path, rows):
    path.parent.mkdir(exist_ok=True)
    path.write_text(rows if isinstance(rows, str) else json.dumps(rows))
    return path


def scaled(factor, **changes):
    return {k: {**row, "mean": row["mean"] * factor} for k, row in {**ROWS, **changes}.items()}


@pytest.fixture(params=["json", "yaml", "yml"])
def file(request, tmp_path):
    """A path of each form; YAML reads JSON too."""
    return tmp_path / f"32_lookup_table.{request.param}"


class TestReading:
    """One file."""

    def test_rows(self, file):
        rows = read_rows(written(file, ROWS))
        assert rows[CONV] == Row(100, 1.5, 0.01)
        assert list(rows) == list(ROWS)

    def test_block_style(self, tmp_path):
        text = f"{CONV}:\n  count: 5\n  mean: 1.5e-01\n  var: 4.0\n"
        rows = read_rows(written(tmp_path / "32_lookup_table.yaml", text))
        assert rows[CONV] == Row(5, 0.15, 2.0)

    def test_without_deviation(self, file):
        row = read_rows(written(file, {CONV: {"count": 5, "mean": 0}}))[CONV]
        assert (row.std, row.variation) == (None, 0.0)

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            (3, "must be a mapping"),
            ([1, 2], "must be a mapping"),
            (None, "must be a mapping"),
            ({"count": 5}, "mean must be a number of at least 0, found None"),
            ({"count": 5, "mean": "fast"}, "mean must be a number of at least 0, found 'fast'"),
            ({"count": 5, "mean": True}, "mean must be a number"),
            ({"count": 5, "mean": -0.5}, "found -0.5"),
            ({"count": 5, "mean": 1e300}, "found 1e.300"),
            ({"count": 5, "mean": 10**400}, "a huge number"),
            ({"count": 0, "mean": 1}, "count must be a whole number from 1 up, found 0"),
            ({"count": 2.5, "mean": 1}, "count must be a whole number"),
            ({"mean": 1, "std": 0}, "count must be a number"),
            ({"count": 5, "mean": 1, "std": -1}, "std must be a number of at least 0, found -1"),
            ({"count": 5, "mean": 1, "std": 1, "var": 1}, "std or var"),
            ({"count": 5, "mean": 1, "median": 1}, "nothing else, found .'median'."),
        ],
    )
    def test_broken_rows(self, file, row, said):
        with pytest.raises(InputError, match=said) as caught:
            read_rows(written(file, {**ROWS, CONV: row}))
        assert str(file) in caught.value.message
        assert CONV in caught.value.message
        assert "ofa run lut" in caught.value.advice
        assert caught.value.exit_code == 5

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "[]",
            "{}",
            "3",
            "{",
            '{"a": {"count": 1, "mean": NaN}}',
            '{"a": {"count": 1, "mean": .nan}}',
            '{"a": {"count": 1, "mean": Infinity}}',
            '{"a": {"count": 1, "mean": 1}, "a": {"count": 1, "mean": 2}}',
            '{"a": {"count": 1, "mean": 1, "mean": 2}}',
            "!!python/object/apply:os.system [true]",
            "a: &x {count: 1, mean: 1}\nb: *x",
            "[" * 100_000,
            "[" * 100_000 + "]" * 100_000,
            '{"a":' * 50_000,
            "\x00",
        ],
    )
    def test_broken_files(self, file, text):
        with pytest.raises(InputError, match="32_lookup_table") as caught:
            read_rows(written(file, text))
        assert len(caught.value.message) < 500

    def test_not_text(self, file):
        file.write_bytes(b"\xff\xfe\x00\x81")
        with pytest.raises(InputError, match="not text in UTF-8"):
            read_rows(file)

    def test_too_long(self, file):
        file.write_text("#" * (4 * 2**20 + 1))
        with pytest.raises(InputError, match="longer than"):
            read_rows(file)


class TestFolder:
    """Several files."""

    def test_only_what_is_asked_for_is_read(self, tmp_path):
        written(tmp_path / "32_lookup_table.json", ROWS)
        written(tmp_path / "64_lookup_table.json", "broken")
        (tmp_path / "README.md").write_text("a table")
        folder = TableFolder.open(tmp_path, "mine")
        assert (folder.name, folder.sizes) == ("mine", (32, 64))
        assert folder.table(32) is folder.table(32)
        assert folder.table(32).total() == pytest.approx(4.25)
        with pytest.raises(InputError, match=r"64_lookup_table\.json"):
            folder.table(64)

    def test_a_size_that_is_not_there(self, tmp_path):
        written(tmp_path / "64_lookup_table.json", ROWS)
        with pytest.raises(InputError, match="no latency table for 32 px") as caught:
            TableFolder.open(tmp_path).table(32)
        assert "--resolutions 64" in caught.value.advice

    def test_no_folder(self, tmp_path):
        with pytest.raises(InputError, match="cannot read the folder"):
            TableFolder.open(tmp_path / "nowhere")
        with pytest.raises(InputError, match="cannot read the folder"):
            TableFolder.open(written(tmp_path / "file", "x"))

    def test_no_table(self, tmp_path):
        with pytest.raises(InputError, match="no latency table in") as caught:
            TableFolder.open(tmp_path)
        assert "<size>_lookup_table.json" in caught.value.advice

    def test_two_of_one_size(self, tmp_path):
        written(tmp_path / "32_lookup_table.json", ROWS)
        written(tmp_path / "32_lookup_table.yaml", ROWS)
        with pytest.raises(InputError, match="two tables for 32 px"):
            TableFolder.open(tmp_path)


class TestOwn:
    """A table that ``ofa run lut`` made, opened as any other."""

    @pytest.fixture
    def run(self, tmp_path, own_table):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "table.json").write_text(json.dumps(plain(own_table())))
        return tmp_path / "run"

    @pytest.mark.parametrize("place", [".", "table.json"])
    def test_by_its_folder_or_its_file(self, run, own_table, place):
        folder, table = TableFolder.open(run / place), own_table()
        assert (folder.name, folder.path, folder.sizes) == ("run", run, (32, 64))
        assert folder.own == table
        for size in folder.sizes:
            rows = folder.table(size).rows
            assert set(rows) == set(table.rows[str(size)])
            for key, row in table.rows[str(size)].items():
                assert rows[key] == Row(row.count, row.mean, row.std)

    def test_the_users_name_comes_first(self, run):
        assert TableFolder.open(run, "phone").name == "phone"

    def test_it_comes_before_published_files_beside_it(self, run):
        written(run / "96_lookup_table.json", ROWS)
        assert TableFolder.open(run).sizes == (32, 64)
        assert TableFolder.open(run).own is not None

    def test_a_published_folder_has_nothing_of_its_own(self, tmp_path):
        written(tmp_path / "32_lookup_table.json", ROWS)
        assert TableFolder.open(tmp_path).own is None

    def test_a_size_that_is_not_there(self, run):
        with pytest.raises(InputError, match="no latency table for 48 px"):
            TableFolder.open(run).table(48)

    def test_a_broken_one_is_refused_when_it_is_opened(self, run):
        (run / "table.json").write_text("{}")
        with pytest.raises(InputError, match=r"table\.json"):
            TableFolder.open(run)

    @pytest.mark.parametrize("name", ["32_lookup_table.json", "table.yaml"])
    def test_a_file_of_another_form_is_told(self, tmp_path, name):
        with pytest.raises(InputError, match=name):
            TableFolder.open(written(tmp_path / name, ROWS))


def conv(name, kind, channels, out, size, after, **more):
    return Block(name, kind, (Op("conv", "conv", channels, out, size, after, **more),))


class TestKeys:
    """Keys as the published tables write them."""

    def test_stem(self):
        block = conv("stem", "stem", 3, 24, 224, 112, kernel=3, stride=2)
        assert row_key(block) == "Conv-input:224x224x3-output:112x112x24"

    def test_head(self):
        assert (
            row_key(conv("final expand", "final_expand", 192, 1152, 7, 7))
            == "Conv_1-input:7x7x192-output:7x7x1152"
        )
        assert (
            row_key(conv("feature mix", "feature_mix", 1152, 1536, 1, 1))
            == "Conv_2-input:1x1x1152-output:1x1x1536"
        )
        pool = Block("pool", "pool", (Op("pool", "pool", 1152, 1152, 7, 1, 7, 7),))
        assert row_key(pool) == "AvgPool2D-input:7x7x1152-output:1x1x1152"
        linear = Block("classifier", "classifier", (Op("linear", "linear", 1536, 1000, 1, 1),))
        assert row_key(linear) == "Logits-input:1x1x1536-output:1000"

    def block(self, mid, *, expand, shortcut=True):
        ops = [Op("expand", "conv", 24, mid, 112, 112)] if expand else []
        ops += [
            Op("depthwise", "conv", mid, mid, 112, 112, 3, groups=mid, activation="h_swish"),
            Op("se.reduce", "se", mid, 8, 1, 1),
            Op("project", "conv", mid, 24, 112, 112),
        ]
        return Block("b", "mbconv", tuple(ops), shortcut=shortcut)

    def test_mbconv(self):
        start = "expanded_conv-input:112x112x24-output:112x112x24-expand:"
        end = "-kernel:3-stride:1-idskip:1-se:1-hs:1"
        assert row_key(self.block(72, expand=True)) == f"{start}72{end}"
        assert row_key(self.block(24, expand=False)) == f"{start}24{end}"
        assert row_key(self.block(24, expand=True)) == f"{start}24{end}-expand_conv:1"


def folder(tmp_path, name, **tables):
    for size, rows in tables.items():
        written(tmp_path / name / f"{size[1:]}_lookup_table.json", rows)
    return TableFolder.open(tmp_path / name)


class TestFlaws:
    """What is wrong is reported as records with a message."""

    def test_nothing(self, tmp_path):
        assert find_flaws([folder(tmp_path, "a", s32=ROWS, s64=scaled(2))]) == ()

    def test_our_own_tables_are_looked_at_too(self, tmp_path, own_table):
        rows = {s: own_table((s,), correction=Correction(9.0)).rows[str(s)] for s in (32, 64)}
        slow = {k: evolve(r, mean=9 * r.mean, std=9 * r.mean) for k, r in rows[32].items()}
        (tmp_path / "table.json").write_text(
            json.dumps(plain(own_table(rows={"32": slow, "64": rows[64]})))
        )
        kinds = {type(f) for f in find_flaws([TableFolder.open(tmp_path, "mine")])}
        assert kinds == {FallingSums, NoisyRows}

    def test_noise(self, tmp_path):
        rows = {**ROWS, ELASTIC: {"count": 3, "mean": 1.0, "std": 0.5}}
        (found,) = find_flaws([folder(tmp_path, "a", s32=rows)])
        assert isinstance(found, NoisyRows)
        assert found.rows == ((32, ELASTIC, 0.5),)
        assert (found.typical, found.largest, found.total) == (0.5, 0.5, 3)
        assert found.largest_fixed == pytest.approx(0.02)
        assert "1 of 3 rows vary by more than 10%" in found.message

    def test_falling_sums(self, tmp_path):
        (found,) = find_flaws([folder(tmp_path, "a", s32=ROWS, s64=scaled(0.5), s96=scaled(3))])
        assert isinstance(found, FallingSums)
        assert found.steps == ((32, 64, 4.25, 2.125),)
        assert "falls at 1 of 2 steps" in found.message

    def test_sizes_that_are_not_asked_for_are_not_read(self, tmp_path):
        table = folder(tmp_path, "a", s32=ROWS, s64="broken")
        assert find_flaws([table], [32, 128]) == ()
        assert find_flaws([table], []) == ()

    def test_shared_rows_of_two_tables(self, tmp_path):
        mine = {**scaled(3), CONV: ROWS[CONV]}
        (found,) = find_flaws([folder(tmp_path, "a", s32=ROWS), folder(tmp_path, "b", s32=mine)])
        assert isinstance(found, CopiedRows)
        assert (found.table, found.other, found.rows) == ("a", "b", ((32, CONV),))
        assert "the same, bit for bit, in b (Conv)" in found.message

    def test_a_published_tables_rows_are_known_alone(self, tmp_path, monkeypatch):
        published = folder(tmp_path, "published", s32=ROWS)
        prints = {k: frozenset(v) for k, v in table_flaws.fingerprint(published).items()}
        monkeypatch.setattr(table_flaws, "_known", lambda: {"published": prints})
        assert find_flaws([published]) == ()
        assert table_flaws.published_name(published.table(32)) == "published"
        copied = folder(tmp_path, "copied", s32={**scaled(3), FIRST: ROWS[FIRST]})
        (found,) = find_flaws([copied])
        assert (found.rows, found.known) == (((32, FIRST),), True)
        assert "copied, bit for bit, from the published published table (block 0)" in found.message
        both = find_flaws([published, copied])
        assert [f.table for f in both] == ["copied"]  # told once

    def test_shipped_fingerprints_are_read(self):
        known = table_flaws._known()
        assert {n: (len(k["tables"]), len(k["rows"])) for n, k in known.items()} == {
            "note10": (17, 102)
        }
