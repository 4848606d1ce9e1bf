"""Which files of weights there are: what plugins publish, and what the user added."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from attrs import frozen

from ofa_plugins_core.entries import Plugins, WeightsEntry
from ofa_plugins_core.errors import UnknownNameError
from ofa_plugins_core.weights import cache
from ofa_plugins_core.weights.cache import Kept

OWN = "own"
"""Layout of a file that the user added under a name of their own: loading finds it out."""


@frozen
class Known:
    """A file of weights, published or the user's own.

    Attributes:
        name: of the file.
        supernet: whose weights it holds.
        layout: ``new``, ``old``, ``static``, ``other``; ``own`` for the user's own.
        path: where it lies on this machine, or None.
        entry: what was published of it, or None.
        kept: what is known from the first time that it was here, or None.
    """

    name: str
    supernet: str
    layout: str
    path: Path | None
    entry: WeightsEntry | None = None
    kept: Kept | None = None

    @property
    def state(self) -> str:
        """``cached``, ``partly fetched``, ``page only`` or ``not fetched``."""
        if self.path is not None:
            return "cached"
        place = cache.place(self.name)
        if place.with_name(place.name + cache.PART).is_file():
            return "partly fetched"
        only = self.entry is not None and not self.entry.addresses
        return "page only" if only else "not fetched"

    @property
    def is_apart(self) -> bool:
        """Whether its supernet cannot take it: no weights, or one specialised network's."""
        return self.layout == "other" or (self.layout == "static" and "/" in self.name)

    @property
    def is_here(self) -> bool:
        """Whether there is a file of it, whole or not."""
        return self.kept is not None and cache.place(self.name).exists()

    def as_dict(self) -> dict[str, Any]:
        """JSON form; size and hash are those published, else those of the first download."""
        entry, kept = self.entry, self.kept
        return {
            "name": self.name,
            "supernet": self.supernet,
            "layout": self.layout,
            "state": self.state,
            "path": None if self.path is None else str(self.path),
            "size": (entry and entry.size) or (kept and kept.size),
            "sha256": (entry and entry.sha256) or (kept and kept.sha256),
            "addresses": list(entry.addresses) if entry else [],
            "page": entry.page if entry else None,
            "source": entry.source if entry else kept.source if kept else "",
        }


def known(host: Plugins) -> list[Known]:
    """Every file that is published, and every file of the user's own, by name."""
    kept = cache.index()
    published = {entry.name: entry for entry in host.entries("weights")}
    paths = {name: cache.whole(record) for name, record in kept.items()}
    files = [
        Known(name, entry.supernet, entry.layout, paths.get(name), entry, kept.get(name))
        for name, entry in published.items()
    ]
    own = [n for n in kept if n not in published and paths[n] is not None]
    files += [Known(n, kept[n].supernet, OWN, paths[n], None, kept[n]) for n in own]
    return sorted(files, key=lambda file: file.name)


def chosen(host: Plugins, names: Sequence[str]) -> list[Known]:
    """The files that names stand for, each once.

    Args:
        names: of files; patterns such as ``note10_*``; or a supernet's, for its whole network.

    Raises:
        UnknownNameError: one of them stands for none.
    """
    files = known(host)
    found: dict[str, Known] = {}
    for name in names:
        exact = [f for f in files if f.name == name]
        matches = exact or [f for f in files if fnmatchcase(f.name, name)]
        matches = matches or [f for f in for_supernet(host, name) if f.entry is not None][:1]
        if not matches:
            raise UnknownNameError("file of weights", name, _nameable(files, name))
        found |= {f.name: f for f in matches}
    return list(found.values())


def _nameable(files: Sequence[Known], name: str) -> list[str]:
    """Names to show to somebody who asked for another: those in folders are very many."""
    return [f.name for f in files if "/" in name or "/" not in f.name]


def for_supernet(host: Plugins, supernet: str) -> list[Known]:
    """The files with weights of a supernet, the ones to take first in front.

    First what the user added, then the whole network as published, then what training phases
    left, then teachers, which are static. A static file in a folder of its own (``NAME/init``)
    is one specialised network, and no weights of the supernet.

    Args:
        supernet: by name or alias.
    """
    names = _names(host, supernet)
    files = [f for f in known(host) if f.supernet in names and not f.is_apart]

    def order(file: Known) -> tuple[int, str]:
        if file.layout == OWN:
            return 0, file.name
        if file.layout == "static":
            return 3, file.name
        return (1 if file.name in names else 2), file.name

    return sorted(files, key=order)


def _names(host: Plugins, supernet: str) -> set[str]:
    """Every name of a supernet."""
    for entry in host.entries("supernets"):
        if supernet in (entry.name, *entry.aliases):
            return {entry.name, *entry.aliases}
    return {supernet}
