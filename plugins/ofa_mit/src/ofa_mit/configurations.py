"""Configurations of published specialised networks: read strictly, and found in a supernet.

A configuration is a JSON file that lists a static MBConv network block by block. It is a network
of a supernet where the widths are the supernet's and every block is one that it can choose.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeGuard

from attrs import field, frozen

from ofa_mit.mobile import MobileRow
from ofa_mit.supernet import RowSupernet
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.geometry import Block
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.values import Arch, Number

MOST: Final = 1 << 22
"""Bytes of a configuration: the published ones have some ten thousand."""
ADVICE: Final = "a net.config as the OFA authors published it: name, first_conv, blocks, classifier"


class NoMatchError(Exception):
    """Why a configuration is not of a supernet."""


@frozen
class Mbconv:
    """One block, as a configuration and a supernet's geometry both can say it."""

    channels_in: int
    channels_out: int
    mid: int
    kernel: int
    stride: int
    activation: str
    se: bool
    shortcut: bool
    expand: Number = field(eq=False)


@frozen
class Configuration:
    """A static network.

    Attributes:
        stem, feature_mix: channels.
        final_expand: channels, or None where there is none.
        blocks: block 0 first.
        image_size: pixels, where it says.
    """

    stem: int
    blocks: tuple[Mbconv, ...]
    final_expand: int | None
    feature_mix: int
    image_size: int | None = None

    @property
    def widths(self) -> str:
        """For messages: stem, then blocks, then what follows."""
        blocks = dict.fromkeys(block.channels_out for block in self.blocks)
        last = [self.feature_mix] if self.final_expand is None else [
            self.final_expand, self.feature_mix,
        ]  # fmt: skip
        return ", ".join(map(str, [self.stem, *blocks, *last]))


# ------------------------------------------------------------------------------ reading


def read_configuration(path: Path) -> Configuration:
    """Read one configuration.

    Raises:
        InputError: it cannot be read, or is no configuration; says what is missing.
    """
    found = _json(path)
    try:
        blocks = [_block(block, f"blocks[{i}]") for i, block in enumerate(_list(found, "blocks"))]
        return Configuration(
            _number(_part(found, "first_conv"), "out_channels", "first_conv"),
            tuple(block for block in blocks if block is not None),
            _final_expand(found),
            _number(_part(found, "feature_mix_layer"), "out_channels", "feature_mix_layer"),
            _image_size(path, found),
        )
    except ValueError as error:
        raise InputError(f"{path} is no configuration: {error}", advice=ADVICE) from error


def _json(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > MOST:
            raise InputError(f"{path} is too large for a configuration", advice=ADVICE)
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {error}", advice=ADVICE) from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: expected an object, found {found!r:.60}", advice=ADVICE)
    return found


def _final_expand(found: Mapping[str, Any]) -> int | None:
    if found.get("final_expand_layer") is None:
        return None
    return _number(_part(found, "final_expand_layer"), "out_channels", "final_expand_layer")


def _image_size(path: Path, found: Mapping[str, Any]) -> int | None:
    """What it says itself, or the run.config beside it."""
    beside = path.with_name("run.config")
    if "image_size" not in found and path.name == "net.config" and beside.is_file():
        found = _json(beside)
    return _number(found, "image_size", "the network") if found.get("image_size") else None


def _block(found: Any, where: str) -> Mbconv | None:
    """A block; None for one that only hands on its input."""
    if not isinstance(found, dict):
        raise ValueError(f"{where}: expected an object, found {found!r:.60}")
    conv = found.get("mobile_inverted_conv", found.get("conv"))
    if conv is None or (isinstance(conv, dict) and conv.get("name") == "ZeroLayer"):
        return None
    if not isinstance(conv, dict):
        raise ValueError(f"{where}: has no mobile_inverted_conv")
    channels, expand = _number(conv, "in_channels", where), _ratio(conv, where)
    mid = conv.get("mid_channels")
    return Mbconv(
        channels,
        _number(conv, "out_channels", where),
        round(channels * expand) if mid is None else _number(conv, "mid_channels", where),
        _number(conv, "kernel_size", where),
        _number(conv, "stride", where),
        str(conv.get("act_func")),
        bool(conv.get("use_se", False)),
        found.get("shortcut") is not None,
        expand,
    )


def _part(found: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = found.get(key)
    if not isinstance(value, dict):
        raise ValueError(f"it has no {key}")
    return value


def _list(found: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = found.get(key)
    if not isinstance(value, list) or not value:
        raise ValueError(f"it has no {key}")
    return value


def _number(found: Mapping[str, Any], key: str, where: str) -> int:
    value = found.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 1 << 20:
        raise ValueError(f"{where}: {key} is {value!r:.60}, not a whole number")
    return value


def _ratio(conv: Mapping[str, Any], where: str) -> Number:
    value = conv.get("expand_ratio")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 100:
        raise ValueError(f"{where}: expand_ratio is {value!r:.60}, not a number")
    return value


# ----------------------------------------------------------------------------- matching


def is_mobile(supernet: Supernet) -> TypeGuard[RowSupernet[MobileRow]]:
    """Whether a supernet is made of MBConv stages, so that configurations can be of it."""
    return isinstance(supernet, RowSupernet) and isinstance(supernet.row, MobileRow)


def arch_in(found: Configuration, supernet: RowSupernet[MobileRow], image_size: int) -> Arch:
    """The architecture of a supernet that a configuration is.

    Args:
        image_size: pixels.

    Raises:
        NoMatchError: it is none of the supernet's; says why.
    """
    _check_widths(found, supernet.row)
    stages = _stages(found, supernet.row)
    arch = _chosen(stages, supernet, image_size)
    blocks = [b for b in supernet.geometry().blocks(arch) if b.kind == "mbconv"]
    for block, due in zip(map(_as_mbconv, blocks), found.blocks, strict=True):
        if block != due:
            raise NoMatchError(f"it has {due}, where {supernet.name} has {block}")
    return arch


def _check_widths(found: Configuration, row: MobileRow) -> None:
    first = found.blocks[0].channels_out if found.blocks else 0
    ends = (found.stem, first, found.final_expand, found.feature_mix)
    if ends != (row.stem, row.first, row.final_expand, row.feature_mix):
        raise NoMatchError("other widths")


def _stages(found: Configuration, row: MobileRow) -> list[list[Mbconv]]:
    """The blocks after block 0, by stage: a stage begins where the width changes."""
    stages: list[list[Mbconv]] = []
    for block in found.blocks[1:]:
        if not stages or stages[-1][0].channels_out != block.channels_out:
            stages.append([])
        stages[-1].append(block)
    widths = tuple(stage[0].channels_out for stage in stages)
    if widths != row.widths:
        raise NoMatchError("other widths")
    return stages


def _chosen(
    stages: Sequence[Sequence[Mbconv]], supernet: RowSupernet[MobileRow], image_size: int
) -> Arch:
    """As genes of the space; an unused slot holds its first option."""
    row = supernet.row
    ks: list[Number] = []
    e: list[Number] = []
    for number, stage in enumerate(stages):
        slots = max(row.depths(number))
        if len(stage) not in row.depths(number):
            raise NoMatchError(f"{len(stage)} blocks in stage {number + 1}")
        unused = slots - len(stage)
        ks += [block.kernel for block in stage] + [min(row.ks)] * unused
        e += [block.expand for block in stage] + [min(row.e)] * unused
    choices = {"ks": ks, "e": e, "d": [len(stage) for stage in stages]}
    try:
        space = supernet.at([image_size]).space
        return space.decode(space.encode([{**choices, "image_size": image_size}]))[0]
    except InputError as error:
        raise NoMatchError(error.message.removeprefix("architecture 0: ")) from error


def _as_mbconv(block: Block) -> Mbconv:
    ops = {op.name: op for op in block.ops}
    across, last = ops["depthwise"], ops["project"]
    first = ops.get("expand", across)
    return Mbconv(
        first.channels_in,
        last.channels_out,
        across.channels_out,
        across.kernel,
        across.stride,
        str(across.activation),
        block.squeeze_excite,
        block.shortcut,
        dict(block.choice).get("e", 1),
    )
