"""What ``tegrastats`` prints: a line a reading, in a form that differs by board and release.

A line is a row of tokens: memory (``RAM 1903/3956MB (lfb 128x4MB)``), cores
(``CPU [12%@1190,off]``), engines (``GR3D_FREQ 0%@[305,305]``), temperatures (``CPU@39.5C``), power
(``VDD_IN 3528/3569`` or with ``mW``: now and mean, in mW). What is not understood is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from attrs import define, field, frozen

from devices_jetson.reading import not_understood
from ofa_plugins_core.errors import InputError

_N: Final = r"[0-9]{1,9}"
_NAME: Final = r"[A-Za-z_][\w.-]{0,63}"


@frozen
class Memory:
    """Memory in use, in the unit that the line names.

    Attributes:
        used, total: in ``unit``.
        unit: kB, MB, …
        aside: what stands in brackets, for example ``lfb 128x4MB`` or ``cached 0MB``.
    """

    used: int
    total: int
    unit: str
    aside: str | None = None

    @property
    def share(self) -> float | None:
        """Used / total, or None where there is none."""
        return self.used / self.total if self.total else None


@frozen
class Load:
    """How busy a core or an engine is.

    Attributes:
        percent: 0 to 100, or None where the line does not say.
        mhz: clocks; none where the line does not say, several where it has several parts.
    """

    percent: int | None
    mhz: tuple[int, ...] = ()


@frozen
class Power:
    """Power of a rail in mW: now, and the mean since tegrastats started."""

    now: int
    mean: int


@frozen
class Reading:
    """One line.

    Attributes:
        memory: RAM, SWAP, IRAM by name.
        cores: in order; None for one that is off.
        engines: GR3D_FREQ (the GPU), EMC_FREQ, APE, NVENC, … by name; None for one that is off.
        celsius: sensor -> degrees; a sensor that is switched off shows −256.
        power: rail -> mW.
        unknown: tokens that are not understood, in order.
    """

    memory: Mapping[str, Memory] = field(factory=dict)
    cores: tuple[Load | None, ...] = ()
    engines: Mapping[str, Load | None] = field(factory=dict)
    celsius: Mapping[str, float] = field(factory=dict)
    power: Mapping[str, Power] = field(factory=dict)
    unknown: tuple[str, ...] = ()

    @property
    def understood(self) -> bool:
        """Whether it holds anything but unknown tokens."""
        return bool(self.memory or self.cores or self.engines or self.celsius or self.power)


@define
class _Found:
    """What the tokens of a line came to so far."""

    memory: dict[str, Memory] = field(factory=dict)
    cores: tuple[Load | None, ...] = ()
    engines: dict[str, Load | None] = field(factory=dict)
    celsius: dict[str, float] = field(factory=dict)
    power: dict[str, Power] = field(factory=dict)
    unknown: list[str] = field(factory=list)


def _memory(found: _Found, match: re.Match[str]) -> None:
    name, used, total, unit, aside = match.groups()
    found.memory[name] = Memory(int(used), int(total), unit, aside)


def _cores(found: _Found, match: re.Match[str]) -> None:
    found.cores = tuple(_load(word) for word in re.split(r"\s*,\s*", match[1].strip()) if word)


def _engine(found: _Found, match: re.Match[str]) -> None:
    found.engines[match[1]] = _load(match[2])


def _temperature(found: _Found, match: re.Match[str]) -> None:
    found.celsius[match[1]] = float(match[2])


def _power(found: _Found, match: re.Match[str]) -> None:
    found.power[match[1]] = Power(int(match[2]), int(match[3]))


_LOAD: Final = rf"{_N}%@\[{_N}(?:,{_N})*\]|{_N}%(?:@{_N})?|off|OFF"
_TOKENS: Final[tuple[tuple[re.Pattern[str], Callable[[_Found, re.Match[str]], None]], ...]] = tuple(
    (re.compile(rf"(?:{pattern})(?!\S)", re.ASCII), take)
    for pattern, take in (
        (rf"(RAM|SWAP|IRAM) ({_N})/({_N})([kKMG]?B)(?: ?\(([^()]*)\))?", _memory),
        (rf"CPU \[((?: ?(?:{_LOAD}) ?,?)+)\]", _cores),
        (rf"(?!(?:RAM|SWAP|IRAM|CPU) )({_NAME}) ({_LOAD}|@?{_N})", _engine),
        (rf"({_NAME})@(-?[0-9]{{1,6}}(?:\.[0-9]{{1,6}})?)C", _temperature),
        (rf"({_NAME}) ({_N})(?:mW)?/({_N})(?:mW)?", _power),
    )
)
_LOADED: Final = re.compile(rf"({_N})%(?:@\[?([0-9,]+)\]?)?|@?({_N})", re.ASCII)


def _load(word: str) -> Load | None:
    """``12%@1190``, ``0%@[305,305]``, ``0%``, a bare clock such as ``APE 25``, or ``off``."""
    match = _LOADED.fullmatch(word.strip())
    if match is None:
        return None
    percent, clocks, bare = match.groups()
    if bare is not None:
        return Load(None, (int(bare),))
    return Load(int(percent), tuple(int(c) for c in (clocks or "").split(",") if c))


def parse(line: str) -> Reading:
    """One line of ``tegrastats``.

    Raises:
        InputError: nothing in it is understood: it is no such line.
    """
    found, place, text = _Found(), 0, line.strip("\0 \t\r\n")
    while place < len(text):
        place = _token(found, text, place)
    reading = _reading(found)
    if not reading.understood:
        raise not_understood(
            "tegrastats", line, "a line such as 'RAM 1903/3956MB … CPU [12%@1190]'"
        )
    return reading


def _reading(found: _Found) -> Reading:
    parts: dict[str, Any] = {
        name: getattr(found, name) for name in ("memory", "cores", "engines", "celsius", "power")
    }
    return Reading(**parts, unknown=tuple(found.unknown))


def _token(found: _Found, text: str, place: int) -> int:
    """Take the token at a place; where the next one starts."""
    for pattern, take in _TOKENS:
        match = pattern.match(text, place)
        if match:
            take(found, match)
            break
    else:
        match = re.compile(r"\S+").match(text, place)
        if match:
            found.unknown.append(match[0])
    end = match.end() if match else place
    while end < len(text) and text[end].isspace():
        end += 1
    return max(end, place + 1)


@frozen
class Stream:
    """Readings with their times.

    Attributes:
        readings: (seconds, reading), in the order in which they came.
        skipped: lines in which nothing was understood: a warning, a line cut short.
    """

    readings: tuple[tuple[float, Reading], ...]
    skipped: tuple[str, ...]


def parse_stream(stamped: Iterable[tuple[float, str]]) -> Stream:
    """Lines with the seconds at which each was read; empty ones are left out."""
    readings, skipped = [], []
    for seconds, line in stamped:
        if not line.strip():
            continue
        try:
            readings.append((seconds, parse(line)))
        except InputError:
            skipped.append(line)
    return Stream(tuple(readings), tuple(skipped))
