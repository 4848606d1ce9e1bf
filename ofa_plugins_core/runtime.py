"""Protocols of run time: levels to switch between, policies that choose, what they see and set.

Structural, as ``interfaces``, through which plugins import them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from attrs import field, frozen

from ofa_plugins_core.structural import Structural


@frozen
class Observation:
    """What a runtime policy sees after one inference.

    Attributes:
        time: seconds since the start, at the end of the inference.
        latency: of the last inference, ms.
        limit: on latency, ms.
        readings: further monitors by name with unit (``cpu_percent``, ``gpu_celsius``, …).
        level: number of the level that ran.
    """

    time: float
    latency: float
    limit: float
    readings: Mapping[str, float] = field(factory=dict)
    level: int = 0


@frozen
class Level:
    """One row of a runtime table: what a policy can switch to.

    Attributes:
        accuracy: percent.
        latency: ms, as measured for the table.
        energy: of an inference, mJ; None where nobody knows.
    """

    accuracy: float
    latency: float
    energy: float | None = None


@frozen
class Decision:
    """What a policy decides, where the number of a level does not say all.

    Attributes:
        level: number of the level to use from now on.
        reason: why it differs from the last, for the event log.
        actions: actuator -> the value to set it to, in the actuator's own unit; those that are
            not named stay as they are.
    """

    level: int
    reason: str = ""
    actions: Mapping[str, float] = field(factory=dict)


class RuntimePolicy(Protocol):
    """Observation -> level, as a pure function of its state.

    Levels are numbered from 0, from fast to slow.
    """

    def start(self, levels: Sequence[Level]) -> Any:
        """The state before the first observation."""

    def decide(self, state: Any, observation: Observation) -> tuple[Any, int | Decision]:
        """The next state, and the level to use from now on."""


@runtime_checkable
class StartingPolicy(Protocol, metaclass=Structural):
    """A policy that says at which level to begin.

    Others begin at the most accurate one that the limit allows by the table.
    """

    def initial(self, levels: Sequence[Level]) -> int:
        """Number of the first level."""


class Monitor(Protocol):
    """Reads how a device is doing."""

    def read(self) -> Mapping[str, float]:
        """Readings now, by name with unit: ``cpu_percent``, ``memory_percent``, ``gpu_celsius``.

        Raises:
            Exception: it cannot be read any more; its readings are then left out.
        """


class Actuator(Protocol):
    """Something that a policy may set on a device: a clock's limit, a number of threads."""

    @property
    def unit(self) -> str:
        """Of its values, for example ``MHz``."""

    @property
    def values(self) -> Sequence[float]:
        """What it can be set to, increasing; what it is set to is among them."""

    def get(self) -> float:
        """What it is set to."""

    def set(self, value: float) -> None:
        """Set it; whoever sets puts back in the end what ``get`` gave before.

        Raises:
            UsageError: the value is none of ``values``, or the system refuses.
        """
