"""What ``ofa run import-config`` makes of a published configuration, value by value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from attrs import field, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.config import as_yaml, structure
from ofa_plugins_core.errors import UsageError

T = TypeVar("T")

WHERE: Final = "where results go: give --out, or find them in ./runs"
EMPTY: Final = "it has no value"


@frozen
class Dropped:
    """A key that no file of ours has, and why."""

    key: str
    why: str


@frozen
class Imported:
    """What was made of a published configuration.

    Attributes:
        source: the published file; messages name it.
        files: job -> its configuration's file; supernets' rows go by ``supernet NAME``.
        dropped: keys without a counterpart.
        notes: what was mended, what became something else, and what is still to be given.
        contents: of every file that is to be written.
    """

    source: Path
    files: dict[str, Path] = field(factory=dict)
    dropped: list[Dropped] = field(factory=list)
    notes: list[str] = field(factory=list)
    contents: dict[Path, str] = field(factory=dict, repr=False)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "files": {name: str(path) for name, path in self.files.items()},
            "dropped": [{"key": d.key, "why": d.why} for d in self.dropped],
            "notes": list(self.notes),
        }

    def as_tables(self) -> list[tuple[str, Sequence[str], list[Sequence[str]]]]:
        """For the terminal."""
        files = [(name, str(path)) for name, path in self.files.items()]
        dropped = [(d.key, d.why) for d in self.dropped]
        tables: list[tuple[str, Sequence[str], list[Sequence[str]]]] = [
            ("written", ("for", "file"), list(files)),
        ]
        if dropped:
            tables.append(("not taken over", ("key", "why"), list(dropped)))
        if self.notes:
            tables.append(("to know", ("",), [(note,) for note in self.notes]))
        return tables

    def drop(self, key: str, why: str) -> None:
        """Name a key that is not taken over."""
        self.dropped.append(Dropped(key, why))

    def keep(self, name: str, path: Path, data: Mapping[str, Any]) -> None:
        """A YAML file that is to be written."""
        self.files[name] = path
        self.contents[path] = as_yaml(data)

    def write(self) -> None:
        """Write every file.

        Raises:
            InputError: one cannot be written.
        """
        for path, text in self.contents.items():
            runs.write(path, text)

    def at(self, key: str) -> str:
        """Where a key stands, for messages."""
        return f"{self.source}: {key}"

    def read(self, value: object, kind: Any, key: str) -> Any:
        """A key's value as the type that our option has.

        Raises:
            UsageError: it is of another; names file and key.
        """
        return structure(value, kind, self.at(key))

    def taken(self, given: dict[str, Any], name: str, kind: Any, section: str) -> Any:
        """Take a key out of a section, as a type; None where it is not there or has no value.

        Raises:
            UsageError: it is of another type; names file and key.
        """
        if name not in given:
            return None
        value = given.pop(name)
        if value is None:
            self.drop(f"{section}.{name}", EMPTY)
            return None
        return self.read(value, kind, f"{section}.{name}")

    @contextmanager
    def refusing(self, key: str) -> Iterator[None]:
        """What our jobs refuse in the block names file and key.

        Raises:
            UsageError: instead of theirs.
        """
        try:
            yield
        except UsageError as error:
            raise UsageError(f"{self.at(key)}: {error.message}", advice=error.advice) from error
        except ValueError as error:  # an attrs class that looks at its own fields
            raise UsageError(f"{self.at(key)}: {error}") from error
