"""Claims, each of which breaks one law."""

from __future__ import annotations

from itertools import count

from ofa_plugins_core import Checked, ClaimEntry, Comparison, Material

NUMBERS = count()


def finds(*comparisons):
    return lambda context, files: Checked(comparisons)


def another(context, files):
    number = next(NUMBERS)
    return Checked((Comparison("x", number, 3),))


BROKEN = {
    "says_whose_it_is": {"source": " "},
    "says_how_to_get_what_it_needs": {"needs": (Material("t", "/etc/t", "a table", "ask us"),)},
    "judges_something": {"check": finds(Comparison("x", 3, 3, relation="shown"))},
    "answers_alike": {"check": another},
}


def ofa_claims(law, name):
    sound = {"source": "Table 1", "check": finds(Comparison("x", 3, 3))}
    yield ClaimEntry(name, "it is 3", "Mine", **{**sound, **BROKEN[law]})
