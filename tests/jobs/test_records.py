"""Measured accuracies come as JSON lines or as the published pickle; a broken record is named."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.jobs.records import files_of, measured, read_records
from ofa_plugins_core.values import Dimension, Gene, SearchSpace

GENES = [Gene("d[0]", (2, 3), 0), Gene("d[1]", (2, 3), 1)]
SPACE = SearchSpace.of("toy", (64, 96), GENES, [Dimension("d", (1, 2))])


def line(d=(2, 3), size=64, top1=70.0):
    return {"arch": {"d": list(d), "image_size": size}, "top1": top1}


@pytest.fixture
def written(tmp_path):
    """(content) -> a file with it."""

    def write(content) -> Path:
        file = tmp_path / "measured"
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text("\n".join(json.dumps(x) for x in content))
        return file

    return write


def test_json_lines_are_read_and_other_keys_ignored(written):
    found = read_records(written([{**line(), "peak_memory": 5}, line(top1=71)]))
    assert [r.top1 for r in found] == [70.0, 71.0]
    assert found[1].place.endswith("line 2")


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_the_published_pickle_is_read_in_fractions_or_percent(written, scale):
    content = {
        "configs": [{"wid": None, "d": np.array([2, 3]), "r": [64]}, {"d": [2, 2], "r": [96]}],
        "accuracies": np.array([0.7, 0.71]) * scale,
        "features": [],
        "efficiencies": [1, 2],
    }
    found = read_records(written(pickle.dumps(content)))
    assert [r.top1 for r in found] == pytest.approx([70.0, 71.0])
    data = measured(SPACE, found)
    assert data.space.resolutions == (64, 96)
    assert len(data.genes) == 2


def test_parts_are_merged_and_repeated_networks_averaged(written):
    first = read_records(written([line(top1=70), line((2, 2), top1=60)]))
    again = read_records(written([line(top1=71)]))
    data = measured(SPACE, first + again)
    assert data.repeated == 1
    assert sorted(data.top1) == [60.0, 70.5]


def test_any_image_size_of_the_records_is_taken(written):
    data = measured(SPACE, read_records(written([line(size=80), line(size=200)])))
    assert data.space.resolutions == (80, 200)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"{oops\n", "line 1: not JSON"),
        (b'{"arch": {"d": [2, 3], "image_size": 64}}', "top1 must be a number of percent"),
        (b'{"arch": 3, "top1": 70}', 'expected {"arch"'),
        (b'{"arch": {}, "top1": 700}', "from 0 to 100"),
        (b'{"arch": {}, "top1": NaN}', "from 0 to 100"),
        (b'{"arch": {}, "top1": true}', "from 0 to 100"),
        (b'{"a": "\xff"}', "UTF-8"),
        (b"{" + b'"a":[' * 100_000, "line 1: not JSON"),
        (b"arch,top1\n1,2\n", "neither JSON lines nor a readable pickle"),
        (pickle.dumps([1, 2]), "keys configs and accuracies"),
        (pickle.dumps({"configs": [], "accuracies": [1]}), "lists of one length"),
        (pickle.dumps({"configs": [3], "accuracies": [0.5]}), "record 0: expected a dict"),
        (pickle.dumps({"configs": [{}], "accuracies": ["x"]}), "record 0: top1 must be"),
    ],
)
def test_a_broken_file_is_one_clear_error(written, content, reason):
    with pytest.raises(InputError, match=reason) as caught:
        read_records(written(content))
    assert caught.value.exit_code == 5


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_records(tmp_path / "none")


def test_a_record_of_another_space_is_named_by_its_line(written):
    records = read_records(written([line(), line(d=(2, 9))]))
    with pytest.raises(InputError, match=r"line 2: d\[1\] = 9 is not an option"):
        measured(SPACE, records)


def test_no_records_are_an_error():
    with pytest.raises(InputError, match="no measured networks"):
        measured(SPACE, [])


def test_a_folder_is_a_run_or_parts_in_the_order_of_their_numbers(tmp_path):
    for name in ("gpu10.pkl", "gpu2.pkl", "notes.txt"):
        (tmp_path / name).write_text("")
    assert [f.name for f in files_of(tmp_path)] == ["gpu2.pkl", "gpu10.pkl"]
    (tmp_path / "dataset.jsonl").write_text("")
    assert files_of(tmp_path) == [tmp_path / "dataset.jsonl"]
    assert files_of(tmp_path / "gpu2.pkl") == [tmp_path / "gpu2.pkl"]


def test_a_run_that_has_not_ended_is_to_be_resumed_first(tmp_path):
    (tmp_path / "parts").mkdir()
    with pytest.raises(InputError, match="not merged") as caught:
        files_of(tmp_path)
    assert "--resume --out" in (caught.value.advice or "")


def test_a_folder_without_accuracies_is_an_error(tmp_path):
    with pytest.raises(InputError, match="holds no measured accuracies"):
        files_of(tmp_path)
