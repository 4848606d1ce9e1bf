"""What the job takes and refuses, published tables and points; no network is run."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from dynamic_ofa.levels.finding import find_table
from dynamic_ofa.levels.job import run_levels
from dynamic_ofa.levels.options import LevelsOptions
from ofa_plugins_core.errors import InputError, UsageError

POINTS = [[70.0, 40.0], [72.0, 50.0], [71.0, 60.0], [75.0, 80.0]]


@pytest.fixture
def levels(context):
    """Runs the job on the toys."""
    return lambda out=None, **given: run_levels(
        evolve(context[0], out=context[0].out if out is None else out),
        LevelsOptions(**{"supernet": "toy", "plot": False, **given}),
    )


@pytest.fixture
def file(tmp_path):
    """A file with this JSON in it."""

    def write(data):
        path = tmp_path / "points.json"
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        return path

    return write


@pytest.fixture
def published(tmp_path, pickles):
    """A published table of two levels."""
    path = tmp_path / "nets.pickle"
    path.write_bytes(pickles.written(pickles.published()))
    return path


def test_a_published_table_becomes_ours(levels, published, context):
    found = levels(published=published, supernet="ofa_mbv3_w1.2")
    assert find_table(str(context[0].out)) == found.table
    assert found.as_json()["levels"][0]["accuracy"]["kind"] == "published"
    assert found.exit_code == 0 and found.as_tables()


def test_its_architectures_are_checked_where_the_supernet_is_known(levels, published):
    with pytest.raises(InputError, match=r"nets\.pickle: architecture 0"):
        levels(published=published, supernet="toy")


def test_an_image_size_that_is_none_is_said(levels, tmp_path, pickles):
    config = {"ks": [3] * 4, "e": [2] * 4, "d": [1, 1], "r": [7]}
    path = tmp_path / "nets.pickle"
    path.write_bytes(pickles.written(pickles.published(1, configs=[config])))
    with pytest.raises(InputError, match="7"):
        levels(published=path, supernet="toy")


def test_where_it_is_not_that_is_said(levels, published, context, notices):
    levels(published=published, supernet="ofa_mbv3_w1.2")
    assert any("not checked" in said for said in notices(context[1]))


def test_points_that_others_measured_are_filtered_as_published(levels, file):
    found = levels(candidates=file({"about": "some", "points": POINTS, "more": 1})).as_json()
    assert found["front"] == [POINTS[0], POINTS[1], POINTS[3]]
    assert (found["kept"], found["about"], found["kind"]) == (3, "some", "published")


def test_they_are_drawn(levels, file, context):
    pytest.importorskip("matplotlib")
    found = levels(candidates=file({"points": POINTS}), cost=("flops",), plot=True, levels=2)
    picture = found.plot.read_text()
    assert found.plot == context[0].out / "plots" / "levels.svg"
    assert "front: 3 of 4" in picture and "multiply–accumulates" in picture
    assert "71.00 % at 60" in picture


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{", "no JSON"),
        ([], "holds no points"),
        ({"points": []}, "1 to 10,000 points"),
        ({"points": [[70.0]]}, "points"),
        ({"points": [[70.0, "fast"]]}, "fast"),
        ({"points": [[70.0, 1.0], [170.0, 1.0]]}, r"points\[1\]"),
        ('{"points": [[70.0, NaN]]}', r"points\[0\]"),
    ],
)
def test_points_that_make_no_sense_are_named(levels, file, data, said):
    with pytest.raises(InputError, match=said):
        levels(candidates=file(data))


def test_a_missing_file_of_points_is_said(levels, tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        levels(candidates=tmp_path / "none.json")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"run": "a", "archs": "b"}, "--run and --archs"),
        ({"archs": "b", "points": 3}, "--archs searches nothing"),
        ({"least": 20, "most": 10}, "--least 20 is more than --most 10"),
        ({"out": "levels.json"}, "names a file"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(levels, tmp_path, given, said):
    given = {k: tmp_path / v if isinstance(v, str) else v for k, v in given.items()}
    with pytest.raises(UsageError, match=said):
        levels(**given)


@pytest.mark.parametrize("wrong", [{"levels": 1}, {"images": 0}, {"calibrate_batch": 1}])
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError):
        LevelsOptions(**wrong)
