"""The public surface: within an API number it grows, by things with defaults, and loses nothing."""

from __future__ import annotations

import copy
import json
import re

import pytest

from release.surface import NOT_PROMISED, ROOMS, added, broken, described

KEEP = "python -m release --freeze, from the root, and commit tests/public_surface.json"


@pytest.fixture(scope="module")
def found():
    return described()


@pytest.fixture(scope="module")
def kept(root):
    return json.loads((root / "tests" / "public_surface.json").read_text(encoding="utf-8"))


class TestOurs:
    """What docs/compatibility.md promises of this core."""

    def test_nothing_that_was_promised_is_broken(self, kept, found):
        lines = [] if kept["api"] != found["api"] else broken(kept, found)
        assert not lines, (
            f"these break plugins or users under OFA_API = {kept['api']}: give what is new a "
            f"default and keep what is there, or see docs/compatibility.md on a new number: {lines}"
        )

    def test_what_is_new_is_kept_from_now_on(self, kept, found):
        assert not added(kept, found), f"new, with defaults, which is fine; keep it: {KEEP}"

    def test_what_is_broken_on_purpose_has_a_number_of_its_own(self, kept, found):
        assert kept["api"] == found["api"], f"a new number: {KEEP}"

    def test_the_guide_and_the_templates_need_nothing_else(self, root):
        texts = [(root / "docs" / "plugins.md").read_text(encoding="utf-8")]
        folder = root / "ofa_plugins_core" / "scaffold" / "templates"
        texts += [file.read_text(encoding="utf-8") for file in folder.rglob("*.txt")]
        known = {(room, name) for room, names in ROOMS.items() for name in names}
        used = {
            (room, name)
            for text in texts
            for room, names in re.findall(r"from ofa_plugins_core\.([\w.]+) import ([\w, ]+)", text)
            for name in names.replace(" ", "").split(",")
            if room not in ("testing", *NOT_PROMISED)
        }
        assert len(used) > 10
        assert not {u for u in used - known if (u[0], "*") not in known}

    def test_every_file_format_is_named_in_the_statement(self, root):
        page = (root / "docs" / "compatibility.md").read_text(encoding="utf-8")
        sources = [*root.glob("ofa_plugins_core/**/*.py"), *root.glob("plugins/*/src/**/*.py")]
        formats = {
            name
            for file in sources
            for name in re.findall(
                r'^FORMAT: Final = "(.+)"$', file.read_text(encoding="utf-8"), re.M
            )
        }
        assert len(formats) > 5
        assert not {name for name in formats if f"`{name}`" not in page}


SURFACE = {
    "api": 1,
    "commands": ["list", "run"],
    "names": {"Entry": {"takes": {"name": "str", "options": "type = NoOptions"}, "offers": {}}},
    "rooms": {"interfaces": {"Cost": {"asks for": {"evaluate": {"archs": "X", "return": "Y"}}}}},
    "testing": {"toy": {"size": "int = 3", "return": "Toy"}},
    "jobs": {"cost": {"supernet": "str"}},
}


@pytest.fixture
def changed():
    return copy.deepcopy(SURFACE)


class TestComparing:
    def test_the_same_is_neither_broken_nor_new(self, changed):
        assert broken(SURFACE, changed) == added(SURFACE, changed) == []

    @pytest.mark.parametrize(
        ("place", "what"),
        [
            (("names",), "Entry"),
            (("names", "Entry", "takes"), "options"),
            (("rooms", "interfaces", "Cost", "asks for"), "evaluate"),
            (("testing", "toy"), "size"),
            (("jobs", "cost"), "supernet"),
        ],
    )
    def test_what_is_removed_breaks(self, changed, place, what):
        inner = changed
        for name in place:
            inner = inner[name]
        del inner[what]
        assert broken(SURFACE, changed) == [".".join([*place, what]) + ": removed"]

    def test_another_default_breaks(self, changed):
        changed["testing"]["toy"]["size"] = "int = 4"
        assert broken(SURFACE, changed) == ["testing.toy.size: was 'int = 3', is 'int = 4'"]

    def test_a_command_that_is_gone_breaks(self, changed):
        changed["commands"] = ["run"]
        assert broken(SURFACE, changed) == ["commands: was ['list', 'run'], is ['run']"]

    @pytest.mark.parametrize(
        "place",
        [
            ("names", "Entry", "takes"),
            ("rooms", "interfaces", "Cost", "asks for"),
            ("rooms", "interfaces", "Cost", "asks for", "evaluate"),
            ("jobs", "cost"),
        ],
    )
    def test_what_is_added_without_a_default_breaks(self, changed, place):
        inner = changed
        for name in place:
            inner = inner[name]
        inner["more"] = "int"
        assert broken(SURFACE, changed) == [
            ".".join([*place, "more"]) + ": added without a default"
        ]

    def test_a_field_with_a_default_at_the_end_is_new(self, changed):
        changed["names"]["Entry"]["takes"]["more"] = "int = 3"
        assert broken(SURFACE, changed) == []
        assert added(SURFACE, changed) == ["names.Entry.takes.more"]

    def test_one_before_others_breaks_who_gives_them_by_position(self, changed):
        takes = {"name": "str", "more": "int = 3", "options": "type = NoOptions"}
        changed["names"]["Entry"]["takes"] = takes
        assert broken(SURFACE, changed) == ["names.Entry.takes.more: added before options"]
        takes["more"] = "by name, int = 3"
        assert broken(SURFACE, changed) == []

    def test_a_name_a_command_and_a_job_are_new(self, changed):
        changed["names"]["Other"] = {"takes": {"name": "str"}, "offers": {}}
        changed["commands"].append("matrix")
        changed["jobs"]["matrix"] = {"size": "int"}
        assert broken(SURFACE, changed) == []
        assert added(SURFACE, changed) == ["commands.matrix", "names.Other", "jobs.matrix"]
