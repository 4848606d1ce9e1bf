"""The sequence model, evaluated: what was trained in torch runs in NumPy, and needs no torch.

Source: Mills et al., CIKM 2021: an embedding of each op beside a linear map of its six sizes, a
bidirectional gated recurrent unit over the row of blocks, and a linear layer on its last states.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from block_profile.latency.reading import milliseconds, spelled_alike
from block_profile.latency.tokens import Rows, Tokens
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.latency_fits import LatencyFit, Values
from ofa_plugins_core.values import Genes

Floats = NDArray[np.float32]

WHAT: Final = "the sequence model"
WAYS: Final = ("forward", "backward")
AT_ONCE: Final = 2048
"""Networks evaluated together."""


@frozen(eq=False)
class Recurrent:
    """One way of the recurrent unit; rows of its matrices: reset, update and new gate.

    Attributes:
        inputs: (3·hidden, features). states: (3·hidden, hidden). input_bias, state_bias:
            (3·hidden,).
    """

    inputs: Floats
    states: Floats
    input_bias: Floats
    state_bias: Floats

    def last(self, features: Floats, counts: NDArray[np.int64]) -> Floats:
        """(n, steps, features), the longest rows first -> (n, hidden) states after each row's end.

        Args:
            counts: (steps,) rows that are still going on at each step.
        """
        hidden = self.states.shape[1]
        state = np.zeros((len(features), hidden), dtype=np.float32)
        for step, count in enumerate(counts):
            before = state[:count]
            given = features[:count, step] @ self.inputs.T + self.input_bias
            kept = before @ self.states.T + self.state_bias
            gates = _sigmoid(given[:, : 2 * hidden] + kept[:, : 2 * hidden])
            reset, update = gates[:, :hidden], gates[:, hidden:]
            new = np.tanh(given[:, 2 * hidden :] + reset * kept[:, 2 * hidden :])
            state[:count] = new + update * (before - new)
        return state


@frozen(eq=False)
class Sequence:
    """A fitted sequence model.

    Attributes:
        tokens: of the supernet.
        embedding: (words, numbers). sizes, sizes_bias: of the six sizes' linear map.
        ways: forward and backward.
        out: (2·hidden,) and out_bias: of the last layer.
        mean, std: ms, of the latencies that it was fitted to.
    """

    tokens: Tokens
    embedding: Floats
    sizes: Floats
    sizes_bias: Floats
    ways: tuple[Recurrent, Recurrent]
    out: Floats
    out_bias: Floats
    mean: float
    std: float

    def predict(self, genes: Genes) -> Values:
        """(n, genes) of the supernet -> (n,) ms."""
        starts = range(0, len(genes), AT_ONCE)
        found = [self._predict(self.tokens.rows(genes[at : at + AT_ONCE])) for at in starts]
        return np.concatenate(found) if found else np.zeros(0)

    def _predict(self, rows: Rows) -> Values:
        order = np.argsort(-rows.lengths, kind="stable")
        lengths = rows.lengths[order]
        counts = (lengths[:, None] > np.arange(lengths.max(initial=0))).sum(axis=0)
        features = self._features(rows, order)
        back = np.maximum(lengths[:, None] - 1 - np.arange(features.shape[1]), 0)
        backward = np.take_along_axis(features, back[:, :, None], axis=1)
        states = [
            way.last(x, counts) for way, x in zip(self.ways, (features, backward), strict=True)
        ]
        found = np.empty(len(order))
        found[order] = np.concatenate(states, axis=1) @ self.out + self.out_bias
        latency: Values = self.mean + self.std * found
        return latency

    def _features(self, rows: Rows, order: NDArray[np.intp]) -> Floats:
        sizes = rows.sizes[order] @ self.sizes.T + self.sizes_bias
        return np.concatenate([self.embedding[rows.ops[order]], sizes], axis=2)


def load_sequence(supernet: Supernet, fit: LatencyFit) -> Sequence:
    """A fitted sequence model.

    Raises:
        InputError: the fit is of other networks, or its arrays do not go together.
    """
    tokens = Tokens.of(supernet)
    spelled_alike(WHAT, fit, tokens.spelling, supernet)
    mean, std = (milliseconds(WHAT, fit.settings, name) for name in ("mean", "std"))
    arrays = {name: np.asarray(values, dtype=np.float32) for name, values in fit.arrays.items()}
    try:
        if len(arrays["embedding"]) != len(tokens.spelling.words):
            raise ValueError(f"{len(arrays['embedding'])} rows of its embedding")
        ways = [_way(arrays, way) for way in WAYS]
        model = Sequence(
            tokens,
            arrays["embedding"],
            arrays["sizes"],
            arrays["sizes_bias"],
            (ways[0], ways[1]),
            arrays["out"],
            arrays["out_bias"],
            mean,
            std,
        )
        model.predict(supernet.space.canonical(np.zeros((2, len(supernet.space.genes)), np.uint8)))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(f"{WHAT} is not whole: {error}") from error
    return model


def _way(arrays: dict[str, Floats], way: str) -> Recurrent:
    names = ("inputs", "states", "input_bias", "state_bias")
    return Recurrent(*(arrays[f"{way}_{name}"] for name in names))


def arrays_of(state: Any) -> Iterator[tuple[str, Floats]]:
    """The numbers of a trained network's ``state_dict``, by the names of the file."""
    yield "embedding", _numbers(state["embedding.weight"])
    yield "sizes", _numbers(state["sizes.weight"])
    yield "sizes_bias", _numbers(state["sizes.bias"])
    for way, suffix in zip(WAYS, ("", "_reverse"), strict=True):
        yield f"{way}_inputs", _numbers(state[f"gru.weight_ih_l0{suffix}"])
        yield f"{way}_states", _numbers(state[f"gru.weight_hh_l0{suffix}"])
        yield f"{way}_input_bias", _numbers(state[f"gru.bias_ih_l0{suffix}"])
        yield f"{way}_state_bias", _numbers(state[f"gru.bias_hh_l0{suffix}"])
    yield "out", _numbers(state["out.weight"])[0]
    yield "out_bias", _numbers(state["out.bias"])


def _numbers(tensor: Any) -> Floats:
    found: Floats = tensor.detach().cpu().numpy().astype(np.float32).copy()
    return found


def _sigmoid(x: Floats) -> Floats:
    found: Floats = np.float32(0.5) * (np.tanh(np.float32(0.5) * x) + np.float32(1))
    return found
