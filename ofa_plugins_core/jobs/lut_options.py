"""Options of ``ofa run lut``; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import field, frozen
from attrs.validators import ge, gt, optional

from ofa_plugins_core.jobs.options import SUPERNET


def _said(text: str, **more: str) -> dict[str, Any]:
    return {"help": text, **more}


@frozen(kw_only=True, slots=False)
class LutOptions:
    """Options of ``ofa run lut``: measure a table, or look at one that is there."""

    supernet: str = field(metadata=SUPERNET)
    device: str = field(
        default="cpu", metadata=_said("where to measure; see: ofa list devices", metavar="NAME")
    )
    resolutions: tuple[int, ...] | None = field(
        default=None, metadata=_said("image sizes; default: the supernet's", metavar="LIST")
    )
    batch: int = field(default=1, validator=ge(1), metadata=_said("a pass", unit="images"))
    threads: int | None = field(
        default=None, validator=optional(ge(1)), metadata=_said("of the device; default: its own")
    )
    host: str | None = field(
        default=None, metadata=_said("of a device elsewhere, over ssh", metavar="[USER@]HOST")
    )
    mode: str | None = field(
        default=None, metadata=_said("power mode of the device, by name", metavar="NAME")
    )
    precision: float = field(
        default=0.02,
        validator=gt(0),
        metadata=_said("done when the mean's 95 % interval is narrower, as a part of the mean"),
    )
    least: int = field(default=10, validator=ge(2), metadata=_said("passes at least"))
    most: int = field(default=60, validator=ge(2), metadata=_said("passes at most"))
    networks: int = field(
        default=64,
        validator=ge(0),
        metadata=_said("random whole networks to hold the table against; 0: not validated"),
    )
    split: bool = field(
        default=False,
        metadata=_said(
            "also time the parts of blocks alone (expand, depthwise, project), to show what is "
            "lost where a block is not measured as one"
        ),
    )
    show: bool = field(
        default=False, metadata=_said("say what would be measured and how long it takes, and end")
    )
    install: str | None = field(
        default=None,
        metadata=_said("keep it for later: latency@NAME needs no --lut then", metavar="NAME"),
    )
    lut: tuple[str, ...] = field(
        default=(),
        metadata=_said(
            "measure no table: report what is wrong with these; repeatable",
            metavar="FOLDER|NAME=FOLDER",
        ),
    )
    measured: Path | None = field(
        default=None,
        metadata=_said(
            'with --lut: networks with measured latencies, JSON lines {"arch": …, "latency": ms}',
            metavar="FILE",
        ),
    )
    run: Path | None = field(
        default=None,
        metadata=_said(
            "with --lut: measure the networks of this search on the device, and hold them against "
            "what the table promised",
            metavar="FOLDER",
        ),
    )
    archs: Path | None = field(
        default=None,
        metadata=_said("the same for networks of a file, JSON lines", metavar="FILE"),
    )
