"""Every supernet's networks have a line of text each, and are read back from it."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.spelling import Spelling

HOST = Host.discover()
NAMES = [e.name for e in HOST.entries("supernets")]


@pytest.mark.parametrize("name", NAMES)
def test_drawn_networks_are_read_back(name):
    supernet = HOST.supernet(name)
    supernet = supernet.at(supernet.resolutions[:1])
    spelling, space = Spelling.of(supernet.geometry()), supernet.space
    genes = space.canonical(space.sample(40, np.random.default_rng(1)))
    lines = spelling.write(genes)
    assert np.array_equal([spelling.read(line) for line in lines], genes)
