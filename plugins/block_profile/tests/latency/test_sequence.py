"""The sequence model: trained in torch, evaluated in NumPy with the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.events import Progress
from ofa_plugins_core.latency_fits import LatencyFit
from ofa_plugins_core.testing import LatencyPredictorSuite, everything, toy_supernet

torch = pytest.importorskip("torch")

from block_profile.latency.sequence import arrays_of, load_sequence  # noqa: E402
from block_profile.latency.tokens import Tokens  # noqa: E402
from block_profile.latency.training import build_network, fit_sequence  # noqa: E402

TOY = toy_supernet()
TOKENS = Tokens.of(TOY)


class TestSequence(LatencyPredictorSuite):
    @pytest.fixture
    def entry(self, forms):
        return forms["sequence"]

    @pytest.fixture
    def options(self, small):
        return small


@pytest.fixture
def network(small):
    """An untrained network, and its numbers as a fit."""
    torch.manual_seed(3)
    model = build_network(len(TOKENS.spelling.words), small).eval()
    settings = {"words": list(TOKENS.spelling.words), "mean": 5.0, "std": 2.0}
    return model, LatencyFit(dict(arrays_of(model.state_dict())), settings)


def test_numpy_gives_torchs_numbers_for_rows_of_all_lengths(network):
    model, fit = network
    genes = everything(TOY.space)
    rows = TOKENS.rows(genes)
    assert set(rows.lengths.tolist()) == {2, 3, 4}
    with torch.no_grad():
        inputs = (rows.ops, rows.sizes, rows.lengths)
        wanted = 5 + 2 * model(*(torch.from_numpy(x) for x in inputs)).numpy()
    assert load_sequence(TOY, fit).predict(genes) == pytest.approx(wanted, abs=1e-5)


def test_the_papers_sizes_are_the_default(forms):
    model = build_network(9, forms["sequence"].options())
    state = model.state_dict()
    assert tuple(state["embedding.weight"].shape) == (9, 112)
    assert tuple(state["sizes.weight"].shape) == (16, 6)
    assert tuple(state["gru.weight_hh_l0_reverse"].shape) == (3 * 512, 512)
    assert tuple(state["out.weight"].shape) == (1, 2 * 512)


def test_the_best_epoch_of_the_dev_networks_is_kept(task, small):
    said = []
    fit = fit_sequence(evolve(task, listener=said.append), small)
    epochs = [event for event in said if isinstance(event, Progress)]
    assert len(epochs) == small.epochs
    model = load_sequence(TOY, fit)
    known = task.dev.latency
    mape = 100 * np.mean(np.abs(model.predict(task.dev.genes) - known) / known)
    assert f"MAPE of the dev networks {mape:.2f} %" in fit.note
    assert f"best dev MAPE {mape:.2f} %" in epochs[-1].note


def test_an_interruption_keeps_the_best_until_then(task, small):
    def stop(event):
        if event.done == 4:
            raise KeyboardInterrupt

    fit = fit_sequence(evolve(task, listener=stop), small)
    assert fit.interrupted
    assert "of 30, interrupted after 4: " in fit.note
    load_sequence(TOY, fit)


def test_before_the_first_epoch_there_is_nothing_to_keep(task, small, monkeypatch):
    def stop(*given, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("torch.optim.Adam.step", stop)
    with pytest.raises(KeyboardInterrupt):
        fit_sequence(task, small)


def test_training_leaves_torchs_own_generator_and_threads_alone(task, small):
    torch.manual_seed(11)
    expected = torch.rand(1)
    torch.manual_seed(11)
    before = torch.get_num_threads()
    fit_sequence(task, evolve(small, epochs=1))
    assert torch.rand(1) == expected
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("name", "values"),
    [("out", None), ("out", np.ones(3)), ("embedding", np.ones((1, 8))), ("sizes", np.ones(2))],
)
def test_a_model_that_is_not_whole_is_refused(network, name, values):
    _, fit = network
    arrays = {k: v for k, v in {**fit.arrays, name: values}.items() if v is not None}
    with pytest.raises(InputError, match="not whole"):
        load_sequence(TOY, evolve(fit, arrays=arrays))


def test_a_model_of_other_blocks_is_refused(network):
    _, fit = network
    with pytest.raises(InputError, match="of other blocks than toy"):
        load_sequence(TOY, evolve(fit, settings={**fit.settings, "words": ["x"]}))


@pytest.mark.parametrize("value", [1e308, float("nan"), "nan", None])
@pytest.mark.parametrize("name", ["mean", "std"])
def test_a_mean_or_spread_that_is_no_time_is_refused(network, name, value):
    _, fit = network
    with pytest.raises(InputError, match=f"{name} is"):
        load_sequence(TOY, evolve(fit, settings={**fit.settings, name: value}))
