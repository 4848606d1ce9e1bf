"""Claims by name, and files of the published form; torch is not needed."""

from __future__ import annotations

import json
import pickle

import pytest

from dynamic_ofa.claims import entries
from ofa_plugins_core import JobContext


@pytest.fixture(scope="session")
def claims():
    """Name without its first words -> claim."""
    return {entry.name.removeprefix("dynamic_ofa_"): entry for entry in entries()}


@pytest.fixture
def checked(claims, host):
    """(name, files) -> what checking the claim comes to."""
    return lambda name, **files: claims[name].check(JobContext(host), files)


@pytest.fixture
def pickled(tmp_path, nets_6):
    """(change) -> a file with the published levels, each (accuracy, latency) changed."""

    def write(change=lambda number, accuracy, latency: (accuracy, latency), levels=nets_6):
        points = [change(n, level.accuracy, level.latency) for n, level in enumerate(levels)]
        config = {"wid": None, "ks": [3], "e": [4], "d": [2], "r": [176]}
        path = tmp_path / "nets_6.pickle"
        held = {"accu_lat": [list(p) for p in points], "configs": [config] * len(points)}
        path.write_bytes(pickle.dumps(held))
        return path

    return write


@pytest.fixture
def points(tmp_path):
    """(points) -> a file of candidates."""

    def write(found):
        path = tmp_path / "candidates.json"
        path.write_text(json.dumps({"points": found}))
        return path

    return write
