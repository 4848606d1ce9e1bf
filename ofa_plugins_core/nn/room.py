"""How much memory and disk is left on this machine, for this process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

ROOT: Final = Path("/")


def memory_left(root: Path = ROOT) -> int | None:
    """Bytes that this process may still take, or None where the system does not say.

    What the machine has available, or less where a control group (a container, a batch job) is
    allowed less. Pages of files that the system can drop count as free.

    Args:
        root: of the file system, for tests.
    """
    known = [n for n in (_available(root), *_group_room(root)) if n is not None]
    if known:
        return max(0, min(known))
    try:  # a bound, where nobody says how much of it is in use
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def disk_left(folder: Path) -> int:
    """Bytes that may be written into a folder, which need not exist."""
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    return shutil.disk_usage(there).free


def _available(root: Path) -> int | None:
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _group_room(root: Path) -> Iterator[int]:
    """What each control group above this process still allows, of either version."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, kinds, path = line.split(":", 2)
        if not kinds:
            names = ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file")
        elif "memory" in kinds.split(","):
            names = (
                "sys/fs/cgroup/memory",
                "memory.limit_in_bytes",
                "memory.usage_in_bytes",
                "total_inactive_file",
            )
        else:
            continue
        yield from _rooms(root / names[0], Path(path.lstrip("/")), *names[1:])


def _rooms(base: Path, path: Path, limit: str, usage: str, cached: str) -> Iterator[int]:
    """Of a group and those above it; in a container the upper ones are out of sight."""
    for folder in (base / path, *(base / above for above in path.parents)):
        most, used = _number(folder / limit), _number(folder / usage)
        if most is not None and used is not None:
            yield most - used + _stat(folder / "memory.stat", cached)


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None  # "max": as much as there is


def _stat(path: Path, key: str) -> int:
    rows = (line.split() for line in _text(path).splitlines())
    return next((int(row[1]) for row in rows if row and row[0] == key), 0)


def _text(path: Path) -> str:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text("ascii")
    return ""
