"""Pictures for the tests of training."""

from __future__ import annotations

import numpy as np
import pytest


def drawn(count, height=20, width=30, seed=0):
    generator = np.random.Generator(np.random.PCG64(seed))
    return generator.integers(0, 256, (count, height, width, 3)).astype(np.uint8)


@pytest.fixture(scope="session")
def colours():
    """(count, height, width, 3) random bytes."""
    return drawn


@pytest.fixture(scope="session")
def folder_of():
    """Writes a training split of two classes, cat and dog, into a folder."""
    image = pytest.importorskip("PIL.Image")

    def write(folder, each=6, height=20, width=30, suffix=".png"):
        for label, name in enumerate(("cat", "dog")):
            (folder / "train" / name).mkdir(parents=True)
            for n, pixels in enumerate(drawn(each, height, width, label)):
                image.fromarray(pixels).save(folder / "train" / name / f"{n:03}{suffix}")
        return folder

    return write


@pytest.fixture
def broken(tmp_path, folder_of):
    """A folder of 16 pictures; four of the dogs cannot be read."""
    folder_of(tmp_path, each=8)
    for name, content in (("000", b""), ("003", b"nothing"), ("004", b"?"), ("007", b"\x89PNG")):
        (tmp_path / "train" / "dog" / f"{name}.png").write_bytes(content)
    return tmp_path
