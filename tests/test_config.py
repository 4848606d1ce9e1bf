"""Configuration: plain YAML only, strict values, messages with path and value."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import field, frozen

from ofa_plugins_core.config import Words, as_yaml, plain, read_yaml, structure
from ofa_plugins_core.errors import InputError, UsageError


class Tone(Enum):
    KIND = "kind"
    CURT = "curt"


@frozen
class Inner:
    a: int = 1
    b: tuple[int | float, ...] = ()


@frozen
class Outer:
    x: int
    y: float = 1.0
    path: Path | None = None
    way: Literal["int8", "fp16", 4] = "int8"
    sizes: tuple[int, ...] | Literal["all"] | None = None
    ok: bool = False
    tone: Tone = Tone.KIND
    inner: Inner = Inner()
    names: list[str] = field(factory=list)
    pair: tuple[int, str] = (0, "")
    table: dict[str, int] = field(factory=dict)
    anything: Any = None


@pytest.mark.parametrize(
    ("data", "name", "value"),
    [
        ({"y": 3}, "y", 3.0),
        ({"path": "a/b"}, "path", Path("a/b")),
        ({"path": None}, "path", None),
        ({"way": 4}, "way", 4),
        ({"way": Words("4")}, "way", 4),
        ({"sizes": "all"}, "sizes", "all"),
        ({"sizes": [128, 160]}, "sizes", (128, 160)),
        ({"sizes": Words("128, 160")}, "sizes", (128, 160)),
        ({"sizes": Words("all")}, "sizes", "all"),
        ({"ok": Words("yes")}, "ok", True),
        ({"tone": "curt"}, "tone", Tone.CURT),
        ({"inner": {"b": [1, 2.5]}}, "inner", Inner(b=(1, 2.5))),
        ({"names": ["a"]}, "names", ["a"]),
        ({"names": Words("a,b")}, "names", ["a", "b"]),
        ({"pair": [1, "a"]}, "pair", (1, "a")),
        ({"table": {"a": 1}}, "table", {"a": 1}),
        ({"anything": [{}]}, "anything", [{}]),
    ],
)
def test_values_are_taken_as_their_type(data, name, value):
    assert getattr(structure({"x": 1, **data}, Outer), name) == value


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"x": "1"}, "o.x: expected a whole number, found '1'"),
        ({"x": True}, "o.x: expected a whole number, found True"),
        ({"x": 1.5}, "o.x: expected a whole number, found 1.5"),
        ({"x": Words("1.5")}, "o.x: expected a whole number, found '1.5'"),
        ({}, "o.x: is required"),
        ({"x": 1, "y": "2"}, "o.y: expected a number, found '2'"),
        ({"x": 1, "y": float("nan")}, "o.y: expected a number, found nan"),
        ({"x": 1, "ok": "false"}, "o.ok: expected true or false, found 'false'"),
        ({"x": 1, "ok": 1}, "o.ok: expected true or false, found 1"),
        ({"x": 1, "way": "int9"}, "o.way: expected int8, fp16 or 4, found 'int9'"),
        ({"x": 1, "way": True}, "o.way: expected int8, fp16 or 4, found True"),
        ({"x": 1, "path": ""}, "o.path: expected a path, found ''"),
        ({"x": 1, "names": 5}, "o.names: expected a list (text each), found 5"),
        ({"xx": 1, "y": "2"}, "o: unknown key 'xx'; nearest known: x; o.y: expected a number, "),
        ({"pth": 1}, "o: unknown key 'pth'; nearest known: path; missing: o.x"),
        ({"x": 1, "names": [1]}, "o.names[0]: expected text, found 1"),
        ({"x": 1, "pair": [1]}, "o.pair: expected a list of 2, found [1]"),
        ({"x": 1, "table": {"a": "b"}}, "o.table.a: expected a whole number, found 'b'"),
        ({"x": 1, "table": []}, "o.table: expected a mapping, found []"),
        ({"x": 1, "inner": 3}, "o.inner: expected a mapping, found 3"),
        ({"x": 1, "inner": {"b": [1, "s"]}}, "o.inner.b[1]: expected a whole number or a number"),
        ({"x": 1, "inner": {"c": 1}}, "o.inner: unknown key 'c'; known: a, b"),
        ({"x": 1, "pth": 1}, "o: unknown key 'pth'; nearest known: path"),
        (5, "o: expected a mapping, found 5"),
        ({"x": "a" * 99}, "found 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa..."),
    ],
)
def test_anything_else_is_an_error_with_path_and_value(data, said):
    with pytest.raises(UsageError) as caught:
        structure(data, Outer, "o")
    assert said in caught.value.message


def test_one_text_is_a_list_of_one():
    assert (
        structure({"x": 1, "names": "abc"}, Outer).names
        == structure({"x": 1, "names": ["abc"]}, Outer).names
    )


@frozen
class Row:
    """Three that are required."""

    width: int
    depth: int
    size: int


def test_all_that_is_missing_is_named():
    with pytest.raises(
        UsageError, match=r"^r: unknown key 'widths'; .*; missing: r.width, r.size$"
    ):
        structure({"widths": 3, "depth": 1}, Row, "r")


def test_several_mistakes_are_counted():
    with pytest.raises(UsageError, match=r"\(and 1 more\)"):
        structure({"x": "1", "y": "2"}, Outer)


def test_the_error_is_the_one_asked_for():
    with pytest.raises(InputError):
        structure({}, Outer, "file.yaml", InputError)


def test_what_is_written_is_read_again(tmp_path):
    whole = Outer(3, path=Path("ä/b"), sizes=(1, 2), inner=Inner(b=(1, 2.5)), table={"k": 1})
    (tmp_path / "c.yaml").write_text(as_yaml(plain(whole)), encoding="utf-8")
    assert structure(read_yaml(tmp_path / "c.yaml"), Outer) == whole


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: !!python/object/apply:os.system ['touch hacked']", "not plain YAML"),
        (b"a: !!python/name:os.system", "not plain YAML"),
        (b"a: &x [1]\nb: *x", "aliases"),
        (b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]", "aliases"),
        (b"a: 1\na: 2", "the key 'a' is there twice"),
        (b"a: {b: 1, b: 2}", "the key 'b' is there twice"),
        (b"a: [1, 2", "not plain YAML"),
        (b"[" * 5000, "not plain YAML"),
        (b"a: \xff", "not text in UTF-8"),
        (b"a: \x00", "not plain YAML"),
        (b"- a", "expected a mapping"),
        (b"3: a", "expected a mapping"),
        (b"just text", "expected a mapping"),
        (b"a: b" * 2_000_000, "longer than 4 MiB"),
    ],
)
def test_hostile_and_broken_yaml_is_refused(tmp_path, content, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_bytes(content)
    with pytest.raises(UsageError, match=r"c\.yaml") as caught:
        read_yaml(Path("c.yaml"), UsageError)
    assert said in caught.value.message
    assert not Path("hacked").exists()


def test_numbers_with_exponents_are_numbers(tmp_path):
    (tmp_path / "c.yaml").write_text("a: 1e3\nb: 2.5E-1\nc: 1e3x")
    assert read_yaml(tmp_path / "c.yaml") == {"a": 1000.0, "b": 0.25, "c": "1e3x"}


def test_an_empty_file_is_an_empty_mapping(tmp_path):
    (tmp_path / "c.yaml").write_text("# nothing\n")
    assert read_yaml(tmp_path / "c.yaml") == {}


@pytest.mark.parametrize("place", ["absent.yaml", "."])
def test_what_cannot_be_read_is_an_input_error(tmp_path, place):
    with pytest.raises(InputError, match="cannot read"):
        read_yaml(tmp_path / place, UsageError)
