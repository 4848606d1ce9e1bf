"""Two processes of each launcher that is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

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
def launched(engine, tmp_path):
    """Run a program in two workers; how their launcher ended."""

    def call(*program):
        return subprocess.run(
            [sys.executable, "-m", *LAUNCHERS[engine], *program],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )

    return call
