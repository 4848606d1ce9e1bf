"""The predictor ``mlp`` gives what the published networks give."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ofa_mit import networks
from ofa_mit.predictors.mlp import CHECKED, load_mlp
from ofa_mit.predictors.network import Network, write_network
from ofa_plugins_core import Host
from ofa_plugins_core.errors import UsageError

PUBLISHED = Path(__file__).parents[5] / "shared" / "data" / "predictors"
GOLDEN = [
    json.loads(line)
    for line in (Path(__file__).parent / "golden_predictions.jsonl").read_text().splitlines()
]


def arch(size=128):
    return {"ks": [3] * 20, "e": [3] * 20, "d": [2] * 5, "image_size": size}


@pytest.fixture
def file(tmp_path):
    """A network of MOOFA's layout that answers 0.7 for everything."""
    layers = ((np.zeros((1, 124), np.float32), np.zeros(1, np.float32)),)
    write_network(Network(layers, 0.7), tmp_path / "x.npz")
    return tmp_path / "x.npz"


@pytest.mark.parametrize("name", sorted({g["file"] for g in GOLDEN}))
def test_golden_predictions(name):
    pytest.importorskip("torch", reason="torch is not installed: published files are torch files")
    if not PUBLISHED.is_dir():
        pytest.skip(f"{PUBLISHED} is not there: published predictors are not redistributed")
    rows = [g for g in GOLDEN if g["file"] == name]
    known = [e.name for e in Host.discover().entries("supernets")]
    if rows[0]["space"] not in known:
        pytest.skip(f"{rows[0]['space']} comes from a plugin that is not installed")
    supernet = Host.discover().supernet(rows[0]["space"])
    predictor = load_mlp(supernet, PUBLISHED / name, None)
    found = predictor.predict([g["arch"] for g in rows]).value
    assert found == pytest.approx([100 * g["top1"] for g in rows], abs=1e-4)


def test_it_gives_percent(file):
    predictor = load_mlp(networks.ofa_mbv3_w1_0(), file, None)
    assert predictor.predict([arch()]).value.tolist() == pytest.approx([70.0])


def test_it_has_an_interval_only_where_records_show_one(file):
    known, unknown = networks.ofa_mbv3_w1_0(), networks.ofa_mbv3_w1_2()
    found = load_mlp(known, file, None).predict([arch(128), arch(224)])
    width = CHECKED["ofa_mbv3_w1.0"].half_width
    assert found.high[0] - found.value[0] == pytest.approx(width)
    assert (found.low[1], found.high[1]) == (0, 100)
    assert found.extrapolated.tolist() == [False, True]
    assert load_mlp(unknown, file, None).predict([arch()]).low == 0


def test_it_has_none_beyond_the_best_record(tmp_path):
    layers = ((np.zeros((1, 124), np.float32), np.zeros(1, np.float32)),)
    write_network(Network(layers, 0.914), tmp_path / "x.npz")
    found = load_mlp(networks.ofa_mbv3_w1_0(), tmp_path / "x.npz", None).predict([arch()])
    assert (found.low[0], found.high[0]) == (0, 100)


def test_its_range_is_that_of_the_records(file):
    assert load_mlp(networks.ofa_mbv3_w1_0(), file, None).resolutions == (128, 160, 192)


def test_the_same_network_serves_from_an_npz(file, tmp_path):
    predictor = load_mlp(networks.ofa_mbv3_w1_0(), file, None)
    predictor.save(tmp_path / "again.npz")
    again = load_mlp(networks.ofa_mbv3_w1_0(), tmp_path / "again.npz", None)
    assert again.predict([arch()]).value == predictor.predict([arch()]).value


def test_without_a_file_it_says_which_are_wanted():
    with pytest.raises(UsageError, match="none ships") as caught:
        load_mlp(networks.ofa_mbv3_w1_0(), None, None)
    assert "--predictor-weights FILE" in str(caught.value)


@pytest.mark.parametrize("build", [networks.ofa_resnet50, networks.ofa_proxyless_w1_3])
def test_a_layout_of_another_family_is_refused(file, build):
    with pytest.raises(UsageError, match="has the layout moofa"):
        load_mlp(build(), file, None)
