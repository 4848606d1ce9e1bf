"""The board's script: an old Python is enough, and whatever ends it, all is as it was before."""

from __future__ import annotations

import ast
import json
import os
import signal

import pytest

from devices_jetson.transport import script

OLDEST = (3, 6)
"""Python of JetPack 4."""


def left_behind(board):
    """What is kept on the board's disk."""
    found = (board / "var/tmp").rglob("*")
    return sorted(str(path.relative_to(board / "var/tmp")) for path in found)


def test_it_is_python_of_the_oldest_board():
    source = script()
    ast.parse(source, feature_version=OLDEST)
    assert source.isascii(), "a board's locale may know nothing else"


def test_it_needs_nothing_that_came_later():
    vermin = pytest.importorskip("vermin", reason="vermin finds what newer Pythons brought")
    visitor = vermin.visit(script())
    assert visitor.minimum_versions()[1] <= OLDEST, visitor.output_text()


def test_it_imports_the_standard_library_alone():
    tree = ast.parse(script())
    top = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert top <= {
        *("argparse", "base64", "ctypes", "fcntl", "glob", "json", "os", "select", "shutil"),
        *("signal", "stat", "subprocess", "sys", "tempfile", "threading", "time"),
    }
    inside = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names} - top
    assert inside == {"torch", "tensorrt"}


def test_it_says_what_the_board_is(board, script_on):
    found = script_on(board).ask("hello")
    assert found["files"]["/proc/device-tree/model"] == "NVIDIA Jetson Xavier NX Developer Kit\0"
    assert found["nvpmodel"].endswith("NV Power Mode: MODE_15W_6CORE\n2\n")
    assert found["programs"] == ["nvpmodel", "jetson_clocks", "tegrastats", "trtexec"]
    assert found["versions"]["torch"] == "0.stub" and found["versions"]["gpu"] == "a stub"
    assert found["files"]["/sys/class/hwmon/hwmon3/in1_label"] == "VDD_IN\n"


def test_clocks_are_stored_locked_and_put_back_at_the_end_of_stdin(board, script_on, calls):
    script = script_on(board)
    assert script.ask("lock")["how"] == "jetson_clocks"
    assert (board / "locked").exists()
    assert script.ended() == 0
    assert calls() == ["jetson_clocks --store", "jetson_clocks", "jetson_clocks --restore"]
    assert not (board / "locked").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_puts_everything_back(board, script_on, calls, number):
    script = script_on(board)
    script.ask("mode", number=0)
    script.ask("lock")
    script.process.send_signal(number)
    assert script.ended() == 128 + number
    assert calls() == [
        "nvpmodel -m 0",
        "jetson_clocks --store",
        "jetson_clocks",
        "jetson_clocks --restore",
        "nvpmodel -m 2",
    ]
    assert not (board / "locked").exists() and (board / "mode").read_text() == "2\n"


def test_a_signal_in_the_middle_of_a_pass(board, script_on, calls, monkeypatch, wait_until, work):
    monkeypatch.setenv("STUB_SECONDS", "0.05")
    script = script_on(board)
    script.ask("lock")
    given = {"batch": 1, "processor": "cpu", "threads": 1}
    script.ask("load", work="w", blocks=[b.as_dict() for b in work.blocks], **given)
    script.say("time", work="w", passes=100_000)
    wait_until(lambda: (board / "power").read_text() == "9500\n")
    script.process.send_signal(signal.SIGTERM)
    assert script.ended() == 128 + signal.SIGTERM
    assert calls()[-1] == "jetson_clocks --restore" and not (board / "locked").exists()


def test_more_signals_do_not_keep_it_from_putting_things_back(board, script_on, wait_until):
    slow = (board / "usr/bin/jetson_clocks").read_text()
    slow = slow.replace("--restore)", "--restore) touch $root/restoring; sleep 0.5;")
    (board / "usr/bin/jetson_clocks").write_text(slow)
    script = script_on(board)
    script.ask("lock")
    script.process.send_signal(signal.SIGTERM)
    wait_until((board / "restoring").exists)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        script.process.send_signal(number)
    script.ended()
    assert not (board / "locked").exists()


def slow_to_restore(board):
    """Makes a restore take a second, and says when it has begun."""
    slow = (board / "usr/bin/jetson_clocks").read_text()
    slow = slow.replace("--restore)", "--restore) touch $root/restoring; sleep 1;")
    (board / "usr/bin/jetson_clocks").write_text(slow)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("ending", ["end", "restore"])
def test_a_signal_while_a_session_ends_loses_no_step(
    board, script_on, calls, wait_until, number, ending
):
    slow_to_restore(board)
    script = script_on(board)
    script.ask("mode", number=0)
    script.ask("lock")
    script.say(ending)
    wait_until((board / "restoring").exists)
    script.process.send_signal(number)
    assert any(path.endswith("undo.json") for path in left_behind(board)), "not done yet"
    assert script.ended() == 128 + number
    assert not (board / "locked").exists() and (board / "mode").read_text() == "2\n"
    assert left_behind(board) == ["ofa-board.lock"]
    assert calls().count("jetson_clocks --restore") == 1, "it was not cut in two"


def test_a_kill_while_a_session_ends_loses_no_step(board, script_on, wait_until):
    slow_to_restore(board)
    script = script_on(board)
    script.ask("mode", number=0)
    script.ask("lock")
    script.say("end")
    wait_until((board / "restoring").exists)
    script.process.kill()
    script.process.wait()
    assert script_on(board).ask("hello")["leftover"] == ["clocks", "mode"]
    assert not (board / "locked").exists() and (board / "mode").read_text() == "2\n"


def test_a_host_that_says_nothing_for_long_ends_it(board, script_on):
    script = script_on(board, "--quiet", "1")
    script.ask("lock")
    assert script.process.wait(20) == 128 + signal.SIGALRM, "stdin is still open"
    assert "nothing was asked for 1 s" in script.process.stderr.read()
    assert not (board / "locked").exists()


def test_a_long_answer_is_no_silence(board, script_on, work):
    script = script_on(board, "--quiet", "1")
    given = {"batch": 1, "processor": "gpu", "threads": 1}
    script.ask("load", work="w", blocks=[b.as_dict() for b in work.blocks], **given)
    found = script.ask("power", work="w", passes=1, settle_s=1.2, idle_s=0.2, interval_ms=50)
    assert found["ok"] and script.ask("conditions")["ok"]


def endless_trtexec(board):
    """A trtexec that is at work for minutes, and says its process."""
    text = f"#!/bin/sh\necho $$ > {board}/trtexec.part; mv {board}/trtexec.part {board}/trtexec\n"
    (board / "usr/src/tensorrt/bin/trtexec").write_text(text + "exec sleep 600\n")


@pytest.mark.parametrize("pipe", ["stdin", "stdout"])
def test_trtexec_ends_where_nobody_waits_for_it(board, script_on, wait_until, pipe):
    endless_trtexec(board)
    script = script_on(board)
    script.ask("lock")
    script.say("trtexec", arguments=[], timeout_s=600)
    wait_until((board / "trtexec").exists)
    getattr(script.process, pipe).close()
    script.process.wait(20)
    assert not (board / "locked").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((board / "trtexec").read_text()), 0)


def test_a_reader_that_is_gone_ends_it(board, script_on, calls):
    script = script_on(board)
    script.ask("lock")
    script.process.stdout.close()
    script.say("conditions")
    assert script.ended() == 1
    assert calls()[-1] == "jetson_clocks --restore"


def test_what_a_killed_run_has_left_is_put_back_by_the_next(board, script_on, calls):
    script = script_on(board)
    script.ask("mode", number=3)
    script.ask("lock")
    script.process.kill()
    script.process.wait()
    assert (board / "locked").exists() and (board / "mode").read_text() == "3\n"
    assert script_on(board).ask("hello")["leftover"] == ["clocks", "mode"]
    assert not (board / "locked").exists() and (board / "mode").read_text() == "2\n"


def test_two_at_once_do_not_undo_each_other(board, script_on):
    first, second = script_on(board), script_on(board)
    first.ask("lock")
    found = second.ask("lock")
    assert found["kind"] == "usage" and f"process {first.process.pid}" in found["error"]
    second.ended()
    assert (board / "locked").exists()


def killed_with_locked_clocks(board, script_on):
    """A session that was killed, on a board that then refuses; what it had stored."""
    script = script_on(board)
    script.ask("lock")
    script.process.kill()
    script.process.wait()
    (board / "denied").touch()
    return next((board / "var/tmp").rglob("clocks*.conf"))


@pytest.mark.parametrize("asked", [{"do": "lock"}, {"do": "mode", "number": 0}])
def test_over_clocks_that_a_killed_run_left_nothing_is_set(board, script_on, calls, asked):
    store = killed_with_locked_clocks(board, script_on)
    stored = store.read_text()
    found = script_on(board).ask(**asked)
    assert found["ok"] is False and "a killed session has left cannot be put back" in found["error"]
    assert store.read_text() == stored and calls().count("jetson_clocks --store") == 1


def test_what_a_killed_run_left_is_put_back_before_clocks_are_stored(board, script_on, calls):
    killed_with_locked_clocks(board, script_on)
    script = script_on(board)
    script.ask("conditions")
    (board / "denied").unlink()
    assert script.ask("lock")["ok"]
    assert calls()[-3:] == ["jetson_clocks --restore", "jetson_clocks --store", "jetson_clocks"]


def test_each_lock_has_a_file_of_its_own(board, script_on):
    script = script_on(board)
    assert script.ask("lock")["ok"] and script.ask("lock")["ok"]
    assert len(list((board / "var/tmp").rglob("clocks*.conf"))) == 2
    assert script.ended() == 0 and left_behind(board) == ["ofa-board.lock"]


def test_a_killed_run_of_another_user_is_seen(board, script_on, calls):
    other = board / "var/tmp/ofa-board-4711/undo.json"
    other.parent.mkdir(parents=True)
    other.write_text('{"pid": 1, "steps": [["mode", 3]]}')
    found = script_on(board).ask("lock")
    assert found["kind"] == "usage" and str(other) in found["error"]
    assert calls() == [], "steps of somebody else are not taken"


def test_a_folder_of_ours_that_is_a_link_is_not_followed(board, script_on, tmp_path):
    (board / "var/tmp").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (board / f"var/tmp/ofa-board-{os.geteuid()}").symlink_to(tmp_path / "elsewhere")
    found = script_on(board).ask("lock")
    assert found["kind"] == "usage" and "is somebody else's" in found["error"]
    assert not list((tmp_path / "elsewhere").iterdir()) and not (board / "locked").exists()


def test_a_lock_that_is_a_link_is_not_followed(board, script_on, tmp_path):
    (board / "var/tmp").mkdir(parents=True)
    (board / "var/tmp/ofa-board.lock").symlink_to(tmp_path / "made")
    assert script_on(board).ask("lock")["ok"] is False
    assert not (tmp_path / "made").exists() and not (board / "locked").exists()


def test_a_mode_that_was_changed_all_the_same_is_put_back(board, script_on):
    tool = board / "usr/sbin/nvpmodel"
    half = 'echo "$2" > "$root/mode"; [ "$2" = 2 ] || { echo "cannot set EMC"; exit 1; }'
    tool.write_text(tool.read_text().replace('echo "$2" > "$root/mode"', half))
    script = script_on(board)
    assert script.ask("mode", number=0)["kind"] == "failed"
    assert (board / "mode").read_text() == "0\n"
    assert script.ended() == 0 and (board / "mode").read_text() == "2\n"


def test_a_mode_that_turned_into_a_third_is_put_back(board, script_on):
    tool = board / "usr/sbin/nvpmodel"
    third = 'echo "$2" | tr 0 3 > "$root/mode"'
    tool.write_text(tool.read_text().replace('echo "$2" > "$root/mode"', third))
    script = script_on(board)
    assert "did not change the power mode" in script.ask("mode", number=0)["error"]
    assert (board / "mode").read_text() == "3\n"
    assert script.ended() == 0 and (board / "mode").read_text() == "2\n"


def test_no_permission_is_said_and_nothing_is_left(board, script_on):
    (board / "denied").touch()
    script = script_on(board)
    for found in (script.ask("lock"), script.ask("mode", number=0)):
        assert (found["ok"], found["kind"]) == (False, "denied")
        assert "as a root user" in found["error"]
    assert script.ended() == 0
    assert left_behind(board) == ["ofa-board.lock"]


def test_what_cannot_be_put_back_is_said_and_tried_again_by_the_next(board, script_on, calls):
    script = script_on(board)
    script.ask("lock")
    (board / "denied").touch()
    script.process.stdin.close()
    assert script.process.wait(20) == 1
    assert "not put back: clocks: jetson_clocks" in script.process.stderr.read()
    (board / "denied").unlink()
    assert script_on(board).ask("hello")["leftover"] == ["clocks"]


@pytest.mark.parametrize("code", [0, 1])
def test_a_mode_that_needs_a_reboot_is_said_and_never_confirmed(board, script_on, code):
    (board / "needs_reboot").write_text(f"{code}\n")
    script = script_on(board)
    found = script.ask("mode", number=0)
    assert found["kind"] == "reboot" and not (board / "rebooted").exists()
    assert script.ended() == 0 and (board / "mode").read_text() == "2\n"


def test_the_mode_that_is_set_already_is_left_alone(board, script_on, calls):
    script = script_on(board)
    assert script.ask("mode", number=2)["changed"] is False
    script.ended()
    assert calls() == []


def test_without_jetson_clocks_the_kernels_files_are_set_and_put_back(board, script_on):
    (board / "usr/bin/jetson_clocks").unlink()
    lowest = board / "sys/devices/system/cpu/cpu3/cpufreq/scaling_min_freq"
    gpu = board / "sys/class/devfreq/17000000.gv11b/min_freq"
    script = script_on(board)
    assert script.ask("lock")["how"] == "sysfs"
    assert lowest.read_text() == "1420800\n" and gpu.read_text() == "1109250000\n"
    assert (board / "sys/class/devfreq/15340000.vic/min_freq").read_text() == "115200000\n"
    script.process.send_signal(signal.SIGINT)
    script.ended()
    assert lowest.read_text() == "1190400\n" and gpu.read_text() == "114750000\n"


def test_a_clock_file_that_cannot_be_written_is_no_permission(board, script_on):
    (board / "usr/bin/jetson_clocks").unlink()
    gpu = board / "sys/class/devfreq/17000000.gv11b/min_freq"
    script = script_on(board)
    gpu.unlink()
    gpu.symlink_to("/proc/version")  # readable, and written by nobody, not by root either
    found = script.ask("lock")
    assert found["kind"] == "denied" and "clocks cannot be locked" in found["error"]
    script.ended()
    lowest = board / "sys/devices/system/cpu/cpu3/cpufreq/scaling_min_freq"
    assert lowest.read_text() == "1190400\n"


@pytest.mark.parametrize(
    ("asked", "kind", "said"),
    [
        ({"do": "fly"}, "usage", "unknown request 'fly'"),
        ({"do": "time", "work": "x", "passes": 1}, "usage", "no work 'x' is loaded"),
        ({"do": "load", "work": "x", "processor": "gpu"}, "failed", "KeyError"),
        ({"do": "mode", "number": "x"}, "failed", "ValueError"),
    ],
)
def test_a_wrong_request_is_answered_and_the_next_one_too(board, script_on, asked, kind, said):
    script = script_on(board)
    found = script.ask(**asked)
    assert (found["ok"], found["kind"]) == (False, kind) and said in found["error"]
    assert script.ask("conditions")["ok"]


def test_lines_that_are_no_json_are_answered(board, script_on):
    script = script_on(board)
    script.process.stdin.write("hello?\n[]\n")
    script.process.stdin.flush()
    for _ in range(2):
        assert json.loads(script.process.stdout.readline())["ok"] is False


def test_without_torch_it_says_so(board, script_on, monkeypatch, tmp_path, work):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "none"))
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "torch.py").write_text("raise ImportError('no such wheel')")
    script = script_on(board)
    given = {"blocks": [], "batch": 1, "processor": "cpu"}
    found = script.ask("load", work="w", **given)
    assert found["kind"] == "missing" and "no torch for Python" in found["error"]
    assert script.ask("hello")["versions"]["torch"] is None


def test_a_gpu_that_torch_does_not_see(board, script_on, monkeypatch):
    monkeypatch.delenv("STUB_CUDA")
    found = script_on(board).ask("load", work="w", blocks=[], batch=1, processor="gpu")
    assert found["kind"] == "missing" and "sees no GPU" in found["error"]


def test_power_is_read_while_nothing_runs_and_while_passes_do(board, script_on, work):
    script = script_on(board)
    given = {"batch": 1, "processor": "gpu", "threads": 1}
    script.ask("load", work="w", blocks=[b.as_dict() for b in work.blocks], **given)
    found = script.ask("power", work="w", passes=3, settle_s=0.4, idle_s=0.3, interval_ms=50)
    assert found["idle"][0] >= 0.4 and found["idle"][1] - found["idle"][0] >= 0.3
    assert len(found["ms"]) == 3 and found["idle"][1] == found["run"][0] < found["run"][1]
    assert all("VDD_IN" in line for _, line in found["lines"]) and len(found["lines"]) >= 2
    times = [t for t, _ in found["lines"]]
    assert times == sorted(times)


def test_a_tegrastats_that_complains_without_end_is_read_all_the_same(board, script_on, work):
    tool = board / "usr/bin/tegrastats"
    loud = "while true; do head -c 70000 /dev/zero >&2;"  # more than a pipe holds
    tool.write_text(tool.read_text().replace("while true; do", loud))
    script = script_on(board)
    given = {"batch": 1, "processor": "gpu", "threads": 1}
    script.ask("load", work="w", blocks=[b.as_dict() for b in work.blocks], **given)
    found = script.ask("power", work="w", passes=1, settle_s=0.5, idle_s=0.5, interval_ms=50)
    assert len(found["lines"]) >= 3


def test_without_tegrastats_the_power_monitors_files_are_read(board, script_on, work):
    (board / "usr/bin/tegrastats").unlink()
    script = script_on(board)
    given = {"batch": 1, "processor": "gpu", "threads": 1}
    script.ask("load", work="w", blocks=[b.as_dict() for b in work.blocks], **given)
    found = script.ask("power", work="w", passes=1, settle_s=0.0, idle_s=0.2, interval_ms=50)
    _, files = found["lines"][0]
    assert files["/sys/class/hwmon/hwmon3/curr1_input"] == "700\n"


def requests(work, passes=2, rounds=3):
    """A fixed schedule, as it is copied to a board by hand."""
    given = {"batch": 1, "processor": "gpu", "threads": 1}
    asked = [{"do": "hello"}, {"do": "lock"}]
    asked += [{"do": "load", "work": "w", "blocks": [b.as_dict() for b in work.blocks], **given}]
    asked += [{"do": "time", "work": "w", "passes": passes}] * rounds
    asked += [{"do": "release", "work": "w"}, {"do": "restore"}]
    return "".join(json.dumps({"n": n, **one}) + "\n" for n, one in enumerate(asked))


def test_by_hand_from_a_file_to_a_file(board, script_on, tmp_path, work, calls):
    (tmp_path / "in.jsonl").write_text(requests(work))
    words = ("--requests", str(tmp_path / "in.jsonl"), "--answers", str(tmp_path / "out.jsonl"))
    assert script_on(board, *words).ended() == 0
    head, *pairs = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert (head["recording"], head["origin"]) == (1, "constructed")
    assert [p["request"]["n"] for p in pairs] == list(range(8))
    assert all(p["answer"]["ok"] for p in pairs)
    assert calls()[-1] == "jetson_clocks --restore" and len(calls()) == 3


def test_by_hand_nothing_is_measured_without_locked_clocks(board, script_on, tmp_path, work):
    (tmp_path / "in.jsonl").write_text(requests(work))
    out = tmp_path / "out.jsonl"
    words = ("--requests", str(tmp_path / "in.jsonl"), "--answers", str(out))
    (board / "denied").touch()
    script = script_on(board, *words)
    assert script.ended() == 5
    assert "lock: clocks cannot be stored" in script.process.stderr.read()
    (board / "denied").unlink()
    assert script_on(board, *words).ended() == 0
    pairs = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    assert [p["request"]["n"] for p in pairs] == list(range(8))
    assert all(p["answer"]["ok"] for p in pairs)


def test_by_hand_it_goes_on_where_it_was_interrupted(board, script_on, tmp_path, work, calls):
    (tmp_path / "in.jsonl").write_text(requests(work))
    out = tmp_path / "out.jsonl"
    words = ("--requests", str(tmp_path / "in.jsonl"), "--answers", str(out))
    assert script_on(board, *words).ended() == 0
    lines = out.read_text().splitlines(keepends=True)
    out.write_text("".join(lines[:5]) + lines[5][:20])  # cut short by a power loss
    assert script_on(board, *words).ended() == 0
    again = out.read_text().splitlines(keepends=True)
    assert again[:5] == lines[:5]
    assert [json.loads(x)["request"]["n"] for x in again[1:]] == list(range(8))
    assert calls()[3:] == ["jetson_clocks --store", "jetson_clocks", "jetson_clocks --restore"]
    assert os.path.getsize(out) > 0
