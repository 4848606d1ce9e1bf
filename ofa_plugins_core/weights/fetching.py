"""Published files into the cache: addresses in their order, then the hash, then the name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from ofa_plugins_core.entries import WeightsEntry
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.events import Listener, Notice, silent
from ofa_plugins_core.weights import cache
from ofa_plugins_core.weights.cache import PART, STATE
from ofa_plugins_core.weights.download import AddressError, download

PAGES: Final = (b"<!doctype html", b"<html", b"<?xml")
POINTER: Final = b"version https://git-lfs"


@frozen
class Expected:
    """The hash that a file has to have, and who says so; None where nobody knows."""

    sha256: str | None
    who: str


def fetch(entry: WeightsEntry, listener: Listener = silent, *, anew: bool = False) -> Path:
    """A published file, from the cache or from the first of its addresses that gives it.

    Args:
        entry: of the registry.
        listener: takes progress and notices.
        anew: fetch it also where it is cached, and do not hold it to the first download's hash.

    Raises:
        InputError: no address gives it, with what each one said and what to do instead; or the
            disk is full.
    """
    if not anew and (path := cache.cached(entry.name)) is not None:
        return path
    if not entry.addresses:
        raise InputError(
            f"{entry.name!r} cannot be fetched by a program: it is behind a page for browsers",
            advice=_by_hand(entry),
        )
    place = cache.place(entry.name)
    part = place.with_name(place.name + PART)
    with cache.locked(part, wait=False):
        try:
            return _tried(entry, part, expected(entry, anew=anew), listener)
        except KeyboardInterrupt:
            _tell_kept(part, listener)
            raise
        finally:
            if part.is_file() and part.stat().st_size == 0:
                cache.discard(part, part.with_name(place.name + STATE))


def expected(entry: WeightsEntry, *, anew: bool = False) -> Expected:
    """The hash to hold a file to: the published one, else that of the first download."""
    if entry.sha256 is not None:
        return Expected(entry.sha256, "published")
    kept = None if anew else cache.index().get(entry.name)
    return Expected(kept.sha256 if kept else None, "of the first download")


def _tried(entry: WeightsEntry, part: Path, due: Expected, listener: Listener) -> Path:
    failures: list[tuple[str, str]] = []
    for address in entry.addresses:
        try:
            checked = due.sha256 is not None
            download(address, part, size=entry.size, checked=checked, listener=listener)
            path = adopt(entry.name, entry.supernet, part, due, address, listener)
        except AddressError as error:
            failures.append((address, str(error)))
            continue
        for failed, why in failures:
            listener(Notice(f"{failed}: {why}"))
        return path
    raise _dead(entry, failures, due)


def adopt(
    name: str, supernet: str, part: Path, due: Expected, source: str, listener: Listener = silent
) -> Path:
    """Check a whole part, and give it its place and its name.

    Raises:
        AddressError: it is no file of weights, or its hash is another; the part is removed.
        InputError: it cannot be moved to its place.
    """
    state = part.with_name(part.name.removesuffix(PART) + STATE)
    found = cache.digest(part, listener)
    if (fault := fault_of(part, found, due)) is not None:
        cache.discard(part, state)
        raise AddressError(fault)
    size = part.stat().st_size
    path = cache.install(part, name)
    cache.discard(state)
    cache.remember(name, supernet, found, size, source)
    return path


def fault_of(path: Path, found: str, due: Expected) -> str | None:
    """Why a file is not the one that it should be, or None.

    Args:
        found: its SHA-256.
    """
    fault = no_weights(path)
    if fault is None and due.sha256 not in (None, found):
        fault = f"its SHA-256 is {found}, the one {due.who} is {due.sha256}"
    return fault


def no_weights(path: Path) -> str | None:
    """Why a file is none of weights, told from its first bytes, or None."""
    with path.open("rb") as file:
        start = file.read(64).lstrip().lower()
    if not start:
        return "it is empty"
    if start.startswith(PAGES):
        return "it is a web page, not the file"
    if start.startswith(POINTER):
        return "it is a pointer of Git LFS, not the file"
    return None


def _tell_kept(part: Path, listener: Listener) -> None:
    if part.is_file() and (size := part.stat().st_size):
        listener(Notice(f"{size:,} bytes are kept; the same command goes on with them"))


def _dead(entry: WeightsEntry, failures: Sequence[tuple[str, str]], due: Expected) -> InputError:
    lines = [f"  {address}: {why}" for address, why in failures]
    tried = "its address does not give it" if len(lines) == 1 else "none of its addresses gives it"
    advice = _by_hand(entry)
    if due.sha256 is not None and due.who != "published" and any("SHA" in w for _, w in failures):
        advice = f"if it was changed on purpose: ofa weights fetch {entry.name} --anew; {advice}"
    return InputError("\n".join([f"cannot fetch {entry.name!r}: {tried}", *lines]), advice=advice)


def _by_hand(entry: WeightsEntry) -> str:
    add = f"ofa weights add FILE --name {entry.name}"
    if entry.page:
        return f"get it with a browser from {entry.page}, then: {add}"
    return f"where you have the file, or find it elsewhere: {add}"
