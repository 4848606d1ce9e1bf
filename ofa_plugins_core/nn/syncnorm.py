"""Batch norm over the batches of all processes, on the CPU too: several work as one.

Each process normalises with its own batch's statistics otherwise, so two with B images each are
not one with 2B. torch's own SyncBatchNorm knows GPUs only, and takes the place of layers; here
every call of ``torch.nn.functional.batch_norm`` that would use batch statistics is replaced while
a context lasts, so that layers which call it with slices of their weights need not be known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ofa_plugins_core.nn.engines import Engine


@contextmanager
def synchronised(engine: Engine) -> Iterator[None]:
    """Meanwhile batch norms in training mode use the statistics of all processes' batches.

    All processes run the same norms in the same order; their batches may differ in size. Running
    statistics move by the global mean and the unbiased variance of the global batch, and so stay
    equal in all processes. With one process nothing changes.

    The gradients of a process are those of the *sum* of all losses, as far as they come through its
    own images: averaged over the processes, those of the mean loss. The backward pass may run
    outside.

    Raises:
        ValueError: there is one value a channel in all batches together, as torch raises.
        PeerLostError: another process is gone; in the backward pass, too.
    """
    if engine.count == 1:
        yield
        return
    with _Replaced(engine):
        yield


class _Replaced(TorchFunctionMode):  # type: ignore[misc, unused-ignore]  # untyped where torch is
    """Hands calls of ``batch_norm`` over; all others go on as they are."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func is functional.batch_norm:
            return _batch_norm(self.engine, *args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


def _batch_norm(
    engine: Engine,
    input: Tensor,  # torch's names: callers may use them
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """``torch.nn.functional.batch_norm``, its statistics those of all processes."""
    if not training:
        return functional.batch_norm(
            input, running_mean, running_var, weight, bias, False, momentum, eps
        )
    running = (running_mean, running_var, momentum)
    normalised: Tensor = _Norm.apply(  # type: ignore[no-untyped-call]
        input, weight, bias, running, eps, engine
    )
    return normalised


class _Norm(torch.autograd.Function):
    """Sums over all processes in both directions, of float32 or float64 values."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        running: tuple[Tensor | None, Tensor | None, float],
        eps: float,
        engine: Engine,
    ) -> Tensor:
        precise = _precise(x)
        count, mean, variance = _moments(precise, engine)
        _move(running, count, mean, variance)
        mean, variance = mean.to(precise.dtype), variance.to(precise.dtype)
        ctx.save_for_backward(x, weight, mean, (variance + eps).rsqrt())
        ctx.engine, ctx.count = engine, count
        factor, shift = (None if p is None else p.to(precise.dtype) for p in (weight, bias))
        return functional.batch_norm(
            precise, mean, variance, factor, shift, training=False, eps=eps
        ).to(x.dtype)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator, unused-ignore]
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, scale = ctx.saved_tensors
        precise = _precise(gradient)
        centred = _precise(x) - _along(mean, x)
        own = torch.stack([_summed(precise), _summed(precise * centred) * scale])
        of_weight = own[1].to(weight.dtype) if ctx.needs_input_grad[1] else None
        of_bias = own[0].clone() if ctx.needs_input_grad[2] else None
        of_x = None
        if ctx.needs_input_grad[0]:
            sums = own.to(torch.float64, copy=True)  # its own are those of weight and bias
            ctx.engine.sum_(sums, f"norm.backward.{len(mean)}")
            mean_gradient, slope = (sums / ctx.count).to(precise.dtype)
            centred *= _along(slope * scale, x)
            moved = precise - _along(mean_gradient, x) - centred
            factor = scale if weight is None else scale * weight.to(precise.dtype)
            of_x = (moved * _along(factor, x)).to(x.dtype)
        return of_x, of_weight, of_bias, None, None, None


def _precise(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def _moments(x: Tensor, engine: Engine) -> tuple[float, Tensor, Tensor]:
    """(values a channel, their mean, their biased variance) of all processes, in float64.

    Each gives the moments of its own batch, found in two passes, so that a mean far from zero costs
    no more digits than float64 can spare.
    """
    channels, own = x.shape[1], x.numel() // x.shape[1]
    sums = torch.zeros(2 * channels + 1, dtype=torch.float64, device=x.device)
    if own:
        variance, mean = torch.var_mean(x, dim=_others(x), correction=0)
        mean, variance = mean.double(), variance.double()
        sums = torch.cat([mean, variance + mean.square(), sums.new_ones(1)]) * own
    engine.sum_(sums, f"norm.forward.{channels}")
    count = float(sums[-1])
    if count <= 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got {x.shape}")
    mean, square = sums[:channels] / count, sums[channels:-1] / count
    return count, mean, (square - mean.square()).clamp_min(0)


def _move(
    running: tuple[Tensor | None, Tensor | None, float],
    count: float,
    mean: Tensor,
    variance: Tensor,
) -> None:
    """Running statistics go a part ``momentum`` of the way, as torch's do."""
    running_mean, running_var, momentum = running
    if running_mean is not None:
        running_mean.lerp_(mean.to(running_mean.dtype), momentum)
    if running_var is not None:
        unbiased = variance * (count / (count - 1))
        running_var.lerp_(unbiased.to(running_var.dtype), momentum)


def _others(x: Tensor) -> list[int]:
    """All dimensions but the channels'."""
    return [d for d in range(x.dim()) if d != 1]


def _summed(x: Tensor) -> Tensor:
    return x.sum(_others(x))


def _along(values: Tensor, x: Tensor) -> Tensor:
    """One value a channel, shaped to meet the channels of x."""
    return values.reshape(1, -1, *[1] * (x.dim() - 2))
