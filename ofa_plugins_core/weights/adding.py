"""Files that the user has: into the cache, as if they had been fetched."""

from __future__ import annotations

from pathlib import Path

from ofa_plugins_core.entries import Plugins, WeightsEntry
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Listener, Notice, silent
from ofa_plugins_core.weights import cache
from ofa_plugins_core.weights.cache import PART, Kept
from ofa_plugins_core.weights.download import AddressError, download
from ofa_plugins_core.weights.fetching import Expected, adopt, expected, fault_of
from ofa_plugins_core.words import counted

DEPTH = 3
"""Folders that are looked into, one inside the other."""


def add(
    host: Plugins,
    path: Path,
    *,
    name: str | None = None,
    supernet: str | None = None,
    listener: Listener = silent,
) -> list[Kept]:
    """Copy a file, or the files of a folder that have published names, into the cache.

    Args:
        path: a file or a folder.
        name: under which a file is kept; its own if None.
        supernet: whose weights they are; needed for a name that is not published.
        listener: takes progress and notices.

    Returns:
        What was added, in the index's words.

    Raises:
        UsageError: a name is not published and no supernet is given, or it is another's.
        InputError: nothing is there, it is not what was published, or the cache is full.
    """
    if path.is_dir():
        if name is not None:
            raise UsageError(f"--name is of one file, and {path} is a folder")
        return _add_folder(host, path, supernet, listener)
    if not path.is_file():
        raise InputError(f"{path} is not there", advice="a file of weights, or a folder of them")
    return [_add_file(host, path, name or path.name, supernet, listener)]


def _add_folder(host: Plugins, path: Path, supernet: str | None, listener: Listener) -> list[Kept]:
    published = {entry.name for entry in host.entries("weights")}
    found = {name: file for file in _files(path) if (name := _published(file, published))}
    if not found:
        raise InputError(
            f"{path} holds no file with a name of ofa weights list",
            advice="add one by one: ofa weights add FILE --name NAME",
        )
    left = sum(1 for _ in _files(path)) - len(found)
    if left:
        listener(Notice(f"{counted(left, 'other file')} in {path} left alone"))
    return [_add_file(host, file, name, supernet, listener) for name, file in found.items()]


def _files(folder: Path, depth: int = DEPTH) -> list[Path]:
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror or error}") from error
    files = [p for p in inside if p.is_file()]
    for deeper in (p for p in inside if p.is_dir() and depth > 1):
        files += _files(deeper, depth - 1)
    return files


def _published(file: Path, names: set[str]) -> str | None:
    """The published name that a file lies under: its own, or that of its folder and its own."""
    whole = file.absolute()
    return next((n for n in (f"{whole.parent.name}/{whole.name}", whole.name) if n in names), None)


def _add_file(
    host: Plugins, path: Path, name: str, supernet: str | None, listener: Listener
) -> Kept:
    entry = next((e for e in host.entries("weights") if e.name == name), None)
    owner = _owner(host, name, entry, supernet)
    place = cache.place(name)
    part = place.with_name(place.name + PART)
    due = Expected(None, "") if entry is None else expected(entry, anew=True)
    size = None if entry is None else entry.size
    in_place = place.exists() and path.samefile(place)
    try:
        if in_place:
            return _kept_in_place(name, owner, path, due, size, listener)
        with cache.locked(part, wait=False):
            download(path.absolute().as_uri(), part, size=size, listener=listener)
            adopt(name, owner, part, due, str(path.absolute()), listener)
    except AddressError as error:
        cache.discard(part)
        raise InputError(
            f"{path} is not taken for {name!r}: {error}", advice=_otherwise(entry)
        ) from error
    except InputError:
        cache.discard(part)  # it is a copy: nothing is lost with it
        raise
    return cache.index()[name]


def _kept_in_place(
    name: str, owner: str, path: Path, due: Expected, size: int | None, listener: Listener
) -> Kept:
    """A file that lies in the cache already, held to what any other is held to; it stays there.

    Raises:
        AddressError: it is not what was published, or no file of weights.
    """
    length, found = path.stat().st_size, cache.digest(path, listener)
    if size not in (None, length):
        raise AddressError(f"it has {length:,} bytes, the published one {size:,}")
    if (fault := fault_of(path, found, due)) is not None:
        raise AddressError(fault)
    return cache.remember(name, owner, found, length, str(path))


def _otherwise(entry: WeightsEntry | None) -> str | None:
    if entry is None:
        return None
    return f"under a name of your own: --name NAME --supernet {entry.supernet}"


def _owner(host: Plugins, name: str, entry: WeightsEntry | None, supernet: str | None) -> str:
    """The name of the supernet whose weights a file holds."""
    given = None if supernet is None else host.supernet(supernet).name
    if entry is None and given is None:
        raise UsageError(
            f"{name!r} is no published name: whose weights are these?",
            advice="--supernet S says so, or --name NAME, as ofa weights list has it",
        )
    if entry is not None and given not in (None, entry.supernet):
        raise UsageError(
            f"{name!r} is published for {entry.supernet}, not for {given}",
            advice="choose another --name",
        )
    return entry.supernet if entry is not None else str(given)
