"""Device profiles: a board, a power mode and its clocks, as published; data in ``profiles.json``.

What counts for a measurement is what the board's own ``nvpmodel.conf`` says; a profile stands
beside it, so that a board whose modes were changed is noticed.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

from attrs import frozen

from devices_jetson.nvpmodel import Mode, Modes
from ofa_plugins_core.errors import UsageError

TOLERANCE: Final = 0.05
"""Part by which a clock may differ from its profile, whose clocks are rounded."""


@frozen
class Profile:
    """The published clocks of a power mode; None where they are not given.

    Attributes:
        mode: name, without the word MODE and without what only some boards add to it.
        cores: that are on.
        cpu_mhz, gpu_mhz, emc_mhz: highest clocks in MHz.
    """

    mode: str
    cores: int | None = None
    cpu_mhz: float | None = None
    gpu_mhz: float | None = None
    emc_mhz: float | None = None

    def differences(self, mode: Mode) -> list[str]:
        """What a board's own mode says otherwise, one line each."""
        cpu = max(mode.cpu_mhz.values(), default=None)
        pairs = (
            ("CPU", cpu, self.cpu_mhz),
            ("GPU", mode.gpu_mhz, self.gpu_mhz),
            ("EMC", mode.emc_mhz, self.emc_mhz),
        )
        said = [
            f"{what} at most {own:g} MHz, published {published:g} MHz"
            for what, own, published in pairs
            if own and published and abs(own - published) > TOLERANCE * published
        ]
        if self.cores and mode.cores and self.cores != mode.cores:
            said.append(f"{mode.cores} cores, published {self.cores}")
        return said


@cache
def _data() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        files("devices_jetson").joinpath("profiles.json").read_text(encoding="utf-8")
    )
    return found


def source() -> str:
    """Where the profiles come from."""
    return str(_data()["source"])


def profiles(board: str) -> tuple[Profile, ...]:
    """The published profiles of a board, by its device's name; none where none are published."""
    return tuple(Profile(**row) for row in _data()["boards"].get(board, ()))


def profile_of(board: str, mode: str) -> Profile | None:
    """The profile of a board's power mode by the mode's name, or None."""
    for profile in profiles(board):
        try:
            Modes((Mode(0, mode, {}),)).named(profile.mode)
        except UsageError:
            continue
        return profile
    return None
