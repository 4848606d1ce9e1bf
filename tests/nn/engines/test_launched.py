"""Two processes that a launcher has really started: the same laws for every engine."""

from __future__ import annotations

import time

import pytest

torch = pytest.importorskip("torch")

MINE = torch.arange(6.0).reshape(2, 3)
SOON = 30
"""Seconds; horovodrun waits five of them before it uses force."""


def test_operations_are_those_of_all_processes(found, engine):
    for rank, one in enumerate(found("operations")):
        assert one["about"] == (engine, 2, rank == 0, (rank, 2))
        assert torch.equal(one["mean"], MINE + 5)
        assert torch.equal(one["sum"], 2 * MINE + 10)
        assert torch.equal(one["broadcast"], MINE)
        assert torch.equal(one["weight"], MINE)
        assert one["steps"] == 7
        assert torch.equal(one["crosswise"], 2 * torch.arange(24.0).reshape(1, 2, 3, 4))
        assert one["total"].tolist() == [2, 2]
        assert one["kept"].tolist() == [1, 1]
        assert one["count"] == 6
        assert one["odd"] == 1 + 2**-12


def test_compressed_means_travel_as_float16_and_sums_do_not(found, engine):
    for one in found("operations", engine, "fp16"):
        assert (one["odd"], one["odd"].dtype) == (1, torch.float32)
        assert torch.equal(one["mean"], MINE + 5)
        assert one["large"] == 40000
        assert one["exact"] == 2 + 2**-11


@pytest.mark.parametrize("scenario", ["killed", "busy"])
def test_a_killed_worker_ends_the_others_with_a_message(launch, scenario):
    done, folder = launch(scenario)
    assert done.returncode != 0
    assert time.time() - (folder / "killed").stat().st_mtime < SOON
    code, message, advice = (folder / "0.txt").read_text().splitlines()
    assert code == "130"
    assert message.startswith("another worker is gone")
    assert advice == "go on with --resume"
