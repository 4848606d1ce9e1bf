"""``ofa run lut --lut TABLE --run FOLDER``: what a table promised is measured, and told apart."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from ofa_plugins_core.testing import ToyDevice

QUICK = ("--least", "3", "--most", "5")


class Slower(ToyDevice):
    """The same device on another day."""

    factor = 1.5

    def true_time(self, work):
        return self.factor * super().true_time(work)


class Uneven(ToyDevice):
    """A device on which small networks take longer than the sum of their blocks says."""

    def true_time(self, work):
        time = super().true_time(work)
        return 1.3 * time if len(work.blocks) > 1 and time < 0.4 else time


@pytest.fixture
def lut(ofa, host_on):
    """Runs ``ofa run lut`` for the toy on a device."""

    def call(device, *words):
        given = ("run", "lut", "--supernet", "toy", "--device", "bench", *words)
        return ofa(*given, host=host_on(device))

    return call


@pytest.fixture
def promised(lut, ofa, host_on):
    """A table, and the front of a search by it; says how many networks that has."""

    def make(device=None, networks=40):
        device = device or ToyDevice(noise=0.01)
        done = lut(device, *QUICK, "--networks", str(networks), "--out", "table")
        assert done.code == 0, done.err
        words = ("--cost", "latency", "--lut", "table", "--out", "found", "--json")
        done = ofa("run", "search", "--supernet", "toy", *words)
        assert done.code == 0, done.err
        return len(done.json["front"])

    return make


AGAIN = ("--lut", "table", "--run", "found")


def test_on_the_same_device_in_the_same_state_it_is_kept(promised, lut):
    promised()
    done = lut(ToyDevice(noise=0.01, seed=1), *AGAIN, "--json")
    assert done.code == 0, done.err
    found = done.json
    assert found["of"] == len(found["networks"]) > 2
    assert found["within"] >= 0.8 * found["of"]
    assert found["speed"] == pytest.approx(1.0, abs=0.01)
    assert found["mape"]["value"] < 1
    for network in found["networks"]:
        predicted, value = network["predicted"], network["measured"]["value"]
        assert network["within"] is (predicted["low"] <= value <= predicted["high"])
        assert (predicted["kind"], network["measured"]["kind"]) == ("predicted", "measured")


def test_a_device_that_is_slower_today_is_told_from_a_table_that_is_wrong(promised, lut):
    promised()
    found = lut(Slower(noise=0.01), *AGAIN, "--json").json
    assert found["within"] == 0
    assert found["speed"] == pytest.approx(1.5, abs=0.02)
    assert found["mape"]["value"] < 1, "at its own speed the table is right"
    for network in found["networks"]:
        due = 1.5 * network["at_table_speed"]["value"]
        assert network["measured"]["value"] == pytest.approx(due, rel=0.02)


def test_networks_that_the_table_flatters_are_told(promised, lut):
    promised()
    found = lut(Uneven(noise=0.01), *AGAIN, "--json").json
    assert found["speed"] == pytest.approx(1.0, abs=0.02), "of the reference, which is larger"
    assert found["mape"]["value"] > 5
    assert found["within"] < found["of"]


def test_networks_of_a_file(promised, lut, archs):
    promised()
    lines = archs.read_text().splitlines()
    archs.write_text("\n".join([lines[0], lines[0], lines[1]]) + "\n")
    device = ToyDevice(noise=0.01)
    found = lut(device, "--lut", "table", "--archs", str(archs), "--json").json
    assert found["of"] == 2, "each once"


def test_for_people(promised, lut):
    promised()
    said = " ".join(lut(Slower(noise=0.01), *AGAIN).err.split())
    assert "as latency@table promised them and measured now" in said
    assert re.search(r"0 of \d+ within; the device takes 1(49|50|51) % of what it took", said)
    assert "table's speed" in said


def test_a_table_without_an_error_promises_nothing(promised, lut):
    promised(networks=0)
    found = lut(ToyDevice(), *AGAIN, "--json").json
    assert {n["within"] for n in found["networks"]} == {None}
    assert "nothing promised" in " ".join(lut(ToyDevice(), *AGAIN).err.split())


def test_it_is_measured_as_the_table_was(promised, lut):
    networks = promised()
    device = ToyDevice(noise=0.2)
    done = lut(device, *AGAIN)
    assert done.code == 0, done.err
    passes = Counter(work.blocks for work in device.ran)
    assert len(passes) in (networks, networks + 1), "the reference may be one of them"
    assert max(sorted(passes.values())[:-1]) == 2 + 5, "--most 5, and two to warm up"
    assert {work.batch for work in device.ran} == {1}


def test_ctrl_c_shows_what_is_there(promised, lut):
    networks = promised() + 1
    together = networks - 1 + max(4, (networks - 1) // 4)

    class Steady(ToyDevice):
        """The first network always takes the same, the others take all passes to be known."""

        def pass_of(self, work):
            found = super().pass_of(work)
            if len(self.ran) > 2 * networks + 3 * together:
                raise KeyboardInterrupt
            return 2.0 if work.blocks == self.ran[0].blocks else found

    done = lut(Steady(noise=0.2), *AGAIN, "--json")
    assert done.code == 130
    found = done.json
    assert found["interrupted"] is True
    assert 0 < len(found["networks"]) < found["of"]


def test_a_recording_that_has_ended_says_how_far_it_went(promised, lut):
    networks = promised()
    done = lut(ToyDevice(passes=2), *AGAIN)
    assert done.code == 5 and "ran none of them" in done.err
    done = lut(ToyDevice(passes=2 * networks + 2 + 9), *AGAIN)
    assert done.code == 0
    said = rf"the device ran no more passes: [1-9] of {networks} networks"
    assert re.search(said, " ".join(done.err.split()))


def test_before_anything_is_known_it_ends_alone(promised, lut):
    promised()

    def before(number):
        if number == 3:
            raise KeyboardInterrupt

    done = lut(ToyDevice(before=before), *AGAIN, "--json")
    assert (done.code, done.out) == (130, "")


class TestRefused:
    """What cannot be held against each other."""

    def test_another_device(self, promised, lut):
        promised()
        device = ToyDevice(name="other")
        done = lut(device, *AGAIN)
        assert done.code == 2
        assert "the table was measured on toy, not on other" in done.err
        assert device.ran == []

    def test_another_state_of_it_is_told(self, promised, lut):
        promised()

        class Newer(ToyDevice):
            def describe(self):
                return {**super().describe(), "torch": "3.0"}

        done = lut(Newer(), *AGAIN)
        assert done.code == 0, done.err
        assert "not as for the table: torch was None, is 3.0" in done.err

    def test_a_published_table_promises_nothing(self, promised, lut):
        promised()
        done = lut(ToyDevice(), "--lut", "table/json", "--run", "found")
        assert done.code == 2
        assert "promises nothing" in done.err and "--measured" in done.err

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--run", "found"), "--run: against which table?"),
            (("--archs", "x.jsonl"), "--archs: against which table?"),
            (("--run", "found", "--lut", "a=table", "--lut", "b=table"), "against which table?"),
            (("--run", "found", "--archs", "x", "--lut", "table"), "--run and --archs"),
            (("--run", "found", "--measured", "x", "--lut", "table"), "--run and --measured"),
        ],
    )
    def test_flags_that_do_not_go_together(self, lut, words, said):
        done = lut(ToyDevice(), *words)
        assert done.code == 2 and said in done.err

    def test_a_run_that_is_none(self, promised, lut, tmp_path):
        promised()
        device = ToyDevice()
        assert lut(device, "--lut", "table", "--run", "table").code == 5
        (tmp_path / "found" / "result.json").write_text(json.dumps({"supernet": "x", "front": []}))
        done = lut(device, *AGAIN)
        assert done.code == 2 and "is of x, not of toy" in done.err
        assert device.ran == []
