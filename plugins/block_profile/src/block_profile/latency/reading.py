"""What a form reads from the file of a fit, looked at before it is used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.latency_fits import LatencyFit
from ofa_plugins_core.spelling import Spelling

LONGEST: Final = 1e9
"""ms, more than eleven days: no part of a network's latency is longer."""


def spelled_alike(what: str, fit: LatencyFit, spelling: Spelling, supernet: Supernet) -> None:
    """Refuse a fit of other blocks.

    Raises:
        InputError: it is of other blocks than the supernet has.
    """
    if fit.settings.get("words") != list(spelling.words):
        raise InputError(f"{what}: of other blocks than {supernet.name} has")


def milliseconds(what: str, settings: Mapping[str, Any], name: str) -> float:
    """A time of a fit's settings, of either sign.

    Raises:
        InputError: it is no number, or no time that a network takes.
    """
    value = settings.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{what} is not whole: {name} is {value!r:.40}, no number")
    within(what, name, np.array(value, dtype=float))
    return float(value)


def within(what: str, name: str, values: NDArray[Any]) -> None:
    """Refuse times that no network takes.

    Raises:
        InputError: they are beyond a billion ms, or no numbers.
    """
    if not (np.abs(values) <= LONGEST).all():
        raise InputError(f"{what} is not whole: {name} is beyond {LONGEST:.0e} ms")


def whole_numbers(what: str, name: str, values: NDArray[Any]) -> NDArray[np.int64]:
    """Numbers that count.

    Raises:
        InputError: some are none.
    """
    if values.dtype.kind not in "iu":
        raise InputError(f"{what} is not whole: {name} holds no whole numbers")
    return values.astype(np.int64)
