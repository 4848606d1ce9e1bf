"""Networks that a run brings to be compared, whichever job made it."""

import json

import pytest

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.report.points import points_of
from ofa_plugins_core.report.results import read_run

ARCH = {"ks": [3], "e": [2], "d": [1], "image_size": 64}


def number(value, unit="%", kind="measured", **more):
    return {"value": value, "unit": unit, "kind": kind, **more}


def test_a_search_brings_its_front(make_run, result):
    run = read_run(make_run(result))
    assert points_of(run) == run.search.points


def test_a_sweep_brings_what_met_a_bound(make_run, sweep):
    assert [p.bound for p in points_of(read_run(make_run(sweep)))] == [9000, 90000]


def test_evaluated_networks_have_what_was_measured_and_beside_it_what_was_predicted(make_run):
    network = {
        "number": 7,
        "arch": ARCH,
        "top1": number(70.5, low=69.0, high=72.0),
        "top5": number(90.0),
        "forward": number(3.5, "ms"),
        "costs": {"flops": number(10, "MACs", "computed")},
        "predicted": {"accuracy": number(71.0, kind="predicted")},
    }
    (point,) = points_of(read_run(make_run({"networks": [network]}, job="evaluate")))
    assert (point.label, point.arch) == ("network 7", ARCH)
    assert (point.accuracy.value, point.accuracy.kind, point.accuracy.low) == (70.5, "measured", 69)
    found = {k: (m.value, m.unit, m.kind) for k, m in point.costs.items()}
    assert found == {
        "forward": (3.5, "ms", "measured"),
        "top5": (90.0, "%", "measured"),
        "flops": (10, "MACs", "computed"),
        "predicted accuracy": (71.0, "%", "predicted"),
    }


def test_without_data_nothing_was_measured_and_the_prediction_is_the_accuracy(make_run):
    network = {"arch": ARCH, "top1": None, "predicted": {"accuracy": number(71, kind="predicted")}}
    (point,) = points_of(read_run(make_run({"networks": [network]}, job="evaluate")))
    assert (point.accuracy.value, point.accuracy.kind, point.costs) == (71, "predicted", {})


def test_levels_are_named_and_their_candidates_shown(make_run):
    def candidate(level):
        predicted = {"accuracy": number(60.0, kind="predicted")}
        measured = {"latency": number(5.0, "ms")}
        chosen = {"level": level, "number": 3}
        return {"arch": ARCH, "predicted": predicted, "measured": measured, **chosen}

    result = {"candidates": [candidate(0), candidate(None)]}
    found = points_of(read_run(make_run(result, job="levels")))
    assert [p.label for p in found] == ["level 0", "network 3"]
    assert found[0].accuracy.kind == "predicted"
    assert found[0].costs["latency"].value == 5.0


def test_a_data_set_is_read_from_its_records(make_run):
    folder = make_run({"data": "digits", "networks": 1}, job="dataset")
    record = {"number": 1, "arch": ARCH, "top1": 55.5, "costs": {"params": 9, "peak_memory_x": 8}}
    (folder / "dataset.jsonl").write_text(json.dumps(record) + "\n")
    (point,) = points_of(read_run(folder))
    assert (point.accuracy.value, point.accuracy.unit, point.accuracy.source) == (
        55.5,
        "%",
        "digits",
    )
    assert [(m.value, m.unit) for m in point.costs.values()] == [(9, "count"), (8, "items")]


@pytest.mark.parametrize("line", ["{", "[]", '{"top1": 5}', '{"arch": {}, "top1": "high"}'])
def test_a_broken_record_is_named(make_run, line):
    folder = make_run({"data": "digits"}, job="dataset")
    (folder / "dataset.jsonl").write_text(line + "\n")
    with pytest.raises(InputError, match=r"dataset\.jsonl, line 1: no record"):
        points_of(read_run(folder))


def test_a_broken_network_is_named(make_run):
    network = {"arch": ARCH, "top1": {"value": "high", "unit": "%", "kind": "measured"}}
    with pytest.raises(InputError, match=r"networks\[0\]: accuracy: expected a number"):
        points_of(read_run(make_run({"networks": [network]}, job="evaluate")))


@pytest.mark.parametrize(
    "result",
    [{}, [{"a": 1}], {"networks": {"before": 5}}, {"networks": 12}, {"candidates": [{"a": 1}]}],
)
def test_other_jobs_bring_none(make_run, result):
    assert points_of(read_run(make_run(result, job="reduce"))) == ()
