"""Finds and reads a fit: a named file first, else the entry that the host chose."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from pathlib import Path

from ofa_plugins_core.entries import FittedPredictorEntry
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_search.additive.fitfile import loads
from ofa_search.additive.predictor import AdditivePredictor


def load_additive(
    supernet: Supernet, file: Path | None, entry: FittedPredictorEntry | None
) -> AdditivePredictor:
    """The additive predictor of a supernet.

    Args:
        supernet: that it will score.
        file: a fit, or a run folder of ``ofa run fit``, named by the user; comes first.
        entry: what ships, or what the user installed for the supernet and data set.

    Raises:
        UsageError: there is no fit for the supernet, or the named one is of another supernet; says
            how to make one.
        InputError: the file is missing or broken.
    """
    if file is not None:
        found = _named(file)
        fit = loads(_read(found), str(found))
        if fit.supernet not in (supernet.name, supernet.space.name):
            raise UsageError(
                f"{found} is a fit for {fit.supernet}, not for {supernet.name}",
                advice=f"fit one: ofa run fit --supernet {supernet.name} --data FILE",
            )
        return AdditivePredictor(fit, supernet.space)
    if entry is None:
        raise UsageError(
            f"there is no additive predictor for {supernet.name}",
            advice="measure some hundred subnets, then: ofa run fit "
            f"--supernet {supernet.name} --data FILE, and --predictor-weights with what it writes; "
            "searches for costs alone (--minimize COST) need none",
        )
    fit = loads(_read(entry.file), str(entry.file))
    return AdditivePredictor(fit, supernet.space, entry.extrapolation)


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
