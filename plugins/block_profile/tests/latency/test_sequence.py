"""The sequence model: trained in torch, evaluated in NumPy with the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Progress
from ofa_plugins_core.latency_fits import LatencyFit
from ofa_plugins_core.testing import LatencyPredictorSuite, everything, toy_supernet

torch = pytest.importorskip("torch")

from block_profile.latency.sequence import arrays_of, load_sequence  # noqa: E402
from block_profile.latency.tokens import Tokens  # noqa: E402
from block_profile.latency.training import _Best, build_network, fit_sequence  # noqa: E402

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


def test_a_worse_epoch_does_not_replace_the_best(task, network):
    _, fit = network
    best = _Best(task, dict(fit.settings), 2)
    near = {**fit.arrays, "out": np.zeros_like(fit.arrays["out"])}
    far = {**near, "out_bias": near["out_bias"] + 1000}
    best.look(1, near)
    best.look(2, far)
    assert (best.epoch, best.arrays is near) == (1, True)


def test_an_interruption_keeps_the_best_until_then(task, small):
    def stop(event):
        if event.done == 4:
            raise KeyboardInterrupt

    fit = fit_sequence(evolve(task, listener=stop), small)
    assert fit.interrupted
    assert "of 30, interrupted after 4: " in fit.note
    load_sequence(TOY, fit)


def stop_at(epoch):
    """A listener that interrupts there."""

    def stop(event):
        if event.done == epoch:
            raise KeyboardInterrupt

    return stop


def same(one, other):
    return all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)


@pytest.mark.parametrize("epoch", [4, 20])
def test_resumed_it_comes_to_what_it_had_come_to_without_the_interruption(
    task, small, tmp_path, epoch
):
    whole = fit_sequence(task, small)
    kept = evolve(task, folder=tmp_path)
    assert fit_sequence(evolve(kept, listener=stop_at(epoch)), small).interrupted
    resumed = fit_sequence(evolve(kept, resume=True), small)
    assert same(resumed, whole)
    assert resumed.note == whole.note
    assert not list(tmp_path.iterdir())


def test_interrupted_again_at_once_it_keeps_what_was_best_before(task, small, tmp_path):
    kept = evolve(task, folder=tmp_path)
    first = fit_sequence(evolve(kept, listener=stop_at(20)), small)
    second = fit_sequence(evolve(kept, resume=True, listener=stop_at(20)), small)
    assert second.interrupted
    assert same(first, second)


def test_what_is_kept_of_another_training_is_not_gone_on_with(task, small, tmp_path):
    kept = evolve(task, folder=tmp_path)
    fit_sequence(evolve(kept, listener=stop_at(4)), small)
    for other in (evolve(small, rate=0.5), evolve(small, batch=7)):
        with pytest.raises(UsageError, match="is of another training"):
            fit_sequence(evolve(kept, resume=True), other)
    with pytest.raises(UsageError, match="is of another training"):
        fit_sequence(evolve(kept, resume=True, train=task.dev), small)


def test_a_broken_file_is_one_clear_line(task, small, tmp_path):
    (tmp_path / "sequence.pt").write_bytes(b"x" * 100)
    with pytest.raises(InputError, match=r"sequence\.pt is broken"):
        fit_sequence(evolve(task, folder=tmp_path, resume=True), small)


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
