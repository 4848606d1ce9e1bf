"""Two processes of each launcher that is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

WORKER = Path(__file__).with_name("worker.py")
PATIENT = ("--start-timeout", "240", "--gloo-timeout-seconds", "240")
LAUNCHERS = {
    "torchrun": ("torch.distributed.run", "--standalone", "--nproc-per-node=2"),
    "horovod": ("horovod.runner.launch", "-np", "2", "--gloo", *PATIENT, sys.executable),
}
SECONDS = 300


@pytest.fixture(params=LAUNCHERS)
def engine(request):
    """Name of an engine whose launcher is installed."""
    if request.param == "horovod" and find_spec("horovod") is None:
        pytest.skip("Horovod is not installed: nox -s horovod has it")
    return request.param


@pytest.fixture
def launch(engine, tmp_path):
    """Run two workers; (how the launcher ended, the folder that they wrote to)."""

    def call(scenario, asked="auto", compress="none"):
        words = [sys.executable, "-m", *LAUNCHERS[engine], str(WORKER), scenario, asked, compress]
        done = subprocess.run(
            [*words, str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        return done, tmp_path

    return call


@pytest.fixture
def found(launch):
    """Run two workers that must not fail; what each of them has found."""
    torch = pytest.importorskip("torch")

    def call(*given):
        done, folder = launch(*given)
        assert done.returncode == 0, done.stdout + done.stderr
        return [torch.load(folder / f"{rank}.pt") for rank in range(2)]

    return call
