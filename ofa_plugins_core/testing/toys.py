"""A supernet, a predictor, a search problem, a training plan and a runtime policy: all small.

The toy supernet has 400 networks at each of two image sizes: whatever a plugin answers about it
can be compared with looking at all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any, Final

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.geometry import Block, Geometry, Op, Site, output_size
from ofa_plugins_core.interfaces import (
    Archs,
    Level,
    Observation,
    Predictions,
    Problem,
    Supernet,
)
from ofa_plugins_core.phases import Phase
from ofa_plugins_core.plans import Plan
from ofa_plugins_core.pricing import BlockCostModel, evaluate_separable
from ofa_plugins_core.separable import Factor, Separable
from ofa_plugins_core.values import Dimension, Gene, Genes, Number, SearchSpace

KERNELS: Final = (3, 5)
EXPANDS: Final = (2, 3)
DEPTHS: Final = (1, 2)
CHANNELS: Final = (8, 16, 24, 32)
"""Channels of the stem and of each stage."""


@frozen(eq=False, slots=False)
class ToySupernet:
    """Stages of one or two MBConv blocks, stride 2, kernel 3 or 5, expand ratio 2 or 3."""

    name: str
    space: SearchSpace

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Image sizes of its space, in pixels."""
        return self.space.resolutions

    def geometry(self) -> Geometry:
        """Its sites, blocks and ops."""
        return self._geometry

    @cached_property
    def _geometry(self) -> Geometry:
        return Geometry(self.space, tuple(_sites(len(self.space.groups))))

    def at(self, resolutions: Sequence[int]) -> ToySupernet:
        """The same supernet over other image sizes (pixels, 32 or more)."""
        return evolve(self, space=self.space.with_resolutions(resolutions))

    def as_built(self) -> ToySupernet:
        """Itself: what is priced is what would be extracted."""
        return self

    def priced_as(self, other: Supernet) -> ToySupernet:
        """This space on another toy's network.

        Raises:
            UsageError: the other is no toy, or has other stages.
        """
        if not isinstance(other, ToySupernet) or other.space.groups != self.space.groups:
            raise UsageError(f"{self.name} cannot be priced as {other.name}: another network")
        return self


def toy_supernet(
    name: str = "toy", resolutions: Sequence[int] = (32, 64), stages: int = 2
) -> ToySupernet:
    """The toy: 20 networks a stage, so 400 a resolution with two stages.

    Args:
        resolutions: image sizes in pixels, 32 or more.
        stages: one to three.
    """
    genes: list[Gene] = []
    columns: dict[str, list[int]] = {"ks": [], "e": [], "d": []}
    for stage in range(stages):
        depth = len(genes) + 1
        columns["d"].append(depth)
        genes.append(Gene(f"d[{stage}]", DEPTHS, stage))
        for position in range(max(DEPTHS)):
            slot = len(columns["ks"])
            for key, options in (("ks", KERNELS), ("e", EXPANDS)):
                columns[key].append(len(genes) + 1)
                genes.append(_gene(f"{key}[{slot}]", options, stage, depth, position))
    dimensions = [Dimension(key, tuple(entries)) for key, entries in columns.items()]
    return ToySupernet(name, SearchSpace.of(name, resolutions, genes, dimensions))


def _gene(name: str, options: tuple[int, ...], stage: int, depth: int, position: int) -> Gene:
    """A gene of a block; where the depth leaves the block out, all its options are one."""
    used = np.array(DEPTHS)[:, None] > position
    table = np.where(used, np.arange(len(options)), 0).astype(np.uint8)
    return Gene(name, options, stage, (depth,), table)


def _sites(stages: int) -> Iterator[Site]:
    yield Site("stem", (), lambda size, _: _stem(size))
    for stage in range(stages):
        first = 1 + stage * 5  # columns of a stage: d, ks, e, ks, e
        for position in range(max(DEPTHS)):
            genes = (first, first + 1 + 2 * position, first + 2 + 2 * position)
            yield Site(f"stage {stage + 1} block {position + 1}", genes, _place(stage, position))
    yield Site("classifier", (), lambda size, _: _classifier(size, stages))


def _place(stage: int, position: int) -> Any:
    def block(size: int, values: tuple[Number, ...]) -> Block | None:
        depth, kernel, expand = (int(v) for v in values)
        return _mbconv(stage, position, size, kernel, expand) if depth > position else None

    return block


@lru_cache(maxsize=256)
def _stem(size: int) -> Block:
    after = output_size(size, 2)
    return Block("stem", "stem", (Op("conv", "conv", 3, CHANNELS[0], size, after, 3, 2),))


@lru_cache(maxsize=4096)
def _mbconv(stage: int, position: int, size: int, kernel: int, expand: int) -> Block:
    out = CHANNELS[stage + 1]
    stride, channels = (2, CHANNELS[stage]) if position == 0 else (1, out)
    before = _reduced(size, 1 + stage + position)
    after, mid = output_size(before, stride), channels * expand
    ops = (
        Op("expand", "conv", channels, mid, before, before, norm=True, activation="relu"),
        Op("depthwise", "conv", mid, mid, before, after, kernel, stride, groups=mid, norm=True),
        Op("project", "conv", mid, out, after, after, norm=True),
    )
    name = f"stage {stage + 1} block {position + 1}"
    choice = (("k", kernel), ("e", expand))
    return Block(name, "mbconv", ops, shortcut=position > 0, stage=stage + 1, choice=choice)


def _reduced(size: int, halvings: int) -> int:
    for _ in range(halvings):
        size = output_size(size, 2)
    return size


@lru_cache(maxsize=256)
def _classifier(size: int, stages: int) -> Block:
    width, last = CHANNELS[stages], _reduced(size, 1 + stages)
    pool = Op("mean", "pool", width, width, last, 1, last, last)
    return Block(
        "classifier", "classifier", (pool, Op("linear", "linear", width, 10, 1, 1, bias=True))
    )


def toy_cost(name: str = "params", supernet: Supernet | None = None) -> BlockCostModel:
    """A cost on the toy: ``params`` (a sum of blocks) or ``largest`` (the largest feature map)."""
    place = supernet or toy_supernet()
    if name == "params":
        return BlockCostModel(name, "count", place, lambda b: sum(o.params for o in b.ops), "sum")
    return BlockCostModel(name, "items", place, lambda b: max(o.outputs for o in b.ops), "max")


@frozen
class ToyLink:
    """score -> 100 / (1 + exp(−score)), percent."""

    def forward(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score -> percent."""
        accuracy: NDArray[np.float64] = 100 / (1 + np.exp(-np.asarray(score, dtype=float)))
        return accuracy

    def inverse(self, accuracy: float) -> float:
        """Percent -> score; −inf from 0 down, inf from 100 up."""
        if not 0 < accuracy < 100:
            return float("inf") if accuracy >= 100 else float("-inf")
        return float(np.log(accuracy / (100 - accuracy)))


@frozen(eq=False)
class ToyPredictor:
    """More is better, with less and less gain: a separable predictor that was fitted on nothing."""

    space: SearchSpace
    name: str = "toy"
    source: str = "made up"

    @property
    def resolutions(self) -> tuple[int, ...]:
        """All of the space's."""
        return self.space.resolutions

    def separable(self, size: int) -> Separable:
        """The score's tables at one image size (pixels)."""
        base = Factor("base", (), np.array(size / 100))
        return Separable("sum", (base, *(_gain(self.space, c) for c in _slots(self.space))))

    def link(self, size: int) -> ToyLink:
        """From the score to percent."""
        return ToyLink()

    def predict(self, archs: Archs) -> Predictions:
        """Accuracies, a point up and down as interval."""
        value = ToyLink().forward(evaluate_separable(self.space, self.separable, archs))
        outside = np.zeros(len(value), dtype=bool)
        return Predictions(value, value - 1, np.minimum(value + 1, 100.0), outside)


def _slots(space: SearchSpace) -> Iterator[tuple[int, int, int]]:
    for group in space.groups:
        yield group[0], group[1], group[2]
        yield group[0], group[3], group[4]


def _gain(space: SearchSpace, columns: tuple[int, int, int]) -> Factor:
    """What a block adds to the score: something for being there, more for kernel and ratio."""
    first = space.genes[columns[0]].group * 5 + 2 == columns[1]
    there = np.array([1.0, 1.0] if first else [0.0, 1.0])[:, None, None]
    kernel, expand = np.array([0.0, 0.11])[:, None], np.array([0.0, 0.23])
    return Factor(f"slot {columns[1]}", columns, there * (0.3 + kernel + expand))


def toy_problem(**changes: Any) -> Problem:
    """Accuracy against parameters and the largest feature map, on the toy.

    Args:
        changes: attributes of Problem that differ.
    """
    supernet = toy_supernet()
    costs = {name: toy_cost(name, supernet) for name in ("params", "largest")}
    return evolve(Problem(supernet, costs, ToyPredictor(supernet.space)), **changes)


def toy_plan(supernet: Supernet | None = None, **changes: Any) -> Plan:
    """The teacher, depths, then everything: three short phases and one to compare them to.

    Args:
        supernet: the toy, or another that has depths.
        changes: attributes of Plan that differ.
    """
    place = supernet or toy_supernet()
    shut = {dimension.key: 1 for dimension in place.space.dimensions}
    teacher = Phase(step="teacher", epochs=3, base_lr=0.1, open=shut)
    depth = Phase(step="depth", epochs=2, base_lr=0.01, subnets=2, open={**shut, "d": 2})
    full = Phase(step="compound", epochs=4, base_lr=0.01, warmup_epochs=1, subnets=2, sort=0)
    plan = Plan(
        phases=(teacher, depth, full),
        teacher=place,
        full=(teacher, full),
        finetune=Phase(step="finetune", epochs=1, base_lr=0.001),
        source="made up",
    )
    return evolve(plan, **changes)


TOY_LEVELS: Final = (Level(70.0, 10.0), Level(75.0, 20.0), Level(78.0, 40.0))
"""Levels of a runtime table, from fast to accurate."""


@frozen
class ToyPolicy:
    """One level down when the limit is missed, one up when half of it would do."""

    margin: float = field(default=0.5)

    def start(self, levels: Sequence[Level]) -> tuple[int, int]:
        """(number of levels, the most accurate level)."""
        return len(levels), len(levels) - 1

    def decide(
        self, state: tuple[int, int], observation: Observation
    ) -> tuple[tuple[int, int], int]:
        """The next state and level."""
        count, level = state
        if observation.latency > observation.limit:
            level = max(0, level - 1)
        elif observation.latency < self.margin * observation.limit:
            level = min(count - 1, level + 1)
        return (count, level), level


def everything(space: SearchSpace) -> Genes:
    """(n, genes): every distinct network of a small space, at every resolution.

    Raises:
        ValueError: the space has more than a million rows.
    """
    if np.prod(space.sizes.astype(float)) > 1e6:
        raise ValueError(f"{space.name} is too large to list")
    grid = np.indices(tuple(space.sizes), dtype=np.uint8).reshape(len(space.sizes), -1).T
    return np.unique(space.canonical(grid), axis=0)
