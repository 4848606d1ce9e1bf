"""Networks evaluated by several processes: one's numbers, kept, and errors that name the plugin."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from ofa_plugins_core import Host  # noqa: E402
from ofa_plugins_core.entries import JobContext  # noqa: E402
from ofa_plugins_core.errors import InputError, PluginError, UsageError  # noqa: E402
from ofa_plugins_core.events import Progress  # noqa: E402
from ofa_plugins_core.jobs.evaluate_options import EvaluateOptions  # noqa: E402
from ofa_plugins_core.jobs.measuring import Bench  # noqa: E402
from ofa_plugins_core.jobs.parallel import evaluated, evaluations  # noqa: E402
from ofa_plugins_core.nn import evaluating  # noqa: E402

OPTIONS = EvaluateOptions(
    supernet="moofa_v3",
    weights="synthetic",
    data="digits",
    images=30,
    batch=10,
    calibrate=20,
    calibrate_batch=10,
    repeats=0,
)


@pytest.fixture(scope="module")
def archs(host):
    space = host.supernet("moofa_v3").at([32, 48]).space
    return space.decode(space.sample(4, np.random.default_rng(1)))


@pytest.fixture(scope="module")
def one(host, archs):
    """What one process finds."""
    return evaluations(JobContext(host), OPTIONS, archs, None)


@pytest.fixture
def context(host, tmp_path, monkeypatch):
    monkeypatch.setenv("OFA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return JobContext(host, out=tmp_path / "run")


def test_two_processes_find_what_one_finds_and_share_one_file_of_images(context, archs, one):
    file, events = context.out / "evaluations.jsonl", []
    assert [f["arch"] for f in one.values()] == [a.as_dict() for a in archs]
    assert all(f["images"] == 30 and f["calibrated"] == 20 for f in one.values())
    both = evaluations(
        evolve(context, listener=events.append),
        evolve(OPTIONS, fast="disk"),
        archs,
        file,
        processes=2,
    )
    assert json.dumps(both) == json.dumps(one)
    assert len(list((context.out.parent / "cache" / "images").glob("*.images"))) == 4
    last = [e for e in events if isinstance(e, Progress) and e.what == "network"][-1]
    assert (last.done, last.total) == (4, 4)
    content = file.read_bytes()
    again = evaluations(evolve(context, resume=True), OPTIONS, archs, file)
    assert json.dumps(again) == json.dumps(one)  # read, not measured
    assert file.read_bytes() == content
    with pytest.raises(UsageError, match="images"):
        evaluations(evolve(context, resume=True), evolve(OPTIONS, images=31), archs, file)
    with pytest.raises(UsageError, match="networks"):
        evaluations(evolve(context, resume=True), OPTIONS, archs[:3], file)
    file.write_bytes(content.replace(b'"number": 2', b'"number": 3'))
    with pytest.raises(InputError, match="not what was written there"):
        evaluations(evolve(context, resume=True), OPTIONS, archs, file)


@pytest.mark.skipif(
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN, reason="Ctrl-C is ignored by who runs this"
)
def test_an_interrupt_keeps_what_is_finished_and_resume_measures_the_rest(
    context, archs, one, monkeypatch
):
    file = context.out / "evaluations.jsonl"

    def stops(event):
        if isinstance(event, Progress) and event.what == "network":
            os.kill(os.getpid(), signal.SIGINT)

    first = evaluations(evolve(context, listener=stops), OPTIONS, archs, file, processes=2)
    assert 1 <= len(first) < 4
    measure, measured = Bench.measure, []

    def counted(self, arch, label):
        measured.append(label)
        return measure(self, arch, label)

    monkeypatch.setattr(Bench, "measure", counted)
    resumed = evaluations(evolve(context, resume=True), OPTIONS, archs, file)
    assert list(resumed) == [0, 1, 2, 3]
    assert len(measured) == 4 - len(first)
    assert json.dumps(resumed) == json.dumps(one)


BROKEN = """
from ofa_plugins_core import SupernetEntry, hookimpl
from ofa_plugins_core.testing.toys import ToySupernet, toy_supernet

OFA_API = 1

class Fragile(ToySupernet):
    def build(self, num_classes=None):
        return {}["weights"]

def fragile():
    toy = toy_supernet("fragile")
    return Fragile(toy.name, toy.space)

@hookimpl
def ofa_supernets():
    yield SupernetEntry("fragile", "cannot be built", fragile)
"""


def test_what_a_plugin_raises_in_another_process_names_it(context, ofa_install):
    ofa_install("fragile", BROKEN, version="1.2")
    host = Host.discover()
    space = host.supernet("fragile").space
    archs = space.decode(space.sample(2, np.random.default_rng(0)))
    with pytest.raises(PluginError, match=r"plugin 'fragile' 1\.2: .*KeyError: 'weights'"):
        evaluated(
            evolve(context, host=host),
            evolve(OPTIONS, supernet="fragile"),
            archs,
            lambda number, found: None,
            processes=2,
        )


def test_memory_is_asked_for_once_a_process_and_refused_before_one_is_started(
    context, archs, monkeypatch
):
    monkeypatch.setattr(evaluating, "memory_left", lambda: 500_000)
    with pytest.raises(UsageError, match="in each of 3 processes"):
        evaluations(context, evolve(OPTIONS, fast="memory"), archs, Path("never"), processes=3)
    with pytest.raises(UsageError, match="processes: expected a whole number from 1 up, found 0"):
        evaluated(context, OPTIONS, archs, lambda number, found: None, processes=0)
