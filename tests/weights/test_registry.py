"""The registry: what is published and what is the user's own, added, listed and checked."""

from __future__ import annotations

import hashlib

import pytest

from ofa_plugins_core import Host, InputError, SupernetEntry, UsageError, WeightsEntry
from ofa_plugins_core.errors import UnknownNameError
from ofa_plugins_core.testing import in_process, toy_supernet
from ofa_plugins_core.weights import cache, cached, for_supernet
from ofa_plugins_core.weights.adding import add
from ofa_plugins_core.weights.fetching import fetch
from ofa_plugins_core.weights.registry import chosen, known
from ofa_plugins_core.weights.verifying import verify

BODY = b"weights of a network"
SHA = hashlib.sha256(BODY).hexdigest()


def published(name, layout="new", supernet="toy", **more):
    more.setdefault("page", "https://example.org")
    return WeightsEntry(name, supernet, layout, **more)


@pytest.fixture
def host(publisher):
    entries = [
        published("teacher", "static"),
        published("phase1", "old"),
        published("toy_alias", "old", addresses=(publisher.publish("/toy", BODY),)),
        published("table.yaml", "other"),
        published("small/init", "static", sha256=SHA),
        published("others", supernet="another"),
    ]
    supernets = [
        SupernetEntry("toy", "a toy", toy_supernet, ("toy_alias",)),
        SupernetEntry("another", "a toy", lambda: toy_supernet("another")),
    ]
    plugin = in_process("toys", ofa_supernets=supernets, ofa_weights=entries)
    return Host.discover(extra={"toys": plugin})


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.pth"
    path.write_bytes(BODY)
    return path


def names(files):
    return [file.name for file in files if file.entry is None or file.entry.page]


class TestChoosing:
    def test_what_is_known_is_sorted_by_name(self, host):
        found = [f for f in known(host) if f.supernet in ("toy", "another")]
        assert [f.name for f in found] == sorted(f.name for f in found)
        assert {f.state for f in found} == {"page only", "not fetched"}

    def test_the_whole_network_comes_before_its_phases_and_teachers_last(self, host):
        for name in ("toy", "toy_alias"):
            assert names(for_supernet(host, name)) == [
                "toy_alias", "phase1", "teacher",
            ]  # fmt: skip

    def test_what_the_user_added_comes_first(self, host, mine):
        add(host, mine, supernet="toy_alias")
        found = for_supernet(host, "toy")[0]
        assert (found.name, found.layout, found.state) == ("mine.pth", "own", "cached")
        assert found.path == cached("mine.pth")

    def test_patterns_stand_for_several(self, host):
        assert names(chosen(host, ["t*e*", "toy_alias", "toy_alias"])) == [
            "table.yaml", "teacher", "toy_alias",
        ]  # fmt: skip

    def test_a_supernets_name_stands_for_its_whole_network(self, host):
        assert [f.name for f in chosen(host, ["toy", "another"])] == ["toy_alias", "others"]

    def test_unknown_names_name_the_nearest(self, host):
        with pytest.raises(UnknownNameError, match="nearest known: teacher"):
            chosen(host, ["teachers"])
        with pytest.raises(UnknownNameError, match="nearest known: small/init"):
            chosen(host, ["small/inits"])


class TestAdding:
    def test_a_file_of_a_published_name_needs_no_more(self, host, tmp_path):
        (tmp_path / "phase1").write_bytes(BODY)
        (kept,) = add(host, tmp_path / "phase1")
        assert (kept.name, kept.supernet, kept.sha256) == ("phase1", "toy", SHA)
        assert kept.source == str(tmp_path / "phase1")
        assert cached("phase1").read_bytes() == BODY

    def test_another_file_under_a_published_name(self, host, mine):
        (kept,) = add(host, mine, name="teacher")
        assert kept.name == "teacher"

    def test_a_name_of_ones_own_needs_a_supernet(self, host, mine):
        with pytest.raises(UsageError, match="whose weights are these"):
            add(host, mine)
        (kept,) = add(host, mine, supernet="another")
        assert (kept.name, kept.supernet) == ("mine.pth", "another")

    def test_a_published_name_is_of_its_own_supernet(self, host, mine):
        with pytest.raises(UsageError, match="published for toy, not for another"):
            add(host, mine, name="teacher", supernet="another")

    def test_an_unknown_supernet_is_wrong_use(self, host, mine):
        with pytest.raises(UnknownNameError):
            add(host, mine, supernet="nobody")

    def test_a_file_that_is_not_what_was_published_is_refused(self, host, tmp_path):
        (tmp_path / "init").write_bytes(b"others")
        with pytest.raises(InputError, match=f"the one published is {SHA}"):
            add(host, tmp_path / "init", name="small/init")
        assert cached("small/init") is None
        assert (tmp_path / "init").exists()
        assert list(cache.folder().rglob("*.part*")) == []

    def test_a_folder_gives_what_has_published_names(self, host, tmp_path):
        folder = tmp_path / "downloads"
        (folder / "small").mkdir(parents=True)
        for name in ("small/init", "teacher", "readme"):
            (folder / name).write_bytes(BODY)
        notes = []
        found = add(host, folder, listener=lambda e: notes.append(getattr(e, "message", "")))
        assert sorted(k.name for k in found) == ["small/init", "teacher"]
        assert any(note.startswith("1 other file in") for note in notes)

    def test_the_folder_of_one_network_itself(self, host, tmp_path):
        (tmp_path / "small").mkdir()
        (tmp_path / "small" / "init").write_bytes(BODY)
        assert [k.name for k in add(host, tmp_path / "small")] == ["small/init"]

    def test_a_folder_of_nothing_known(self, host, tmp_path):
        (tmp_path / "empty").mkdir()
        with pytest.raises(InputError, match="holds no file with a name of ofa weights list"):
            add(host, tmp_path / "empty")

    @pytest.mark.parametrize("name", ["nowhere", "mine/pth"])
    def test_what_is_not_there(self, host, tmp_path, name):
        with pytest.raises(InputError, match="is not there"):
            add(host, tmp_path / name, supernet="toy")

    def test_a_lost_index_is_made_again_from_the_files(self, host, mine):
        add(host, mine, name="teacher")
        (cache.folder() / cache.INDEX).unlink()
        assert cached("teacher") is None
        add(host, cache.folder())
        assert cached("teacher").read_bytes() == BODY


class TestVerifying:
    def test_whole_and_broken_files(self, host, mine):
        add(host, mine, name="teacher")
        entry = next(f.entry for f in known(host) if f.name == "toy_alias")
        fetch(entry).write_bytes(BODY[::-1])
        found = {v.name: v for v in verify(chosen(host, ["teacher", "toy_alias", "phase1"]))}
        assert found["teacher"].whole
        assert found["phase1"].what == "is not cached"
        assert not found["toy_alias"].whole
        assert SHA in found["toy_alias"].what
        assert hashlib.sha256(BODY[::-1]).hexdigest() in found["toy_alias"].what


def test_a_name_that_would_leave_the_cache_fails_its_plugin(publisher):
    plugin = in_process("sly", ofa_weights=[published("../../.bashrc")])
    found = Host.discover(extra={"sly": plugin}).plugin("sly")
    assert found.state == "failed"
    assert "parts separated by /" in found.error
