"""Packages of a checkout, and ours: one version, one licence, what an index shows of each."""

from __future__ import annotations

import re
import tomllib
from datetime import date

import pytest
import yaml

from release.packages import packages, set_version


def test_the_core_comes_first(checkout):
    assert [p.name for p in packages(checkout)] == ["ofa-plugins-core", "ofa-plugins-moofa"]


def test_files_of_a_package_are_named_after_it(checkout):
    _, moofa = packages(checkout)
    assert moofa.wheel == "ofa_plugins_moofa-0.1.0-py3-none-any.whl"
    assert moofa.sdist == "ofa_plugins_moofa-0.1.0.tar.gz"
    assert moofa.module == "moofa"


class TestSettingAVersion:
    def test_it_is_written_everywhere(self, checkout):
        set_version(checkout, "1.20.3")
        assert {p.version for p in packages(checkout)} == {"1.20.3"}
        citation = yaml.safe_load((checkout / "CITATION.cff").read_text())
        assert citation == {"cff-version": "1.2.0", "version": "1.20.3"}

    @pytest.mark.parametrize("version", ["1.2", "1.2.3rc1", "v1.2.3", ""])
    def test_another_form_is_refused(self, checkout, version):
        with pytest.raises(ValueError, match="three numbers with dots"):
            set_version(checkout, version)
        assert {p.version for p in packages(checkout)} == {"0.1.0"}

    def test_a_file_without_a_version_is_told(self, checkout):
        (checkout / "CITATION.cff").write_text("cff-version: 1.2.0\n")
        with pytest.raises(ValueError, match=r"CITATION\.cff: states no version"):
            set_version(checkout, "1.0.0")


class TestOurs:
    """What each package of this checkout states."""

    def test_all_have_one_version(self, root):
        versions = {p.name: p.version for p in packages(root)}
        assert len(set(versions.values())) == 1, f"python -m release --version X.Y.Z; {versions}"

    def test_the_citation_has_it_too(self, root):
        citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
        assert citation["version"] == packages(root)[0].version

    def test_the_changelog_tells_of_it(self, root):
        lines = (root / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
        told = [line for line in lines if line.startswith("## ")]
        assert told[0] == "## [Unreleased]"
        found = re.fullmatch(r"## \[(\d+\.\d+\.\d+)\] - (.+)", told[1])
        assert found and found[1] == packages(root)[0].version
        assert found[2] == "not published yet" or date.fromisoformat(found[2])

    def test_each_holds_the_licence_and_is_typed(self, root):
        licence = (root / "LICENSE").read_bytes()
        for package in packages(root):
            assert (package.folder / "LICENSE").read_bytes() == licence, package.name
            assert (package.code / "py.typed").is_file(), package.name

    def test_all_agree_on_what_they_share(self, root):
        stated = {p.name: _shared(p.folder) for p in packages(root)}
        assert len(set(map(str, stated.values()))) == 1, stated

    def test_a_requirement_has_the_same_floor_in_each(self, root):
        floors: dict[str, set[str]] = {}
        for package in packages(root):
            for need in _needs(package.folder):
                if (found := re.match(r"([A-Za-z0-9-]+)>=([\d.]+)", need)) is not None:
                    floors.setdefault(found[1].lower(), set()).add(found[2])
        assert len(floors) > 10
        assert not {name: many for name, many in floors.items() if len(many) > 1}


def _project(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _shared(folder):
    keys = ("requires-python", "license", "license-files", "readme", "authors", "classifiers")
    return {key: _project(folder)[key] for key in keys}


def _needs(folder):
    project = _project(folder)
    extras = project.get("optional-dependencies", {}).values()
    return [*project["dependencies"], *(need for extra in extras for need in extra)]
