"""Fitted latency predictors as costs: which place holds one, and the form that loads it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, UnknownNameError, UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.latency_cost import FittedLatency
from ofa_plugins_core.latency_models import (
    StoredModel,
    check_supernet,
    is_of,
    model_file,
    read_model,
)
from ofa_plugins_core.own_tables import FILE, installed
from ofa_plugins_core.reduction.supernet import ReducedSupernet


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
    fitted = _fitted(model, supernet)
    predictor = entry.load(fitted, model.fit)
    return FittedLatency(f"latency@{name}", supernet, fitted, model, predictor)


def _fitted(model: StoredModel, supernet: Supernet) -> Supernet:
    """What a file was fitted for, at its image sizes: a supernet, or one that it is reduced from.

    Raises:
        InputError: the supernet cannot have such image sizes.
        UsageError: the file is of another supernet.
    """
    found = supernet
    while not is_of(model, found) and isinstance(found, ReducedSupernet):
        found = found.whole
    if not is_of(model, found):
        check_supernet(model, supernet)
    try:
        sized = found.as_built().at(model.header.resolutions)
    except UsageError as error:
        raise InputError(f"{model.path}: resolutions: {error.message}") from error
    check_supernet(model, sized)
    return sized
