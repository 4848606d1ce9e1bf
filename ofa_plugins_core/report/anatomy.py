"""What many networks are made of, each distinct block once: for pictures that are drawn later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from attrs import frozen

from ofa_plugins_core.geometry import Block
from ofa_plugins_core.host import Host
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.report.memory import History
from ofa_plugins_core.report.networks import memory_of, supernet_of
from ofa_plugins_core.report.picture import expand_of, kernel_of, main_op, out_op
from ofa_plugins_core.report.results import Point, Run
from ofa_plugins_core.values import parse_arch


@frozen(eq=False)
class Anatomy:
    """Networks as lists of blocks.

    Attributes:
        title: of the supernet.
        blocks: JSON forms, each distinct block at each place once: see ``_as_json``.
        networks: numbers of the blocks of each network, in order.
    """

    title: str
    blocks: Sequence[Mapping[str, Any]]
    networks: Sequence[Sequence[int]]


def anatomy_of(host: Host, run: Run, points: Sequence[Point]) -> Anatomy | None:
    """The blocks of a run's networks, with the memory of each op; None where it has no network.

    Raises:
        OfaError: the supernet's plugin is missing or failed, or an architecture is not of it.
    """
    if not points:
        return None
    supernet = supernet_of(host, run)
    archs = [p.arch for p in points]
    networks = list(_networks(supernet, archs))
    memories = _memories(memory_of(host, supernet), archs, networks)
    numbers = {block: number for number, block in enumerate(memories)}
    return Anatomy(
        supernet.name,
        [_as_json(block, ops) for block, ops in memories.items()],
        [[numbers[b] for b in blocks] for blocks in networks],
    )


def _networks(supernet: Supernet, archs: Sequence[Mapping[str, Any]]) -> Iterator[list[Block]]:
    """The blocks of each network: all encoded together, each choice at a place asked once.

    One by one, ``Geometry.blocks`` takes seconds for a front of a thousand networks.
    """
    sizes = [parse_arch(supernet.space, arch, n).image_size for n, arch in enumerate(archs)]
    space = supernet.space.with_resolutions(sizes)
    sites = supernet.geometry().sites
    known: dict[tuple[int, ...], Block | None] = {}
    for size, row in zip(sizes, space.encode(archs).tolist(), strict=True):
        blocks = []
        for number, site in enumerate(sites):
            key = (number, size, *(row[c] for c in site.genes))
            if key not in known:
                options = tuple(space.genes[c].options[row[c]] for c in site.genes)
                known[key] = site.block(size, options)
            if (block := known[key]) is not None:
                blocks.append(block)
        yield blocks


def _memories(
    memory_of: Callable[[Mapping[str, Any]], History],
    archs: Sequence[Mapping[str, Any]],
    networks: Sequence[Sequence[Block]],
) -> dict[Block, History]:
    """Of each distinct block its part of a history.

    An op's memory depends on its block alone, so that one network tells it of all that share
    the block: most need not be asked.
    """
    found: dict[Block, History] = {}
    for arch, blocks in zip(archs, networks, strict=True):
        if all(b in found for b in blocks):
            continue
        parts = {n: list(ops) for n, ops in groupby(memory_of(arch), key=lambda entry: entry[0])}
        for block in blocks:
            found.setdefault(block, parts.get(block.name, []))
    return found


def _as_json(block: Block, history: History) -> dict[str, Any]:
    """What the page draws of a block; what says nothing is left out, it is there a thousandfold."""
    main, out = main_op(block), out_op(block)
    ratio = expand_of(block)
    said: dict[str, Any] = {
        "name": block.name,
        "stage": block.stage,
        "kernel": kernel_of(block),
        "role": main.role,
        "e": ratio,
        "mid": None if ratio is None else main.channels_out,
        "out": [out.channels_out, out.size_out],
        "se": block.squeeze_excite,
        "shortcut": block.shortcut,
        "ops": [
            [op.name, op.kernel, op.channels_in, op.channels_out, op.size_out] for op in block.ops
        ],
        "memory": [[op, items] for _, op, items in history],
    }
    return {k: v for k, v in said.items() if v is not None and v is not False}
