"""The elastic network: one module for every architecture of a search space.

It is built from the geometry that costs are computed from: of each place for a block it holds the
weights of the widest one, and an architecture is a choice of ops per place, which says how much of
the weights is used. Activating looks those choices up; it computes nothing and touches no weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import torch
from attrs import evolve, frozen
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from ofa_mit.elastic.choosing import Choices, Chosen
from ofa_mit.elastic.layers import ElasticLayer
from ofa_mit.elastic.names import NAMES, Published
from ofa_mit.elastic.sorting import sort_block
from ofa_mit.elastic.static import StaticNetwork
from ofa_mit.elastic.steps import Step, block_step
from ofa_mit.recipe import Recipe
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.geometry import Block, Geometry, Op
from ofa_plugins_core.interfaces import Statistics
from ofa_plugins_core.nn.plain import Tensors
from ofa_plugins_core.values import Arch, ArchLike, SearchSpace


class ElasticBlock(nn.Module):
    """A place for a block: the layers of its widest form.

    Args:
        blocks: every block that can stand here.
        recipe: of the network.
    """

    def __init__(self, blocks: Sequence[Block], recipe: Recipe) -> None:
        super().__init__()
        self.widest = _widest(blocks, recipe)
        kernels = recipe.kernels if recipe.matrices and _is_elastic(self.widest) else ()
        self.layers = nn.ModuleDict(
            {
                _name(op.name): ElasticLayer(op, kernels if op.groups > 1 else (), recipe.eps)
                for op in self.widest.ops
                if op.role != "pool"
            }
        )
        self.widths = _inner_widths(blocks)

    def ops(self) -> list[str]:
        """Names of the ops that have weights."""
        return [op.name for op in self.widest.ops if op.role != "pool"]

    def layer(self, op: str) -> ElasticLayer:
        """The layer that holds the weights of an op."""
        return cast(ElasticLayer, self.layers[_name(op)])

    def live(self, block: Block, dropout: float) -> Step:
        """A block that stands here, differentiable."""

        def of(op: Op) -> Step:
            layer = self.layer(op.name)
            if op.role != "linear":
                return lambda x: layer(x, op)
            return lambda x: layer(F.dropout(x, dropout, layer.training), op)

        return block_step(block, of)

    def prepared(self, block: Block) -> Step:
        """A block that stands here, in evaluation."""
        return block_step(block, lambda op: self.layer(op.name).prepared(op))


def _name(op: str) -> str:
    return op.replace(".", "_")  # torch forbids dots in names of modules


def _is_elastic(block: Block) -> bool:
    return block.stage is not None


def _widest(blocks: Sequence[Block], recipe: Recipe) -> Block:
    """The block whose every op is as wide, and whose kernel is as large, as any block's here."""
    ops: dict[str, Op] = {}
    for block in blocks:
        for op in block.ops:
            ops[op.name] = op if op.name not in ops else _wider(ops[op.name], op)
    first = max(blocks, key=lambda b: len(b.ops))
    found = tuple(ops[op.name] for op in first.ops)
    if _is_elastic(first) and recipe.kernels:  # a space of fixed kernels crops larger ones
        largest = max(recipe.kernels)
        found = tuple(evolve(o, kernel=largest) if o.groups > 1 else o for o in found)
    return evolve(first, ops=found)


def _wider(one: Op, two: Op) -> Op:
    grouped = one.groups > 1 or two.groups > 1
    return evolve(
        one,
        channels_in=max(one.channels_in, two.channels_in),
        channels_out=max(one.channels_out, two.channels_out),
        kernel=max(one.kernel, two.kernel),
        groups=max(one.channels_in, two.channels_in) if grouped else 1,
    )


def _inner_widths(blocks: Sequence[Block]) -> tuple[int, ...]:
    """Channels inside the blocks that can stand here, decreasing; of the widest output alone."""
    widest = max(_output(b) for b in blocks)
    inner = {b.ops[0].channels_out for b in blocks if len(b.ops) > 1 and _output(b) == widest}
    return tuple(sorted(inner, reverse=True))


def _output(block: Block) -> int:
    return block.ops[-1].channels_out


Held = Sequence[Mapping[str, Tensor | None]]


@frozen(eq=False)
class LaidOut:
    """What a subnet runs on in evaluation, and what it was laid out from.

    Attributes:
        standing: the block at each place.
        steps: to run, in order.
        held: the dicts in which torch's modules hold their tensors.
        seen: the tensors' stamp then.
        tensors: kept alive, so that no other can take the place by which they are known.
    """

    standing: tuple[Block | None, ...]
    steps: tuple[Step, ...]
    held: Held
    seen: list[int]
    tensors: list[Tensor]

    def fresh(self) -> bool:
        """Whether the tensors are those that were laid out, unchanged."""
        return _stamp(self.held) == self.seen


def _tensors(held: Held) -> list[Tensor]:
    return [t for tensors in held for t in tensors.values() if t is not None]


def _stamp(held: Held) -> list[int]:
    """Which tensors there are, where they lie, and how often they were changed in place."""
    found: list[int] = []
    for tensor in _tensors(held):
        counted = 0 if tensor.is_inference() else tensor._version
        found += (id(tensor), tensor.data_ptr(), counted)
    return found


NormNames = tuple[tuple[str, int, str], ...]
"""Of each norm of a subnet: its name when extracted, the number of its block, its op."""

REMEMBERED: Final = 64
"""Subnets whose norms' names are kept: more than a level table has."""


class ElasticNetwork(Published, nn.Module):
    """A supernet's network in torch; see ``interfaces.ElasticModule``.

    In evaluation without gradients the active subnet runs on tensors that are laid out for it at
    the first pass after ``activate``. A change of weights is noticed, by which tensors there are,
    where they lie and torch's version counters, and they are laid out anew. Writing through
    ``.data``, or to tensors that were made in inference mode, escapes the counters: call
    ``refresh`` after it. Hooks on inner modules fire with gradients alone; to look inside a subnet,
    extract it.

    Args:
        geometry: of the supernet, as it is built.
        recipe: what the geometry does not say.
    """

    def __init__(self, geometry: Geometry, recipe: Recipe) -> None:
        super().__init__()
        self._choices = Choices(geometry)
        self._recipe = recipe
        self.blocks = nn.ModuleList(
            ElasticBlock(blocks, recipe) for blocks in self._choices.standing()
        )
        self._ready: LaidOut | None = None
        self._named: dict[tuple[int, ...], NormNames] = {}
        self._chosen = self._choices.chosen(self.largest)

    # ------------------------------------------------------------------------ architectures

    @property
    def space(self) -> SearchSpace:
        """Of its architectures."""
        return self._choices.space

    @property
    def largest(self) -> Arch:
        """The architecture that uses every weight, at the largest image size."""
        return self._choices.largest

    @property
    def active(self) -> Arch:
        """The architecture that runs."""
        return self._choices.canonical(self._chosen.arch)

    def activate(self, arch: ArchLike) -> None:
        """Make a subnet the active one; touches no weights.

        Raises:
            InputError: it is not of the space.
        """
        self._chosen = self._choices.chosen(arch)

    # ------------------------------------------------------------------------ running

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, height, width) -> logits (n, classes) of the active subnet."""
        for step in self._steps():
            x = step(x)
        return x

    def _steps(self) -> tuple[Step, ...]:
        """Of the subnet that is active now: another thread may activate one meanwhile."""
        chosen, ready = self._chosen, self._ready
        if self.training or torch.is_grad_enabled():
            dropout = self._recipe.dropout
            return tuple(place.live(block, dropout) for place, block in self._running(chosen))
        if ready is None or ready.standing != chosen.standing or not ready.fresh():
            ready = self._ready = self._laid_out(chosen)
        return ready.steps

    def _laid_out(self, chosen: Chosen) -> LaidOut:
        running = list(self._running(chosen))
        modules = [m for place, _ in running for m in place.modules()]
        held: list[Mapping[str, Tensor | None]] = [
            d for m in modules for d in (m._parameters, m._buffers) if d
        ]
        seen = _stamp(held)  # before the work: what changes meanwhile is noticed
        steps = tuple(place.prepared(block) for place, block in running)
        return LaidOut(chosen.standing, steps, held, seen, _tensors(held))

    def _places(self) -> list[ElasticBlock]:
        return cast(list[ElasticBlock], list(self.blocks))

    def _used(self, chosen: Chosen) -> list[ElasticBlock]:
        """The places that an architecture uses, in order."""
        return [place for place, _ in self._running(chosen)]

    def _running(self, chosen: Chosen) -> Iterator[tuple[ElasticBlock, Block]]:
        for place, block in zip(self._places(), chosen.standing, strict=True):
            if block is not None:
                yield place, block

    def prepare(self) -> None:
        """Lay the active subnet out now, for evaluation, rather than in the next pass."""
        self._ready = self._laid_out(self._chosen)

    def refresh(self) -> None:
        """Forget what was laid out for the active subnet; due after writing through ``.data``."""
        self._ready = None

    def __getstate__(self) -> dict[str, Any]:
        """Without what was laid out or looked up: a copy makes its own."""
        return {**self.__dict__, "_ready": None, "_named": {}}

    # ------------------------------------------------------------------------ extraction

    @torch.no_grad()
    def extract(self, arch: ArchLike) -> StaticNetwork:
        """The subnet as a module of its own, in this one's mode: same function, no tie.

        Raises:
            InputError: it is not of the space.
        """
        chosen = self._choices.chosen(arch)
        places = self._used(chosen)

        def tensors(number: int, op: Op) -> Tensors:
            return places[number].layer(op.name).tensors(op)

        subnet = StaticNetwork(
            chosen.arch,
            self._choices.blocks(chosen.arch),
            tensors,
            NAMES[self._recipe.names],
            self._recipe.eps,
            self._recipe.dropout,
        )
        return subnet.train(self.training)

    @torch.no_grad()
    def apply_statistics(self, arch: ArchLike, statistics: Statistics) -> None:
        """Write a subnet's batch norm statistics into the slices that it uses.

        Args:
            statistics: by the names of the extracted network's batch norms, all of them.

        Raises:
            InputError: the architecture is not of the space, or a batch norm is left out.
        """
        chosen = self._choices.chosen(arch)
        places = self._used(chosen)
        norms = {n: places[number].layer(op).norm for n, number, op in self._norm_names(chosen)}
        lacking = sorted(norms.keys() - statistics.keys())
        if lacking:
            raise InputError(f"statistics are missing: {', '.join(lacking[:3])}")
        for name, norm in norms.items():
            (mean, variance) = statistics[name]
            assert norm is not None
            assert norm.running_mean is not None and norm.running_var is not None
            norm.running_mean[: len(mean)].copy_(mean)
            norm.running_var[: len(variance)].copy_(variance)

    def _norm_names(self, chosen: Chosen) -> NormNames:
        """The norms of a subnet; looked up once for each of the last few."""
        key = tuple(map(id, chosen.standing))  # the choices keep every block
        found = self._named.get(key)
        if found is None:
            if len(self._named) >= REMEMBERED:
                self._named = {}
            norms = self.extract(chosen.arch).norms()
            found = tuple((name, number, op) for (number, op), name in norms.items())
            self._named[key] = found
        return found

    # ------------------------------------------------------------------------ files

    def _published(self, layout: str) -> dict[str, Tensor]:
        names, places = NAMES[self._recipe.names], self._places()
        prefixes = names.prefixes([place.widest for place in places], layout)
        return {
            names.key(prefix, place.widest, op, name): tensor
            for place, prefix in zip(places, prefixes, strict=True)
            for op in place.ops()
            for name, tensor in place.layer(op).state_dict(keep_vars=True).items()
        }

    # ------------------------------------------------------------------------ training

    @torch.no_grad()
    def sort_channels(self, phase: int = 0) -> None:
        """Order the channels inside blocks by importance; the largest network stays the same.

        Args:
            phase: of the expand ratios: 0 sorts all, phase i only inside the bounds that the
                i + 1 widest ratios have, so that a trained narrower prefix stays a prefix.
        """
        for place in self._places():
            layers = {op: place.layer(op) for op in place.ops()}
            sort_block(place.widest, layers, place.widths, phase)
