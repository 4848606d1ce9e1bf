"""``ofa run memory`` on a real supernet: definitions beside plans, and bounds that hold."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest

pytest.importorskip("torch")

from ofa_plugins_core import Host
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import MissingExtraError, UsageError
from ofa_plugins_core.jobs import memory
from ofa_plugins_core.jobs.memory import run_memory
from ofa_plugins_core.jobs.memory_options import MemoryOptions

HOST = Host.discover()
ARCH = {"ks": [3] * 20, "e": [2] * 20, "d": [2] * 5, "image_size": 64}


@pytest.fixture(scope="module")
def archs(tmp_path_factory):
    """A file with one small network of MOOFA V3."""
    path = tmp_path_factory.mktemp("archs") / "one.jsonl"
    path.write_text(json.dumps(ARCH) + "\n")
    return path


@pytest.fixture(scope="module")
def result(archs):
    """What the job finds with all planners that are installed."""
    return run_memory(JobContext(host=HOST), MemoryOptions(supernet="moofa_v3", archs=archs))


def test_every_definition_and_every_planner_that_is_there(result):
    (found,) = result.as_json()
    names = {e.name for e in HOST.entries("cost_models") if e.name.startswith("peak_memory")}
    assert set(found["definitions"]) == names
    planned = {(p["planner"], p["dtype"]) for p in found["plans"]}
    assert ("torch", "fp32") in planned
    if find_spec("onnxruntime") and find_spec("onnxscript"):
        assert {("onnxruntime", "fp32"), ("onnxruntime", "int8")} <= planned
    if find_spec("executorch"):
        assert ("executorch", "fp32") in planned


def test_every_number_has_a_unit_and_a_kind(result):
    (found,) = result.as_json()
    assert all(d["kind"] == "computed" and d["unit"] for d in found["definitions"].values())
    for plan in found["plans"]:
        number = plan["activations"]
        assert (number["unit"], number["kind"]) == ("bytes", "measured")
        assert plan["planner"] in number["source"] and plan["version"] in number["source"]


def test_bounds_hold_and_definitions_below_are_named(result):
    (found,) = result.as_json()
    for plan in found["plans"]:
        assert plan["bound"]["holds"], plan["planner"]
        sizes = {n: d["bytes"][plan["dtype"]] for n, d in found["definitions"].items()}
        assert all(sizes[n] < plan["activations"]["value"] for n in plan["understated_by"])


def test_what_is_alive_at_the_peak_is_told_with_its_reason(result):
    (found,) = result.as_json()
    for plan in found["plans"]:
        assert plan["alive"] and all(a["why"] for a in plan["alive"])
        assert max(size for _, size in plan["ops"]) <= plan["activations"]["value"]


def test_tables_for_the_terminal(result):
    titles = [title for title, _, _ in result.as_tables()]
    assert titles[1] == "planned" and any("at its peak" in t for t in titles)


def test_a_planner_that_was_asked_for_has_to_be_there(archs, monkeypatch):
    from ofa_plugins_core.nn.planners import executorch

    monkeypatch.setattr(executorch, "find_spec", lambda name: None)
    options = MemoryOptions(supernet="moofa_v3", archs=archs, planner=("executorch",))
    with pytest.raises(MissingExtraError, match=r"\[executorch\]"):
        run_memory(JobContext(host=HOST), options)


def test_without_torch_one_line_says_what_to_install(archs, monkeypatch):
    def missing(what):
        raise MissingExtraError(what, "ofa-plugins-core", "torch")

    monkeypatch.setattr(memory, "needs_torch", missing)
    with pytest.raises(MissingExtraError, match=r"\[torch\]"):
        run_memory(JobContext(host=HOST), MemoryOptions(supernet="moofa_v3", archs=archs))


def test_a_chart_shows_one_network(tmp_path):
    options = MemoryOptions(supernet="moofa_v3", random=2, plot=tmp_path / "chart.svg")
    with pytest.raises(UsageError, match="one architecture; there are 2"):
        run_memory(JobContext(host=HOST), options)
