"""A run's folder: configuration, seed, versions, results; nothing in it is ever half-written.

A folder is filled beside its place and renamed; a file in a folder that is there already, too.
What a long run keeps to go on with lies in ``progress.json`` until its result is written.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from ofa_plugins_core.config import as_yaml, plain, read_yaml
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.host import Host

RUNS: Final = Path("runs")
FILES: Final = (".json", ".jsonl", ".csv", ".npz", ".onnx", ".pte")
"""Endings of an --out that names a file, not a run's folder."""

CONFIG: Final = "config.yaml"
RECORD: Final = "run.json"
RESULT: Final = "result.json"
FRONT: Final = "front.csv"
PROGRESS: Final = "progress.json"
PACKAGES: Final = ("attrs", "cattrs", "numpy", "pluggy", "PyYAML", "rich", "typer")


@frozen(eq=False)
class Record:
    """What a run's folder holds.

    Attributes:
        configuration: resolved; the file works as ``--config`` again.
        about: command, seed, versions, times: ``run.json``.
        result: as ``--json`` prints it.
        rows: of ``front.csv``; the first row's keys are the columns. None: no such file.
    """

    configuration: Mapping[str, Any]
    about: Mapping[str, Any]
    result: Any
    rows: Sequence[Mapping[str, Any]] | None = None

    def files(self) -> dict[str, str]:
        """Name -> content; the result comes last, so that where it is, everything is."""
        found = {CONFIG: as_yaml(self.configuration), RECORD: _json(self.about)}
        if self.rows is not None:
            found[FRONT] = as_csv(self.rows)
        return {**found, RESULT: _json(self.result)}


def default_folder(job: str, supernet: str | None, now: datetime | None = None) -> Path:
    """``runs/<job>-<supernet>-<UTC>-<4 hex>``, not made yet.

    Args:
        supernet: a name or a file's path, whose stem is taken; left out if None.
        now: the present, if None.
    """
    moment = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    stem = re.sub(r"\.ya?ml$", "", Path(supernet or "").name)
    words = [job, re.sub(r"[^\w.-]+", "_", stem), moment, os.urandom(2).hex()]
    return RUNS / "-".join(w for w in words if w)


def check_out(folder: Path, resume: bool) -> None:
    """Refuse a place for results that is taken, or cannot be written, before any work is done.

    Raises:
        UsageError: it exists, and the run is not to be resumed.
        InputError: it is no folder, or nothing can be written there.
    """
    if folder.exists():
        if not folder.is_dir() and folder.suffix not in FILES:
            raise InputError(
                f"{folder} is a file, not a run's folder", advice="choose another --out"
            )
        if not resume:
            raise UsageError(
                f"{folder} exists already",
                advice="--resume goes on with it; or choose another --out",
            )
    parent = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not (parent.is_dir() or parent == folder) or not os.access(parent, os.W_OK):
        raise InputError(f"cannot write {folder}: {parent} is not a folder that can be written")


def save(folder: Path, record: Record, unfinished: bool = False) -> None:
    """Write a run's folder, as a whole or not at all; into one that is there, file by file.

    Args:
        unfinished: keep what ``--resume`` goes on with.

    Raises:
        InputError: it cannot be written, a full disk for example.
    """
    files = record.files()
    if folder.exists():
        for name, content in files.items():
            write(folder / name, content)
        if not unfinished:
            with suppress(OSError):
                (folder / PROGRESS).unlink(missing_ok=True)
        return
    beside = _beside(folder)
    with _cleaned(folder, beside):
        beside.mkdir(parents=True)
        for name, content in files.items():
            (beside / name).write_text(content, encoding="utf-8")
        beside.rename(folder)


def write(path: Path, content: str | bytes, lasting: bool = False) -> None:
    """Write one file: all of it or nothing; its folder is made.

    Args:
        lasting: it outlives a power cut from then on; slower.

    Raises:
        InputError: it cannot be written.
    """
    with placed(path) as beside:
        beside.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        if lasting:  # a rename before the content would outlive a crash
            with beside.open("rb") as file:
                os.fsync(file.fileno())


@contextmanager
def placed(path: Path) -> Iterator[Path]:
    """A place beside for a file, or a folder, that gets its name when the block has gone well.

    Whatever stops the block, nothing is left of it.

    Raises:
        InputError: it cannot be written.
    """
    beside = _beside(path)
    made = [p for p in path.parents if not p.exists()]
    try:
        with _cleaned(path, beside):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield beside
            beside.replace(path)
    except BaseException:
        for folder in made:  # an empty one would be refused as somebody's results
            with suppress(OSError):
                folder.rmdir()
        raise


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")


@contextmanager
def _cleaned(path: Path, beside: Path) -> Iterator[None]:
    """Leave nothing behind, whatever stops the writing."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            if beside.is_dir():
                shutil.rmtree(beside)
            else:
                beside.unlink(missing_ok=True)


def about(host: Host, command: Iterable[str], seed: int, seconds: float) -> dict[str, Any]:
    """What ``run.json`` says: when, how, and with which versions."""
    return {
        "command": ["ofa", *command],
        "seed": seed,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
        "python": sys.version.split()[0],
        "platform": " ".join(_machine()),
        "packages": {name: _version(name) for name in PACKAGES},
        "plugins": [
            {"name": p.name, "distribution": p.distribution, "version": p.version, "state": p.state}
            for p in host.plugins
        ],
    }


def _machine() -> tuple[str, ...]:
    """Operating system, its release, kind of processor; ``platform`` takes longer to load."""
    if not hasattr(os, "uname"):
        return (sys.platform,)
    found = os.uname()
    return found.sysname, found.release, found.machine


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as CSV with a heading; a missing value is empty."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _json(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, indent=1) + "\n"


def stored(folder: Path | None, request: Mapping[str, Any]) -> dict[str, Any]:
    """What an interrupted run of the same request left to go on with: name -> what it stored.

    Raises:
        UsageError: the folder belongs to another request.
        InputError: its progress is broken.
    """
    file = None if folder is None else folder / PROGRESS
    if file is None or not file.is_file():
        return {}
    try:
        found = json.loads(file.read_bytes())
        before, parts = dict(found["request"]), dict(found["parts"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"{file} is broken: {error}", advice="start anew in another --out"
        ) from error
    refuse_another(folder, before, request)
    return parts


def refuse_another(
    folder: Path | None, before: Mapping[str, Any], request: Mapping[str, Any]
) -> None:
    """Refuse to go on with a folder that another request has made.

    Raises:
        UsageError: names the first option that differs.
    """
    now = plain(request)
    for key in {**before, **now}:
        if before.get(key) != now.get(key):
            raise UsageError(
                f"{folder} is of another run: {key} was {before.get(key)!r:.60}, "
                f"is {now.get(key)!r:.60}",
                advice="resume with the same options, or choose another --out",
            )


def check_resumed(
    folder: Path, configuration: Mapping[str, Any], changeable: Sequence[str] = ()
) -> bool:
    """Whether a folder holds something of this request, finished or not.

    Args:
        changeable: options that may differ.

    Raises:
        UsageError: it is of another request, which would be overwritten.
    """
    kept = folder / CONFIG
    if kept.is_file():
        both = (read_yaml(kept), configuration)
        refuse_another(folder, *({k: v for k, v in c.items() if k not in changeable} for c in both))
    return kept.is_file() or (folder / PROGRESS).is_file()


def worth_more(folder: Path, result: Any) -> str | None:
    """Why the result that a folder holds is not to be replaced by an interrupted one, or None."""
    if not (isinstance(result, Mapping) and result.get("interrupted")):
        return None
    try:
        before = json.loads((folder / RESULT).read_bytes())
        if not before.get("interrupted"):
            return "it is of a finished run, this one was interrupted"
        then, now = int(before["evaluations"]), int(result["evaluations"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return f"it came to {then:,} evaluations, this one to {now:,}" if now < then else None


def store(folder: Path, request: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    """Keep what is done so far, for ``--resume``."""
    write(folder / PROGRESS, _json({"request": request, "parts": parts}))
