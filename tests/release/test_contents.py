"""Each flaw that a wheel can have is told; a wheel without one is not."""

from __future__ import annotations

import zipfile

import pytest

from release.contents import flaws
from release.packages import packages

METADATA = """\
Metadata-Version: 2.4
Name: ofa-plugins-moofa
Version: 0.1.0
Summary: a plugin
License-Expression: MIT
Requires-Python: >=3.11
Author: somebody
Keywords: once-for-all
Classifier: Typing :: Typed
Requires-Dist: ofa-plugins-core~=0.1.0
Requires-Dist: numpy>=2.0
"""
INFO = "ofa_plugins_moofa-0.1.0.dist-info"


@pytest.fixture
def told(checkout, tmp_path):
    """The flaws of a wheel with some files changed: name -> content, None for left out."""
    package = packages(checkout)[1]
    (package.code / "fit.json").write_text("{}")

    def told(changed):
        files = {"moofa/py.typed": "", "moofa/__init__.py": "", "moofa/fit.json": "{}"}
        files |= {f"{INFO}/METADATA": METADATA, f"{INFO}/licenses/LICENSE": "MIT"} | changed
        wheel = tmp_path / package.wheel
        with zipfile.ZipFile(wheel, "w") as write:
            for name, content in files.items():
                if content is not None:
                    write.writestr(name, content)
        return [flaw.removeprefix(f"{package.wheel}: ") for flaw in flaws(package, wheel)]

    return lambda changed=None: told(changed or {})


def test_a_sound_wheel_has_none(told):
    assert told() == []


def test_data_that_lacks(told):
    assert told({"moofa/fit.json": None}) == ["lacks moofa/fit.json"]


def test_types_that_would_reach_nobody(told):
    assert "lacks moofa/py.typed" in told({"moofa/py.typed": None})


def test_a_licence_that_lacks(told):
    assert told({f"{INFO}/licenses/LICENSE": None}) == [f"lacks {INFO}/licenses/LICENSE"]


def test_tests_and_whatever_else_is_not_its_code(told):
    assert told({"tests/test_it.py": ""}) == [
        "holds tests/test_it.py, which is not its code",
        "holds tests: tests/test_it.py",
    ]


def test_an_address(told):
    need = "ofa-plugins-core @ file:///home/somebody/ofa-plugins"
    changed = METADATA.replace("ofa-plugins-core~=0.1.0", need)
    assert f"needs an address: {need}" in told({f"{INFO}/METADATA": changed})


def test_a_package_of_ours_in_any_version(told):
    changed = METADATA.replace("~=0.1.0", "")
    assert told({f"{INFO}/METADATA": changed}) == [
        "needs a package of ours in any version: ofa-plugins-core"
    ]


@pytest.mark.parametrize("key", ["Summary", "License-Expression", "Author", "Keywords"])
def test_what_an_index_would_not_show(told, key):
    lines = METADATA.splitlines(keepends=True)
    changed = "".join(line for line in lines if not line.startswith(f"{key}:"))
    assert told({f"{INFO}/METADATA": changed}) == [f"states no {key}"]
