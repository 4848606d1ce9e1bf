"""This machine's processor: what it is, its clock, and staying on some of its cores."""

from __future__ import annotations

import ctypes
import os
import platform
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from threading import get_native_id
from typing import Final

from ofa_plugins_core.errors import MissingExtraError, UsageError

CPUINFO = Path("/proc/cpuinfo")
CPUFREQ = Path("/sys/devices/system/cpu/cpu0/cpufreq")
THERMAL = Path("/sys/class/thermal")

TRIM_THRESHOLD: Final = -1
MMAP_THRESHOLD: Final = -3
"""What ``mallopt`` calls them, malloc.h."""


def needs(packages: Sequence[str], device: str, extra: str) -> None:
    """End here where what a device runs on is not installed.

    Raises:
        MissingExtraError: with the line that installs it.
    """
    if any(find_spec(package) is None for package in packages):
        raise MissingExtraError(f"the device {device}", "ofa-plugins-core", extra)


def check_threads(threads: int, pin: Sequence[int]) -> None:
    """Refuse threads that would wait for each other; far too many end torch without a word.

    Raises:
        UsageError: more threads than cores, or than pinned ones.
    """
    cores, what = (len(pin), "pinned cores") if pin else (os.cpu_count() or 1, "cores")
    if threads > cores:
        raise UsageError(
            f"{threads} threads on {cores} {what} would wait for each other",
            advice="pin as many cores as there are threads" if pin else f"take at most {cores}",
        )


def described(packages: Sequence[str]) -> dict[str, str]:
    """Model, cores, clock limits, system and versions, as far as they can be had.

    Args:
        packages: distributions whose versions take part.
    """
    found = {"model": _model(), "cores": str(os.cpu_count() or 1)}
    for name, file in (("governor", "scaling_governor"), ("clock_limit_khz", "scaling_max_freq")):
        if text := _text(CPUFREQ / file):
            found[name] = text
    found["system"] = f"{platform.system()} {platform.machine()}"
    for package in packages:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _model() -> str:
    for key in ("model name", "Hardware", "Model", "CPU part"):  # x86, then Arm's several ways
        match = re.search(rf"^{key}\s*:\s*(.+)$", _text(CPUINFO), re.MULTILINE)
        if match:
            return match[1].strip()
    return platform.processor() or platform.machine() or "unknown"


def _text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text().strip()
    return ""


def conditions() -> dict[str, float]:
    """Clock, load and temperature as they are now; what the system does not tell is left out."""
    found: dict[str, float] = {}
    clocks = re.findall(r"^cpu MHz\s*:\s*(\d+(?:\.\d+)?)$", _text(CPUINFO), re.MULTILINE)
    current = _text(CPUFREQ / "scaling_cur_freq")
    if re.fullmatch(r"\d+", current):  # some drivers say <unknown>
        found["cpu_mhz"] = int(current) / 1000
    elif clocks:
        found["cpu_mhz"] = max(map(float, clocks))
    with suppress(OSError, AttributeError):
        found["load_1min"] = os.getloadavg()[0]
    if temperature := _temperature():
        found["cpu_celsius"] = temperature
    return found


def _temperature() -> float | None:
    texts = [_text(zone / "temp") for zone in sorted(THERMAL.glob("thermal_zone*"))]
    found = [int(t) / 1000 for t in texts if re.fullmatch(r"\d+", t)]
    return max(found, default=None)


def can_keep_memory() -> bool:
    """Whether this process's C library is one that can be told to."""
    return _mallopt() is not None


def keep_memory() -> None:
    """Let freed memory stay with this process, as far as the C library can be told.

    glibc gives freed memory back to the system where its heap happens to end, or where a block is
    large, and takes it again, zeroed, page by page. A network then faults thousands of times a
    pass, or never, by what ran before it: the same one took up to half as long again.
    """
    mallopt = _mallopt()
    if mallopt is not None:
        mallopt(TRIM_THRESHOLD, 2**31 - 1)
        mallopt(MMAP_THRESHOLD, 2**25)  # glibc's own upper limit


def _mallopt() -> Callable[[int, int], int] | None:
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):  # another system
        return None
    return library.mallopt if hasattr(library, "gnu_get_libc_version") else None


@contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """Keep every thread of this process on some cores; () for all that there are.

    Raises:
        UsageError: the system has no such cores, or cannot pin.
    """
    if not cores:
        yield
        return
    if not hasattr(os, "sched_setaffinity"):
        raise UsageError("this system cannot pin a process to cores", advice="leave pin out")
    before: dict[int, set[int]] = {}
    try:
        for thread in _threads():
            with suppress(ProcessLookupError):  # it has ended since it was listed
                before[thread] = os.sched_getaffinity(thread)
                os.sched_setaffinity(thread, cores)
    except OSError as error:
        _restore(before)
        known = ", ".join(map(str, sorted(os.sched_getaffinity(0))))
        raise UsageError(
            f"cannot pin to cores {', '.join(map(str, cores))}: {error.strerror}",
            advice=f"this process may use {known}",
        ) from error
    try:
        yield
    finally:
        _restore(before)


def _threads() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc/self/task")]
    except OSError:
        return [0]


def _restore(before: Mapping[int, set[int]]) -> None:
    """As before; threads that began meanwhile, as in a pool, are freed as this one is."""
    mine = before.get(get_native_id()) or next(iter(before.values()))
    for thread in {*before, *_threads()}:
        with suppress(OSError):  # a thread that has ended meanwhile
            os.sched_setaffinity(thread, before.get(thread, mine))
