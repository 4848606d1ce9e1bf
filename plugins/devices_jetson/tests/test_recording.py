"""Recordings: played as they were recorded, and what they do not hold is refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices_jetson.device import load_request
from devices_jetson.options import JetsonOptions
from devices_jetson.recording import Recording, Replay
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import Work

HEAD = {"recording": 1, "origin": "constructed"}


@pytest.fixture
def played(tmp_path, work):
    """(pairs) -> a replay of them, after the load of one work as ``a``."""
    load = {"do": "load", "work": "a", **load_request(work, JetsonOptions())}

    def made(*pairs):
        lines = [HEAD, {"request": load, "answer": {"ok": True}}]
        lines += [{"request": r, "answer": {"ok": True, **a}} for r, a in pairs]
        file = tmp_path / "some.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return Replay(Recording.read(file))

    return made


def timed(*ms):
    return {"do": "time", "work": "a", "passes": len(ms)}, {"ms": list(ms)}


def test_passes_come_in_order_until_they_run_out(played, work):
    replay = played(timed(1.0, 2.0), timed(3.0))
    replay.ask("load", work="mine", **load_request(work, JetsonOptions()))
    assert replay.ask("time", work="mine", passes=1)["ms"] == [1.0]
    assert replay.ask("time", work="mine", passes=5)["ms"] == [2.0, 3.0]
    assert replay.ask("time", work="mine", passes=5)["ms"] == []


def test_the_next_session_goes_on_where_it_was(played, work):
    replay = played(timed(1.0, 2.0))
    for expected in (1.0, 2.0):
        replay.ask("load", work="w1", **load_request(work, JetsonOptions()))
        assert replay.ask("time", work="w1", passes=1)["ms"] == [expected]
        replay.close()


def test_of_what_was_asked_several_times_the_last_answer_stays(played):
    replay = played(
        ({"do": "conditions"}, {"files": {"a": "1"}}), ({"do": "conditions"}, {"files": {}})
    )
    found = [replay.ask("conditions")["files"] for _ in range(3)]
    assert found == [{"a": "1"}, {}, {}]


def by_hand(work, name, ms, celsius):
    """A work's load, pass and conditions, as they are recorded by hand."""
    load = {"do": "load", "work": name, **load_request(work, JetsonOptions())}
    passes = {"do": "time", "work": name, "passes": 1}, {"ms": [ms]}
    return (load, {}), passes, ({"do": "conditions", "work": name}, {"files": {"t": celsius}})


def test_conditions_of_a_work_go_to_that_work(played, work):
    first, second = work, Work(work.blocks[:1])
    one, other = by_hand(first, "w0", 1.0, "hot"), by_hand(second, "w1", 2.0, "cold")
    # the board came to the second before the first
    replay = played(one[0], other[0], *other[1:], *one[1:])
    for name, some in (("a", first), ("b", second)):
        replay.ask("load", work=name, **load_request(some, JetsonOptions()))
    for name in "ba":
        replay.ask("time", work=name, passes=1)
    found = [replay.ask("conditions")["files"]["t"] for _ in range(2)]
    assert found == ["hot", "cold"], "asked in the order of loading"


def test_conditions_go_to_the_work_whose_passes_have_run_out(played, work):
    second = Work(work.blocks[:1])
    pairs = [*by_hand(work, "w0", 1.0, "hot"), *by_hand(second, "w1", 2.0, "cold")]
    replay = played(*pairs)
    for name, some in (("a", work), ("b", second)):
        replay.ask("load", work=name, **load_request(some, JetsonOptions()))
    replay.ask("time", work="b", passes=1)
    assert replay.ask("conditions")["files"]["t"] == "cold"
    replay.ask("release", work="b")
    replay.ask("time", work="a", passes=1)
    assert replay.ask("conditions")["files"]["t"] == "hot"


def test_a_load_that_was_tried_again_counts(played, work):
    load = {"do": "load", "work": "a", **load_request(work, JetsonOptions())}
    failed = (load, {"ok": False, "kind": "failed", "error": "too hot"})
    replay = played(failed, (load, {}), timed(1.0))
    replay.ask("load", work="w", **load_request(work, JetsonOptions()))
    assert replay.ask("time", work="w", passes=2)["ms"] == [1.0]


def test_a_refusal_is_played_as_one(played):
    answer = {"ok": False, "kind": "denied", "error": "no"}
    with pytest.raises(UsageError, match=r"some.jsonl: no"):
        played(({"do": "lock"}, answer)).ask("lock")


@pytest.mark.parametrize(
    "options",
    [JetsonOptions(processor="cpu"), JetsonOptions(dtype="fp16"), JetsonOptions(threads=4)],
)
def test_another_work_or_way_to_run_it_is_refused(played, work, options):
    with pytest.raises(UsageError, match=r"has no 1 × \(.*\) at 32 px on the .* among its 1 works"):
        played(timed(1.0)).ask("load", work="w", **load_request(work, options))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"do": "lock"}, "locked clocks: --set DEVICE.lock_clocks=false"),
        ({"do": "mode", "number": 8}, "change to the power mode 8"),
        ({"do": "hello"}, "answer to 'hello'"),
    ],
)
def test_what_was_not_recorded_is_refused(played, asked, said):
    with pytest.raises(UsageError, match=said):
        played().ask(**asked)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1 is not that of a recording"),
        ("{}\n", "line 1 is not that of a recording"),
        ('{"recording": 1, "origin": "guessed"}\n', "line 1 is not that of a recording"),
        ("no\n", "line 1 is no JSON"),
        ("[1]\n", "line 1 is no JSON object"),
        (json.dumps(HEAD) + "\n{}\n", "line 2 is no request with its answer"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path, text, said):
    file = tmp_path / "x.jsonl"
    file.write_text(text)
    with pytest.raises(InputError, match=said):
        Recording.read(file)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the recording .*: No such file"):
        Recording.read(tmp_path / "none")


def test_a_last_line_that_was_cut_short_is_left_out(tmp_path):
    file = tmp_path / "x.jsonl"
    pair = json.dumps({"request": {"do": "hello"}, "answer": {"ok": True}})
    file.write_text(f"{json.dumps(HEAD)}\n{pair}\n{pair[:9]}")
    assert len(Recording.read(file).pairs) == 1


json_like = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["request", "answer", "do", "ms", "ok", "work"]), inner)
    ),
    max_leaves=8,
)


@given(st.lists(json_like, max_size=3))
def test_any_lines_are_played_or_refused(tmp_path_factory, lines):
    file = tmp_path_factory.mktemp("any") / "x.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in [HEAD, *lines]))
    with contextlib.suppress(InputError):
        Replay(Recording.read(file))
