"""Laws of monitors and of actuators: (monitor or actuator, None, generator)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np

from ofa_plugins_core.interfaces import Actuator, Monitor
from ofa_plugins_core.testing.laws import Law, demand, effects

Rng = np.random.Generator


def reads_numbers_by_name(monitor: Monitor, _: Any, generator: Rng) -> None:
    """Every reading is a finite number under a name, each time that it is asked.

    Return a dict of finite numbers, and leave out what cannot be read.
    """
    for _time in range(2):
        found = monitor.read()
        demand(isinstance(found, Mapping), f"readings are a mapping, found {found!r:.80}")
        for name, value in found.items():
            demand(isinstance(name, str) and name != "", f"a reading has a name, found {name!r}")
            sound = isinstance(value, int | float) and math.isfinite(value)
            demand(sound, f"{name}: a finite number is due, found {value!r:.80}")


def names_say_the_unit(monitor: Monitor, _: Any, generator: Rng) -> None:
    """A reading's name ends with its unit: ``cpu_percent``, ``gpu_celsius``.

    Name a reading what_unit, for example gpu_celsius.
    """
    for name in monitor.read():
        demand("_" in name.strip("_"), f"{name!r} says no unit")


def values_increase(actuator: Actuator, _: Any, generator: Rng) -> None:
    """It has a unit and some values, which increase; what it is set to is among them.

    Sort values, and put what it is set to among them: it has to be put back when the run ends.
    """
    values = list(actuator.values)
    demand(len(values) > 0, "it can be set to nothing")
    demand(all(a < b for a, b in pairwise(values)), f"values increase, found {values}")
    demand(bool(actuator.unit), "it has no unit")
    now = actuator.get()
    demand(now in values, f"it is set to {now}, which cannot be put back: values are {values}")


def setting_what_is_set_changes_nothing(actuator: Actuator, _: Any, generator: Rng) -> None:
    """Set to what it is set to, it stays so.

    Let get() return one of values, exactly as it was set.
    """
    before = actuator.get()
    actuator.set(before)
    demand(actuator.get() == before, f"was {before}, is {actuator.get()}")


monitor_has_no_other_randomness = effects.no_other_randomness(lambda monitor, *_: monitor.read())

MONITORS: Final[tuple[Law, ...]] = (
    reads_numbers_by_name,
    names_say_the_unit,
    monitor_has_no_other_randomness,
)
ACTUATORS: Final[tuple[Law, ...]] = (values_increase, setting_what_is_set_changes_nothing)
