"""Fitted latency predictors as costs: which place holds one, and the form that loads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.latency_models import (
    FittedLatency,
    check_supernet,
    model_file,
    read_model,
)
from ofa_plugins_core.own_tables import FILE, installed


def fitted_place(given: Mapping[str, Path], qualifier: str) -> tuple[str, Path] | None:
    """Name and file of the fitted predictor that ``latency@qualifier`` means; None: it means none.

    Args:
        given: places by name, as the user names them. qualifier: "" for plain ``latency``.
    """
    known = given or (installed() if not qualifier else {})
    if not qualifier and len(known) == 1:
        qualifier = next(iter(known))
    place = given.get(qualifier) or installed().get(qualifier)
    if place is None or (place.is_dir() and (place / FILE).is_file()):
        return None
    file = model_file(place)
    return None if file is None else (qualifier, file)


def fitted_latency(
    context: JobContext, supernet: Supernet, name: str, file: Path, lut_as: str | None
) -> FittedLatency:
    """A fitted predictor as the cost ``latency@NAME``.

    Raises:
        InputError: the file is broken.
        UsageError: it is of another supernet, or of a form that no plugin offers.
        PluginError: its form cannot load it; with blame.
    """
    if lut_as is not None:
        raise UsageError(f"{file} is a fitted predictor: it has no rows to price {lut_as} with")
    model = read_model(file)
    header = model.header
    try:
        entry = context.host.latency_predictor(header.form)
    except UnknownNameError as error:
        raise UsageError(
            f"{file} is of the form {header.form}, which no plugin offers", advice=error.message
        ) from error
    whole: Supernet = getattr(supernet, "whole", supernet)  # of a smaller space
    fitted = whole.as_built().at(header.resolutions)
    check_supernet(model, fitted)
    predictor = entry.load(fitted, model.fit)
    return FittedLatency(f"latency@{name}", supernet, fitted, model, predictor)
