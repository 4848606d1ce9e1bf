"""A published package needs versions of ours, never an address of somebody's checkout."""

from __future__ import annotations

import tomllib

import pytest

from release.packages import packages
from release.pins import pinned, unlinked

VERSIONS = {"ofa-plugins-core": "0.1.3", "ofa-plugins-mit": "0.2.0"}


def test_an_address_becomes_a_compatible_version():
    text = 'dependencies = ["ofa-plugins-core @ {root:parent:parent:uri}", "attrs>=24.1"]'
    assert pinned(text, VERSIONS) == 'dependencies = ["ofa-plugins-core~=0.1.3", "attrs>=24.1"]'


def test_an_extra_stays():
    text = 'torch = ["ofa-plugins-mit[torch] @ {root:parent:uri}/ofa_mit"]'
    assert pinned(text, VERSIONS) == 'torch = ["ofa-plugins-mit[torch]~=0.2.0"]'


def test_a_package_that_is_not_there_is_an_error():
    with pytest.raises(KeyError, match="ofa-plugins-moofa"):
        pinned('"ofa-plugins-moofa @ {root:parent:uri}/moofa"', VERSIONS)


def test_addresses_are_forbidden_from_then_on():
    text = "[tool.hatch.metadata]\nallow-direct-references = true\n"
    assert tomllib.loads(pinned(text, VERSIONS))["tool"]["hatch"]["metadata"] == {
        "allow-direct-references": False
    }


def test_no_address_is_left_in_ours(root):
    found = packages(root)
    versions = {p.name: p.version for p in found}
    for package in found:
        text = (package.folder / "pyproject.toml").read_text(encoding="utf-8")
        project = tomllib.loads(pinned(text, versions))["project"]
        needs = [*project["dependencies"], *project.get("optional-dependencies", {}).values()]
        assert "@" not in str(needs)
        assert ("@" in text) == (package.name != "ofa-plugins-core")


class TestReadme:
    def test_links_into_the_checkout_become_their_text(self):
        assert unlinked("see [docs/costs.md](../../docs/costs.md#a) and\n") == (
            "see docs/costs.md and\n"
        )

    @pytest.mark.parametrize(
        "kept",
        ["[arXiv](https://arxiv.org/abs/1908.09791)", "[below](#install)", "a [1] (2)"],
    )
    def test_others_stay(self, kept):
        assert unlinked(kept) == kept
