"""``ofa run cost``: plain numbers in the order of the file; of one architecture, its history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ofa_plugins_core.testing.toys import toy_supernet


def test_json_lines_in_the_order_of_the_file(ofa, archs, toy_host):
    words = (
        "--supernet",
        "toy",
        "--cost",
        "peak_memory",
        "--cost",
        "params",
        "--archs",
        str(archs),
    )
    done = ofa("run", "cost", *words, "--json")
    assert done.code == 0, done.err
    assert [list(line) for line in done.lines] == [["peak_memory", "params"]] * 3
    supernet = toy_supernet()
    read = [json.loads(line) for line in archs.read_text().splitlines()]
    for name in ("peak_memory", "params"):
        model = toy_host.cost_model(name).build(supernet)
        assert [line[name] for line in done.lines] == model.evaluate(read).tolist()
    assert all(isinstance(line["params"], int) for line in done.lines)


def test_without_json_a_table_with_units_on_stderr(ofa, archs):
    done = ofa("run", "cost", "--supernet", "toy", "--archs", str(archs))
    assert done.out == ""
    for text in ("params", "flops", "peak_memory", "MACs", "items", "computed"):
        assert text in done.err


@pytest.fixture
def one(archs, tmp_path):
    path = tmp_path / "one.jsonl"
    path.write_text(archs.read_text().splitlines()[1] + "\n")
    return path


def test_of_one_architecture_the_history_is_shown_with_its_peak(ofa, one):
    done = ofa("run", "cost", "--supernet", "toy", "--cost", "peak_memory", "--archs", str(one))
    assert done.code == 0
    assert "peak_memory, op by op" in done.err
    for text in ("stem", "stage 2 block 2", "depthwise", "project"):
        assert text in done.err
    assert sum("peak" in line.split()[-1:] for line in done.err.splitlines()) >= 1


def test_of_one_architecture_chart_and_picture_are_drawn(ofa, one):
    pytest.importorskip("matplotlib")
    words = ("--supernet", "toy", "--cost", "peak_memory", "--archs", str(one))
    done = ofa("run", "cost", *words, "--plot", "h.svg", "--picture", "p.png")
    assert done.code == 0, done.err
    assert "<svg" in Path("h.svg").read_text()
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")


def test_a_chart_is_of_one_architecture(ofa, archs):
    words = ("--supernet", "toy", "--cost", "peak_memory", "--archs", str(archs))
    done = ofa("run", "cost", *words, "--plot", "h.svg")
    assert done.code == 2
    assert "the file holds 3" in done.err


def test_a_chart_needs_a_history(ofa, one):
    words = ("--supernet", "toy", "--cost", "params", "--archs", str(one), "--plot", "h.svg")
    done = ofa("run", "cost", *words)
    assert done.code == 2
    assert "--cost peak_memory" in done.err


def test_a_broken_line_is_code_5_with_file_and_line(ofa, archs):
    archs.write_text(archs.read_text() + "{broken\n")
    done = ofa("run", "cost", "--supernet", "toy", "--archs", str(archs), "--json")
    assert done.code == 5
    assert done.out == ""
    assert f"{archs}, line 4" in done.err
    assert "Traceback" not in done.err


def test_a_missing_file_is_code_5(ofa):
    done = ofa("run", "cost", "--supernet", "toy", "--archs", "absent.jsonl")
    assert done.code == 5
    assert "cannot read absent.jsonl" in done.err


def test_latency_needs_a_table(ofa, archs):
    done = ofa("run", "cost", "--supernet", "toy", "--cost", "latency", "--archs", str(archs))
    assert done.code == 2
    assert "--lut" in done.err


@pytest.mark.parametrize("lut", ["=x", "a=", "x"])
def test_a_table_that_cannot_be_read_is_told(ofa, archs, lut):
    words = ("--supernet", "toy", "--cost", "latency", "--lut", lut, "--archs", str(archs))
    done = ofa("run", "cost", *words)
    assert done.code in (2, 5)
    assert "Traceback" not in done.err
