"""Level tables of real networks: swept, measured here, calibrated, and read again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ofa_plugins_core.cli.main import run
from ofa_plugins_core.errors import InputError

pytest.importorskip("dynamic_ofa")
from dynamic_ofa.levels.finding import find_table

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"{SHARED} is not there: what others measured stays with them"
)
QUICK = ("--precision", "0.5", "--least", "2", "--most", "2", "--warmup", "0")
SMALL = ("--supernet", "moofa_v3", "--points", "3", "--levels", "2", "--resolutions", "48")


@pytest.fixture
def levels(ofa):
    """Runs ``ofa run levels WORDS``, drawing nothing."""
    return lambda *words, code=0: ofa("run", "levels", *words, "--no-plot", "--json", code=code)


def test_levels_of_moofa_are_measured_here_and_marked_as_what_they_are(levels):
    found = levels(*SMALL, "--weights", "synthetic", "--cost", "flops", "--out", "made", *QUICK)
    assert found["supernet"] == "moofa_v3" and found["weights"]["kind"] == "synthetic"
    assert {c["predicted"]["accuracy"]["kind"] for c in found["candidates"]} == {"predicted"}
    assert {c["measured"]["latency"]["kind"] for c in found["candidates"]} == {"measured"}
    assert [level["calibrated"] for level in found["levels"]] == [0] * len(found["levels"])
    table = find_table("made")
    assert [row.latency.value for row in table.levels] == [
        level["latency"]["value"] for level in found["levels"]
    ]
    assert all(row.costs["flops"]["unit"] == "MACs" for row in table.levels)


@pytest.fixture
def checkpoint(host, tmp_path):
    """Weights in a file, of ten classes."""
    torch = pytest.importorskip("torch")
    from ofa_plugins_core import JobContext
    from ofa_plugins_core.jobs.networks import load_network
    from ofa_plugins_core.jobs.torch_options import NetworkOptions

    options = NetworkOptions(supernet="moofa_v3", weights="synthetic", classes=10)
    net = load_network(JobContext(host), options).net
    torch.save(net.published(), tmp_path / "ten.pth")
    return net


def test_with_weights_and_images_accuracies_and_statistics_are_measured(levels, checkpoint):
    torch = pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    from dynamic_ofa.levels.weights import digest_of
    from ofa_plugins_core.nn.calibrate import statistics_of
    from ofa_plugins_core.nn.data import calibration_set, normalised

    given = ("--weights", "ten.pth", "--data", "digits", "--images", "20", "--calibrate", "16")
    found = levels(*SMALL, *given, *QUICK, "--out", "made")
    assert {c["measured"]["accuracy"]["kind"] for c in found["candidates"]} == {"measured"}
    assert {c["predicted"]["accuracy"]["kind"] for c in found["candidates"]} == {"predicted"}
    table = find_table("made")
    assert table.weights.sha256 == digest_of(checkpoint)
    row = table.levels[0]
    assert (row.accuracy.kind, row.calibrated) == ("measured", 16)
    images = calibration_set("digits", 48, 16, 0)
    batches = [normalised(pixels) for pixels, _ in images.at(48).raw_batches(100, 0)]
    again = statistics_of(checkpoint.extract(row.arch), batches)
    for name, (mean, variance) in row.statistics.items().items():
        for kept, fresh in zip((mean, variance), again[name], strict=True):
            assert torch.allclose(torch.from_numpy(np.array(kept)).double(), fresh, atol=1e-5)


def test_weights_of_another_supernet_are_refused(levels, checkpoint):
    said = levels("--supernet", "ofa_resnet50", "--weights", "ten.pth", *QUICK, code=5)
    assert "ten.pth" in said or "missing" in said


@needs_shared
@pytest.mark.parametrize("name", ["nets_6", "nets_7"])
def test_published_tables_become_ours(levels, name):
    file = SHARED / "dynamic_ofa" / f"{name}.pickle"
    found = levels("--published", str(file), "--out", "made")
    assert len(found["levels"]) == int(name[-1])
    assert find_table("made").supernet == "ofa_mbv3_w1.2"
    levels("--published", str(file), "--supernet", "moofa_v3", "--out", "other", code=5)
    assert not Path("other").exists()


@needs_shared
def test_a_sweep_that_no_network_meets_ends_with_the_least_there_is(levels):
    table = SHARED / "lut" / "jetson_cpu"
    words = ("--cost", "latency", "--lut", str(table), "--constraint", "latency<=20:60")
    found = levels(*words, "--points", "3", "--out", "made", code=3)
    assert found["infeasible"] and found["smallest"]["latency"] > 60


@needs_shared
def test_a_floor_keeps_candidates_above_it(host):
    from dynamic_ofa.levels.candidates import pool_of
    from dynamic_ofa.levels.options import LevelsOptions
    from ofa_plugins_core import JobContext

    options = LevelsOptions(
        cost=("latency",),
        lut=(str(SHARED / "lut" / "jetson_gpu"),),
        constraint=("latency<=30:60", "accuracy>=75"),
        points=4,
    )
    found = pool_of(JobContext(host), options)
    assert found.candidates
    for candidate in found.candidates:
        assert candidate.accuracy["value"] >= 75 and candidate.costs["latency"]["value"] <= 60


def test_a_search_s_run_gives_its_networks(levels, host, capsys):
    words = "run search --supernet moofa_v3 --constraint flops<=100M:200M --points 2 --out found"
    assert run([*words.split(), "--resolutions", "48"], lambda block: host) == 0
    capsys.readouterr()
    given = ("--supernet", "moofa_v3", "--run", "found", "--weights", "synthetic", *QUICK)
    found = levels(*given, "--levels", "2", "--out", "made")
    searched = json.loads((Path("found") / "result.json").read_text())["front"]
    archs = [item["arch"] for item in searched]
    assert all(c["arch"] in archs for c in found["candidates"])


def test_a_folder_that_is_no_table_is_said(tmp_path):
    with pytest.raises(InputError, match="holds no"):
        find_table(str(tmp_path))
