"""What ``ofa run targets`` keeps to go on with."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from compofa.targets.options import TargetsOptions
from ofa_plugins_core import runs
from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext

SECONDS: Final = 1.0
"""Before the first writing, and at least between two."""

SHARE: Final = 20
"""Times as long as writing takes, it is left alone."""


@define(eq=False)
class Kept:
    """Parts of the result by name, written to the run's folder now and then.

    Attributes:
        folder: of the run, or None.
        request: what a resumed run has to ask, too.
        parts: bound -> what was found; ``enumerated`` -> what was scored.
    """

    folder: Path | None
    request: Mapping[str, Any]
    parts: dict[str, Any]
    _due: float = field(factory=lambda: time.monotonic() + SECONDS)

    @classmethod
    def of(cls, context: JobContext, options: TargetsOptions) -> Kept:
        """Nothing, or what the run that is resumed has come to.

        Raises:
            UsageError: the folder is of another request.
            InputError: its progress is broken.
        """
        request = {**plain(options), "seed": context.seed, "set": plain(context.settings)}
        parts = runs.stored(context.out, request) if context.resume else {}
        return cls(context.out, request, parts)

    def keep(self, name: str, part: Mapping[str, Any]) -> None:
        """Take a part; it is written when that is due."""
        self.parts[name] = part
        if time.monotonic() >= self._due:
            self.store()

    def keep_enumerated(self, scored: Mapping[str, Any]) -> None:
        """Take what the enumeration has scored so far."""
        self.keep("enumerated", scored)

    def store(self) -> None:
        """Write now, where there is something and a folder for it."""
        started = time.monotonic()
        if self.folder is not None and self.parts:
            runs.store(self.folder, self.request, self.parts)
        ended = time.monotonic()
        self._due = ended + max(SECONDS, SHARE * (ended - started))
