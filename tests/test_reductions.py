"""Smaller spaces by name and by file, through the host."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.entries import ReductionEntry, SupernetEntry
from ofa_plugins_core.errors import InputError, UnknownNameError, UsageError
from ofa_plugins_core.reduction.data import Drop, Reduction
from ofa_plugins_core.report.offers import offer_facts, offers
from ofa_plugins_core.testing.checking import check
from ofa_plugins_core.testing.installing import in_process
from ofa_plugins_core.testing.toys import toy_supernet

GUIDE = Path(__file__).parents[1] / "docs" / "plugins.md"
FILE = """
base: toy
reduction:
  name: mine
  depth: [1, null]
  drop:
  - {block: {k: 5, e: 2}, unit: 1, reason: slow here}
"""


@pytest.fixture
def host() -> Host:
    small = ReductionEntry(Reduction("plain", (Drop({"k": 5}),)), "3×3 alone")
    toys = in_process(
        "toys",
        ofa_supernets=[SupernetEntry("toy", "a toy", toy_supernet)],
        ofa_reductions=[small],
    )
    return Host.discover(extra={"toys": toys})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OFA_REDUCED", str(tmp_path / "reduced"))
    (tmp_path / "reduced").mkdir()
    return tmp_path / "reduced"


def test_a_plugins_smaller_space_goes_by_the_supernets_name_and_its_own(host: Host) -> None:
    found = host.supernet("toy+plain")

    assert found.name == "toy+plain"
    assert found.space.count() == 6**2


def test_an_installed_one_too_and_it_comes_first(host: Host, folder: Path) -> None:
    (folder / "plain.yaml").write_text(FILE)

    assert host.supernet("toy+plain").space.count() == 4 * (3 + 3 * 3)
    assert host.supernet("toy+plain").name == "toy+plain"


def test_what_you_installed_is_listed_and_shown(host: Host, folder: Path) -> None:
    (folder / "plain.yaml").write_text(FILE)
    (folder / "mine.yaml").write_text(FILE)

    listed = {o.name: o.plugin for o in offers(host, "reductions")}
    assert {name: listed[name] for name in ("mine", "plain")} == {"mine": "you", "plain": "you"}
    assert offer_facts(host, "reductions", "mine").as_dict()["depth"] == [1, None]


def test_several_follow_each_other(host: Host, folder: Path) -> None:
    (folder / "mine.yaml").write_text(FILE.replace("k: 5, e: 2", "k: 3, e: 2"))

    assert host.supernet("toy+plain+mine").space.count() == 2 * 2


def test_a_file_describes_one_with_its_base(host: Host, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(FILE)

    assert host.supernet(str(file)).name == "toy+mine"
    assert host.supernet(str(file)).space.count() == 4 * (3 + 3 * 3)


def test_an_unknown_name_is_told_with_the_known_ones(host: Host, folder: Path) -> None:
    with pytest.raises(UsageError) as failed:
        host.supernet("toy+plian")
    assert "plain" in str(failed.value.advice)
    with pytest.raises(UnknownNameError):
        host.reduction("plian")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FILE.replace("base: toy\n", ""), "base: is required"),
        (FILE.replace("mine", "my own"), "a word"),
        (FILE.replace("unit: 1", "stage: 1"), "unknown key 'stage'"),
        (FILE.replace("k: 5", "k: 7"), "no block k7"),
        (FILE.replace("{k: 5, e: 2}", "{}"), "which one"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(
    host: Host, tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=message) as failed:
        host.supernet(str(file))
    assert "space.yaml" in failed.value.message


def test_an_installed_file_that_is_broken_is_an_input_error(host: Host, folder: Path) -> None:
    (folder / "plain.yaml").write_text("]")
    with pytest.raises(InputError):
        host.supernet("toy+plain")


def test_the_plugin_of_the_guide_keeps_every_law(ofa_install: Callable[..., object]) -> None:
    if not GUIDE.is_file():
        pytest.skip("docs/ is not beside the tests")
    text = GUIDE.read_text(encoding="utf-8")
    (source,) = re.findall(r"```python\n# accelerator\.py[^\n]*\n(.*?)```", text, re.S)
    ofa_install("accelerator", source.replace('"k": 7', '"k": 5'))  # the toy has no wider one
    found = check(Host.discover(), "accelerator")

    assert {f.kind for f in found} == {"reductions"}
    assert {f.outcome for f in found} == {"holds"}, found
