"""Switching on published networks: MOOFA's and Dynamic-OFA's own, in both ways.

In place each switch waits for inferences to end; there are fewer of those unless
OFA_MANY_SWITCHES=1 asks for all.
"""

from __future__ import annotations

import gc
import os
from threading import Event, Thread

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("dynamic_ofa")

from dynamic_ofa.levels.statistics import as_table_statistics  # noqa: E402
from dynamic_ofa.levels.table import (  # noqa: E402
    Accuracy,
    Latency,
    LevelRow,
    LevelTable,
    WeightsOf,
)
from dynamic_ofa.levels.weights import digest_of  # noqa: E402
from dynamic_ofa.switching.switcher import Switcher  # noqa: E402
from ofa_plugins_core.entries import JobContext  # noqa: E402
from ofa_plugins_core.jobs.networks import load_network  # noqa: E402
from ofa_plugins_core.jobs.torch_options import NetworkOptions  # noqa: E402
from ofa_plugins_core.nn import calibrate  # noqa: E402

CLASSES, SIZES = 10, (48, 64, 64)
SWITCHES = {"resident": 500, "in_place": 500 if os.environ.get("OFA_MANY_SWITCHES") else 40}
PATIENCE = 240.0
"""Seconds until a thread counts as stuck."""


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def levels_of(host, name):
    """A table calibrated on noise, the largest level last; what each, extracted anew, answers."""
    loaded = load_network(
        JobContext(host), NetworkOptions(supernet=name, weights="synthetic", classes=CLASSES)
    )
    space = loaded.supernet.at(sorted(set(SIZES))).space
    genes = space.sample(len(SIZES), np.random.default_rng(3))
    genes[-1] = space.sizes - 1
    archs = space.decode(genes)
    rows, images, answers = [], {}, []
    for number, (arch, size) in enumerate(zip(archs, SIZES, strict=True)):
        chosen = {**arch.as_dict(), "image_size": size}
        noise = torch.rand(8, 3, size, size, generator=torch.Generator().manual_seed(size))
        images[size] = noise[:1]
        subnet = loaded.net.extract(chosen)
        found = calibrate.statistics_of(subnet, [noise])
        calibrate.apply(subnet, found)
        with torch.inference_mode():
            answers.append(subnet(images[size]))
        rows.append(
            LevelRow(
                arch=chosen,
                accuracy=Accuracy(value=70.0 + number, kind="predicted"),
                latency=Latency(value=10.0 + number),
                statistics=as_table_statistics(found),
            )
        )
    weights = WeightsOf(kind="synthetic", sha256=digest_of(loaded.net))
    table = LevelTable(
        supernet=name, classes=CLASSES, weights=weights, device={}, levels=tuple(rows)
    )
    return table, images, answers


@pytest.fixture(scope="module")
def moofa(host):
    """Levels of moofa_v3."""
    return levels_of(host, "moofa_v3")


@pytest.fixture(scope="module")
def mobile(host):
    """Levels of the network that Dynamic-OFA was published on."""
    return levels_of(host, "ofa_mbv3_w1.2")


def same(one, two):
    return torch.allclose(one, two, rtol=1e-4, atol=1e-4 * float(two.abs().max()))


@pytest.mark.parametrize("mode", SWITCHES)
@pytest.mark.parametrize("which", ["moofa", "mobile"])
def test_each_level_answers_as_a_freshly_extracted_and_calibrated_subnet(
    host, which, mode, request
):
    table, images, answers = request.getfixturevalue(which)
    assert not any(same(one, answers[n - 1]) for n, one in enumerate(answers))
    with Switcher(table, mode=mode, host=host) as net:
        for level in (0, 2, 1, 0, 1, 2):
            net.switch(level)
            ran = net.run(images.__getitem__)
            assert ran.level == level
            assert same(ran.output, answers[level]), (ran.output - answers[level]).abs().max()


def test_resident_levels_share_what_they_have_in_common(host, moofa):
    with Switcher(moofa[0], host=host) as net:
        facts = net.facts()
    assert facts.largest_bytes < facts.resident_bytes < 1.35 * facts.largest_bytes


@pytest.mark.parametrize("mode", SWITCHES)
def test_hundreds_of_switches_while_threads_run_images(host, moofa, mode):
    switches = SWITCHES[mode]
    table, images, answers = moofa
    stop, wrong, counts = Event(), [], [0] * len(answers)

    def work():
        while not stop.is_set():
            image = images[SIZES[-1]]
            ran = net.run(image if SIZES[net.level] == SIZES[-1] else images.__getitem__)
            counts[ran.level] += 1
            if SIZES[ran.level] == SIZES[-1] and not same(ran.output, answers[ran.level]):
                wrong.append(ran.level)

    with Switcher(table, mode=mode, host=host, start=1) as net:
        held = net.facts().resident_bytes
        workers = [Thread(target=work, daemon=True) for _ in range(2)]
        for worker in workers:
            worker.start()
        for number in range(switches):
            net.switch(1 + number % 2)
            if number == 30:
                gc.collect()
                objects = len(gc.get_objects())
        stop.set()
        for worker in workers:
            worker.join(PATIENCE)
            assert not worker.is_alive(), "deadlock"
        gc.collect()
        assert not wrong
        assert net.facts().switches >= switches - 1
        assert net.facts().resident_bytes == held
        assert len(gc.get_objects()) < objects + 2_000
    assert counts[1] and (mode == "resident" or counts[2])
