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
from ofa_plugins_core.report.supernets import part_of, supernet_facts
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
    (folder / "mine.yaml").write_text(FILE)
    with pytest.raises(UsageError) as failed:
        host.supernet("toy+plian")
    said, smaller, options = failed.value.message.split("; ")
    assert said == "toy has no smaller space 'plian', nor an option that begins so"
    assert {"mine", "plain"} <= set(smaller.removeprefix("smaller spaces: ").split(", "))
    assert options == "options: none"
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
        (FILE.replace("depth: [1,", "depth: [.inf,"), "depth: expected numbers, .* found inf"),
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


def test_a_file_that_stands_on_itself_is_refused(host: Host, tmp_path: Path) -> None:
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.write_text(FILE.replace("base: toy", f"base: {one}"))
    with pytest.raises(UsageError, match=r"one\.yaml: base: .*one\.yaml stands on itself"):
        host.supernet(str(one))

    one.write_text(FILE.replace("base: toy", f"base: {other}"))
    other.write_text(FILE.replace("base: toy", f"base: {one}").replace("mine", "more"))
    with pytest.raises(UsageError, match="stands on itself"):
        host.supernet(str(one))


def test_a_file_may_stand_on_another(host: Host, tmp_path: Path) -> None:
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    small = "reduction: {name: more, drop: [{block: {k: 5, e: 3}}]}"
    one.write_text(f"base: {other}\n{small}")
    other.write_text(FILE)

    assert host.supernet(str(one)).name == "toy+mine+more"


@pytest.mark.parametrize(
    ("reduction", "said"),
    [
        ("drop: [{block: {k: 5, e: 2}, unit: 1}]", "a smaller space of toy, 60 % of its networks"),
        ("depth: [2, 2]", "a smaller space of toy, all of its networks, without: depths above"),
        ("source: nobody", "all networks of toy: nothing is dropped"),
    ],
)
def test_what_is_shown_of_one_says_how_much_is_left(
    host: Host, tmp_path: Path, reduction: str, said: str
) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(f"base: toy\nreduction: {{name: mine, {reduction}}}")

    assert supernet_facts(host, str(file)).summary.startswith(said)


@pytest.mark.parametrize(
    ("left", "count", "said"),
    [
        (4, 4, "all"),
        (1, 10**9, "less than 0.01 %"),
        (10**18 - 1, 10**18, "more than 99.99 %"),
        (999, 1000, "99.90 %"),
        (1, 3, "33.3 %"),
    ],
)
def test_how_much_is_left_is_never_rounded_to_all_or_nothing(
    left: int, count: int, said: str
) -> None:
    assert part_of(left, count) == said


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

    assert {f.kind for f in found} == {"plugin", "reductions"}
    assert {f.outcome for f in found} == {"holds"}, found
