"""Measured networks -> the predictor ``mlp``: a network on one-hot genes, trained in torch.

As the published ones were trained: centred accuracies, mean squared error, Adam, a learning rate
that falls when the loss stands still, 50 epochs, four fifths of the records. Source:
specs/training.md, "Predictor data". The fifth that is left out decides nothing: it judges, and the
interval comes from its errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_mit.predictors.genes import GenesLayout, shape_of
from ofa_mit.predictors.network import Network, network_bytes
from ofa_mit.predictors.own import About
from ofa_plugins_core.errors import MissingExtraError
from ofa_plugins_core.events import Progress
from ofa_plugins_core.measured import FitTask, FittedFile, HeldOut, SizeSummary

if TYPE_CHECKING:
    from torch import nn

Floats = NDArray[np.float64]

EPOCHS: Final = 50
HIDDEN: Final = (400, 400, 400)
"""Widths of the hidden layers, as the published networks have them."""
RATE: Final = 1e-3
DECAY: Final = 1e-4
BATCH: Final = 32
PATIENCE: Final = 3
"""Epochs without a smaller loss before the learning rate is halved."""
COVERAGE: Final = 0.8
HELD_OUT: Final = 5
"""One of so many records is held out."""


@frozen(eq=False)
class _Split:
    """Rows to train on, and rows held out, in an order by chance."""

    train: NDArray[np.intp]
    test: NDArray[np.intp]


def fit_mlp(task: FitTask) -> FittedFile:
    """Train on four fifths of the records, judge on the others.

    Raises:
        MissingExtraError: torch is not installed.
    """
    try:
        import torch
    except ImportError:
        raise MissingExtraError("fitting an mlp", "ofa-plugins-mit", "torch") from None

    space, top1 = task.records.space, task.records.top1
    layout = GenesLayout.over(space.resolutions)
    vectors = layout.encode(space, task.records.genes)
    split = _split(len(top1), task.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(task.seed)
        network = _trained(vectors[split.train], top1[split.train] / 100, task)
    predicted = np.clip(100 * network(vectors), 0.0, 100.0)
    held_out = _judged(predicted[split.test], top1[split.test])
    width = _width(np.abs(predicted - top1)[split.test])
    rows = [np.flatnonzero(task.records.genes[:, 0] == i) for i in range(len(space.resolutions))]
    about = About(
        supernet=task.supernet.space.name,
        dataset=task.dataset,
        labels=task.labels,
        origin=task.origin,
        command=task.command,
        shape=shape_of(space),
        centre=layout.centre,
        scale=layout.scale,
        sizes=list(space.resolutions),
        records=[len(r) for r in rows],
        half_width=width,
        best=[float(predicted[r].max()) for r in rows],
        tau=held_out.quality.tau,
        rmse=held_out.quality.rmse,
    )
    return FittedFile(
        content=network_bytes(network, about.dumps()),
        ending=".npz",
        held_out=held_out,
        sizes=tuple(
            SizeSummary(size, count, width, best)
            for size, count, best in zip(about.sizes, about.records, about.best, strict=True)
        ),
        details={"epochs": EPOCHS, "trained_on": len(split.train)},
    )


def _split(n: int, seed: int) -> _Split:
    order = np.random.Generator(np.random.PCG64(seed)).permutation(n)
    held = max(n // HELD_OUT, 1)
    return _Split(order[held:], order[:held])


def _judged(predicted: Floats, measured: Floats) -> HeldOut:
    """The held-out networks; each half's interval from the other half's errors."""
    error = np.abs(predicted - measured)
    half = len(error) // 2
    width = np.empty(len(error))
    width[:half], width[half:] = _width(error[half:]), _width(error[:half])
    return HeldOut(predicted, measured, width)


def _width(error: Floats) -> float:
    return float(np.quantile(error, COVERAGE)) if len(error) else 0.0


def _trained(vectors: Any, fractions: Floats, task: FitTask) -> Network:
    """A network of the published form; its base is the mean of what it was trained on."""
    import torch
    from torch.nn.functional import mse_loss

    base = float(fractions.mean())
    inputs = torch.from_numpy(np.ascontiguousarray(vectors, dtype=np.float32))
    wanted = torch.from_numpy((100 * (fractions - base)).astype(np.float32))[:, None]
    model = _model(inputs.shape[1])
    adam = torch.optim.Adam(model.parameters(), lr=RATE, weight_decay=DECAY)
    slower = torch.optim.lr_scheduler.ReduceLROnPlateau(adam, factor=0.5, patience=PATIENCE)
    for epoch in range(EPOCHS):
        total = 0.0
        order = torch.randperm(len(inputs))
        for start in range(0, len(inputs), BATCH):
            rows = order[start : start + BATCH]
            adam.zero_grad()
            loss = mse_loss(model(inputs[rows]), wanted[rows])
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
            total += float(loss.detach()) * len(rows)
        mean = total / len(inputs)
        slower.step(mean)
        task.listener(Progress("epoch", epoch + 1, EPOCHS, f"RMSE {mean**0.5:.3f} points"))
    return _in_numpy(model, base)


def _model(inputs: int) -> nn.Sequential:
    from torch import nn

    layers: list[nn.Module] = []
    for width in HIDDEN:
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 1))


def _in_numpy(model: nn.Sequential, base: float) -> Network:
    """The trained network; its answer in points becomes a fraction."""
    state = {key: tensor.numpy().astype(float) for key, tensor in model.state_dict().items()}
    names = [key.removesuffix("weight") for key in state if key.endswith("weight")]
    parts = [(state[f"{name}weight"], state[f"{name}bias"]) for name in names]
    parts[-1] = (parts[-1][0] / 100, parts[-1][1] / 100)
    return Network(tuple((_stored(w), _stored(b)) for w, b in parts), base)


def _stored(values: Floats) -> Floats:
    """As the file holds them, so that what was judged is what is read."""
    return values.astype(np.float32).astype(float)
