"""Fits and smaller spaces that the user made and installed: they come before what plugins ship.

They lie in one folder, ``$OFA_FITTED`` or the user's data folder, as
``<predictor>-<supernet>-<data set>.<ending>``: the triple that is a fit's key. Smaller spaces lie
in another, ``$OFA_REDUCED`` or beside it, as ``<name>.yaml``.
"""

from __future__ import annotations

import os
from pathlib import Path

from ofa_plugins_core.entries import FittedPredictorEntry


def user_folder() -> Path:
    """Where installed fits lie; it need not exist."""
    if named := os.environ.get("OFA_FITTED"):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "ofa-plugins" / "fitted"


def user_fits(predictor: str, supernet: str) -> list[FittedPredictorEntry]:
    """What the user installed for a predictor and a supernet, one entry a data set."""
    prefix = f"{predictor}-{supernet}-"
    try:
        files = sorted(user_folder().iterdir())
    except OSError:
        return []
    return [
        FittedPredictorEntry(
            predictor,
            supernet,
            file.stem.removeprefix(prefix),
            file,
            f"installed by you: {file}",
            own=True,
        )
        for file in files
        if file.name.startswith(prefix) and file.suffix != ".part"
    ]


def reductions_folder() -> Path:
    """Where installed smaller spaces lie; it need not exist."""
    if named := os.environ.get("OFA_REDUCED"):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "ofa-plugins" / "reduced"


def user_reductions() -> dict[str, Path]:
    """Name -> file of each smaller space that the user installed."""
    try:
        return {f.stem: f for f in sorted(reductions_folder().iterdir()) if f.suffix == ".yaml"}
    except OSError:
        return {}
