"""What a job works with: latency tables by name, image sizes that a table has, default options."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.jobs.choosing import latency_tables, resolve_cost
from ofa_plugins_core.tables import row_key
from ofa_plugins_core.testing import ToyDevice, everything, toy_supernet

ALTERED = """
from ofa_plugins_core import DeviceEntry, SupernetEntry, hookimpl
from ofa_plugins_core.testing import ToyDevice, ToySupernet, toy_supernet

class Altered(ToySupernet):
    def geometry(self):
        raise AssertionError("of the published network")

    def as_built(self):
        return toy_supernet()

@hookimpl
def ofa_supernets():
    toy = toy_supernet("altered")
    yield SupernetEntry("altered", "x", lambda: Altered(toy.name, toy.space))

@hookimpl
def ofa_devices():
    yield DeviceEntry("bench", "x", lambda options: ToyDevice())
"""

TABLES = """
import numpy as np
from attrs import frozen
from pathlib import Path
from ofa_plugins_core import CostModelEntry, hookimpl
from ofa_plugins_core.events import Notice

@frozen
class Options:
    qualifier: str | None = None
    folder: Path | None = None
    lut_as: str | None = None

class Table:
    unit, kind = "ms", "measured"
    resolutions = (64,)
    def __init__(self, supernet, options):
        self.name, self.supernet = "pace", supernet
        self.source = f"{options.qualifier} in {options.folder} as {options.lut_as}"
    def separable(self, size):
        raise NotImplementedError
    def evaluate(self, archs):
        assert 32 not in self.supernet.resolutions
        return np.asarray(archs).sum(axis=1).astype(float)
    def notices(self):
        return [Notice("a row varies")]

@hookimpl
def ofa_cost_models():
    yield CostModelEntry("pace", "a table", "ms", Table, Options, qualified=True)
"""
SEARCH = ("run", "search", "--supernet", "toy", "--json", "--resolutions", "64")


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("--cost", "pace", "--lut", "dir/phone"), "pace"),
        (("--cost", "pace@phone", "--lut", "dir/phone"), "pace@phone"),
        (("--cost", "pace@phone", "--lut", "phone=dir/phone", "--lut", "b=c"), "pace@phone"),
    ],
)
def test_a_table_is_found_by_its_name_or_is_the_only_one(ofa, host_with, words, name):
    done = ofa(*SEARCH, *words, host=host_with(TABLES))
    assert done.code == 0, done.err
    cost = done.json["front"][0]["costs"][name]
    assert cost["source"] == "phone in dir/phone as None"
    assert "note: a row varies" in done.err


def test_another_supernets_rows_are_named(ofa, host_with):
    words = ("--cost", "pace@x", "--lut-as", "toy_alias")
    done = ofa(*SEARCH, *words, host=host_with(TABLES))
    assert done.json["front"][0]["costs"]["pace@x"]["source"] == "x in None as toy"


def test_which_of_several_tables_has_to_be_said(ofa, host_with):
    words = ("--cost", "pace", "--lut", "a", "--lut", "b")
    done = ofa(*SEARCH, *words, host=host_with(TABLES))
    assert done.code == 2
    assert "say pace@a or pace@b" in done.err


def test_image_sizes_without_a_table_are_left_out_and_told(ofa, host_with):
    words = ("run", "search", "--supernet", "bare", "--cost", "pace@x", "--json")
    done = ofa(*words, host=host_with(TABLES))
    assert done.code == 0, done.err
    assert {i["arch"]["image_size"] for i in done.json["front"]} == {64}
    assert "pace@x has no table for 32: left out" in done.err


def test_a_bound_on_the_plain_name_is_on_the_only_table(ofa, host_with):
    words = ("--cost", "pace@x", "--constraint", "pace<=20")
    done = ofa(*SEARCH, *words, host=host_with(TABLES))
    assert done.code == 0, done.err
    assert done.json["front"][0]["costs"]["pace@x"]["value"] <= 20


def test_folders_are_named_by_themselves_or_by_the_user():
    found = latency_tables(["a/phone", "board=b/c", "a/phone"])
    assert found == {"phone": Path("a/phone"), "board": Path("b/c")}


@pytest.mark.parametrize("given", [["=x"], ["a=x", "a=y"], ["x/a", "y/a"]])
def test_a_name_stands_for_one_folder(given):
    with pytest.raises(UsageError, match="each name once"):
        latency_tables(given)


def test_costs_of_bounds_are_resolved():
    known = ["latency", "params"]
    assert resolve_cost("latency", ["latency@a", "params"], known) == "latency@a"
    assert resolve_cost("params", ["latency@a"], known) == "params"
    assert resolve_cost("accuracy", [], known) == "accuracy"
    with pytest.raises(UsageError, match="which latency"):
        resolve_cost("latency", ["latency@a", "latency@b"], known)
    with pytest.raises(UnknownNameError, match="nearest known: accuracy"):
        resolve_cost("acuracy", [], known)


PREDICTORS = """
from pathlib import Path
from ofa_plugins_core import FittedPredictorEntry, PredictorEntry, hookimpl
from ofa_plugins_core.testing.toys import ToyPredictor

def loaded(supernet, file, entry):
    return ToyPredictor(supernet.space)

@hookimpl
def ofa_predictors():
    yield PredictorEntry("second", "another form", load=loaded)
"""


def installed(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("fit")


def test_what_the_user_fitted_comes_first_and_is_named(ofa, tmp_path):
    fits = tmp_path / "fitted"
    installed(fits, "additive-toy-mine.json")
    done = ofa(*SEARCH, "--cost", "peak_memory")
    assert "accuracies: additive on mine, installed by you" in done.err
    installed(fits, "additive-toy-other.json")
    done = ofa(*SEARCH, "--cost", "peak_memory", "--dataset", "other")
    assert "accuracies: additive on other" in done.err
    done = ofa(*SEARCH, "--cost", "peak_memory", "--maximize", "accuracy")
    assert "you fitted additive for toy on several data sets: mine, other" in done.err


def test_a_form_that_the_user_alone_fitted_comes_before_the_default(ofa, host_with, tmp_path):
    installed(tmp_path / "fitted", "second-toy-mine.npz")
    done = ofa(*SEARCH, "--cost", "peak_memory", host=host_with(PREDICTORS))
    assert done.code == 0, done.err
    assert "accuracies: second on mine" in done.err


class TestMeasured:
    """``--measure``: latency by running networks on a device."""

    TOY = toy_supernet()

    @pytest.fixture
    def cost(self, ofa, host_on, archs):
        lines = archs.read_text().splitlines()[:2]
        archs.write_text("\n".join(lines) + "\n")

        def call(device, *words):
            given = ("run", "cost", "--supernet", "toy", "--archs", str(archs), "--json")
            return ofa(*given, *words, host=host_on(device))

        return call

    def truth(self, device, archs, batch=1):
        found = []
        for line in archs.read_text().splitlines():
            arch = json.loads(line)
            blocks = self.TOY.geometry().blocks(arch.get("arch", arch))
            macs = sum(op.macs for b in blocks for op in b.ops)
            found.append(device.overhead * len(blocks) + device.per_mac * macs * batch)
        return found

    @pytest.mark.parametrize(
        ("words", "name"),
        [
            (("--cost", "latency", "--device", "bench"), "latency"),
            (("--cost", "latency@bench"), "latency@bench"),
            (("--cost", "latency@bench", "--device", "bench"), "latency@bench"),
        ],
    )
    def test_on_a_device_by_its_name(self, cost, archs, words, name):
        device = ToyDevice()
        done = cost(device, "--measure", *words)
        assert done.code == 0, done.err
        assert [line[name] for line in done.lines] == pytest.approx(self.truth(device, archs))

    def test_a_batch(self, cost, archs):
        device = ToyDevice()
        done = cost(device, "--measure", "--cost", "latency@bench", "--batch", "4")
        found = [line["latency@bench"] for line in done.lines]
        assert found == pytest.approx(self.truth(device, archs, batch=4))

    def test_without_measure_a_table_is_needed(self, cost):
        device = ToyDevice()
        done = cost(device, "--cost", "latency@bench")
        assert done.code == 2
        assert "--measure" in done.err and "--lut" in done.err
        assert device.ran == []

    def test_two_devices_are_one_too_many(self, cost):
        done = cost(ToyDevice(), "--measure", "--cost", "latency@bench", "--device", "cpu")
        assert done.code == 2
        assert "on bench, or on --device cpu?" in done.err

    def test_one_that_nobody_offers(self, cost):
        done = cost(ToyDevice(), "--measure", "--cost", "latency@bnch")
        assert done.code == 2
        assert "nearest known: bench" in done.err

    def test_what_was_measured_is_remembered_by_the_next_command(self, cost):
        words = ("--measure", "--cost", "latency@bench")
        first, device = cost(ToyDevice(noise=0.1), *words), ToyDevice()
        again = cost(device, *words)
        assert again.lines == first.lines
        assert device.ran == []

    def test_unless_it_is_not_wanted(self, cost, tmp_path):
        words = ("--measure", "--cost", "latency@bench", "--set", "latency.memo=false")
        cost(ToyDevice(), *words)
        device = ToyDevice()
        cost(device, *words)
        assert len(device.ran) == 2 * 12
        assert not (tmp_path / "cache").exists()

    def test_how_long_it_tries_is_the_users(self, cost):
        device = ToyDevice(noise=0.2)
        passes = ("--set", "latency.passes=25", "--set", "latency.precision=0.001")
        cost(device, "--measure", "--cost", "latency@bench", *passes)
        assert len(device.ran) == 2 * (25 + 2)

    def test_for_people_it_stands_with_its_spread_and_its_device(self, cost, ofa, host_on, archs):
        words = ("--supernet", "toy", "--archs", str(archs), "--measure", "--cost", "latency@bench")
        done = ofa("run", "cost", *words, host=host_on(ToyDevice(noise=0.1)))
        said = " ".join(done.err.split())
        assert "latency@bench: toy, 0.0 + 0.01 a block" in said, "what it was measured on"
        assert re.search(r"[0-9.]+ \([0-9.]+ to [0-9.]+\)", said)

    def test_networks_run_as_they_are_built(self, cost, ofa, archs, host_with):
        """A supernet may publish the costs of a network that differs from what is extracted."""
        done = ofa(
            *("run", "cost", "--supernet", "altered", "--archs", str(archs), "--json"),
            *("--measure", "--cost", "latency@bench"),
            host=host_with(ALTERED),
        )
        assert done.code == 0, done.err
        assert all(line["latency@bench"] > 0 for line in done.lines)

    def test_a_device_that_answers_in_seconds_is_told(self, cost):
        done = cost(ToyDevice(overhead=1e-5, per_mac=1e-9), "--measure", "--cost", "latency@bench")
        assert done.code == 4
        assert "does it answer in seconds?" in done.err

    def test_a_table_that_is_given_comes_first(self, cost, tmp_path):
        (tmp_path / "t").mkdir()
        for size in (32, 64):
            keys = {row_key(b) for b in self.TOY.geometry().catalogue(size).blocks}
            rows = {k: {"count": 1, "mean": 1.0} for k in keys}
            (tmp_path / "t" / f"{size}_lookup_table.json").write_text(json.dumps(rows))
        device = ToyDevice()
        words = ("--lut", f"mine={tmp_path / 't'}", "--cost", "latency@mine")
        done = cost(device, "--measure", *words, "--cost", "latency@bench")
        assert done.code == 0, done.err
        assert [line["latency@mine"] for line in done.lines] == [4.0, 6.0]
        assert [line["latency@bench"] for line in done.lines] != [4.0, 6.0]

    def test_costs_that_cannot_be_measured_stay_as_they_are(self, cost):
        device = ToyDevice()
        done = cost(device, "--measure", "--cost", "params")
        assert done.code == 0, done.err
        assert device.ran == []

    def test_it_is_searched_by_evolution(self, ofa, host_on):
        device = ToyDevice()
        words = ("--cost", "latency@bench", "--measure", "--minimize", "latency@bench", "--json")
        done = ofa("run", "search", "--supernet", "toy", *words, host=host_on(device))
        assert done.code == 0, done.err
        assert done.json["searcher"] == "evolution"
        found = done.json["front"][0]["costs"]["latency@bench"]
        assert (found["unit"], found["kind"]) == ("ms", "measured")
        assert (found["low"], found["high"]) == pytest.approx((found["value"],) * 2)
        blocks = [
            self.TOY.geometry().blocks(a) for a in self.TOY.space.decode(everything(self.TOY.space))
        ]
        truth = min(
            device.overhead * len(b) + device.per_mac * sum(o.macs for x in b for o in x.ops)
            for b in blocks
        )
        assert found["value"] == pytest.approx(truth)
