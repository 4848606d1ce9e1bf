"""What a table has to hold: exactly the distinct blocks that a supernet can be made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import evolve, frozen

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.geometry import Block, Op, parts
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.tables import row_key


@frozen(eq=False)
class Needed:
    """Rows of a table.

    Attributes:
        blocks: key -> block, each once, at the first image size that has it.
        sizes: image size -> keys of its rows; one that does not depend on the size (a classifier)
            is in several.
        new: image size -> keys that are first needed there.
    """

    blocks: Mapping[str, Block]
    sizes: Mapping[int, tuple[str, ...]]
    new: Mapping[int, tuple[str, ...]]


def needed_rows(supernet: Supernet) -> Needed:
    """The distinct blocks of a supernet at all its image sizes, with every option.

    Raises:
        UsageError: two blocks that differ go by one key, so that no table could tell them apart.
    """
    found = {s: _whole(supernet, s) for s in supernet.resolutions}
    _check(supernet.name, found)
    return _needed(found)


def needed_parts(supernet: Supernet) -> Needed:
    """The distinct parts of those blocks: what a table of single ops would hold."""
    return _needed({s: _pieces(supernet, s) for s in supernet.resolutions})


def _whole(supernet: Supernet, size: int) -> list[tuple[str, Block]]:
    return [(row_key(block), block) for block in supernet.geometry().catalogue(size).blocks]


def _pieces(supernet: Supernet, size: int) -> list[tuple[str, Block]]:
    blocks = supernet.geometry().catalogue(size).blocks
    return [(part_key(piece), piece) for block in blocks for piece in pieces_of(block)]


def _check(name: str, found: Mapping[int, list[tuple[str, Block]]]) -> None:
    known: dict[str, Block] = {}
    for pairs in found.values():
        for key, block in pairs:
            before = known.setdefault(key, block)
            if before is not block and before.as_dict() != block.as_dict():
                raise UsageError(
                    f"{name}: two different blocks go by the key {key}: no table can hold both",
                    advice="measure whole networks instead: --cost latency --measure",
                )


def _needed(found: Mapping[int, list[tuple[str, Block]]]) -> Needed:
    blocks: dict[str, Block] = {}
    new: dict[int, tuple[str, ...]] = {}
    for size, pairs in found.items():
        before = len(blocks)
        for key, block in pairs:
            blocks.setdefault(key, block)
        new[size] = tuple(blocks)[before:]
    sizes = {size: tuple(dict.fromkeys(k for k, _ in pairs)) for size, pairs in found.items()}
    return Needed(blocks, sizes, new)


def pieces_of(block: Block) -> Iterator[Block]:
    """A block's parts, each as a block of its own.

    They are its convolutions; squeeze-excite stays with the op before it, whose output it scales.
    """
    main, aside = parts(block)
    joined: list[tuple[Op, ...]] = []
    for ops in main:
        if len(ops) > 1 and joined:
            joined[-1] = (*joined[-1], *ops)
        else:
            joined.append(ops)
    for ops in (*joined, *((op,) for op in aside)):
        yield evolve(block, ops=ops, shortcut=False, activation=None)


def part_key(piece: Block) -> str:
    """The key of a part's row: what it is made of, and nothing of its place."""
    said = []
    for op in piece.ops:
        words = [
            f"{op.role}-input:{op.size_in}x{op.size_in}x{op.channels_in}",
            f"output:{op.size_out}x{op.size_out}x{op.channels_out}",
            f"kernel:{op.kernel}-stride:{op.stride}-groups:{op.groups}",
            f"norm:{int(op.norm)}-bias:{int(op.bias)}-act:{op.activation or 'none'}",
        ]
        said.append("-".join(words))
    return "+".join(said)
