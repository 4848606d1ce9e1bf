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
    assert re.search(r"0 of \d+ means within; the device takes 1(49|50|51) % of what it took", said)
    assert "table's speed" in said


def test_a_table_without_an_error_promises_nothing(promised, lut):
    promised(networks=0)
    found = lut(ToyDevice(), *AGAIN, "--json").json
    assert {n["within"] for n in found["networks"]} == {None}
    assert found["within"] is None
    said = " ".join(lut(ToyDevice(), *AGAIN).err.split())
    assert "nothing promised" in said
    assert "no interval is promised: the table knows fewer than 10 networks" in said


def test_it_is_measured_as_the_table_was(promised, lut):
    networks = promised()
    device = ToyDevice(noise=0.2)
    done = lut(device, *AGAIN, "--most", "15", "--json")
    assert done.code == 0, done.err
    passes = Counter(work.blocks for work in device.ran)
    assert len(passes) in (networks, networks + 1), "the reference may be one of them"
    assert max(sorted(passes.values())[:-1]) == 2 + 15, "--most, and two to warm up"
    assert {work.batch for work in device.ran} == {1}
    assert {n["passes"] for n in done.json["networks"]} <= set(range(10, 16))
    assert all(n["half_width"] > 0 for n in done.json["networks"])


def test_a_tables_batch_is_measured_again(lut, archs):
    archs.write_text(archs.read_text().splitlines()[0] + "\n")
    words = ("--networks", "12", "--batch", "3", "--out", "table")
    lut(ToyDevice(noise=0.05), *QUICK, *words)
    device = ToyDevice()
    found = lut(device, "--lut", "table", "--archs", str(archs), "--json").json
    assert {work.batch for work in device.ran} == {3}
    assert found["mape"]["value"] < 10 and found["within"] == 1


def test_the_reference_is_the_tables_whatever_the_networks_size(promised, lut, archs):
    """The smallest image size of the table, not of the networks."""
    promised()
    lines = map(json.loads, archs.read_text().splitlines())
    large = [a for a in lines if a.get("arch", a)["image_size"] == 64]
    archs.write_text("".join(json.dumps(a) + "\n" for a in large))
    device = ToyDevice()
    found = lut(device, "--lut", "table", "--archs", str(archs), "--json").json
    assert found["speed"] == pytest.approx(1.0, abs=0.01)
    assert {work.input_shape[-1] for work in device.ran} == {32, 64}


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

    done = lut(Steady(noise=0.2), *AGAIN, *QUICK, "--json")
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


def test_what_was_measured_is_not_measured_again(promised, lut):
    """--resume: the networks that are kept take no turn."""
    promised()
    first = ToyDevice(noise=0.01)
    before = lut(first, *AGAIN, "--out", "held", "--json").json
    again = ToyDevice(noise=0.01)
    after = lut(again, *AGAIN, "--out", "held", "--resume", "--json").json
    assert again.ran == []
    assert after["networks"] == before["networks"]


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
        assert "the table was measured with device toy, not other" in done.err
        assert device.ran == []

    @pytest.mark.parametrize("name", ["model", "threads", "mode", "memory"])
    def test_one_that_is_set_up_in_another_way(self, promised, lut, name):
        promised()

        class Other(ToyDevice):
            def describe(self):
                return {**super().describe(), name: "4"}

        done = lut(Other(), *AGAIN)
        assert done.code == 2
        assert f"was measured with {name}" in done.err and "--threads" in done.err

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
            (("--run", "found", "--lut", "table", "--batch", "8"), "--batch: --run measures"),
            (("--run", "found", "--lut", "table", "--split"), "--split: --run measures"),
            (("--run", "found", "--lut", "table", "--networks", "5"), "--networks: --run"),
            (("--archs", "x", "--lut", "table", "--resolutions", "32"), "--resolutions: --archs"),
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
