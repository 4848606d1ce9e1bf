"""Candidates are measured, filtered, chosen and written; what is measured is a toy device."""

from __future__ import annotations

import json
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from attrs import evolve

from dynamic_ofa.levels.finding import find_table
from dynamic_ofa.levels.job import run_levels
from dynamic_ofa.levels.options import LevelsOptions
from dynamic_ofa.levels.table import Accuracy, NormStatistics, WeightsOf
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Work
from ofa_plugins_core.testing import toy_supernet
from ofa_plugins_core.testing.toy_device import ToyDevice

pytest.importorskip("torch")  # the room where tables are made loads it; no network is built here

NORMS = NormStatistics(("norm",), (2,), np.ones((2, 2), np.float32))


@pytest.fixture
def bench(monkeypatch):
    """Stands for the network and its images; ``accuracy`` measures a network, where it is set."""
    from dynamic_ofa.levels import making

    found = SimpleNamespace(
        accuracy=None, examined=[], calibration=None, images=None, of={"weights_sha256": "one"}
    )
    found.loaded = SimpleNamespace(supernet=toy_supernet(), classes=1000)

    @contextmanager
    def opened(context, options, archs):
        found.context = context
        found.images = None if found.accuracy is None else "some"
        yield found

    def examined(bench, arch, label):
        bench.examined.append((arch, label))
        measured = None if bench.accuracy is None else bench.accuracy(arch)
        return making.Examined(NORMS, 0 if bench.calibration is None else 12, measured)

    monkeypatch.setattr(making, "opened", opened)
    monkeypatch.setattr(making, "examined", examined)
    monkeypatch.setattr(
        making, "weights_of", lambda bench: WeightsOf(kind="file", sha256="ab", source="w.pth")
    )
    return found


@pytest.fixture
def levels(bench, context, host_on):
    """Runs the job on the toys."""

    def run(device=None, resume=False, **given):
        own = {"supernet": "toy", "device": "bench", "points": 6, "plot": False, "warmup": 0}
        here = evolve(context[0], host=host_on(device or ToyDevice()), resume=resume)
        return run_levels(here, LevelsOptions(**{**own, **given}))

    return run


def test_the_table_has_the_front_of_what_was_measured_from_fast_to_slow(levels, context):
    found = levels(levels=3)
    table = find_table(str(context[0].out))
    assert table == found.table
    times = [row.latency.value for row in table.levels]
    accuracies = [row.accuracy.value for row in table.levels]
    assert times == sorted(times) and accuracies == sorted(accuracies) and len(times) == 3
    assert all(row.statistics.values.tolist() == NORMS.values.tolist() for row in table.levels)
    chosen = [found.candidates[n] for n in found.chosen]
    assert [c.candidate.arch.as_dict() for c in chosen] == [dict(r.arch) for r in table.levels]


def test_latencies_are_the_device_s_and_the_prediction_is_beside_them(levels):
    device = ToyDevice()
    found = levels(device, levels=2)
    supernet = toy_supernet()
    for one in found.candidates:
        work = Work(supernet.geometry().blocks(one.candidate.arch), 1)
        assert one.latency.value == pytest.approx(device.true_time(work))
        assert one.latency.kind == "measured" and one.judged.kind == "predicted"
    said = found.as_json()["candidates"][0]
    assert set(said["predicted"]) == {"accuracy", "flops"}
    assert set(said["measured"]) == {"latency"}
    assert not device.held and not device.open


def test_measured_accuracies_decide_where_there_are_any(levels, bench):
    bench.accuracy = lambda arch: Accuracy(value=60.0 - arch.image_size / 32, kind="measured")
    found = levels(levels=4)
    assert {row.accuracy.kind for row in found.table.levels} == {"measured"}
    assert {dict(r.arch)["image_size"] for r in found.table.levels} == {32}
    assert found.candidates[0].as_json()["predicted"]["accuracy"]["kind"] == "predicted"
    assert len(bench.examined) == len(found.candidates)  # levels are not examined once more


def test_only_levels_are_calibrated_where_nothing_is_evaluated(levels, bench):
    bench.calibration = "some"
    found = levels(levels=2)
    assert [r.calibrated for r in found.table.levels] == [12, 12]
    assert len(bench.examined) == 2


def test_a_front_with_fewer_networks_is_taken_whole_and_that_is_said(levels, context, notices):
    found = levels(levels=50)
    assert list(found.chosen) == list(found.front)
    assert any("all are levels" in said for said in notices(context[1]))


def test_no_accuracy_at_all_is_refused(levels, tmp_path):
    with pytest.raises(UsageError, match="levels need accuracies"):
        levels(supernet="bare")
    archs = tmp_path / "archs.jsonl"
    archs.write_text('{"ks": [3, 3, 3, 3], "e": [2, 2, 2, 2], "d": [1, 1], "image_size": 32}')
    with pytest.raises(UsageError, match="no images are given"):
        levels(supernet="bare", archs=archs, points=None)


class Stops:
    """Raises in the middle of measuring, once."""

    def __init__(self, at):
        self.at = at

    def __call__(self, number):
        if number == self.at:
            raise KeyboardInterrupt


def test_an_interrupt_keeps_what_was_measured_and_resume_goes_on(levels, context, bench):
    first = levels(ToyDevice(before=Stops(100)), most=10, points=21)
    assert (first.exit_code, first.table) == (130, None)
    done = sum(one.latency is not None for one in first.candidates)
    assert 0 < done < len(first.candidates)
    assert first.as_json()["interrupted"]
    before = (context[0].out / "rows.jsonl").read_text()
    second = levels(most=10, points=21, resume=True)
    assert second.exit_code == 0 and second.table is not None
    assert all(one.latency is not None for one in second.candidates)
    kept = (context[0].out / "rows.jsonl").read_text()
    assert kept.startswith(before) and before.count("\n") == 1 + done
    assert kept.count("\n") == 1 + len(second.candidates)


def test_what_a_finished_run_has_measured_is_not_measured_again(levels):
    first, device = levels(), ToyDevice()
    second = levels(device, resume=True)
    assert not device.ran
    assert second.table == first.table


def test_other_weights_are_refused_on_resume(levels, bench):
    levels()
    bench.of = {"weights_sha256": "two"}
    with pytest.raises(UsageError, match="weights_sha256 was 'one', is 'two'"):
        levels(resume=True)


def test_another_device_is_refused_on_resume(levels):
    levels()
    with pytest.raises(UsageError, match="device"):
        levels(ToyDevice(name="other"), resume=True)


def test_a_broken_line_is_named(levels, context):
    levels()
    path = context[0].out / "rows.jsonl"
    lines = path.read_text().splitlines()
    lines[1] = json.dumps({"kind": "latency", "key": "x", "row": {"latency": {"value": "fast"}}})
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(Exception, match=r"rows.jsonl, line 2"):
        levels(resume=True)


def test_a_slower_time_of_day_slows_the_reference_too(levels):
    """Drift that comes between bunches is taken out: the reference takes part in each."""
    steady = levels(most=10).candidates
    drifting = levels(ToyDevice(drift=0.004), most=10, resume=False, levels=2)
    ratio = [
        a.latency.value / b.latency.value for a, b in zip(drifting.candidates, steady, strict=True)
    ]
    assert max(ratio) / min(ratio) < 1.06  # without a reference 1.3


def test_the_command_that_makes_it_again_is_in_the_table(levels):
    source = levels(levels=2, cost=("flops",)).table.source
    assert source.startswith("ofa run levels ")
    for words in ("--supernet toy", "--cost flops", "--points 6", "--levels 2", "--no-plot"):
        assert words in source
