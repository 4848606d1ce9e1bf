"""Records on disk: one file a writer, nothing whole is lost, what is broken is measured again."""

from __future__ import annotations

import json

import pytest

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.jobs.dataset_parts import Parts
from ofa_plugins_core.testing.toys import everything, toy_supernet

SPACE = toy_supernet().space
ARCHS = SPACE.decode(everything(SPACE)[:6])


def record(number, **other):
    return {"number": number, "arch": ARCHS[number - 1].as_dict(), "top1": 50.0 + number, **other}


@pytest.fixture
def parts(tmp_path):
    return Parts(tmp_path, ARCHS)


def written(parts, rank, *numbers):
    writer = parts.writer(rank)
    for number in numbers:
        writer.add(record(number))
    writer.close()


def test_parts_are_merged_in_the_order_of_the_draw(parts, tmp_path):
    written(parts, 0, 5, 1, 3)
    written(parts, 1, 2, 6)
    assert list(parts.merge()) == [1, 2, 3, 5, 6]
    assert (tmp_path / "parts").is_dir()  # one is missing: others may still be writing
    written(parts, 2, 4)
    assert list(parts.merge()) == [1, 2, 3, 4, 5, 6]
    lines = [json.loads(x) for x in (tmp_path / "dataset.jsonl").read_text().splitlines()]
    assert [x["number"] for x in lines] == [1, 2, 3, 4, 5, 6]
    assert not (tmp_path / "parts").exists()


def test_half_a_line_is_dropped_and_the_writer_goes_on_after_it(parts, tmp_path):
    written(parts, 0, 1, 2)
    file = tmp_path / "parts" / "0.jsonl"
    file.write_bytes(file.read_bytes()[:-9])
    assert list(parts.read()) == [1]
    written(parts, 0, 2)
    assert list(parts.read()) == [1, 2]
    assert len(file.read_text().splitlines()) == 2


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "3",
        json.dumps({**record(1), "arch": ARCHS[2].as_dict()}),
        json.dumps({**record(1), "number": 99}),
        json.dumps({**record(6), "number": 0}),
        json.dumps({**record(1), "top1": 101}),
        json.dumps({**record(1), "top1": None}),
    ],
)
def test_what_is_no_record_of_this_draw_is_dropped(parts, tmp_path, line):
    written(parts, 0, 2)
    (tmp_path / "parts" / "1.jsonl").write_text(line + "\n" + json.dumps(record(4)) + "\n")
    assert list(parts.read()) == [2, 4]


def test_where_nothing_can_be_written_it_says_so(parts, tmp_path):
    (tmp_path / "parts").write_text("a file is in the way")
    with pytest.raises(InputError, match="cannot write"):
        parts.writer(0)
