"""Two workers do what one does, to rounding: with torchrun, and with Horovod."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """One process; what it comes to."""
    kept = {}

    def call(how):
        if how not in kept:
            folder = tmp_path_factory.mktemp("alone")
            words = [sys.executable, str(WORKER), how, str(folder)]
            subprocess.run(words, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
            kept[how] = torch.load(folder / "0.pt")
        return kept[how]

    return call


@pytest.fixture
def workers(launched, tmp_path):
    """Two of them; what each comes to."""

    def call(how):
        done = launched(str(WORKER), how, str(tmp_path))
        assert done.returncode == 0, done.stdout + done.stderr
        return [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]

    return call


def differences(one, other):
    return {k: float((one[k].double() - other[k].double()).abs().max()) for k in one}


def agree(single, both):
    assert len(single["losses"]) == 10
    assert single["losses"][-1] != single["losses"][0]
    for found in both:
        assert found["losses"] == pytest.approx(single["losses"], rel=1e-5)
        assert max(differences(single["state"], found["state"]).values()) < 1e-10


def test_two_workers_with_a_block_each_agree_with_one_that_takes_both(alone, workers):
    """Ten steps. Their running statistics differ until they are averaged, and nothing else does."""
    both = workers("blocks")
    agree(alone("blocks"), both)
    apart = differences(both[0]["own"], both[1]["own"])
    assert {k for k, v in apart.items() if v} == {k for k in apart if "running" in k}


def test_with_synchronised_batch_norm_they_agree_with_one_batch_of_both(alone, workers):
    """Ten steps; without it they do not, since batch norm takes a batch's own statistics."""
    agree(alone("together"), workers("together"))
    unlike = differences(alone("together")["state"], alone("blocks")["state"])
    assert max(unlike.values()) > 1e-3
