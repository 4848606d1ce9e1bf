"""Files of architectures: what is read, and how every other line is complained about."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.jobs import archfiles
from ofa_plugins_core.jobs.archfiles import read_archs
from ofa_plugins_core.testing.toys import toy_supernet

GOOD = {"ks": [3, 3, 3, 3], "e": [2, 2, 2, 2], "d": [1, 1], "image_size": 32}


def test_architectures_come_in_the_order_of_the_file_at_any_image_size(archs):
    found = read_archs(archs, toy_supernet())
    assert found.supernet.resolutions == (32, 48, 64)
    assert found.genes[:, 0].tolist() == [0, 2, 1]
    assert np.asarray(found.genes).dtype == np.uint8


def test_blank_lines_and_a_byte_order_mark_are_passed_over(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("\ufeff" + json.dumps(GOOD) + "\n\n  \n" + json.dumps(GOOD))
    assert len(read_archs(path, toy_supernet()).genes) == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "not JSON"),
        (b"[1, 2]", "expected a JSON object"),
        (b"3", "expected a JSON object"),
        (b'{"arch": 3}', "'arch' must be an object"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"\x80\x02}q\x00.", "not text in UTF-8"),
        (b"{" * 5000, "not JSON"),
        (b"[" * 60000, "not JSON"),
        (b'{"a": "' + b"x" * 70000 + b'"}', "longer than 65,536 bytes"),
        (json.dumps({**GOOD, "ks": [3]}).encode(), "'ks' must be a list of 4"),
        (json.dumps({**GOOD, "ks": "3333"}).encode(), "'ks' must be a list of 4"),
        (json.dumps({**GOOD, "ks": [4, 3, 3, 3]}).encode(), "ks[0] = 4 is not an option"),
        (json.dumps({**GOOD, "d": [True, 1]}).encode(), "d[0] must be a number"),
        (json.dumps({**GOOD, "image_size": 8}).encode(), "image_size"),
        (json.dumps({**GOOD, "image_size": float("nan")}).encode(), "image_size"),
        (b"{}", "'ks' must be a list of 4"),
    ],
)
def test_a_broken_line_is_named_with_its_file(tmp_path, line, said):
    path = tmp_path / "a.jsonl"
    path.write_bytes(json.dumps(GOOD).encode() + b"\n\n" + line + b"\n")
    with pytest.raises(InputError) as caught:
        read_archs(path, toy_supernet())
    assert f"{path}, line 3" in caught.value.message
    assert said in caught.value.message
    assert len(caught.value.message) < 400 + len(str(path))


def test_a_file_that_is_empty_missing_or_a_folder_is_an_input_error(tmp_path):
    (tmp_path / "empty").write_text("\n")
    for name, said in (
        ("empty", "holds no architecture"),
        ("none", "cannot read"),
        (".", "cannot"),
    ):
        with pytest.raises(InputError, match=said):
            read_archs(tmp_path / name, toy_supernet())


def test_too_many_architectures_are_refused(archs, monkeypatch):
    monkeypatch.setattr(archfiles, "MAX_ARCHS", 2)
    with pytest.raises(InputError, match="more than 2 architectures"):
        read_archs(archs, toy_supernet())
