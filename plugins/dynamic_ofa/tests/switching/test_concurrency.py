"""A hundred thousand switches under inference from several threads: nothing wrong, nothing left.

In place each switch waits for inferences to end; there are fewer of those unless
OFA_MANY_SWITCHES=1 asks for all.
"""

from __future__ import annotations

import gc
import os
import sys
from threading import Event, Thread

import pytest

torch = pytest.importorskip("torch")

from dynamic_ofa.switching.switcher import Switcher  # noqa: E402

PATIENCE = 240.0
"""Seconds until a thread counts as stuck."""

MANY = 100_000
SWITCHES = {"resident": MANY, "in_place": MANY if os.environ.get("OFA_MANY_SWITCHES") else 2_000}


def under_load(net, image, expected, switches, threads=2):
    """Switch while threads run images; what was wrong, and how many ran at each level."""
    stop, wrong, counts = Event(), [], [0] * len(expected)

    def work():
        while not stop.is_set():
            ran = net.run(image)
            counts[ran.level] += 1
            if not torch.allclose(ran.output, expected[ran.level], atol=1e-6):
                wrong.append(ran)

    workers = [Thread(target=work, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for number in range(switches):
        net.switch(number % len(expected))
    stop.set()
    for worker in workers:
        worker.join(PATIENCE)
        assert not worker.is_alive(), "deadlock"
    return wrong, counts


@pytest.fixture(autouse=True)
def _interleaved():
    """Threads take turns a thousand times as often as by default, torch's own are left out."""
    before = torch.get_num_threads(), sys.getswitchinterval()
    torch.set_num_threads(1)
    sys.setswitchinterval(5e-6)
    yield
    torch.set_num_threads(before[0])
    sys.setswitchinterval(before[1])


@pytest.mark.parametrize("mode", SWITCHES)
def test_every_inference_is_of_one_level_as_a_whole(mode, host, table, image, expected):
    with Switcher(table, mode=mode, host=host, start=0) as net:
        under_load(net, image, expected, 50)  # what is made once, is
        gc.collect()
        objects, held = len(gc.get_objects()), net.facts().resident_bytes
        wrong, counts = under_load(net, image, expected, SWITCHES[mode])
        assert not wrong
        assert all(counts), counts
        gc.collect()
        assert net.facts().resident_bytes == held
        assert len(gc.get_objects()) < objects + 500


def test_outputs_of_levels_differ_so_that_a_mixture_would_show(expected):
    for one in range(len(expected)):
        for two in range(one):
            assert not torch.allclose(expected[one], expected[two], atol=1e-3)
