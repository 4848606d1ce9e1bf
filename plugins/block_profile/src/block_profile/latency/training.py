"""The sequence model, trained in torch: mean squared error, Adam, and the best epoch is kept.

Source: Mills et al., CIKM 2021. What it does not say: latencies and sizes are standardised, and the
embedding starts small, so that what a block is does not hide where it stands (on 420 networks of a
table, held out: 1.1 % instead of 10 %).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from block_profile.latency.options import SequenceOptions
from block_profile.latency.sequence import arrays_of, load_sequence
from block_profile.latency.tokens import SIZES, Rows, Tokens
from ofa_plugins_core.errors import InputError, MissingExtraError
from ofa_plugins_core.events import Progress
from ofa_plugins_core.latency_fits import Labelled, LatencyFit, LatencyTask

if TYPE_CHECKING:
    from torch import Tensor, nn

KEPT: Final = ("mape", "epoch", "arrays")
"""Of the best epoch."""
EMBEDDED: Final = 0.1
"""Standard deviation of the embedding's numbers at the start."""


def fit_sequence(task: LatencyTask, options: SequenceOptions) -> LatencyFit:
    """Train on the task's networks; the epoch that is nearest to the dev networks is kept.

    An interruption keeps the best epoch until then, and in the task's folder what goes on from
    there: with the same numbers as without it.

    Raises:
        MissingExtraError: torch is not installed.
        InputError: no epoch gave a number; or what was kept cannot be read.
        UsageError: what was kept is of other data, options or seed.
        KeyboardInterrupt: before the first epoch was over.
    """
    try:
        import torch
    except ImportError:
        what = "fitting a sequence model"
        raise MissingExtraError(what, "ofa-plugins-block-profile", "torch") from None

    from block_profile.latency.saving import Saved

    tokens = Tokens.of(task.supernet)
    mean, std = float(task.train.latency.mean()), float(task.train.latency.std()) or 1.0
    settings = {"words": list(tokens.spelling.words), "mean": mean, "std": std}
    with torch.random.fork_rng(devices=[]), _threads(options.threads):
        torch.manual_seed(task.seed)
        model = build_network(len(settings["words"]), options)  # type: ignore[arg-type]
        saved = Saved(task, options)
        best = _Best(task, settings, options.epochs, saved.found)
        try:
            for epoch, adam in _epochs(model, task, tokens, options, mean, std, saved.found):
                best.look(epoch, dict(arrays_of(model.state_dict())))
                saved.epoch(epoch, model, adam, best.kept)
        except KeyboardInterrupt:
            saved.write(best.kept)
            if not best.arrays:
                raise
            return best.fit(interrupted=True)
    if not best.arrays:
        raise InputError(
            "the sequence model came to no number", advice="a smaller --set sequence.rate=…"
        )
    saved.done()
    return best.fit()


class _Best:
    """The epoch that is nearest to the dev networks."""

    def __init__(
        self,
        task: LatencyTask,
        settings: dict[str, Any],
        epochs: int,
        before: Mapping[str, Any] | None = None,
    ) -> None:
        self.task, self.settings, self.epochs = task, settings, epochs
        self.arrays: dict[str, Any] = {}
        self.mape, self.epoch, self.seen = np.inf, 0, 0
        if before is not None:
            self.mape, self.epoch, self.arrays = (before["best"][k] for k in KEPT)
            self.seen = before["epoch"]

    @property
    def kept(self) -> dict[str, Any]:
        """What a training goes on with."""
        return dict(zip(KEPT, (self.mape, self.epoch, self.arrays), strict=True))

    def look(self, epoch: int, arrays: dict[str, Any]) -> None:
        """Keep an epoch if it is better than those before."""
        self.seen = epoch
        if all(np.isfinite(v).all() for v in arrays.values()):
            mape = self._mape(arrays)
            if mape < self.mape:
                self.mape, self.epoch, self.arrays = mape, epoch, arrays
        note = f"best dev MAPE {self.mape:.2f} %, epoch {self.epoch}"
        self.task.listener(Progress("epoch", epoch, self.epochs, note))

    def _mape(self, arrays: dict[str, Any]) -> float:
        dev = self.task.dev
        model = load_sequence(self.task.supernet, LatencyFit(arrays, self.settings))
        error = np.abs(model.predict(dev.genes) - dev.latency) / dev.latency
        return float(100 * error.mean())

    def fit(self, interrupted: bool = False) -> LatencyFit:
        """The fit."""
        until = f", interrupted after {self.seen}" if interrupted else ""
        best = f"MAPE of the dev networks {self.mape:.2f} %"
        note = f"epoch {self.epoch} of {self.epochs}{until}: {best}"
        return LatencyFit(self.arrays, self.settings, note, interrupted)


def build_network(words: int, options: SequenceOptions) -> nn.Module:
    """The untrained network.

    Args:
        words: of the vocabulary.
    """
    from torch import nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(words, options.embedding)
            nn.init.normal_(self.embedding.weight, std=EMBEDDED)
            self.sizes = nn.Linear(SIZES, options.shape)
            width = options.embedding + options.shape
            self.gru = nn.GRU(width, options.hidden, batch_first=True, bidirectional=True)
            self.dropout = nn.Dropout(options.dropout)
            self.out = nn.Linear(2 * options.hidden, 1)

        def forward(self, ops: Tensor, sizes: Tensor, lengths: Tensor) -> Tensor:
            """(n, places) ops, (n, places, 6) sizes, (n,) lengths -> (n,)."""
            import torch
            from torch.nn.utils.rnn import pack_padded_sequence

            found = torch.cat([self.embedding(ops), self.sizes(sizes)], dim=2)
            packed = pack_padded_sequence(found, lengths, batch_first=True, enforce_sorted=False)
            _, last = self.gru(packed)
            out: Tensor = self.out(self.dropout(torch.cat([last[0], last[1]], dim=1)))
            return out[:, 0]

    return Network()


def _epochs(
    model: nn.Module,
    task: LatencyTask,
    tokens: Tokens,
    options: SequenceOptions,
    mean: float,
    std: float,
    before: Mapping[str, Any] | None,
) -> Iterator[tuple[int, Any]]:
    """Train; the number of each epoch when it is over, and the optimiser.

    Args:
        before: what was kept of an interrupted training, to go on with.
    """
    import torch
    from torch.nn.functional import mse_loss
    from torch.nn.utils import clip_grad_norm_

    inputs = _tensors(tokens.rows(task.train.genes))
    wanted = torch.from_numpy(_standard(task.train, mean, std))
    adam = torch.optim.Adam(model.parameters(), lr=options.rate)
    first = 1
    if before is not None:
        model.load_state_dict(before["model"])
        adam.load_state_dict(before["adam"])
        torch.set_rng_state(before["random"])
        first = before["epoch"] + 1
    for epoch in range(first, options.epochs + 1):
        model.train()
        for rows in torch.split(torch.randperm(len(wanted)), options.batch):
            adam.zero_grad()
            loss = mse_loss(model(*(x[rows] for x in inputs)), wanted[rows])
            loss.backward()  # type: ignore[no-untyped-call]
            clip_grad_norm_(model.parameters(), options.clip)
            adam.step()
        yield epoch, adam


def _standard(found: Labelled, mean: float, std: float) -> Any:
    return ((found.latency - mean) / std).astype(np.float32)


def _tensors(rows: Rows) -> tuple[Tensor, ...]:
    import torch

    return tuple(torch.from_numpy(x) for x in (rows.ops, rows.sizes, rows.lengths))


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """torch with so many threads, as before afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
