"""``ofa run lut``: a table from nothing, its worth, and every way in which it may end."""

from __future__ import annotations

import json
import math
from types import ModuleType

import pytest
from attrs import evolve

from ofa_plugins_core import SupernetEntry, hookimpl
from ofa_plugins_core.config import plain
from ofa_plugins_core.jobs.lut.works import part_key, pieces_of
from ofa_plugins_core.own_tables import read_own
from ofa_plugins_core.tables import TableFolder, read_rows, row_key
from ofa_plugins_core.testing import ToyDevice, everything, toy_supernet

TOY = toy_supernet()
QUICK = ("--least", "3", "--most", "5", "--networks", "12")
ROWS = 36


class Joined(ToyDevice):
    """In a network blocks save a fifth of their time, and something each."""

    def true_time(self, work):
        time = super().true_time(work)
        if len(work.blocks) == 1:
            return time
        return 0.8 * time - 0.003 * len(work.blocks)


def macs_of(arch):
    return sum(op.macs for block in TOY.geometry().blocks(arch) for op in block.ops)


def plain_parts(size):
    """Key -> MACs of every part that the toy needs at an image size."""
    return {
        part_key(piece): sum(op.macs for op in piece.ops)
        for block in TOY.geometry().catalogue(size).blocks
        for piece in pieces_of(block)
    }


def whole_rows(table):
    """Key of the part -> row, of the blocks that are one part."""
    found = {}
    for block in TOY.geometry().catalogue(64).blocks:
        pieces = list(pieces_of(block))
        if len(pieces) == 1:
            found[part_key(pieces[0])] = table.rows["64"][row_key(block)]
    return found


@pytest.fixture
def lut(ofa, host_on):
    """Runs ``ofa run lut`` for the toy on a device."""

    def call(device, *words):
        given = words if "--most" in words else (*QUICK, *words)
        return ofa(
            "run", "lut", "--supernet", "toy", "--device", "bench", *given, host=host_on(device)
        )

    return call


class TestTable:
    """What is written."""

    @pytest.fixture
    def run(self, lut, tmp_path):
        done = lut(ToyDevice(noise=0.001), "--out", "run", "--json")
        assert done.code == 0, done.err
        return done.json, tmp_path / "run"

    def test_every_row_is_there_and_is_what_the_device_takes(self, run):
        table = read_own(run[1] / "table.json")
        device = ToyDevice()
        for size in TOY.resolutions:
            blocks = {row_key(b): b for b in TOY.geometry().catalogue(size).blocks}
            assert set(table.rows[str(size)]) == set(blocks)
            for key, block in blocks.items():
                macs = sum(op.macs for op in block.ops)
                true = device.overhead + device.per_mac * macs
                assert table.rows[str(size)][key].mean == pytest.approx(true, rel=0.01)

    def test_what_it_says_of_itself(self, run):
        table = read_own(run[1] / "table.json")
        assert (table.supernet, table.batch) == ("toy", 1)
        assert table.device == ToyDevice().describe()
        assert (table.effort.least, table.effort.most) == (3, 5)
        assert table.made.endswith("+00:00")
        assert len(table.networks) == 12
        low, high = table.swing
        assert 0.99 < low <= 1 <= high < 1.01

    def test_it_is_held_against_whole_networks(self, run):
        """On a device that only adds up, the sum is right to within its noise."""
        found, _ = run
        assert found["networks"] == found["error"]["networks"] == 12
        assert found["error"]["mape"] == {
            "value": pytest.approx(0.05, abs=0.2),
            "unit": "%",
            "kind": "measured",
        }
        assert found["error"]["spearman"] > 0.98
        low, high = found["error"]["interval"]
        assert 0.99 < low < 1.001 and 0.999 < high < 1.01

    def test_the_result_tells_all_but_the_rows(self, run):
        found, folder = run
        assert found["run"] == "run" or found["run"] == str(folder)
        assert (found["rows"], found["of"], found["interrupted"]) == (ROWS, ROWS, False)
        assert (found["supernet"], found["sizes"], found["batch"]) == ("toy", [32, 64], 1)
        assert found["device"]["device"] == "toy"
        assert found["noisy"] == [] and found["split"] == []
        best = found["forms"][0]
        assert found["correction"] == best["correction"]

    def test_the_published_forms_lie_beside_with_the_same_sums(self, run):
        folder = run[1]
        own = TableFolder.open(folder)
        for kind in ("json", "yaml"):
            published = TableFolder.open(folder / kind)
            assert published.own is None
            assert published.sizes == own.sizes
            for size in own.sizes:
                assert published.table(size).total() == pytest.approx(own.table(size).total())
                rows = read_rows(folder / kind / f"{size}_lookup_table.{kind}")
                assert rows == own.table(size).rows

    def test_a_run_has_its_folder(self, run):
        names = {p.name for p in run[1].iterdir()}
        assert {"config.yaml", "run.json", "result.json", "rows.jsonl", "table.json"} <= names
        assert not [n for n in names if n.startswith(".") or n.endswith(".tmp")]
        assert json.loads((run[1] / "result.json").read_text())["rows"] == ROWS

    def test_it_is_searched(self, run, ofa):
        words = ("--cost", "latency", "--minimize", "latency", "--json", "--resolutions", "all")
        done = ofa("run", "search", "--supernet", "toy", *words, "--lut", str(run[1]))
        assert done.code == 0, done.err
        device = ToyDevice()
        genes = everything(TOY.space)
        truth = []
        for arch in TOY.space.decode(genes):
            blocks = TOY.geometry().blocks(arch)
            macs = sum(op.macs for b in blocks for op in b.ops)
            truth.append(device.overhead * len(blocks) + device.per_mac * macs)
        found = done.json["front"][0]["costs"]["latency"]
        assert found["value"] == pytest.approx(min(truth), rel=0.02)
        assert found["low"] <= min(truth) * 1.01 and found["high"] >= min(truth) * 0.99

    def test_for_people(self, lut):
        done = lut(ToyDevice(noise=0.001), "--out", "run")
        said = " ".join((done.out + done.err).split())
        assert "latency table of toy" in said
        assert "held against 12 whole networks" in said.replace("│", "").replace("  ", " ")
        assert "sum of blocks" in said


class TestWorth:
    """What a table's predictions are worth, and what corrects them."""

    def test_what_blocks_save_in_a_network_is_found(self, lut):
        done = lut(Joined(noise=0.001), "--json", "--networks", "40", "--most", "5", "--least", "3")
        best, plain_sum = done.json["forms"][0], done.json["forms"][-1]
        assert best["form"] == "scale and per block"
        assert best["correction"]["scale"] == pytest.approx(0.8, abs=0.01)
        assert best["correction"]["per_block"] == pytest.approx(-0.003, abs=0.001)
        assert best["error"]["mape"]["value"] < 0.5
        assert plain_sum["form"] == "sum"
        assert plain_sum["error"]["mape"]["value"] > 20
        assert done.json["correction"] == best["correction"]

    def test_few_networks_validate_and_correct_nothing(self, lut):
        done = lut(Joined(), "--json", "--networks", "5", "--most", "5", "--least", "3")
        assert [f["form"] for f in done.json["forms"]] == ["sum"]
        assert done.json["correction"] == {"scale": 1.0, "per_block": 0.0, "offset": 0.0}
        assert done.json["error"]["networks"] == 5

    def test_none_leave_it_without_an_error(self, lut, tmp_path):
        words = ("--json", "--networks", "0", "--most", "5", "--least", "3", "--out", "run")
        done = lut(ToyDevice(), *words)
        assert (done.json["error"], done.json["forms"], done.json["networks"]) == (None, [], 0)
        assert read_own(tmp_path / "run" / "table.json").error is None

    def test_what_drifts_is_taken_out_and_told(self, lut):
        steady, drifting = (
            lut(
                ToyDevice(drift=d), "--json", "--networks", "20", "--most", "4", "--least", "3"
            ).json
            for d in (0.0, 1e-3)
        )
        low, high = drifting["swing"]
        assert low < 0.95 and high > 1.02
        assert steady["swing"] == pytest.approx([1.0, 1.0])
        assert drifting["error"]["mape"]["value"] < 2
        assert drifting["error"]["interval"][1] - drifting["error"]["interval"][0] > 0.01

    def test_a_row_counts_by_its_time_whether_the_passes_are_known_or_their_mean(
        self, lut, tmp_path
    ):
        """Twice as quick for a twentieth of the time is beyond four of five passes."""
        words = ("--out", "run", "--networks", "12", "--most", "9", "--least", "5")
        lut(ToyDevice(), *words)
        path = tmp_path / "run" / "rows.jsonl"
        first, *lines = map(json.loads, path.read_text().splitlines())
        spent = [line["row"]["mean"] * line["row"]["count"] for line in lines]
        quick = 0.0
        for line, time in sorted(zip(lines, spent, strict=True), key=lambda pair: pair[1]):
            row = line["row"]
            quick += time
            late = quick > 0.05 * sum(spent)
            row["reference_spread"] = [] if late else [row["reference"] / 2] * 5
        path.write_text("".join(json.dumps(line) + "\n" for line in (first, *lines)))
        lut(ToyDevice(), *words, "--resume")
        error = read_own(tmp_path / "run" / "table.json").error
        assert (error.low, error.high) == pytest.approx((1.0, 1.0), abs=0.01)

    def test_the_interval_holds_four_of_five_passes(self, lut):
        """Not means of many passes: what one inference takes while the speed swings."""
        done = lut(
            ToyDevice(noise=0.1), "--json", "--networks", "30", "--most", "40", "--least", "20"
        )
        low, high = done.json["error"]["interval"]
        assert (low, high) == pytest.approx((1 - 1.28 * 0.1, 1 + 1.28 * 0.1), abs=0.03)

    def test_rows_of_the_first_and_of_the_last_minute_are_at_one_speed(self, lut, tmp_path):
        device = ToyDevice(drift=2e-3)
        lut(device, "--out", "run")
        table = read_own(tmp_path / "run" / "table.json")
        assert device.drift * len(device.ran) > 0.5  # so much slower in the end
        ratios = []
        for size in TOY.resolutions:
            for block in TOY.geometry().catalogue(size).blocks:
                macs = sum(op.macs for op in block.ops)
                true = device.overhead + device.per_mac * macs
                ratios.append(table.rows[str(size)][row_key(block)].mean / true)
        ratios += [
            n.measured.mean / (device.overhead * n.blocks + device.per_mac * macs_of(n.arch))
            for n in table.networks
        ]
        assert max(ratios) / min(ratios) < 1.1

    def test_parts_are_at_the_same_speed_as_blocks(self, lut, tmp_path):
        """On a device that slows down a part of one op takes what its block does."""
        lut(ToyDevice(drift=2e-3), "--out", "run", "--split")
        table = read_own(tmp_path / "run" / "table.json")
        device = ToyDevice()
        supernet = plain_parts(64)
        ratios = [
            table.parts["64"][key].mean / (device.overhead + device.per_mac * macs)
            for key, macs in supernet.items()
        ]
        assert max(ratios) / min(ratios) < 1.1
        ends = [row.mean / table.parts["64"][key].mean for key, row in whole_rows(table).items()]
        assert ends == pytest.approx([1.0] * len(ends), rel=0.1) and ends

    def test_noisy_rows_are_told(self, lut):
        done = lut(ToyDevice(noise=0.3), "--json")
        noisy = done.json["noisy"]
        assert noisy
        assert [n["variation"] for n in noisy] == sorted(
            (n["variation"] for n in noisy), reverse=True
        )
        assert all(n["variation"] > 0.1 and n["size"] in (32, 64) for n in noisy)

    def test_a_noisy_row_that_image_sizes_share_is_told_once(self, lut, tmp_path):
        words = ("--resolutions", "62,64", "--out", "run", "--json")
        keys = [n["key"] for n in lut(ToyDevice(noise=0.3), *words).json["noisy"]]
        small, large = read_own(tmp_path / "run" / "table.json").rows.values()
        assert set(keys) & set(small) & set(large)
        assert len(keys) == len(set(keys))

    def test_parts_show_what_is_lost_where_blocks_are_not_measured_as_one(self, lut, tmp_path):
        done = lut(ToyDevice(start=0.05), "--split", "--json", "--out", "run")
        assert done.code == 0, done.err
        blocks = {f["form"]: f["error"]["mape"]["value"] for f in done.json["forms"]}
        parts = {f["form"]: f["error"]["mape"]["value"] for f in done.json["split"]}
        assert parts["sum"] > 1.5 * blocks["sum"]  # each part is started alone
        assert done.json["split"][0]["error"]["networks"] == 12
        table = read_own(tmp_path / "run" / "table.json")
        assert set(table.parts) == {"32", "64"}
        assert all(n.split_sum > n.sum for n in table.networks)

    @pytest.mark.parametrize("words", [("--resolutions", "48"), ("--resolutions", "32,96")])
    def test_image_sizes_that_are_asked_for(self, lut, words):
        done = lut(ToyDevice(), *words, "--json")
        assert done.json["sizes"] == [int(s) for s in words[1].split(",")]

    def test_a_batch(self, lut):
        device = ToyDevice()
        done = lut(device, "--batch", "8", "--json")
        assert done.json["batch"] == 8
        assert {w.batch for w in device.ran} == {8}


class TestInterrupted:
    """Ctrl-C, and going on."""

    def stopped(self, lut, number, *words):
        def before(count):
            if count == number:
                raise KeyboardInterrupt

        return lut(ToyDevice(noise=0.01, before=before), "--out", "run", *words)

    @pytest.mark.parametrize("number", [150, 170, 200])
    def test_it_ends_with_130_and_goes_on_to_the_same_rows(self, lut, tmp_path, number):
        done = self.stopped(lut, number, "--json")
        assert done.code == 130
        folder = tmp_path / "run"
        assert not (folder / "table.json").exists()
        kept = (folder / "rows.jsonl").read_text().splitlines()
        device = ToyDevice(noise=0.01, seed=1)
        again = lut(device, "--out", "run", "--resume", "--json")
        assert again.code == 0, again.err
        assert (again.json["rows"], again.json["networks"]) == (ROWS, 12)
        lines = (folder / "rows.jsonl").read_text().splitlines()
        assert lines[: len(kept)] == kept
        found = [(json.loads(line)["kind"], json.loads(line)["key"]) for line in lines[1:]]
        assert len(found) == len(set(found)) == ROWS + 12
        assert set(read_own(folder / "table.json").rows) == {"32", "64"}

    @pytest.mark.parametrize("number", [0, 20, 37, 90])
    def test_before_anything_is_known_it_leaves_nothing(self, lut, tmp_path, number):
        """The same command works again."""
        assert self.stopped(lut, number).code == 130
        assert not (tmp_path / "run").exists()

    def test_it_says_how_far_it_came_and_how_to_go_on(self, lut):
        done = self.stopped(lut, 150)
        said = " ".join((done.out + done.err).split())
        assert f"interrupted: {ROWS} of {ROWS} rows" in said or f"of {ROWS} rows" in said
        assert "--resume" in said
        assert "Traceback" not in said

    def test_what_is_there_is_told_when_it_goes_on(self, lut):
        self.stopped(lut, 150)
        done = lut(ToyDevice(), "--out", "run", "--resume")
        assert f"of {ROWS} rows" in done.err and "are there" in done.err

    def test_a_line_that_was_cut_short_is_measured_anew(self, lut, tmp_path):
        self.stopped(lut, 150)
        path = tmp_path / "run" / "rows.jsonl"
        path.write_text(path.read_text()[:-20])
        done = lut(ToyDevice(), "--out", "run", "--resume", "--json")
        assert (done.code, done.json["rows"]) == (0, ROWS)

    def test_another_device_is_refused(self, lut, tmp_path):
        self.stopped(lut, 150)
        before = (tmp_path / "run" / "rows.jsonl").read_bytes()
        done = lut(ToyDevice(name="another"), "--out", "run", "--resume")
        assert done.code == 2
        assert "device's" in done.err and "another" in done.err
        assert (tmp_path / "run" / "rows.jsonl").read_bytes() == before

    @pytest.mark.parametrize(
        "words",
        [
            ("--batch", "2"),
            ("--precision", "0.5"),
            ("--resolutions", "32"),
            ("--split",),
            ("--seed", "3"),
        ],
    )
    def test_another_way_of_measuring_is_refused(self, lut, words):
        self.stopped(lut, 150)
        done = lut(ToyDevice(), "--out", "run", "--resume", *words)
        assert done.code == 2
        assert words[0].strip("-") in done.err

    def test_another_number_of_passes_is_refused(self, lut):
        self.stopped(lut, 150)
        done = lut(ToyDevice(), "--out", "run", "--resume", "--most", "9", "--least", "3")
        assert done.code == 2 and "most" in done.err

    def test_another_network_of_the_same_name_is_refused(self, ofa, host_on):
        """A file of one's own that was edited in between: its rows are of other blocks."""

        def run(stages, device, *more):
            entry = SupernetEntry("mine", "small", lambda: toy_supernet("mine", stages=stages))
            module = ModuleType("mine_plugin")

            @hookimpl
            def ofa_supernets():
                yield entry

            module.OFA_API, module.ofa_supernets = 1, ofa_supernets
            words = ("--supernet", "mine", "--device", "bench", *QUICK, "--out", "run")
            return ofa("run", "lut", *words, *more, host=host_on(device, mine=module))

        def before(count):
            if count == 150:
                raise KeyboardInterrupt

        assert run(2, ToyDevice(before=before)).code == 130
        done = run(1, ToyDevice(), "--resume")
        assert done.code == 2
        assert "blocks was" in done.err

    def test_rows_in_seconds_are_asked_about_when_it_goes_on(self, lut, tmp_path):
        """A device that was mended in between: what it said before stays wrong."""
        self.stopped(lut, 150)
        path = tmp_path / "run" / "rows.jsonl"
        first, *lines = map(json.loads, path.read_text().splitlines())
        for line in lines:
            line["row"]["mean"] /= 1000
        path.write_text("".join(json.dumps(line) + "\n" for line in (first, *lines)))
        done = lut(ToyDevice(), "--out", "run", "--resume")
        assert done.code == 4 and "does it answer in seconds?" in done.err

    def test_a_folder_that_is_there_is_refused(self, lut):
        self.stopped(lut, 150)
        done = lut(ToyDevice(), "--out", "run")
        assert done.code == 2 and "--resume" in done.err

    def test_a_whole_table_is_installed_later_without_measuring(self, lut, tmp_path):
        lut(ToyDevice(), "--out", "run")
        device = ToyDevice()
        done = lut(device, "--out", "run", "--resume", "--install", "mine", "--json")
        assert done.code == 0, done.err
        assert device.ran == []
        assert (tmp_path / "tables" / "mine" / "table.json").is_file()


class TestGone:
    """A device that ends."""

    def test_in_the_middle(self, lut, tmp_path):
        from ofa_plugins_core import InputError

        def before(number):
            if number == 150:
                raise InputError("the board does not answer", advice="is it on?")

        done = lut(ToyDevice(before=before), "--out", "run", "--json")
        assert (done.code, done.out) == (5, "")
        assert "the board does not answer" in done.err and "is it on?" in done.err
        assert len((tmp_path / "run" / "rows.jsonl").read_text().splitlines()) > 10
        assert not (tmp_path / "run" / "table.json").exists()
        assert lut(ToyDevice(), "--out", "run", "--resume", "--json").json["rows"] == ROWS

    def test_a_recording_that_has_ended_names_the_first_row_that_lacks(self, lut, tmp_path):
        done = lut(ToyDevice(passes=150), "--out", "run")
        assert done.code == 5
        assert f"of {ROWS} rows could not be measured, first " in done.err
        assert "-input:" in done.err and "--resume" in done.err
        assert not (tmp_path / "run" / "table.json").exists()

    @pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
    def test_times_that_are_none(self, lut, tmp_path, value):
        class Odd(ToyDevice):
            def pass_of(self, work):
                return value

        done = lut(Odd(), "--out", "run")
        assert done.code == 4
        assert "device 'bench': times() gave" in done.err or "a pass of" in done.err
        assert "Traceback" not in done.err
        assert not (tmp_path / "run" / "table.json").exists()

    def test_a_device_that_raises_anything_is_to_blame(self, ofa, host_with):
        source = """
from ofa_plugins_core import DeviceEntry, hookimpl
from ofa_plugins_core.testing.toy_device import ToyDevice

class Torn(ToyDevice):
    def pass_of(self, work):
        raise ZeroDivisionError("oh")

@hookimpl
def ofa_devices():
    yield DeviceEntry("torn", "x", lambda options: Torn())
"""
        words = ("run", "lut", "--supernet", "toy", "--device", "torn")
        done = ofa(*words, host=host_with(source))
        assert done.code == 4
        assert "plugin 'other'" in done.err and "ZeroDivisionError: oh" in done.err

    def test_one_that_nobody_offers(self, ofa):
        done = ofa("run", "lut", "--supernet", "toy", "--device", "bench")
        assert done.code == 2 and "bench" in done.err


class TestShown:
    """What would be measured."""

    def test_it_is_told_and_nothing_is_kept(self, lut, tmp_path):
        done = lut(ToyDevice(), "--show", "--json")
        assert done.code == 0, done.err
        found = done.json
        assert found["rows"] == {"32": 18, "64": 18}
        blocks = {s: TOY.geometry().catalogue(s).blocks for s in TOY.resolutions}
        due = {str(s): {row_key(b) for b in found} for s, found in blocks.items()}
        assert {s: set(keys) for s, keys in found["keys"].items()} == due
        assert (found["distinct"], found["networks"], found["parts"]) == (ROWS, 12, 0)
        assert found["time"]["unit"] == "s" and found["time"]["kind"] == "predicted"
        assert found["time"]["value"] > 0
        assert not (tmp_path / "runs").exists()

    def test_parts_are_counted(self, lut):
        assert lut(ToyDevice(), "--show", "--split", "--json").json["parts"] > 20

    def test_for_people(self, lut):
        done = lut(ToyDevice(), "--show")
        assert "toy on bench: " in done.out + done.err

    def test_it_is_said_before_measuring_too(self, lut):
        done = lut(ToyDevice())
        assert f"{ROWS} distinct blocks at 2 image sizes, then 12 networks, on bench" in done.err


class TestInstalled:
    """A table that is kept under a name."""

    def test_it_is_found_by_it(self, lut, ofa, tmp_path):
        done = lut(ToyDevice(), "--install", "my-board_2.0", "--json", "--split")
        assert done.code == 0, done.err
        place = tmp_path / "tables" / "my-board_2.0"
        assert done.json["installed"] == str(place)
        assert read_own(place / "table.json").parts == {}
        words = ("--cost", "latency@my-board_2.0", "--minimize", "latency", "--json")
        found = ofa("run", "search", "--supernet", "toy", *words)
        assert found.code == 0, found.err
        assert found.json["front"][0]["costs"]["latency@my-board_2.0"]["kind"] == "predicted"

    def test_again_it_is_replaced(self, lut, tmp_path):
        for overhead in (0.01, 0.5):
            lut(
                ToyDevice(overhead=overhead),
                "--install",
                "mine",
                "--networks",
                "0",
                "--most",
                "4",
                "--least",
                "3",
            )
        table = read_own(tmp_path / "tables" / "mine" / "table.json")
        assert all(r.mean > 0.4 for r in table.rows["32"].values())

    def test_that_it_is_replaced_is_told(self, lut):
        words = ("--install", "mine", "--networks", "0", "--most", "4", "--least", "3")
        said = "latency@mine was installed before"
        assert said not in lut(ToyDevice(), *words).err
        assert said in lut(ToyDevice(), *words).err

    @pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "a b", ".hidden", "a\n"])
    def test_a_name_that_is_none_is_told_before_anything_is_measured(self, lut, tmp_path, name):
        device = ToyDevice()
        done = lut(device, f"--install={name}")
        assert done.code == 2
        assert device.ran == []
        assert not (tmp_path / "tables").exists()


class TestOptions:
    """What does not go together."""

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--least", "9", "--most", "5"), "--least 9 is more than --most 5"),
            (("--most", "5", "--measured", "x.jsonl"), "--lut"),
            (("--most", "5", "--lut", "x", "--show"), "--show"),
            (("--most", "5", "--lut", "x", "--install", "y"), "--install"),
            (("--most", "1"), "most"),
            (("--most", "5", "--precision", "0"), "precision"),
            (("--most", "5", "--networks", "-1"), "networks"),
            (("--most", "15", "--resolutions", "12"), "12"),
            (("--most", "5", "--out", "table.json"), "named like a file"),
        ],
    )
    def test_it_is_told_with_code_2(self, lut, words, said):
        done = lut(ToyDevice(), *words)
        assert done.code == 2, done.err
        assert said in done.err

    def test_flags_of_a_device_reach_it(self, ofa, host_with):
        source = """
from attrs import frozen
from ofa_plugins_core import DeviceEntry, hookimpl
from ofa_plugins_core.testing.toy_device import ToyDevice

@frozen
class Options:
    threads: int = 1
    host: str = "here"
    mode: str = "usual"

@hookimpl
def ofa_devices():
    yield DeviceEntry("far", "x", build, Options)

def build(o):
    return ToyDevice(name=f"{o.host}-{o.threads}-{o.mode}")
"""
        words = (
            "--device",
            "far",
            "--threads",
            "3",
            "--host",
            "me@board",
            "--mode",
            "15W",
            "--show",
        )
        done = ofa("run", "lut", "--supernet", "toy", *words, "--json", host=host_with(source))
        assert done.code == 0, done.err
        assert done.json["device"]["device"] == "me@board-3-15W"

    @pytest.mark.parametrize("flag", [("--host", "me@board"), ("--mode", "15W")])
    def test_a_flag_that_the_device_has_no_option_for_is_refused(self, ofa, flag):
        """Who forgets --device would measure the wrong machine."""
        done = ofa("run", "lut", "--supernet", "toy", *flag, "--show")
        assert done.code == 2
        assert f"the device cpu has no {flag[0][2:]}" in done.err and "--device NAME" in done.err


def test_a_table_is_written_as_read(lut, tmp_path):
    lut(ToyDevice(noise=0.05, disturbed=0.05), "--out", "run", "--split")
    path = tmp_path / "run" / "table.json"
    table = read_own(path)
    assert json.loads(path.read_text()) == json.loads(json.dumps(plain(table)))
    assert evolve(table) == table
