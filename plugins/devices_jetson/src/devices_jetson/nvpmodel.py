"""Power modes as the board knows them: ``/etc/nvpmodel.conf`` and what ``nvpmodel -q`` prints.

Ids differ by board and release, so a mode is asked for by name and its id looked up here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from devices_jetson.reading import lines, not_understood, shown, whole
from ofa_plugins_core.errors import InputError, UsageError

_HEADER: Final = re.compile(r"<\s*([A-Z_]+)((?:\s+[A-Z_]+\s*=\s*[^\s<>=]+)*)\s*>", re.ASCII)
_PAIR: Final = re.compile(r"([A-Z_]+)\s*=\s*([^\s<>=]+)", re.ASCII)
_SETTING: Final = re.compile(r"([A-Z0-9_]{1,64})\s+([A-Z0-9_]{1,64})\s+(\S{1,64})", re.ASCII)
_KILO, _MEGA = 1e3, 1e6


@frozen
class Mode:
    """A power mode.

    Attributes:
        id: on this board alone.
        name: for example ``MODE_15W_6CORE``.
        settings: (parameter, argument) -> value as written, such as ("GPU", "MAX_FREQ").
    """

    id: int
    name: str
    settings: Mapping[tuple[str, str], str]

    @property
    def cores(self) -> int | None:
        """Cores that are on, or None where the mode does not say."""
        stated = [v for (p, a), v in self.settings.items() if p == "CPU_ONLINE"]
        return sum(v == "1" for v in stated) if stated else None

    @property
    def cpu_mhz(self) -> Mapping[str, float]:
        """Highest clock of each group of cores (``CPU_DENVER_0``, …) that has one, in MHz."""
        found = {p: self._limit(p, _KILO) for p, a in self.settings if p.startswith("CPU_")}
        return {name: mhz for name, mhz in found.items() if mhz is not None}

    @property
    def gpu_mhz(self) -> float | None:
        """Highest clock of the GPU in MHz, or None: unlimited, or not said."""
        return self._limit("GPU", _MEGA)

    @property
    def emc_mhz(self) -> float | None:
        """Highest clock of the memory in MHz, or None: unlimited, or not said."""
        return self._limit("EMC", _MEGA)

    def _limit(self, parameter: str, a_mhz: float) -> float | None:
        """MAX_FREQ; −1 (on some boards 0) is unlimited."""
        value = whole(self.settings.get((parameter, "MAX_FREQ"), ""))
        return value / a_mhz if value is not None and value > 0 else None


@frozen
class Modes:
    """The modes of a board.

    Attributes:
        modes: in the order of the file.
        default: id of the one that a board starts with, or None.
        unknown: lines that are not understood, in order; definitions of parameters among them.
    """

    modes: tuple[Mode, ...]
    default: int | None = None
    unknown: tuple[str, ...] = ()

    def named(self, name: str) -> Mode:
        """The mode of a name: as the board writes it, or as people do: ``15W 6core``, ``maxn``.

        Raises:
            UsageError: no mode has it, or several do; with the known ones.
        """
        for same in (_exactly, _written_alike, _begins):
            found = [mode for mode in self.modes if same(name, mode.name)]
            if len(found) == 1:
                return found[0]
            if found:
                raise UsageError(
                    f"power mode {shown(name)} is ambiguous: "
                    + ", ".join(f"{m.name} (id {m.id})" for m in found)
                )
        known = ", ".join(mode.name for mode in self.modes)
        raise UsageError(f"the board has no power mode {shown(name)}; it has: {known}")

    def of_id(self, number: int) -> Mode | None:
        """The mode with an id of this board, or None."""
        return next((mode for mode in self.modes if mode.id == number), None)


def _exactly(asked: str, name: str) -> bool:
    return asked == name


def _written_alike(asked: str, name: str) -> bool:
    """Case, signs between words, the word MODE and a plural do not matter."""
    return _squeezed(asked) == _squeezed(name)


def _begins(asked: str, name: str) -> bool:
    """The first words of the name: ``15W`` of ``MODE_15W_2CORE``."""
    few, all_of_it = _words(asked), _words(name)
    return bool(few) and all_of_it[: len(few)] == few


def _words(name: str) -> list[str]:
    found = [w for w in re.split(r"[^A-Z0-9]+", name.upper()) if w]
    return found[1:] if found[:1] == ["MODE"] else found


def _squeezed(name: str) -> str:
    return re.sub("CORES$", "CORE", "".join(_words(name)))


def parse_conf(text: str) -> Modes:
    """``/etc/nvpmodel.conf``.

    Raises:
        InputError: a mode without id or name, an id twice, a setting that is none, no mode at all.
    """
    found = _Conf()
    for line in lines(text):
        if not line.startswith("#"):
            found.take(line)
    if not found.modes:
        raise not_understood("nvpmodel.conf", text, "'< POWER_MODEL ID=n NAME=s >'")
    modes = tuple(Mode(number, name, settings) for number, name, settings in found.modes)
    return Modes(modes, found.default, tuple(found.unknown))


class _Conf:
    """What the lines of a file came to so far."""

    def __init__(self) -> None:
        self.modes: list[tuple[int, str, dict[tuple[str, str], str]]] = []
        self.default: int | None = None
        self.unknown: list[str] = []
        self.inside = False

    def take(self, line: str) -> None:
        header = _HEADER.fullmatch(line)
        if header is None:
            self._setting(line)
            return
        given = dict(_PAIR.findall(header[2]))
        self.inside = header[1] == "POWER_MODEL"
        if self.inside:
            self._mode(line, given)
        elif header[1] == "PM_CONFIG":
            self.default = whole(given.get("DEFAULT", ""))
        else:
            self.unknown.append(line)

    def _mode(self, line: str, given: Mapping[str, str]) -> None:
        number = whole(given.get("ID", ""))
        if number is None or "NAME" not in given:
            raise not_understood("nvpmodel.conf", line, "'< POWER_MODEL ID=n NAME=s >'")
        if any(number == other for other, _, _ in self.modes):
            raise InputError(f"nvpmodel.conf: two power modes have the id {number}")
        self.modes.append((number, given["NAME"], {}))

    def _setting(self, line: str) -> None:
        match = _SETTING.fullmatch(line.split("#")[0].rstrip())
        if match and self.inside:
            self.modes[-1][2][match[1], match[2]] = match[3]
        else:
            self.unknown.append(line)


@frozen
class Current:
    """The mode that a board is in: its name, and its id where that was printed."""

    name: str
    id: int | None


def parse_query(text: str) -> Current:
    """What ``nvpmodel -q`` prints: ``NV Power Mode: X``, then the id; other lines do not matter.

    Raises:
        InputError: no mode in it.
    """
    rest = iter(lines(text))
    for line in rest:
        match = re.fullmatch(r"NV Power Mode\s*:\s*(\S.*)", line)
        if match:
            numbers = (whole(after) for after in rest)
            return Current(match[1].strip(), next((n for n in numbers if n is not None), None))
    raise not_understood("nvpmodel -q", text, "'NV Power Mode: X'")
