"""The numbers of a page: all there, short, and harmless whatever they say."""

import json

import pytest
from attrs import evolve

from ofa_plugins_core.report.anatomy import Anatomy, anatomy_of
from ofa_plugins_core.report.embedded import Drawable, embedded
from ofa_plugins_core.report.page import MOST_BYTES, Chapter, page
from ofa_plugins_core.report.points import points_of
from ofa_plugins_core.report.results import Point, read_run
from ofa_plugins_core.values import Measurement


@pytest.fixture
def drawable(make_run, toy_host):
    def made(result, name="run", **settings):
        run = read_run(make_run(result, name, **settings))
        points = points_of(run)
        return Drawable(run, points, anatomy_of(toy_host, run, points))

    return made


def read(*drawables, most=10**6):
    text = embedded(drawables, most)
    assert not set("<>&") & set(text)
    return json.loads(text)


def test_every_number_is_there_with_its_unit_kind_and_source(drawable, result):
    found = read(drawable(result))
    (run,) = found["runs"]
    assert [q["name"] for q in found["quantities"]] == ["accuracy", "peak_memory"]
    assert [q["better"] for q in found["quantities"]] == ["high", "low"]
    assert found["measures"] == [
        [0, "predicted", "additive · a test"],
        [1, "computed", "MOOFA"],
    ]
    arch, values, *rest = run["points"][2]
    assert dict(zip(run["keys"], arch, strict=True)) == result["front"][2]["arch"]
    assert values[0] == [0, 71.75, 70.75, 72.75]
    assert rest == [1]
    assert run["points"][1][2:] == [None, 17]


def test_no_record_behind_a_prediction_is_said_too(drawable, result, toy_entry):
    found = read(drawable({**result, "front": [toy_entry(0, support=0)]}))
    assert found["runs"][0]["points"][0][2:] == [None, 0]


def test_a_quantity_is_shared_where_name_and_unit_agree(drawable, result, toy_entry):
    other = toy_entry(5)
    other["costs"] = {"peak_memory": {"value": 5, "unit": "bytes", "kind": "computed"}}
    found = read(drawable(result, "a"), drawable({**result, "front": [other]}, "b"))
    assert [(q["name"], q["unit"]) for q in found["quantities"]] == [
        ("accuracy", "%"),
        ("peak_memory", "items"),
        ("peak_memory", "bytes"),
    ]


def test_accuracies_on_different_data_sets_are_different_quantities(drawable, result):
    """Each has its own axis, its own bound and its own best."""
    other = drawable({**result, "dataset": "digits"}, "other")
    unsaid = drawable({**result, "dataset": None}, "unsaid")
    found = read(drawable(result), other, unsaid, drawable({**result, "dataset": "ImageNet"}, "b"))
    labels = [(q["label"], q["data"]) for q in found["quantities"]]
    unnamed = "a data set that is not named"
    assert labels == [
        ("top-1 accuracy on imagenet", "imagenet"),
        ("peak memory", ""),
        ("top-1 accuracy on digits", "digits"),
        (f"top-1 accuracy on {unnamed}", unnamed),
    ]
    quantities = [found["measures"][run["points"][0][1][0][0]][0] for run in found["runs"]]
    assert quantities == [0, 2, 3, 0]


def test_a_run_whose_predictions_nothing_measured_is_behind_says_so(drawable, result, toy_entry):
    front = [toy_entry(0, support=0), toy_entry(5, support=0)]
    bare = drawable({**result, "front": front}, "bare")
    some = drawable({**result, "front": [*front, toy_entry(9, support=1)]}, "some")
    found = read(drawable(result), bare, some)
    assert [r["unmeasured"] for r in found["runs"]] == [False, True, False]


def test_hostile_text_stays_text(drawable, result):
    evil = "</script><!--<script>&"
    found = read(drawable({**result, "predictor": evil}))
    assert evil in found["measures"][0][2]


def test_commands_go_on_with_the_same_supernet_costs_and_tables(drawable, result):
    settings = {"cost": ["flops"], "lut": ["my table"], "as_built": True, "supernet": "toy"}
    (run,) = read(drawable(result, **settings))["runs"]
    words = "--supernet toy --archs network.jsonl"
    assert run["next"][0] == f"ofa run cost {words} --as-built --cost flops --lut 'my table'"
    assert run["next"][1] == f"ofa run memory {words}"


def crowd(made, count, pictured=True):
    """Of the same run so many networks, each with three costs and some 26 blocks."""
    arch = {"ks": [7] * 20, "e": [4] * 20, "d": [4] * 5, "image_size": 224}
    points = [
        Point(
            {**arch, "image_size": n},
            Measurement(70 + n / 7e3, "%", "predicted", "x", 69.123456, 71.123456),
            {c: Measurement(12_345_678 + n, "items", "computed") for c in ("a", "b", "c")},
        )
        for n in range(count)
    ]
    blocks = [{"name": f"b{n}", "ops": [["x", 1, 2, 3, 4]] * 4} for n in range(400)]
    networks = [[(n * 7 + i) % 400 for i in range(26)] for n in range(count)]
    return Drawable(made.run, points, Anatomy("toy", blocks, networks) if pictured else None)


@pytest.mark.parametrize("runs", [1, 3, 6])
def test_a_page_of_big_fronts_stays_within_two_megabytes(drawable, result, runs):
    big = crowd(drawable(result), 1000)
    text = page([Chapter(big)] * runs)
    assert len(text.encode()) <= MOST_BYTES + 1000 < 2_000_000


def test_what_does_not_fit_is_thinned_and_the_ends_and_the_best_stay(drawable, result):
    big = crowd(drawable(result), 3000)
    (run,) = read(big, most=300_000)["runs"]
    sizes = [dict(zip(run["keys"], p[0], strict=True))["image_size"] for p in run["points"]]
    assert run["of"] == 3000
    assert len(sizes) == 1000
    assert (sizes[0], sizes[-1]) == (0, 2999)


def test_a_best_network_between_those_that_stay_stays_too(drawable, result):
    big = crowd(drawable(result), 3000)
    best = big.points[1235]
    points = list(big.points)
    points[1235] = evolve(best, accuracy=evolve(best.accuracy, value=99.0))
    (run,) = read(evolve(big, points=points), most=300_000)["runs"]
    (kept,) = (arch for arch, values, *_ in run["points"] if values[0][1] == 99.0)
    assert dict(zip(run["keys"], kept, strict=True))["image_size"] == 1235


def test_pictures_go_before_networks_do_and_the_best_keep_theirs(drawable, result):
    big = crowd(drawable(result), 1000)
    full = len(embedded([big], 10**7))
    (run,) = read(big, most=full - 60_000)["runs"]
    assert len(run["points"]) == 1000
    assert run["networks"][-1] is not None  # the most accurate
    assert run["networks"][0] is None


def test_a_small_run_keeps_all_beside_a_big_one(drawable, result):
    small, big = drawable(result), crowd(drawable(result, "big"), 5000)
    runs = read(small, big, most=10**7)["runs"]
    assert [len(r["points"]) for r in runs] == [3, 3997]
