"""Fetching: resumed where it can be, anew where it has to be, and never half a file by its name."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest

from ofa_plugins_core import InputError, WeightsEntry
from ofa_plugins_core.events import Notice, Progress
from ofa_plugins_core.weights import cache, download
from ofa_plugins_core.weights.fetching import fetch

BODY = os.urandom(300_000)
SHA = hashlib.sha256(BODY).hexdigest()


def entry(*addresses, **more):
    return WeightsEntry("net", "toy", "new", addresses, **more)


def parts():
    folder = cache.folder()
    return sorted(p.name for p in folder.iterdir() if ".part" in p.name) if folder.exists() else []


def stopped(at):
    """A listener that is Ctrl-C after so many bytes."""

    def listen(event):
        if isinstance(event, Progress) and event.what.startswith("fetch") and event.done >= at:
            raise KeyboardInterrupt

    return listen


class TestWhole:
    def test_a_file_comes_and_is_remembered(self, publisher):
        events = []
        path = fetch(entry(publisher.publish("/net", BODY), sha256=SHA), events.append)
        assert path.read_bytes() == BODY
        assert cache.cached("net") == path == cache.folder() / "net"
        kept = cache.index()["net"]
        assert (kept.sha256, kept.size, kept.supernet) == (SHA, len(BODY), "toy")
        assert kept.source == publisher.address("/net")
        assert kept.date.endswith("+00:00")
        assert parts() == []
        fetched = [e for e in events if e.what == "fetch net"]
        assert (fetched[-1].done, fetched[-1].total) == (len(BODY), len(BODY))

    def test_a_cached_one_is_not_asked_for_again(self, publisher):
        offered = entry(publisher.publish("/net", BODY))
        fetch(offered)
        fetch(offered)
        assert len(publisher.asked) == 1

    def test_one_that_lost_its_end_is(self, publisher):
        offered = entry(publisher.publish("/net", BODY))
        fetch(offered).write_bytes(BODY[:-1])
        assert cache.cached("net") is None
        assert fetch(offered).read_bytes() == BODY

    def test_names_may_lie_in_folders(self, publisher):
        offered = WeightsEntry("a/init", "toy", "static", (publisher.publish("/a/init", BODY),))
        assert fetch(offered) == cache.folder() / "a" / "init"

    def test_redirections_are_followed(self, publisher):
        publisher.publish("/there", BODY)
        moved = publisher.publish("/here", b"", moved_to=publisher.address("/there"))
        assert fetch(entry(moved)).read_bytes() == BODY

    def test_a_server_that_tells_no_length(self, publisher):
        assert fetch(entry(publisher.publish("/net", BODY, length=False))).read_bytes() == BODY

    def test_one_that_tells_no_length_and_ends_early_is_not_taken_as_whole(self, publisher):
        address = publisher.publish("/net", BODY[:-1000], length=False)
        with pytest.raises(InputError, match="ended at 299,000 of 300,000 bytes"):
            fetch(entry(address, size=len(BODY)))
        assert cache.cached("net") is None

    def test_a_file_address_is_copied(self, publisher, tmp_path):
        (tmp_path / "theirs").write_bytes(BODY)
        assert fetch(entry((tmp_path / "theirs").as_uri())).read_bytes() == BODY
        assert (tmp_path / "theirs").exists()


class TestResumed:
    def test_a_dropped_connection_goes_on_by_itself(self, publisher):
        address = publisher.publish("/net", BODY, drop_at=100_000)
        assert fetch(entry(address)).read_bytes() == BODY
        assert publisher.ranges() == [None, "bytes=100000-"]
        assert publisher.asked[1][1]["If-Range"] == '"first"'

    def test_ctrl_c_keeps_the_part_and_the_next_one_goes_on(self, publisher):
        offered = entry(publisher.publish("/net", BODY))
        with pytest.raises(KeyboardInterrupt):
            fetch(offered, stopped(at=1))
        assert parts() == ["net.part", "net.part.json"]
        have = (cache.folder() / "net.part").stat().st_size
        assert have > 0
        assert fetch(offered).read_bytes() == BODY
        if have < len(BODY):
            assert publisher.ranges()[1] == f"bytes={have}-"

    def test_a_file_that_changed_meanwhile_starts_anew(self, publisher):
        offered = self.interrupted(publisher)
        other = os.urandom(200_000)
        publisher.publish("/net", other, etag='"second"')
        assert fetch(offered).read_bytes() == other

    def test_a_server_that_ignores_ranges_starts_anew(self, publisher):
        offered = self.interrupted(publisher)
        publisher.contents["/net"].ranges = False
        assert fetch(offered).read_bytes() == BODY

    @pytest.mark.parametrize("etag", [None, 'W/"weak"'])
    def test_without_a_name_for_the_content_only_a_known_hash_goes_on(self, publisher, etag):
        offered = self.interrupted(publisher, etag=etag)
        assert fetch(offered).read_bytes() == BODY
        assert publisher.ranges()[-1] is None

    def test_a_known_hash_goes_on_without_a_name(self, publisher):
        offered = self.interrupted(publisher, etag=None, sha256=SHA)
        assert fetch(offered).read_bytes() == BODY
        assert publisher.ranges()[-1] == "bytes=100000-"

    def test_a_file_that_is_shorter_now_starts_anew(self, publisher):
        offered = self.interrupted(publisher)
        publisher.publish("/net", BODY[:50_000])
        assert fetch(offered).read_bytes() == BODY[:50_000]

    def test_a_broken_note_beside_the_part_starts_anew(self, publisher):
        offered = self.interrupted(publisher)
        (cache.folder() / "net.part.json").write_text("[" * 10)
        assert fetch(offered).read_bytes() == BODY

    def test_a_part_that_is_whole_already_is_only_checked(self, publisher):
        offered = self.interrupted(publisher, sha256=SHA)
        (cache.folder() / "net.part").write_bytes(BODY)
        before = len(publisher.asked)
        assert fetch(offered).read_bytes() == BODY
        assert len(publisher.asked) == before

    def interrupted(self, publisher, etag='"first"', **more):
        """An entry of which the first 100,000 bytes are here."""
        offered = entry(publisher.publish("/net", BODY, etag=etag), **more)
        part = cache.folder() / "net.part"
        part.parent.mkdir(parents=True)
        part.write_bytes(BODY[:100_000])
        known = download.Begun(offered.addresses[0], etag if etag == '"first"' else None, len(BODY))
        state = {"address": known.address, "validator": known.validator, "total": known.total}
        part.with_name("net.part.json").write_text(json.dumps(state))
        return offered


class TestAddresses:
    def test_the_next_is_tried_and_what_failed_is_said(self, publisher):
        events = []
        dead, alive = publisher.address("/gone"), publisher.publish("/net", BODY)
        assert fetch(entry(dead, alive), events.append).read_bytes() == BODY
        notices = [e.message for e in events if isinstance(e, Notice)]
        assert notices == [f"{dead}: 404 Not Found"]
        assert cache.index()["net"].source == alive

    def test_where_all_are_dead_each_says_why_and_what_to_do_instead(self, publisher):
        gone, page = (
            publisher.address("/gone"),
            publisher.publish("/x", b"<html>", kind="text/html"),
        )
        closed = "http://127.0.0.1:9/net"
        with pytest.raises(InputError) as caught:
            fetch(entry(gone, page, closed))
        first, *lines = caught.value.message.splitlines()
        assert first == "cannot fetch 'net': none of its addresses gives it"
        assert lines[0] == f"  {gone}: 404 Not Found"
        assert lines[1] == f"  {page}: it answers with a web page, not with the file"
        assert lines[2].startswith(f"  {closed}: ")
        assert "ofa weights add FILE --name net" in caught.value.advice
        assert caught.value.exit_code == 5
        assert parts() == []

    def test_an_entry_with_a_page_alone_says_how(self, publisher):
        offered = WeightsEntry("net", "toy", "new", page="https://example.org/page")
        with pytest.raises(InputError, match="behind a page") as caught:
            fetch(offered)
        assert "https://example.org/page" in caught.value.advice
        assert "ofa weights add FILE --name net" in caught.value.advice

    def test_a_redirection_to_a_file_is_not_followed(self, publisher, tmp_path):
        (tmp_path / "secret").write_bytes(b"secret")
        moved = publisher.publish("/x", b"", moved_to=(tmp_path / "secret").as_uri())
        with pytest.raises(InputError, match="cannot fetch"):
            fetch(entry(moved))

    @pytest.mark.parametrize("body", [b"", b"<!DOCTYPE html>x", b"version https://git-lfs.x"])
    def test_what_is_no_file_of_weights_is_not_kept(self, publisher, body):
        with pytest.raises(InputError, match=r"it is (empty|a web page|a pointer)"):
            fetch(entry(publisher.publish("/net", body)))
        assert cache.cached("net") is None
        assert parts() == []

    def test_a_server_that_never_answers(self, publisher, monkeypatch):
        import socket

        monkeypatch.setattr(download, "TIMEOUT", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            address = f"http://127.0.0.1:{deaf.getsockname()[1]}/net"
            with pytest.raises(InputError, match=r"no answer for 0\.2 s"):
                fetch(entry(address))

    def test_one_that_always_drops_keeps_what_came(self, publisher):
        address = publisher.publish("/net", BODY, drop_at=0)
        with pytest.raises(InputError, match="the connection ended at 0 of 300,000 bytes"):
            fetch(entry(address))


class TestHashes:
    def test_wrong_bytes_are_refused_with_both_hashes(self, publisher):
        wrong = b"x" * 1000
        with pytest.raises(InputError) as caught:
            fetch(entry(publisher.publish("/net", wrong), sha256=SHA))
        assert f"its SHA-256 is {hashlib.sha256(wrong).hexdigest()}" in caught.value.message
        assert f"the one published is {SHA}" in caught.value.message
        assert cache.cached("net") is None
        assert parts() == []

    def test_a_mirror_with_the_right_bytes_is_taken(self, publisher):
        bad, good = publisher.publish("/bad", b"bad"), publisher.publish("/good", BODY)
        assert fetch(entry(bad, good, sha256=SHA)).read_bytes() == BODY

    def test_another_size_than_published_is_not_even_fetched(self, publisher):
        with pytest.raises(InputError, match="has 300,000 bytes, the published one 7"):
            fetch(entry(publisher.publish("/net", BODY), size=7))

    def test_the_first_downloads_hash_is_held_to_later(self, publisher):
        offered = entry(publisher.publish("/net", BODY))
        fetch(offered).unlink()
        publisher.publish("/net", b"another", etag='"second"')
        with pytest.raises(InputError, match=f"the one of the first download is {SHA}") as caught:
            fetch(offered)
        assert "ofa weights fetch net --anew" in caught.value.advice

    def test_unless_it_is_to_be_fetched_anew(self, publisher):
        offered = entry(publisher.publish("/net", BODY))
        fetch(offered)
        publisher.publish("/net", b"another", etag='"second"')
        assert fetch(offered, anew=True).read_bytes() == b"another"
        assert cache.index()["net"].size == len(b"another")

    def test_a_published_hash_holds_also_then(self, publisher):
        with pytest.raises(InputError, match="the one published"):
            fetch(entry(publisher.publish("/net", b"wrong"), sha256=SHA), anew=True)


class TestWriting:
    def test_a_full_disk_keeps_the_part_and_says_so(self, publisher, monkeypatch):
        offered = entry(publisher.publish("/net", BODY))

        class Full:
            def __init__(self, file):
                self.file = file

            def __enter__(self):
                return self

            def __exit__(self, *error):
                self.file.close()

            def write(self, content):
                raise OSError(errno.ENOSPC, "No space left on device")

        real = download._opened
        monkeypatch.setattr(download, "_opened", lambda *given: Full(real(*given)))
        with pytest.raises(InputError, match="No space left on device") as caught:
            fetch(offered)
        assert "OFA_CACHE" in caught.value.advice
        monkeypatch.undo()
        monkeypatch.setenv("OFA_CACHE", str(cache.folder().parent))
        assert cache.cached("net") is None

    def test_a_cache_that_cannot_be_made(self, publisher, monkeypatch, tmp_path):
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("OFA_CACHE", str(tmp_path / "file"))
        with pytest.raises(InputError, match="cannot write"):
            fetch(entry(publisher.publish("/net", BODY)))

    def test_two_at_once_do_not_write_into_one_part(self, publisher):
        pytest.importorskip("fcntl", reason="this system has no such locks")
        part = cache.folder() / "net.part"
        with cache.locked(part, wait=False), pytest.raises(InputError, match="another process"):
            fetch(entry(publisher.publish("/net", BODY)))


class TestCache:
    def test_the_folder_follows_the_environment(self, monkeypatch, tmp_path):
        monkeypatch.setenv("OFA_CACHE", str(tmp_path))
        assert cache.folder() == tmp_path / "weights"
        monkeypatch.delenv("OFA_CACHE")
        monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
        assert cache.folder() == Path("/cache/ofa-plugins/weights")
        monkeypatch.delenv("XDG_CACHE_HOME")
        assert cache.folder() == Path.home() / ".cache/ofa-plugins/weights"

    @pytest.mark.parametrize(
        "name", ["../up", "/etc/passwd", "a//b", "a/../b", ".hidden", "index.json", "a.part", ""]
    )
    def test_a_name_never_leads_out_of_it(self, name):
        with pytest.raises(Exception, match="cannot be the name of a file of weights"):
            cache.place(name)

    @pytest.mark.parametrize(
        "text", ["{", "[]", '{"files": 3}', '{"files": {"net": {"size": 1}}}', "[" * 10**5]
    )
    def test_a_broken_index_is_said(self, publisher, text):
        cache.folder().mkdir(parents=True)
        (cache.folder() / cache.INDEX).write_text(text)
        with pytest.raises(InputError, match=r"index\.json is broken"):
            cache.cached("net")

    def test_nothing_is_cached_where_nothing_is(self, publisher):
        assert cache.cached("net") is None
        assert cache.index() == {}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"addresses": ("ftp://example.org/x",)}, r"addresses: http\(s\) or file"),
        ({"addresses": ("data:,x",)}, r"addresses: http\(s\) or file"),
        ({}, "needs an address or a page"),
        ({"page": "https://example.org", "sha256": "12"}, "sha256: 64 hexadecimal digits"),
    ],
)
def test_a_record_that_nobody_could_fetch_is_refused(fields, said):
    with pytest.raises(ValueError, match=said):
        WeightsEntry("net", "toy", "new", **fields)
