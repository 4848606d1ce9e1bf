"""Pictures held in memory: those of the files, where they fit."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("PIL.Image")
pytest.importorskip("sklearn")

from ofa_plugins_core.nn.data import images_of
from ofa_plugins_core.nn.training import held as module
from ofa_plugins_core.nn.training.held import held


def test_several_processes_decode_the_same(broken, monkeypatch):
    monkeypatch.setattr(module, "PART", 5)
    images = images_of(str(broken), 16, split="train")
    one, other = held(images).pictures, held(images, workers=2).pictures
    assert (one.pixels == other.pixels).all()
    assert one.odd == other.odd
    assert len(one.odd) == 4


def test_a_limited_set_is_held_with_its_own_pictures(tmp_path, folder_of):
    images = images_of(str(folder_of(tmp_path)), 16, split="train", limit=5, seed=3)
    kept = held(images)
    assert kept.labels == images.labels
    assert all(np.array_equal(kept[n][0], images[n][0]) for n in range(5))


def test_only_small_pictures_that_fit_are_held(tmp_path, folder_of):
    large = images_of(str(folder_of(tmp_path / "large", width=65)), 16, split="train")
    assert held(large) is large
    small = images_of(str(folder_of(tmp_path / "small")), 16, split="train")
    assert held(small, room=12 * 20 * 30 * 3 - 1) is small
    assert held(small, room=12 * 20 * 30 * 3) is not small
    arrays = images_of("digits", 16, split="train")
    assert held(arrays) is arrays
