"""Phases of a supernet's training, as data: what is open, for how long, at which learning rate.

Source: progressive shrinking of Once-for-All (ICLR 2020, section 3.3), compound training of CompOFA
(ICLR 2021).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias, get_args

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.values import RESOLUTION, Genes, SearchSpace

Step: TypeAlias = Literal["teacher", "kernel", "depth", "expand", "width", "compound", "finetune"]
"""What a phase is called: the dimension that it opens, or what is trained instead."""

STEPS: Final[tuple[str, ...]] = get_args(Step)
"""There are no others: ``ofa run train --step`` offers these, and names folders by them."""

ALONE: Final = ("teacher", "finetune")
"""Steps that train one network that stands by itself."""


@frozen(kw_only=True)
class Phase:
    """One phase, from the result of the one before.

    Attributes:
        step, number: its name; phases of a step count from 1.
        epochs: passes over the training images.
        base_lr: highest learning rate, for the plan's batch; it grows with the images of a step.
        warmup_epochs: epochs of a linear rise to it. warmup_lr: where the rise begins, as base_lr.
        subnets: drawn in each step; their gradients add up. One, where one network is trained.
        open: dimension -> so many of its largest options are drawn from; a dimension that is left
            out is open wholly.
        sort: channels are sorted at the start, as ``ElasticModule.sort_channels(sort)`` does.
        sandwich: of the subnets the first is the largest, which teaches the others, the second the
            smallest, the others are drawn (Yu and Huang, ICCV 2019); else all are drawn.
    """

    step: Step
    number: int = 1
    epochs: int
    base_lr: float
    warmup_epochs: int = 0
    warmup_lr: float = 0.0
    subnets: int = 1
    open: Mapping[str, int] = field(factory=dict)
    sort: int | None = None
    sandwich: bool = False

    @property
    def label(self) -> str:
        """For example ``depth 2``; steps of one network have no number."""
        return self.step if self.alone else f"{self.step} {self.number}"

    @property
    def alone(self) -> bool:
        """Trains one network that stands by itself, not a supernet."""
        return self.step in ALONE

    @property
    def subnet_epochs(self) -> int:
        """Epochs times subnets a step: what a phase costs, as the papers count."""
        return self.epochs * self.subnets

    def shrunk(self, share: float) -> Phase:
        """With that share of the epochs, at least one; warm-up shrinks alike."""
        epochs = max(1, round(self.epochs * share))
        warmup = min(epochs - 1, round(self.warmup_epochs * share))
        return evolve(self, epochs=epochs, warmup_epochs=warmup)


@frozen(kw_only=True)
class Hyperparameters:
    """What all phases of a plan share.

    Attributes:
        batch: images a worker and step, for which the learning rates are meant.
        momentum: of SGD, with Nesterov's correction.
        weight_decay: on weights; never on batch norm and biases.
        label_smoothing: of the cross entropy with the labels.
        kd_ratio: weight of the cross entropy with the teacher's answers; 0: no teacher.
        min_scale: smallest share of an image's area that a random crop keeps.
    """

    batch: int = 64
    momentum: float = 0.9
    weight_decay: float = 3e-5
    label_smoothing: float = 0.1
    kd_ratio: float = 1.0
    min_scale: float = 0.08


# ------------------------------------------------------------------------------- drawing


def lowest_open(space: SearchSpace, phase: Phase) -> NDArray[np.int64]:
    """(genes,) the first option of each gene from which the phase draws."""
    lowest = np.zeros(len(space.genes), dtype=np.int64)
    for dimension in space.dimensions:
        count = phase.open.get(dimension.key)
        for entry in dimension.entries:
            if count is not None and isinstance(entry, int):
                lowest[entry] = max(0, space.sizes[entry] - count)
    return lowest


def draw(space: SearchSpace, phase: Phase, key: Sequence[int]) -> Genes:
    """The subnets of one step: (subnets, genes), canonical, the same wherever they are drawn.

    Args:
        key: seed, phase, epoch and step: what the draw depends on; each subnet has its own.
    """
    rows = [_drawn(space, phase, (*key, index)) for index in range(phase.subnets)]
    if phase.sandwich:
        ends = (at(space, phase, 1.0), at(space, phase, 0.0))
        rows[: len(ends)] = ends[: len(rows)]
    return space.canonical(np.stack(rows))


def _drawn(space: SearchSpace, phase: Phase, key: Sequence[int]) -> Genes:
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))
    lowest = lowest_open(space, phase)
    return generator.integers(lowest, space.sizes, dtype=np.int64).astype(np.uint8)


def at(space: SearchSpace, phase: Phase, place: float) -> Genes:
    """(genes,) the subnet at a place among the open options: 0 smallest, ½ middle, 1 largest.

    The image size is the largest.
    """
    lowest = lowest_open(space, phase)
    row = lowest + np.round(place * (space.sizes - 1 - lowest)).astype(np.int64)
    row[RESOLUTION] = space.sizes[RESOLUTION] - 1
    found: Genes = space.canonical(row[None].astype(np.uint8))[0]
    return found


def continuous(resolutions: Sequence[int], step: int = 4) -> tuple[int, ...]:
    """Image sizes to train on: from the smallest to the largest in steps of so many pixels."""
    sizes = range(min(resolutions), max(resolutions) + 1, step)
    return tuple(sorted({*sizes, max(resolutions)}))
