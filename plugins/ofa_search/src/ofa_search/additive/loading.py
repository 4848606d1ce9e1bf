"""Finds and reads a fit: a named file first, then the user's own, then what ships."""

from __future__ import annotations

import os
from importlib.resources.abc import Traversable
from pathlib import Path

from ofa_plugins_core.entries import FittedPredictorEntry
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_search.additive.fitfile import AdditiveFit, loads
from ofa_search.additive.predictor import AdditivePredictor


def load_additive(
    supernet: Supernet, file: Path | None, entry: FittedPredictorEntry | None
) -> AdditivePredictor:
    """The additive predictor of a supernet.

    Args:
        supernet: that it will score.
        file: a fit, or a run folder of ``ofa run fit``, named by the user; comes first.
        entry: what ships; a fit that the user installed for the same data set comes before it.

    Raises:
        UsageError: there is no fit for the supernet; says how to make one.
        InputError: the file is missing or broken.
    """
    found = _named(file) if file is not None else installed(supernet.name, entry)
    if found is not None:
        fit = loads(_read(found), str(found))
        return _predictor(fit, supernet, fit.supernet not in (supernet.name, supernet.space.name))
    if entry is None:
        raise UsageError(
            f"there is no additive predictor for {supernet.name}",
            advice="measure some hundred subnets, then: ofa run fit "
            f"--supernet {supernet.name} --data FILE, and --predictor-weights with what it writes; "
            "searches for costs alone (--minimize COST) need none",
        )
    return _predictor(loads(_read(entry.file), str(entry.file)), supernet, entry.extrapolation)


def _predictor(fit: AdditiveFit, supernet: Supernet, extrapolation: bool) -> AdditivePredictor:
    return AdditivePredictor(fit, supernet.space, extrapolation)


def file_name(supernet: str, dataset: str) -> str:
    """Name of a fit's file."""
    return f"additive-{supernet}-{dataset}.json"


def user_folder() -> Path:
    """Where fits are that the user installed: $OFA_FITTED, or a folder of the user's data."""
    if named := os.environ.get("OFA_FITTED"):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "ofa-plugins" / "fitted"


def installed(supernet: str, entry: FittedPredictorEntry | None) -> Path | None:
    """The user's own fit for a supernet: for the entry's data set, or the only one there is."""
    if entry is not None:
        own = user_folder() / file_name(supernet, entry.dataset)
        return own if own.is_file() else None
    found = sorted(user_folder().glob(file_name(supernet, "*")))
    return found[0] if len(found) == 1 else None


def _named(file: Path) -> Path:
    if not file.is_dir():
        return file
    found = sorted(file.glob("additive-*.json"))
    if len(found) != 1:
        raise InputError(f"{file} holds {len(found)} fits (additive-*.json); name the file")
    return found[0]


def _read(file: Path | Traversable) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error
