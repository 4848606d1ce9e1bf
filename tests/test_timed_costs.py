"""Measured costs: each network once, remembered by all that decides how long it takes."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from attrs import asdict, evolve

from ofa_plugins_core.errors import InputError, PluginError
from ofa_plugins_core.pricing import measurements
from ofa_plugins_core.testing import CostModelSuite, ToyDevice, everything, toy_supernet
from ofa_plugins_core.timed_costs import KeptMemo, MeasuredCost, Reading, kept_memo, mean_time
from ofa_plugins_core.timing import Effort

TOY = toy_supernet()
EFFORT = Effort(least=3, most=6, warmup=1)
ARCH = {"ks": [3, 3, 3, 3], "e": [2, 2, 2, 2], "d": [1, 1], "image_size": 32}


def model_on(device, **changes):
    given = {"supernet": TOY, "effort": EFFORT, "memo": {}, **changes}
    return MeasuredCost("latency@toy", "ms", device=device, take=mean_time, **given)


class TestLaws(CostModelSuite):
    @pytest.fixture
    def cost_model(self, supernet):
        return model_on(ToyDevice(), supernet=supernet)


def test_networks_cost_what_the_device_takes():
    device, genes = ToyDevice(start=0.2), everything(TOY.space)[::67]
    values = model_on(device).evaluate(genes)
    for arch, value in zip(TOY.space.decode(genes), values, strict=True):
        blocks = TOY.geometry().blocks(arch)
        macs = sum(op.macs for b in blocks for op in b.ops)
        assert value == pytest.approx(0.2 + 0.01 * len(blocks) + 1e-6 * macs)


def test_a_large_batch_may_take_long():
    """Ten ms a block and image: 640 ms a block, which one image does nowhere."""
    device = ToyDevice(overhead=0.0, per_mac=1e-3)
    (value,) = model_on(device, batch=64).evaluate([ARCH])
    assert value > 5_000


def test_what_it_is():
    model = model_on(ToyDevice(name="bench"), batch=4)
    assert (model.name, model.unit, model.kind) == ("latency@toy", "ms", "measured")
    assert "bench" in model.source and "batch 4" in model.source


class TestOnce:
    """What was measured is not measured again."""

    def test_each_network_is_measured_once(self):
        device, genes = ToyDevice(), everything(TOY.space)[::67]
        model = model_on(device)
        first = model.evaluate(np.concatenate([genes, genes]))
        assert len(device.ran) == len(genes) * (EFFORT.warmup + EFFORT.least)
        before = len(device.ran)
        assert model.evaluate(genes).tolist() == first[: len(genes)].tolist()
        assert len(device.ran) == before

    def test_networks_that_are_the_same_share(self):
        """What an unused slot holds makes no other network."""
        device = ToyDevice()
        model = model_on(device)
        twin = {**ARCH, "ks": [3, 5, 3, 5], "e": [2, 3, 2, 3]}
        one, two = model.evaluate([ARCH, twin])
        assert one == two
        assert len(device.ran) == EFFORT.warmup + EFFORT.least

    @pytest.mark.parametrize(
        "changes",
        [
            {"batch": 2},
            {"effort": evolve(EFFORT, precision=0.01)},
            {"effort": evolve(EFFORT, least=4)},
            {"what": "energy"},
            {"device": ToyDevice(name="another")},
            {"device": ToyDevice(overhead=0.5)},
            {"arch": {**ARCH, "image_size": 64}},
            {"arch": {**ARCH, "ks": [5, 3, 3, 3]}},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_what_decides_the_time_makes_another_measurement(self, changes):
        memo, before = {}, ToyDevice()
        model_on(before, memo=memo).evaluate([ARCH])
        arch = {"arch": ARCH, **changes}["arch"]
        device = changes.get("device", before)
        more = {k: v for k, v in changes.items() if k not in ("arch", "device")}
        ran = len(device.ran)
        model_on(device, memo=memo, **more).evaluate([arch])
        assert len(device.ran) > ran
        assert len(memo) == 2

    def test_the_same_of_everything_is_remembered(self):
        memo, device = {}, ToyDevice()
        (first,) = model_on(device, memo=memo).evaluate([ARCH])
        before = len(device.ran)
        (again,) = model_on(ToyDevice(noise=0.3), memo=memo).evaluate([ARCH])
        assert (again, len(device.ran)) == (first, before)

    def test_nothing_opens_the_device_where_all_is_known(self):
        memo = {}
        model_on(ToyDevice(), memo=memo).evaluate([ARCH])
        gone = ToyDevice(before=lambda number: pytest.fail("it ran"))
        model_on(gone, memo=memo).evaluate([ARCH])


class TestEnds:
    """However measuring ends, the device is left."""

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), InputError("the device is gone")])
    def test_the_session_is_left_and_what_was_measured_stays(self, error):
        def before(number):
            if number == 10:
                raise error

        device, genes = ToyDevice(before=before), everything(TOY.space)[::67]
        model = model_on(device)
        with pytest.raises(type(error)):
            model.evaluate(genes)
        assert device.open == []
        assert len(model.memo) == 10 // (EFFORT.warmup + EFFORT.least)

    def test_a_device_that_runs_no_pass_is_told(self):
        with pytest.raises(InputError, match="ran no pass"):
            model_on(ToyDevice(passes=0)).evaluate([ARCH])

    def test_no_networks_cost_nothing(self):
        assert model_on(ToyDevice()).evaluate([]).shape == (0,)

    def test_progress_is_told(self):
        told = []
        genes = everything(TOY.space)[::200]
        model_on(ToyDevice(), listener=told.append).evaluate(genes)
        assert [(e.done, e.total) for e in told] == [
            (n, len(genes)) for n in range(1, len(genes) + 1)
        ]
        assert all(e.note.endswith(" ms") for e in told)


A, B, C = Reading(1.25, 1.0, 1.5, 10, 1), Reading(3.0, 3.0, 3.0), Reading(2.0, 1.0, 4.0, 60)


def line(key, reading):
    return json.dumps([key, asdict(reading)])


class TestKept:
    """A memo in a file."""

    def test_it_outlives_the_command(self, tmp_path):
        path = tmp_path / "deep" / "measured.jsonl"
        memo = KeptMemo(path)
        memo["a"], memo["b"] = A, B
        assert dict(KeptMemo(path)) == {"a": A, "b": B}
        assert len(memo) == 2

    def test_measuring_anew_replaces(self, tmp_path):
        memo = KeptMemo(tmp_path / "m.jsonl")
        memo["a"] = A
        memo["a"] = B
        assert dict(KeptMemo(tmp_path / "m.jsonl")) == {"a": B}

    @pytest.mark.parametrize(
        "line_between",
        [
            "{",
            "",
            "[]",
            "3",
            "null",
            '["a"]',
            '["a", 1.0]',
            '["a", {"value": 1.0}]',
            '["a", {"value": 1.0, "low": 1.0, "high": 1.0}, 2]',
            '["a", {"value": "fast", "low": 1.0, "high": 1.0}]',
            '["a", {"value": null, "low": 1.0, "high": 1.0}]',
            '["a", {"value": -1.0, "low": 1.0, "high": 1.0}]',
            '["a", {"value": 1.0, "low": NaN, "high": 1.0}]',
            '["a", {"value": 1.0, "low": 1.0, "high": Infinity}]',
            '["a", {"value": 1e300, "low": 1.0, "high": 1.0}]',
            '["a", {"value": true, "low": 1.0, "high": 1.0}]',
            '["a", {"value": 1.0, "low": 1.0, "high": 1.0, "runs": 0}]',
            '["a", {"value": 5.0, "low": 9.0, "high": 10.0}]',
            '["a", {"value": 5.0, "low": 1.0, "high": 4.0}]',
            '["a", {"value": 1.0, "low": 1.0, "high": 1.0, "mood": 3}]',
            '[["a"], {"value": 1.0, "low": 1.0, "high": 1.0}]',
            '{"a": {"value": 1.0, "low": 1.0, "high": 1.0}, "b": 2.0}',
            "[" * 100_000,
        ],
        ids=lambda text: text[:60],
    )
    def test_a_broken_line_is_not_there(self, tmp_path, line_between):
        path = tmp_path / "m.jsonl"
        path.write_text(f"{line('x', A)}\n{line_between}\n{line('y', B)}\n")
        assert dict(KeptMemo(path)) == {"x": A, "y": B}

    def test_after_a_line_that_was_cut_short_the_next_one_counts(self, tmp_path):
        path = tmp_path / "m.jsonl"
        path.write_text(f"{line('x', A)}\n{line('y', B)[:20]}")
        KeptMemo(path)["z"] = C
        assert dict(KeptMemo(path)) == {"x": A, "z": C}

    def test_a_file_that_is_no_text_is_empty(self, tmp_path):
        path = tmp_path / "m.jsonl"
        path.write_bytes(b"\xff\xfe\x00")
        assert dict(KeptMemo(path)) == {}

    def test_a_place_that_cannot_be_written_costs_the_memory_alone(self, tmp_path):
        (tmp_path / "file").write_text("no folder")
        memo = KeptMemo(tmp_path / "file" / "m.jsonl")
        (value,) = model_on(ToyDevice(), memo=memo).evaluate([ARCH])
        assert [reading.value for reading in memo.values()] == [value]

    def test_forgetting_one(self, tmp_path):
        memo = KeptMemo(tmp_path / "m.jsonl")
        memo["a"] = A
        del memo["a"]
        assert dict(memo) == {}

    def test_the_next_command_measures_nothing(self, tmp_path, monkeypatch):
        monkeypatch.setenv("OFA_CACHE", str(tmp_path))
        (first,) = model_on(ToyDevice(noise=0.1), memo=kept_memo()).readings([ARCH])
        device = ToyDevice(passes=0)
        (again,) = model_on(device, memo=kept_memo()).readings([ARCH])
        assert again == first
        (key, value) = json.loads((tmp_path / "measured.jsonl").read_text())
        assert len(key) == 32 and value == asdict(first)


class TestSpread:
    """A measured cost says between which values most of its passes lay."""

    def test_the_middle_of_the_passes(self):
        times = iter([9.0, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5])

        class Drifting(ToyDevice):
            def pass_of(self, work):
                return next(times)

        model = model_on(Drifting(), effort=Effort(least=6, most=6, warmup=1, precision=1e-9))
        (reading,) = model.readings([ARCH])
        assert (reading.value, reading.runs) == (pytest.approx(1.25), 6)
        assert (reading.low, reading.high) == pytest.approx((1.05, 1.45)), "0.1 and 0.9 of them"
        (found,) = measurements(model, [ARCH])
        assert (found.value, found.low, found.high) == (reading.value, reading.low, reading.high)

    def test_it_is_had_from_what_was_measured(self):
        device = ToyDevice(noise=0.1)
        model = model_on(device)
        values, ran = model.evaluate([ARCH, ARCH]), len(device.ran)
        low, high = model.interval([ARCH, ARCH], values)
        assert len(device.ran) == ran
        assert (low <= values).all() and (values <= high).all()
        assert low.shape == high.shape == (2,)


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0, -1.0])
def test_a_time_that_is_none_is_neither_given_nor_kept(value):
    class Odd(ToyDevice):
        def pass_of(self, work):
            return value

    model = model_on(Odd())
    with pytest.raises(PluginError, match=f"a pass of the network took {value} ms"):
        model.evaluate([ARCH])
    assert model.memo == {}
