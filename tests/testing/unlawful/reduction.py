"""Smaller spaces, each of which breaks one law; the others are the core's to keep."""

from __future__ import annotations

from ofa_plugins_core import Drop, Reduction, ReductionEntry


class ChangesItsMind(Reduction):
    """Once its space is made it says that other blocks were meant."""

    def __getattribute__(self, name):
        if name != "drop":
            return super().__getattribute__(name)
        asked.append(name)
        return (Drop({"k": 5 if len(asked) < LATER else 3}),)


LATER = 4
asked: list[str] = []

BROKEN = {
    "holds_less": lambda name: Reduction(name, depth=(2, 2), source="made up"),
    "uses_no_dropped_block": ChangesItsMind,
}


def ofa_reductions(law, name):
    yield ReductionEntry(BROKEN[law](name), "breaks a law")
