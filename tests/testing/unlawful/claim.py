"""Claims, each of which breaks one law."""

from __future__ import annotations

from itertools import count

from ofa_plugins_core import Checked, ClaimEntry, Comparison, Material

DRAWN = count()


def finding(*figures, **how):
    return lambda context, files: Checked([Comparison("x", ours, 3, **how) for ours in figures])


def another(context, files):
    return Checked([Comparison("x", next(DRAWN), 3, relation="at most", within=1e9)])


BROKEN = {
    "says_whose_it_is": {"source": " "},
    "says_how_to_get_what_it_needs": {"needs": (Material("table", "../table", "a table", "ask"),)},
    "judges_something": {"check": finding(None)},
    "answers_alike": {"check": another},
}


def ofa_claims(law, name):
    lawful = {"summary": "it is 3", "work": "Mine", "source": "Table 1", "check": finding(3)}
    yield ClaimEntry(name, **{**lawful, **BROKEN[law]})
