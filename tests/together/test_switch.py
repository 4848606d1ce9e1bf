"""``ofa run switch`` live, with a real supernet, its synthetic weights and small images."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import psutil
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("dynamic_ofa")

from dynamic_ofa.levels.table import (  # noqa: E402
    Accuracy,
    Latency,
    LevelRow,
    LevelTable,
    NormStatistics,
    WeightsOf,
    write_table,
)
from dynamic_ofa.levels.weights import digest_of  # noqa: E402
from ofa_plugins_core import JobContext  # noqa: E402
from ofa_plugins_core.jobs.networks import load_network  # noqa: E402
from ofa_plugins_core.jobs.torch_options import NetworkOptions  # noqa: E402

SLOTS = 20
SMALL = {"ks": [3] * SLOTS, "e": [2] * SLOTS, "d": [2] * 5, "image_size": 32}
LARGE = {"ks": [5] * SLOTS, "e": [4] * SLOTS, "d": [4] * 5, "image_size": 64}


def norms(net):
    """Statistics of an extracted network, by the names of its norms."""
    named = [(n, m) for n, m in net.named_modules() if isinstance(m, torch.nn.BatchNorm2d)]
    return NormStatistics.of({n: (m.running_mean, m.running_var) for n, m in named})


@pytest.fixture(scope="module")
def levels(host, tmp_path_factory):
    """A table of two levels of moofa_v3, as if they took 5 and 10 ms; its file."""
    options = NetworkOptions(supernet="moofa_v3", weights="synthetic", classes=10)
    net = load_network(JobContext(host), options).net
    rows = tuple(
        LevelRow(
            arch=arch,
            accuracy=Accuracy(value=accuracy, kind="predicted"),
            latency=Latency(value=ms),
            statistics=norms(net.extract(arch)),
        )
        for arch, accuracy, ms in ((SMALL, 70.0, 5.0), (LARGE, 75.0, 10.0))
    )
    weights = WeightsOf(kind="synthetic", sha256=digest_of(net))
    table = LevelTable(supernet="moofa_v3", classes=10, weights=weights, device={}, levels=rows)
    path = tmp_path_factory.mktemp("levels") / "levels.zip"
    write_table(path, table)
    return str(path)


def test_switches_under_a_limit_that_changes_and_the_trace_of_it_plays(ofa, levels, tmp_path):
    out = tmp_path / "run"
    words = ("--levels", levels, "--policy", "greedy", "--seconds", "1.5", "--settle", "100 ms")
    limits = "10 s, 1 us from 0.5 s, 10 s from 1 s"  # any level is in time, none, any
    load = ("--contend", "1", "--contend-during", "0.2 s:0.4 s", "--no-plot")
    found = ofa("run", "switch", *words, "--limit", limits, *load, "--out", str(out), "--json")
    sequence = [(e["before"], e["after"]) for e in found["events"]]
    assert sequence == [(1, 0), (0, 1)]
    assert found["scores"]["accuracy"]["kind"] == "predicted"
    assert found["switching"]["mean"]["value"] > 0
    assert found["memory"]["resident"]["value"] >= found["memory"]["largest_level"]["value"] > 0
    lines = (out / "inferences.jsonl").read_text().splitlines()[1:]
    assert len(lines) == found["scores"]["inferences"] > 10
    assert all(json.loads(line)["readings"]["memory_percent"] > 0 for line in lines)
    played = ofa(
        *("run", "simulate", "--levels", levels, "--policy", "greedy", "--no-plot", "--json"),
        *("--trace", str(out / "trace.jsonl"), "--out", str(tmp_path / "simulated")),
    )
    assert played["sequence"] == [1, 0, 1]


def test_in_place_with_images_of_a_folder(ofa, levels, tmp_path):
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        image.new("RGB", (80, 60), (number * 80, 90, 120)).save(folder / f"{number}.png")
    words = ("--levels", levels, "--limit", "10 s", "--count", "5", "--mode", "in_place")
    said = ("--images", str(folder), "--batch", "2", "--no-plot", "--monitors", "none")
    found = ofa("run", "switch", *words, *said, "--policy", "greedy", "--json")
    assert found["scores"]["inferences"] == 5 and found["batch"] == 2


def test_ctrl_c_sums_up_what_was_and_leaves_no_process(ofa, levels, tmp_path):
    out = tmp_path / "run"
    words = ["--levels", levels, "--policy", "greedy", "--limit", "1 s", "--seconds", "4000"]
    load = ["--contend", "1", "--contend-during", "0:4000 s", "--threads", "1", "--no-plot"]
    program = (  # whoever runs the tests may ignore Ctrl-C, as a shell in the background does
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from ofa_plugins_core.program import main; sys.exit(main())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, "run", "switch", *words, *load, "--out", str(out)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: (out / "inferences.jsonl").is_file() or process.poll() is not None)
        busy = psutil.Process(process.pid).children()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, said
    assert "interrupted" in said and "Traceback" not in said
    assert len(busy) == 1 and not busy[0].is_running()
    assert json.loads((out / "result.json").read_text())["interrupted"]


def wait_for(condition):
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")
