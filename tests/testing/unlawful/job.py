"""Jobs, each of which breaks one law."""

from __future__ import annotations

from ofa_plugins_core import JobEntry

BROKEN = {
    "says_how_it_is_called": {"example": "ofa run another"},
    "draws_a_folder": {"draw": lambda folder, run: ()},
}


def ofa_jobs(law, name):
    odd = {"example": f"ofa run {name}", **BROKEN[law]}
    yield JobEntry(name, "breaks a law", lambda context, options: None, **odd)
