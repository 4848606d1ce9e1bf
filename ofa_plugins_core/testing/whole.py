"""One suite for a whole plugin: every law on everything that it offers, a test each.

    class TestPlugin(PluginSuite):
        plugin = "energy"

It runs what ``ofa plugins check`` runs, on what is installed.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import ClassVar, Final

import pytest

from ofa_plugins_core.errors import UnknownNameError
from ofa_plugins_core.host import Host
from ofa_plugins_core.testing.checking import Finding, attempt, tried, untried
from ofa_plugins_core.testing.laws import Law
from ofa_plugins_core.testing.offered import FIRST, Tested, Trial, trials


class PluginSuite:
    """For everything that an installed plugin offers; name it: ``plugin = "energy"``."""

    plugin: ClassVar[str]

    def test_it_takes_part(self) -> None:
        """It is loaded, and no other plugin contests what it offers."""
        try:
            found = _host().plugin(self.plugin)
        except UnknownNameError as error:
            pytest.fail(error.message, pytrace=False)
        assert (found.state, found.error) == ("loaded", None)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """For each offer that it can be made, and then a test for each of its laws."""
        if "law" in metafunc.fixturenames:
            found = _trials(self.plugin)
            both = [(trial, law) for trial in found for law in (None, *trial.laws)]
            metafunc.parametrize(("trial", "law"), both, ids=map(_id, both))

    def test_law(self, trial: Trial, law: Law | None) -> None:
        """The law holds; None: the offer can be made, once for all its laws."""
        made, subjects = _made(trial)
        if law is None or not subjects:
            _demand(made)
            return
        before = _BROKEN.get(trial)
        finding = untried(trial, law, before) if before else tried(trial, law, subjects)
        if law in FIRST and finding.outcome == "broken":
            _BROKEN[trial] = finding
        _demand(finding)


_BROKEN: Final[dict[Trial, Finding]] = {}
"""Offer -> the law that others take for granted, and that it breaks."""


@cache
def _host() -> Host:
    return Host.discover()


@cache
def _trials(name: str) -> list[Trial]:
    """Of a plugin; none where there is no such plugin, which a test of its own says."""
    try:
        return trials(_host(), _host().plugin(name))
    except UnknownNameError:
        return []


@lru_cache(maxsize=1)
def _made(trial: Trial) -> tuple[Finding, list[Tested]]:
    """What an offer makes, kept while its laws are tried."""
    return attempt(trial)


def _demand(finding: Finding) -> None:
    if finding.outcome == "does not apply":
        pytest.skip(finding.message)
    if finding.outcome == "broken":
        pytest.fail(finding.in_words, pytrace=False)


def _id(both: tuple[Trial, Law | None]) -> str:
    trial, law = both
    return f"{trial.kind}:{trial.name}-{law.__name__ if law else 'can_be_made'}"
