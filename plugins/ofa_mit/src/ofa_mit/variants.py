"""Variants of a supernet for small images: other strides and image sizes, the same choices."""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs
from attrs import evolve, field, frozen

from ofa_mit.supernet import RowSupernet
from ofa_plugins_core.errors import UsageError

RESOLUTIONS = {"help": "image sizes in pixels; they change no name"}
STEM_STRIDE = {"help": "stride of the first convolution; 1 for small images"}
STRIDES = {"help": "stride of each stage's first block"}


@frozen(kw_only=True)
class MobileVariant:
    """What may differ in an MBConv supernet; None: as published."""

    resolutions: tuple[int, ...] | None = field(default=None, metadata=RESOLUTIONS)
    stem_stride: int | None = field(default=None, metadata=STEM_STRIDE)
    strides: tuple[int, ...] | None = field(default=None, metadata=STRIDES)


@frozen(kw_only=True)
class ResidualVariant(MobileVariant):
    """What may differ in a bottleneck supernet; None: as published."""

    max_pool: bool | None = field(
        default=None, metadata={"help": "the max pool after the stem; false for small images"}
    )


def varied(published: partial[RowSupernet[Any]], options: MobileVariant) -> RowSupernet[Any]:
    """A published supernet with some options of its network set.

    Where the network differs it has a name of its own, ``moofa_v3+stem_stride1``: fits and weights
    of the published one are not its.

    Args:
        published: its builder, with its name and its row.
        options: an instance of one of the classes above.

    Raises:
        UsageError: there is no such network.
    """
    name, row = published.args
    base = published()
    given = {k: v for k, v in attrs.asdict(options).items() if v is not None}
    sizes = given.pop("resolutions", None)
    changes = {k: v for k, v in given.items() if v != getattr(base.row, k)}
    try:
        found = published.func(_named(name, changes), evolve(row, **changes)) if changes else base
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from error
    return found if sizes is None else found.at(sizes)


def _named(name: str, changes: dict[str, Any]) -> str:
    return name + "".join(f"+{key}{_said(value)}" for key, value in changes.items())


def _said(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else f"{value:d}"
