"""The options of ``ofa run import-config``; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen


@frozen(kw_only=True)
class ImportOptions:
    """Options of ``ofa run import-config``."""

    file: Path = field(metadata={"help": "the published config.yaml", "metavar": "FILE"})
    model_config: Path | None = field(
        default=None,
        metadata={"help": "model_configs.yaml: supernets of your own", "metavar": "FILE"},
    )
