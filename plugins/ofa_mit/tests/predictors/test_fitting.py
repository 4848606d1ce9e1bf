"""A network fitted to measured accuracies: judged on what it has not seen, read without torch."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ofa_mit import networks
from ofa_mit.predictors.mlp import load_mlp
from ofa_mit.predictors.own import BEYOND, About
from ofa_plugins_core.entries import FittedPredictorEntry
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.measured import FitTask, Measured

pytest.importorskip("torch", reason="torch is not installed: it trains the network")

from ofa_mit.predictors.fitting import fit_mlp


def task(build=networks.ofa_mbv3_w1_0, n=200, sizes=(64,), seed=0):
    """Accuracies that grow with every choice, with a noise of 0.2 points."""
    supernet = build().at(sizes)
    generator = np.random.default_rng(1)
    genes = supernet.space.canonical(supernet.space.sample(n, generator))
    genes = np.unique(genes, axis=0)
    scores = genes[:, 1:].astype(float).sum(axis=1) + 5.0 * genes[:, 0]
    top1 = 50 + 25 * (1 - np.exp(-scores / 25)) + generator.normal(0, 0.2, len(genes))
    records = Measured(supernet.space, genes, top1, 0)
    return FitTask(supernet, records, "flowers", origin="ours", command="ofa run fit …", seed=seed)


@pytest.fixture(scope="module")
def fitted():
    return fit_mlp(task())


@pytest.fixture
def file(fitted, tmp_path):
    path = tmp_path / f"mlp-ofa_mbv3_w1.0-flowers{fitted.ending}"
    path.write_bytes(fitted.content)
    return path


def test_it_orders_networks_that_it_has_not_seen(fitted):
    found = fitted.held_out.quality
    assert found.networks == 40
    assert found.tau > 0.6
    assert found.pearson > 0.8
    assert found.rmse < 1.5
    assert 0.5 <= found.coverage <= 1


def test_the_file_predicts_what_was_judged(fitted, file):
    given = task().records
    predictor = load_mlp(networks.ofa_mbv3_w1_0().at([64]), file, None)
    found = predictor.predict(given.genes)
    value = dict(zip(np.round(given.top1, 9), found.value, strict=True))
    judged = fitted.held_out
    again = [value[top1] for top1 in np.round(judged.measured, 9)]
    assert again == pytest.approx(judged.predicted.tolist(), abs=1e-9)
    assert (found.high - found.low > 0).all()
    assert np.isfinite(found.low).all()
    assert not found.extrapolated.any()


def test_other_image_sizes_are_extrapolated_with_a_wider_interval(file, fitted):
    predictor = load_mlp(networks.ofa_mbv3_w1_0(), file, None)
    arch = {"ks": [3] * 20, "e": [3] * 20, "d": [2] * 5}
    found = predictor.predict([{**arch, "image_size": 64}, {**arch, "image_size": 96}])
    assert found.extrapolated.tolist() == [False, True]
    width = fitted.sizes[0].half_width
    assert (found.high - found.value).tolist() == pytest.approx([width, BEYOND * width])
    assert (predictor.resolutions, predictor.dataset) == ((64,), "flowers")
    assert predictor.support(64, []) == 200
    assert predictor.support(96, []) == 0


def test_the_same_seed_makes_the_same_file():
    small = task(n=60)
    assert fit_mlp(small).content == fit_mlp(small).content
    assert fit_mlp(small).content != fit_mlp(task(n=60, seed=1)).content


def test_torchs_own_generator_is_left_alone():
    import torch

    before = torch.random.get_rng_state()
    fit_mlp(task(n=60))
    assert torch.equal(before, torch.random.get_rng_state())


def test_any_space_will_do(tmp_path):
    made = fit_mlp(task(networks.ofa_resnet50, n=100, sizes=(32, 64)))
    path = tmp_path / "x.npz"
    path.write_bytes(made.content)
    predictor = load_mlp(networks.ofa_resnet50(), path, None)
    assert predictor.resolutions == (32, 64)
    assert len(made.sizes) == 2


def test_another_supernet_is_refused_and_an_installed_file_or_a_folder_is_read(file):
    with pytest.raises(UsageError, match="was fitted for ofa_mbv3"):
        load_mlp(networks.ofa_mbv3_w1_2(), file, None)
    entry = FittedPredictorEntry("mlp", "ofa_mbv3_w1.0", "flowers", file, "yours", own=True)
    for found in (
        load_mlp(networks.ofa_mbv3_w1_0(), None, entry),
        load_mlp(networks.ofa_mbv3_w1_0(), file.parent, None),
    ):
        assert found.dataset == "flowers"


def about(file, **changed):
    with np.load(file) as found:
        arrays = dict(found)
    text = json.dumps({**json.loads(str(arrays["about"])), **changed})
    with file.open("wb") as stream:
        np.savez(stream, **{**arrays, "about": np.array(text)})


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"shape": []}, UsageError, "other choices"),
        ({"layout": "new"}, InputError, "not known here"),
        ({"scale": 0}, InputError, "makes no sense"),
        ({"half_width": "wide"}, InputError, "no predictor file"),
        ({"best": []}, InputError, "differ in number"),
        ({"sizes": [8]}, InputError, "image sizes make no sense"),
        ({"more": 1}, InputError, "no predictor file"),
    ],
)
def test_a_file_that_was_changed_is_refused(file, changed, error, said):
    about(file, **changed)
    with pytest.raises(error, match=said):
        load_mlp(networks.ofa_mbv3_w1_0(), file, None)


def test_what_is_written_of_it_says_where_it_comes_from(file):
    with np.load(file) as found:
        kept = About.loads(str(found["about"]), "x")
    assert (kept.origin, kept.command) == ("ours", "ofa run fit …")
