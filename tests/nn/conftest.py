"""Two processes of each launcher that is installed; blocks of the published supernets."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec

import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.errors import UnknownNameError
from ofa_plugins_core.geometry import Block
from ofa_plugins_core.interfaces import Supernet

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


PUBLISHED = (
    "ofa_mbv3_w1.0",
    "ofa_mbv3_w1.2",
    "ofa_proxyless_w1.3",
    "ofa_resnet50",
    "compofa",
    "compofa_elastic",
    "moofa_v1",
    "moofa_v2",
    "moofa_v3",
)


@pytest.fixture(scope="session")
def installed() -> Host:
    """All installed plugins."""
    return Host.discover()


@pytest.fixture(params=PUBLISHED)
def published(request: pytest.FixtureRequest, installed: Host) -> Supernet:
    """Each published supernet, as it is built."""
    try:
        return installed.supernet(request.param).as_built()
    except UnknownNameError:
        pytest.skip(f"no installed plugin offers {request.param}")


@pytest.fixture(scope="session")
def kinds() -> Callable[[Supernet, int], list[Block]]:
    """(supernet, image size) -> a block of each kind: of those that differ in width alone, one."""

    def listed(supernet: Supernet, size: int) -> list[Block]:
        found: dict[object, Block] = {}
        for block in supernet.at([size]).geometry().catalogue(size).blocks:
            ops = tuple(
                (o.name, o.role, o.kernel, o.stride, o.bias, o.norm, o.activation)
                for o in block.ops
            )
            found.setdefault((block.kind, block.shortcut, block.activation, ops), block)
        return list(found.values())

    return listed
