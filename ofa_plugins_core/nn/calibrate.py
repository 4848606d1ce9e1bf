"""Batch norm's statistics of one subnet, measured on images: BN re-calibration.

A supernet's running statistics are of no subnet in particular (Yu and Huang, Universally
Slimmable Networks, ICCV 2019; Once-for-All, ICLR 2020). For each norm they are replaced by the
average, weighted by batch size, of the mean and the biased variance of the batches, where all
norms of the network work on batch statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import torch
from torch import Tensor, nn

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.interfaces import Statistics

Combine: TypeAlias = Callable[[Tensor], Tensor]
"""A float64 vector -> its sum over all processes."""


def statistics_of(
    subnet: nn.Module, batches: Iterable[Tensor], combine: Combine | None = None
) -> Statistics:
    """Measure a network's batch norm statistics; the network stays as it is.

    Its parameters, buffers, mode and the random state are what they were; dropout is off.

    Args:
        subnet: any module with ``BatchNorm2d`` inside, an extracted subnet for example.
        batches: (n, 3, height, width) images each, as it takes them.
        combine: sums a vector over the processes that have other batches each.

    Returns:
        Name of the norm -> (mean, biased variance), float64 on the CPU, one entry a channel.

    Raises:
        InputError: there is no image.
    """
    norms = norms_of(subnet)
    sums = {name: torch.zeros(2, n.num_features, dtype=torch.float64) for name, n in norms.items()}
    seen = 0
    with _untouched(subnet), _watched(norms, sums):
        for images in batches:
            subnet(images)
            seen += len(images)
    return _averages(sums, seen, combine)


def norms_of(module: nn.Module) -> dict[str, nn.BatchNorm2d]:
    """Name -> batch norm, in the order of the network."""
    return {n: m for n, m in module.named_modules() if isinstance(m, nn.BatchNorm2d)}


def _averages(sums: dict[str, Tensor], seen: int, combine: Combine | None) -> Statistics:
    flat = torch.cat([torch.tensor([float(seen)]).double(), *(s.flatten() for s in sums.values())])
    lengths = [1, *(s.numel() for s in sums.values())]
    total, *rest = torch.split(combine(flat) if combine else flat, lengths)
    if not float(total):
        raise InputError(
            "no image to calibrate batch norm with", advice="--calibrate 0 goes without"
        )
    means = {n: (r / total).reshape(2, -1) for n, r in zip(sums, rest, strict=True)}
    return {name: (found[0].clone(), found[1].clone()) for name, found in means.items()}


@contextmanager
def _untouched(module: nn.Module) -> Iterator[None]:
    """In evaluation mode meanwhile; each part's own mode and the random state come back."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            yield
    finally:
        for part, training in modes:
            part.training = training


@contextmanager
def _watched(norms: dict[str, nn.BatchNorm2d], sums: dict[str, Tensor]) -> Iterator[None]:
    """The norms work on batch statistics, and add them to the sums."""
    for name, norm in norms.items():
        norm.__dict__["forward"] = _on_batch(norm, sums[name])
    try:
        yield
    finally:
        for norm in norms.values():
            del norm.__dict__["forward"]


def _on_batch(norm: nn.BatchNorm2d, sums: Tensor) -> Callable[[Tensor], Tensor]:
    """What the norm does instead; torch's own refuses one image of one pixel, ours does not."""

    def forward(x: Tensor) -> Tensor:
        precise = x if x.dtype == torch.float64 else x.float()
        variance, mean = torch.var_mean(precise, dim=(0, 2, 3), correction=0)
        sums.add_(torch.stack([mean, variance]).double().cpu(), alpha=len(x))
        return _normalised(norm, precise, mean, variance).to(x.dtype)

    return forward


def _normalised(norm: nn.BatchNorm2d, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    return nn.functional.batch_norm(x, mean, variance, norm.weight, norm.bias, False, 0.0, norm.eps)


def apply(subnet: nn.Module, statistics: Statistics) -> None:
    """Write statistics into an extracted network; its norms then normalise with them.

    Args:
        subnet: the network that was measured, or one with the same norms.

    Raises:
        InputError: the statistics are of other norms; names the first.
    """
    norms = norms_of(subnet)
    other = sorted(set(norms) ^ set(statistics))
    if other:
        raise InputError(f"these statistics are of another network: {other[0]!r} has no match")
    with torch.no_grad():
        for name, norm in norms.items():
            _write(norm, name, statistics)


def _write(norm: nn.BatchNorm2d, name: str, statistics: Statistics) -> None:
    mean, variance = statistics[name]
    if norm.running_mean is None or norm.running_var is None:
        raise InputError(f"{name} keeps no statistics")
    if norm.running_mean.shape != mean.shape or norm.running_var.shape != variance.shape:
        raise InputError(f"{name} has {norm.num_features} channels, its statistics {len(mean)}")
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
