"""Whether an object has what a Protocol asks for, asked in the same way on every Python.

From 3.12 on, ``isinstance`` on a Protocol looks past ``__getattr__``. But a wrapper hands on by it
whatever the wrapped object can do, ours and other people's alike: a cost of a smaller space would
no longer be known to have intervals, or to be searched exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from abc import ABCMeta as ProtocolMeta
else:
    ProtocolMeta = type(Protocol)


class Structural(ProtocolMeta):
    """Metaclass of Protocols that objects are asked about."""

    def __instancecheck__(cls, instance: Any) -> bool:  # noqa: N805
        """True where typing says so, and where each member is there when it is asked for."""
        if super().__instancecheck__(instance):
            return True
        asked: frozenset[str] | None = cls.__dict__.get("__protocol_attrs__")  # since 3.12
        if not asked or not hasattr(type(instance), "__getattr__"):
            return False
        return all(hasattr(instance, name) for name in asked)
