"""Progress as frozen events; a listener is a callable that takes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen


@frozen
class Progress:
    """How far a long piece of work is.

    Attributes:
        what: for example ``generation`` or ``bound``.
        done, total: steps.
        note: a short reading, for example the best accuracy so far.
    """

    what: str
    done: int
    total: int
    note: str = ""


@frozen
class Notice:
    """Something that the user should know: a flaw in a table, a choice that was made."""

    message: str


Event: TypeAlias = Progress | Notice
Listener: TypeAlias = Callable[[Event], None]


def silent(event: Event) -> None:
    """The listener that ignores everything."""


def each_once(listener: Listener) -> Listener:
    """Without notices that were told already: two splits of a data set are listed alike."""
    said: set[Notice] = set()

    def tell(event: Event) -> None:
        if not isinstance(event, Notice) or event not in said:
            listener(event)
        if isinstance(event, Notice):
            said.add(event)

    return tell
