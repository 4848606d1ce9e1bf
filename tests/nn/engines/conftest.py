"""What two workers do and find; ``worker.py`` says what."""

from __future__ import annotations

from pathlib import Path

import pytest

WORKER = Path(__file__).with_name("worker.py")


@pytest.fixture
def launch(launched, tmp_path):
    """Run two workers; (how the launcher ended, the folder that they wrote to)."""

    def call(scenario, asked="auto", compress="none"):
        return launched(str(WORKER), scenario, asked, compress, str(tmp_path)), tmp_path

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
