"""Options of a Jetson; alone, so that listing devices loads nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen
from attrs.validators import ge


def _a_host(instance: object, attribute: Any, value: str | None) -> None:
    """No option of ssh, and nothing that a shell would read."""
    if value is not None and not re.fullmatch(r"[A-Za-z0-9_][\w.@:%\[\]-]*", value, re.ASCII):
        raise ValueError(f"expected user@board or a name of ~/.ssh/config, found {value!r:.80}")


@frozen(kw_only=True)
class JetsonOptions:
    """Options of a board: where it is, and how it is set while it measures."""

    host: str | None = field(
        default=None,
        validator=_a_host,
        metadata={"help": "user@board, reached by ssh; default: this machine is the board"},
    )
    recording: Path | None = field(
        default=None, metadata={"help": "play what a board answered before, by ssh or by hand"}
    )
    record: Path | None = field(
        default=None, metadata={"help": "keep what the board answers in a file, to play it again"}
    )
    mode: str | None = field(
        default=None, metadata={"help": "name of a power mode; default: the present one"}
    )
    processor: Literal["gpu", "cpu"] = field(default="gpu", metadata={"help": "gpu or cpu"})
    dtype: Literal["fp32", "fp16"] = field(default="fp32", metadata={"help": "of all numbers"})
    threads: int = field(default=1, validator=ge(1), metadata={"help": "of torch on the CPU"})
    lock_clocks: bool = field(
        default=True, metadata={"help": "lock clocks while it measures; needs root on the board"}
    )
    python: str = field(default="python3", metadata={"help": "interpreter on the board"})
    root: Path | None = field(
        default=None, metadata={"help": "root of a constructed board's file system, for tests"}
    )
