"""Energy of a pass: the integral of a rail's power over a run, its idle power subtracted.

Power is read on the board while nothing runs, then while passes run in a row; see
``ofa_board.py``. Source of the definition: the Jetson literature, as in docs/jetson.md.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from attrs import field, frozen

from devices_jetson import sysfs
from devices_jetson.boards import Board
from devices_jetson.cost_options import EnergyOptions
from devices_jetson.device import Jetson, JetsonWork
from devices_jetson.recording import numbers
from devices_jetson.tegrastats import parse_stream
from devices_jetson.transport import Answer
from ofa_plugins_core.device_blame import unwatched
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Listener
from ofa_plugins_core.interfaces import Device, DeviceSession, LoadedWork, Supernet
from ofa_plugins_core.timed_costs import MeasuredCost, Reading, kept_memo
from ofa_plugins_core.timing import Effort, summary

FEWEST: Final = 5
"""Readings that a run, and the time before it, has to hold."""

MOST_PASSES: Final = 100_000

Sample = tuple[float, float]
"""Seconds, mW."""


@frozen
class Energy:
    """Energy of a run.

    Attributes:
        idle: mean power before the run, mW.
        run: mean power during the run, mW.
        seconds: of the run.
        passes: in it.
    """

    idle: float
    run: float
    seconds: float
    passes: int

    @property
    def per_pass(self) -> float:
        """mJ a pass above idle: mW × s = mJ."""
        return (self.run - self.idle) * self.seconds / self.passes


def integral(readings: Sequence[Sample], start: float, end: float) -> float:
    """mW × s between two times: straight lines between readings, level beyond the outer ones.

    Args:
        readings: at least one, by increasing time.
        start, end: seconds.
    """
    seconds, milliwatts = (np.array(column, dtype=float) for column in zip(*readings, strict=True))
    inside = seconds[(seconds > start) & (seconds < end)]
    at = np.concatenate([[start], inside, [end]])
    power = np.interp(at, seconds, milliwatts)
    return float(np.sum((power[1:] + power[:-1]) / 2 * np.diff(at)))


def energy_of(
    readings: Sequence[Sample], idle: Sample, run: Sample, passes: int, what: str = "the board"
) -> Energy:
    """The energy of a run.

    Args:
        readings: (seconds, mW) of one rail, by increasing time.
        idle, run: start and end in seconds.
        passes: in the run.
        what: for messages.

    Raises:
        InputError: too few readings fall into it, or the run took no more power than idling.
    """
    for name, (start, end) in (("idle time", idle), ("run", run)):
        inside = sum(start <= t <= end for t, _ in readings)
        if inside < FEWEST:
            raise InputError(
                f"{what}: {inside} power readings fall into the {name} of {end - start:.3g} s, at "
                f"least {FEWEST} are due",
                advice="take more seconds, or a shorter interval_ms",
            )
    means = [integral(readings, *span) / (span[1] - span[0]) for span in (idle, run)]
    if means[1] <= means[0]:
        raise InputError(
            f"{what}: the run took {means[1]:.0f} mW, idling took {means[0]:.0f} mW: nothing is "
            "left to be called energy of the network",
            advice="something else ran on the board, or the rail does not feed what runs",
        )
    return Energy(means[0], means[1], run[1] - run[0], passes)


def rail_readings(where: str, lines: object, rail: str) -> list[Sample]:
    """One rail's power from raw readings: tegrastats' lines, or the power monitor's files.

    Raises:
        InputError: they are no readings.
        UsageError: the rail is not among them; with those that are.
    """
    if not isinstance(lines, list) or not all(_is_stamped(line) for line in lines):
        raise InputError(f"{where}: the board's power readings are not understood")
    found: dict[str, list[Sample]] = {}
    for second, text in lines:
        if isinstance(text, dict):
            for sensor in sysfs.sensors(text):
                power = sensor.milliwatts(text)
                if power is not None:
                    found.setdefault(sensor.rail, []).append((float(second), power))
    stamped = [(float(t), x) for t, x in lines if isinstance(x, str)]
    for second, reading in parse_stream(stamped).readings:
        for name, rail_power in reading.power.items():
            found.setdefault(name, []).append((second, float(rail_power.now)))
    if rail not in found:
        known = ", ".join(sorted(found)) or "none"
        raise UsageError(f"{where}: no power was read of the rail {rail!r}; read were: {known}")
    return sorted(found[rail])


def _is_stamped(line: object) -> bool:
    if not isinstance(line, list | tuple) or len(line) != 2:
        return False
    second, text = line
    sound = isinstance(second, int | float) and not isinstance(second, bool)
    files = isinstance(text, dict) and all(isinstance(x, str) for x in text.values())
    return sound and math.isfinite(second) and (isinstance(text, str) or files)


def energy_in(where: str, answer: Answer, rail: str) -> Energy:
    """The energy of a board's answer to ``power``.

    Raises:
        InputError, UsageError: as ``energy_of`` and ``rail_readings``.
    """
    spans: list[Any] = [numbers(where, answer, name) for name in ("idle", "run")]
    passes = len(numbers(where, answer, "ms"))
    if any(len(s) != 2 or s[1] <= s[0] for s in spans) or not passes:
        raise InputError(f"{where}: the board's answer says of no run how long it took")
    idle, run = (tuple(span) for span in spans)
    return energy_of(rail_readings(where, answer.get("lines"), rail), idle, run, passes, where)


@frozen(eq=False, slots=False)
class EnergyCost(MeasuredCost):
    """Energy of a pass on a Jetson, in mJ; see ``MeasuredCost``.

    Attributes:
        rail: whose power is integrated. scope: what it feeds.
    """

    rail: str = field(kw_only=True)
    scope: str = field(kw_only=True)

    @property
    def source(self) -> str:
        """The device, and what the rail measures."""
        return f"{super().source}; rail {self.rail} ({self.scope}), idle power subtracted"


def energy_cost(
    supernet: Supernet, options: EnergyOptions, device: Device, listener: Listener
) -> EnergyCost:
    """The cost ``energy`` on a device.

    Raises:
        UsageError: the device is no Jetson, or has no such rail.
    """
    device = unwatched(device)
    if not isinstance(device, Jetson):
        raise UsageError(
            "energy is measured on a Jetson: other devices tell of no power rail",
            advice="--cost energy@jetson_xavier_nx --measure, for example",
        )
    rail = chosen_rail(device.board, options.rail)

    def take(session: DeviceSession, loaded: LoadedWork, effort: Effort) -> Reading:
        assert isinstance(loaded, JetsonWork)
        return pass_energy(loaded, rail, options)

    name = f"energy@{options.qualifier}" if options.qualifier else "energy"
    return EnergyCost(
        name,
        "mJ",
        supernet,
        device,
        take,
        Effort(),
        options.batch,
        kept_memo() if options.memo else {},
        listener,
        memo_words(rail, options),
        rail=rail,
        scope=device.board.scope(rail),
    )


def memo_words(rail: str, options: EnergyOptions) -> str:
    """What tells apart energies of one network on one device: all that changes the number."""
    return (
        f"energy of {rail}: {options.repeats} × {options.seconds} s, {options.idle_seconds} s idle "
        f"after {options.settle_seconds} s, every {options.interval_ms} ms"
    )


def chosen_rail(board: Board, named: str | None) -> str:
    """The rail to integrate: the named one, or that of the whole board.

    Raises:
        UsageError: the board has no such rail, or none of the whole board; with those it has.
    """
    if named is not None:
        board.scope(named)
        return named
    if board.total is not None:
        return board.total
    known = "; ".join(f"{rail} ({scope})" for rail, scope in board.rails.items())
    raise UsageError(
        f"{board.title} has no power rail of the whole board; it has: {known}",
        advice="name one: --set energy.rail=NAME",
    )


def pass_energy(loaded: JetsonWork, rail: str, options: EnergyOptions) -> Reading:
    """mJ a pass of work that is loaded: the median of some runs, and their ends."""
    first = loaded.times(FEWEST)
    if not first:
        raise InputError(f"{loaded.channel.where}: the recording has ended")
    passes = math.ceil(1000 * options.seconds / max(summary(first).median, 1e-3))
    where = loaded.channel.where
    runs = [
        loaded.power(
            min(passes, MOST_PASSES),
            options.settle_seconds,
            options.idle_seconds,
            options.interval_ms,
        )
        for _ in range(options.repeats)
    ]
    found = [energy_in(where, answer, rail).per_pass for answer in runs]
    return Reading(statistics.median(found), min(found), max(found), len(found))
