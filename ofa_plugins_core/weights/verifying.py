"""Whether cached files are still what they were."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from ofa_plugins_core.events import Listener, silent
from ofa_plugins_core.weights import cache
from ofa_plugins_core.weights.registry import Known


@frozen
class Verdict:
    """What checking one file came to.

    Attributes:
        name: of the file.
        whole: it has the hash that it should have.
        what: in words, with both hashes where they differ.
    """

    name: str
    whole: bool
    what: str


def verify(files: Sequence[Known], listener: Listener = silent) -> list[Verdict]:
    """Hash files again, and compare with what was published, else with the first download.

    Args:
        files: as ``registry.known`` lists them.
        listener: takes progress.
    """
    return [_verified(file, listener) for file in files]


def _verified(file: Known, listener: Listener) -> Verdict:
    path = cache.place(file.name)
    if file.kept is None or not path.is_file():
        return Verdict(file.name, False, "is not cached")
    found = cache.digest(path, listener)
    published = None if file.entry is None else file.entry.sha256
    due, who = (published, "published") if published else (file.kept.sha256, "kept when it came")
    if found == due:
        return Verdict(file.name, True, f"is whole: the hash {who}")
    return Verdict(file.name, False, f"is broken: its SHA-256 is {found}, the one {who} is {due}")
