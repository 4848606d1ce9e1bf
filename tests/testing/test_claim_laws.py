"""What has to hold for a claim, and the claims that do not keep it."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core import Checked, ClaimEntry, Comparison, Host, Material
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UnknownNameError
from ofa_plugins_core.testing.laws import LawBrokenError, NotApplicableError
from ofa_plugins_core.testing.laws.claim import (
    LAWS,
    LONG,
    Asked,
    answers_alike,
    judges_something,
    says_how_to_get_what_it_needs,
    says_whose_it_is,
)

TABLE = Material("table", "lut/table", "a table", "https://example.org/table")


def finding(*comparisons):
    return lambda context, files: Checked(comparisons)


GOOD = ClaimEntry("mine", "it is 3", "Mine", "Table 1", finding(Comparison("x", 3, 3)))


@pytest.fixture
def tried():
    """(law, claim) -> None, or what it raises."""
    context = JobContext(Host())
    return lambda law, entry: law(Asked(entry, context), None, np.random.default_rng(0))


def broken(tried, law, **changes):
    with pytest.raises(LawBrokenError) as error:
        tried(law, evolve(GOOD, **changes))
    return str(error.value)


def test_a_claim_that_keeps_them_all(tried):
    for law in LAWS:
        tried(law, evolve(GOOD, needs=(TABLE,) if law is says_how_to_get_what_it_needs else ()))


@pytest.mark.parametrize("name", ["summary", "work", "source"])
def test_one_that_does_not_say_whose_it_is(tried, name):
    assert name in broken(tried, says_whose_it_is, **{name: " "})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"how": ""}, "how to get it"),
        ({"summary": ""}, "what it is"),
        ({"place": "/data/table"}, "below a folder"),
        ({"place": "../table"}, "below a folder"),
        ({"place": ""}, "below a folder"),
    ],
)
def test_one_whose_file_nobody_could_bring(tried, changes, said):
    assert said in broken(tried, says_how_to_get_what_it_needs, needs=(evolve(TABLE, **changes),))


def test_one_with_two_files_of_one_name(tried):
    other = evolve(TABLE, place="elsewhere")
    assert "one name" in broken(tried, says_how_to_get_what_it_needs, needs=(TABLE, other))


def test_one_that_could_not_fail(tried):
    shown = finding(Comparison("x", 3, 3, relation="shown"))
    assert "could not fail" in broken(tried, judges_something, check=shown)
    assert "nothing of ours" in broken(
        tried, judges_something, check=finding(Comparison("x", None, 3))
    )


def test_one_that_changes_its_mind(tried):
    drawn = count()
    check = lambda context, files: Checked([Comparison("x", next(drawn), 0)])  # noqa: E731
    assert "reproduced, then differs" in broken(tried, answers_alike, check=check)
    check = lambda context, files: Checked([Comparison("x", next(drawn), 99)])  # noqa: E731
    assert "'ours'" in broken(tried, answers_alike, check=check)


def test_what_is_measured_may_differ(tried):
    drawn = count()
    check = lambda context, files: Checked([Comparison("s", next(drawn), 99, kind="measured")])  # noqa: E731
    tried(answers_alike, evolve(GOOD, check=check))


def test_one_that_takes_long_is_checked_once(tried):
    with pytest.raises(NotApplicableError, match="checked once"):
        tried(answers_alike, evolve(GOOD, seconds=LONG + 1))


@pytest.mark.parametrize("law", [judges_something, answers_alike])
def test_what_needs_something_is_left_in_peace(tried, law):
    with pytest.raises(NotApplicableError, match="files"):
        tried(law, evolve(GOOD, needs=(TABLE,)))

    def check(context, files):
        raise UnknownNameError("supernet", "theirs", ["toy"])

    with pytest.raises(NotApplicableError, match="theirs"):
        tried(law, evolve(GOOD, check=check))
