"""Files of weights on this machine: one folder, and an index with what is known of each file.

The folder is ``$OFA_CACHE/weights``, or ``weights`` in the user's cache folder. A file lies there
under its name; a part of one that is still being fetched ends in ``.part``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import attrs
from attrs import frozen

from ofa_plugins_core import journal, runs
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Listener, Progress, silent

INDEX: Final = "index.json"
PART: Final = ".part"
"""Ending of a file that is not whole yet."""
STATE: Final = ".part.json"
"""Ending of what is known of it."""
LOCK: Final = ".lock"
CHUNK: Final = 1 << 20
NAME: Final = re.compile(r"\w[\w.=+-]*(/\w[\w.=+-]*)*")
"""Of a file: its place in the folder, and never one outside of it."""


@frozen
class Kept:
    """What the index says of a file; it stays when the file is gone, so that its hash is known.

    Attributes:
        name: of the file.
        supernet: whose weights it holds.
        sha256: of its content, hexadecimal.
        size: bytes.
        source: address or path from which it came.
        date: when, in UTC.
    """

    name: str
    supernet: str
    sha256: str
    size: int
    source: str
    date: str


def root() -> Path:
    """``$OFA_CACHE``, or a folder in the user's cache folder; it need not exist."""
    if named := os.environ.get("OFA_CACHE"):
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "ofa-plugins"


def folder() -> Path:
    """Where files of weights are kept; it need not exist."""
    return root() / "weights"


def place(name: str) -> Path:
    """Where a file of this name lies, or would lie.

    Raises:
        UsageError: it cannot be the name of a file of weights.
    """
    if not NAME.fullmatch(name) or name == INDEX or name.endswith((PART, STATE, LOCK)):
        raise UsageError(
            f"{name!r:.80} cannot be the name of a file of weights",
            advice="letters, digits and . _ = + -; parts separated by /",
        )
    return folder() / name


def cached(name: str) -> Path | None:
    """A file that is kept whole under this name, or None; its content is not read."""
    record = index().get(name)
    return None if record is None else whole(record)


def whole(record: Kept) -> Path | None:
    """Where a file of the index lies, if it is there and as large as it was."""
    path = place(record.name)
    try:
        return path if path.is_file() and path.stat().st_size == record.size else None
    except OSError:
        return None


def index() -> dict[str, Kept]:
    """What is known of every file that is, or was, kept: name -> its record.

    Raises:
        InputError: the index is broken.
    """
    path = folder() / INDEX
    try:
        found = json.loads(path.read_bytes())
        return {name: _record(name, about) for name, about in found["files"].items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path} is broken: {error}",
            advice="remove it, and add the files beside it again: ofa weights add FOLDER",
        ) from error


def _record(name: str, about: Mapping[str, Any]) -> Kept:
    record = Kept(name=name, **about)
    texts = (record.supernet, record.sha256, record.source, record.date)
    sound = all(isinstance(t, str) for t in texts) and isinstance(record.size, int)
    if not NAME.fullmatch(name) or not sound:
        raise ValueError(f"what it says of {name!r:.80} makes no sense")
    return record


def remember(name: str, supernet: str, sha256: str, size: int, source: str) -> Kept:
    """Write into the index what is known of a file.

    Raises:
        InputError: it cannot be written.
    """
    date = datetime.now(UTC).isoformat(timespec="seconds")
    record = Kept(name, supernet, sha256, size, source, date)
    with locked(folder() / f"{INDEX}{LOCK}", wait=True):  # another process may be writing, too
        _write({**index(), name: record})
    return record


def forget(name: str) -> None:
    """Take a file out of the index, and its hash with it; the file itself stays."""
    if name in index():
        with locked(folder() / f"{INDEX}{LOCK}", wait=True):
            _write({n: record for n, record in index().items() if n != name})


def _write(records: Mapping[str, Kept]) -> None:
    rows = {r.name: attrs.asdict(r) for r in sorted(records.values(), key=lambda r: r.name)}
    files = {name: {k: v for k, v in row.items() if k != "name"} for name, row in rows.items()}
    runs.write(folder() / INDEX, json.dumps({"files": files}, indent=1) + "\n")


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold a lock on a file, which is made; the system gives it back even from a killed process.

    Raises:
        InputError: another process holds it, or the file cannot be made.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    with file:
        if not journal.locked(file, wait=wait):
            raise InputError(
                f"another process is fetching {path.name.removesuffix(PART)!r}",
                advice="wait until it is done",
            )
        yield


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What fails while a file is written, as one clear line.

    Raises:
        InputError: the disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror or error}",
            advice="make room there, or name another folder with OFA_CACHE",
        ) from error


def digest(path: Path, listener: Listener = silent, *, what: str = "check") -> str:
    """SHA-256 of a file's content, hexadecimal.

    Raises:
        InputError: it cannot be read.
    """
    found = hashlib.sha256()
    try:
        with path.open("rb") as file:
            total, done = os.fstat(file.fileno()).st_size, 0
            while content := file.read(CHUNK):
                found.update(content)
                done += len(content)
                listener(Progress(f"{what} {path.name}", done, total, "bytes"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    return found.hexdigest()


def install(part: Path, name: str) -> Path:
    """Move a whole file to its place.

    Raises:
        InputError: it cannot be moved there.
    """
    path = place(name)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.replace(path)
    return path


def discard(*paths: Path) -> None:
    """Remove what is of no use any more."""
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)
