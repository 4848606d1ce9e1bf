"""Options of the monitor; alone, so that listing monitors loads nothing else."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen


@frozen
class MonitorOptions:
    """Options of the monitor ``jetson``."""

    root: Path = field(
        default=Path("/"), metadata={"help": "root of a constructed board's file system, for tests"}
    )
