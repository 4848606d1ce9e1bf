"""A Jetson as a device: what it says, how it measures, how it ends, and what it refuses."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from devices_jetson import transport
from devices_jetson.boards import NAMED
from devices_jetson.device import Jetson
from devices_jetson.options import JetsonOptions
from ofa_plugins_core import Host
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.testing import DeviceSuite
from ofa_plugins_core.timing import Effort, measure

NX = NAMED["jetson_xavier_nx"]


@pytest.fixture
def device(options):
    """(**given) -> the constructed board as a device."""
    return lambda **given: Jetson(NX, options(**given))


def test_every_board_is_offered():
    offers = Host.discover().plugin("devices_jetson").offers["devices"]
    assert sorted(offers) == sorted(NAMED)


def test_what_goes_with_every_measurement(device):
    found = device(mode="15W 2core").describe()
    assert found["device"] == "jetson_xavier_nx"
    assert found["model"].startswith("NVIDIA Jetson Xavier NX Developer Kit")
    assert found["model"].endswith("(constructed: no board has measured this)")
    assert (found["l4t"], found["jetpack"], found["compute_capability"]) == ("35.4.1", "5", "7.2")
    assert found["mode"] == "MODE_15W_2CORE"
    assert (found["cores_on"], found["cpu_limit_mhz"], found["gpu_limit_mhz"]) == (
        "2",
        "1907.2",
        "1109.25",
    )
    assert found["torch"] == "0.stub" and found["clocks"] == "locked"


def test_describing_changes_nothing(device, calls):
    device(mode="15W 2core").describe()
    assert calls() == []


def test_a_session_sets_locks_measures_and_puts_back(device, work, calls):
    with device(mode="10W").session() as session:
        loaded = {"a": session.load(work), "b": session.load(work)}
        effort = Effort(least=3, most=4, visit=2, warmup=1)
        found = dict(measure(loaded, effort, np.random.default_rng(0), session))
        loaded["a"].release()
    assert found["a"].mean > 0 and found["a"].count + found["a"].disturbed == 4
    assert found["b"].conditions == {
        "cpu_mhz": 1190.4,
        "gpu_mhz": 306,
        "cpu_celsius": 39.5,
        "gpu_celsius": 38,
    }
    assert calls() == [
        "nvpmodel -m 3",
        "jetson_clocks --store",
        "jetson_clocks",
        "jetson_clocks --restore",
        "nvpmodel -m 2",
    ]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_whatever_ends_a_session_clocks_are_put_back(device, board, calls, error):
    with pytest.raises(error):
        _fails_inside(device(), board / "locked", error)
    assert calls()[-1] == "jetson_clocks --restore" and not (board / "locked").exists()


def _fails_inside(device, locked, error):
    with device.session():
        assert locked.exists()
        raise error


SESSION = """
    import signal, sys
    from pathlib import Path
    from devices_jetson.boards import NAMED
    from devices_jetson.device import Jetson
    from devices_jetson.options import JetsonOptions

    signal.signal(signal.SIGINT, signal.default_int_handler)  # nohup leaves it ignored
    root = Path(sys.argv[1])
    options = JetsonOptions(root=root, python=sys.executable)
    with Jetson(NAMED["jetson_xavier_nx"], options).session() as session:
        (root / "ready").touch()
        while True:
            session.conditions()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_the_host_puts_clocks_back_on_the_board(board, calls, wait_until, number):
    program = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SESSION), str(board)], stderr=subprocess.DEVNULL
    )
    wait_until((board / "ready").exists)
    assert (board / "locked").exists()
    program.send_signal(number)
    program.wait(20)
    wait_until(lambda: not (board / "locked").exists())
    assert calls() == ["jetson_clocks --store", "jetson_clocks", "jetson_clocks --restore"]


def test_ctrl_c_does_not_wait_for_trtexec(board, wait_until):
    tool = board / "usr/src/tensorrt/bin/trtexec"
    tool.write_text(f"#!/bin/sh\ntouch {board}/begun\nexec sleep 600\n")
    source = textwrap.dedent(SESSION).replace(
        "session.conditions()", 'session.channel.ask("trtexec", arguments=[], timeout_s=600)'
    )
    program = subprocess.Popen(
        [sys.executable, "-c", source, str(board)], stderr=subprocess.DEVNULL
    )
    wait_until((board / "begun").exists)
    program.send_signal(signal.SIGINT)
    program.wait(20)
    assert not (board / "locked").exists()


def test_a_board_that_does_not_end_is_ended(monkeypatch, tmp_path, wait_until):
    monkeypatch.setattr(transport, "PATIENCE", 0.2)
    deaf = f"trap '' TERM; echo $$ > {tmp_path}/pid; while true; do sleep 0.1; done"
    process = transport.Process(["sh", "-c", deaf], "nx", "constructed", "none")
    wait_until((tmp_path / "pid").exists)
    process._owed = True
    process.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_clocks_are_left_alone_where_that_is_asked(device, calls):
    with device(lock_clocks=False).session():
        pass
    assert calls() == []
    assert device(lock_clocks=False).describe()["clocks"] == "free"


def test_no_permission_for_clocks_says_what_to_do(device, board):
    (board / "denied").touch()
    with pytest.raises(UsageError, match=r"clocks cannot be stored: .* as a root user") as raised:
        _opened(device())
    assert "lock_clocks=false" in raised.value.advice


def test_clocks_that_cannot_be_put_back_are_said(device, board):
    with (
        pytest.raises(InputError, match="not as before: clocks: jetson_clocks"),
        device().session(),
    ):
        (board / "denied").touch()


def test_a_mode_that_needs_a_reboot_is_left_to_the_user(device, board):
    (board / "needs_reboot").write_text("1\n")
    with pytest.raises(UsageError, match="needs a reboot of the board") as raised:
        _opened(device(mode="10W"))
    assert "reboot it yourself" in raised.value.advice and not (board / "rebooted").exists()


def test_an_unknown_mode_is_refused_before_anything_is_changed(device, calls):
    with pytest.raises(UsageError, match=r"no power mode 'MAXN'; it has: MODE_15W_2CORE, .*"):
        _opened(device(mode="MAXN"))
    assert calls() == []


def test_another_board_is_refused_and_both_are_named(options):
    with pytest.raises(UsageError, match="is a Jetson Xavier NX, not a Jetson AGX Orin") as raised:
        Jetson(NAMED["jetson_agx_orin"], options()).describe()
    assert raised.value.advice == "--device jetson_xavier_nx"


def test_off_a_jetson_it_refuses_and_says_what_to_give(tmp_path):
    for root in (tmp_path, None):
        with pytest.raises(UsageError, match="this machine is no Jetson") as raised:
            Jetson(NX, JetsonOptions(root=root)).describe()
        assert "jetson_xavier_nx.host=user@board" in raised.value.advice
        assert "jetson_xavier_nx.recording=FILE" in raised.value.advice


def test_a_jetson_that_is_not_known_is_not_taken_for_another(options, board):
    (board / "proc/device-tree/model").write_text("Jetson of tomorrow\0")
    (board / "proc/device-tree/compatible").write_text("nvidia,tegra999\0")
    with pytest.raises(UsageError, match="is a Jetson that is not known: its model is 'Jetson of"):
        Jetson(NX, options()).describe()


@pytest.mark.parametrize(
    "given",
    [{"recording": "x", "host": "me@nx"}, {"dtype": "fp16", "processor": "cpu", "root": None}],
)
def test_options_that_contradict_each_other_are_refused(given):
    with pytest.raises(UsageError, match="jetson_xavier_nx: "):
        Jetson(NX, JetsonOptions(**given))


def test_no_memory_says_so(device, work, monkeypatch):
    monkeypatch.setenv("STUB_FULL", "1")
    full = pytest.raises(UsageError, match="no memory for a batch of 1: CUDA out of memory")
    with device().session() as session, full:
        session.load(work)


# ------------------------------------------------------------------ ssh


@pytest.fixture
def ssh(tmp_path, monkeypatch):
    """(script) puts a program called ssh on the path; what it was called with is kept."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def put(text):
        (folder / "ssh").write_text(f'#!/bin/sh\necho "$@" > {folder}/called\n{text}\n')
        (folder / "ssh").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
        return folder / "called"

    return put


RUN_HERE = (
    'while [ "$1" != "--" ]; do shift; done; shift 2; echo "Welcome to $HOST"; exec sh -c "$1"'
)


def test_over_ssh_it_is_the_same(ssh, device, work, calls):
    called = ssh(RUN_HERE)
    over = device(host="me@nx")
    with over.session() as session:
        assert len(session.load(work).times(3)) == 3
    assert "BatchMode=yes" in called.read_text() and "-- me@nx" in called.read_text()
    assert calls()[-1] == "jetson_clocks --restore"
    assert over.describe() == device().describe()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo 'ssh: Could not resolve hostname nx' >&2; exit 255", "Could not resolve hostname"),
        ("echo 'me@nx: Permission denied (publickey).' >&2; exit 255", r"denied \(publickey\)"),
        ("echo 'sh: python3: not found' >&2; exit 127", "python3: not found"),
        ("exit 3", "it ended with code 3"),
        ("echo '{\"n\": 7}'", "it ended with code 0"),
    ],
)
def test_a_host_that_is_away_is_one_line(ssh, device, text, said):
    ssh(text)
    with pytest.raises(InputError, match=f"me@nx: the board does not answer: .*{said}"):
        device(host="me@nx").describe()


def test_a_host_that_goes_away_in_the_middle(ssh, device, work, board, wait_until):
    here = RUN_HERE.replace('exec sh -c "$1"', f'echo $$ > {board}/pid; eval "exec $1"')
    ssh(here)
    with pytest.raises(InputError, match="me@nx: the board does not answer"):
        _measure_while_the_host_goes(device(host="me@nx"), work, board / "pid")
    wait_until(lambda: not (board / "locked").exists())


def _measure_while_the_host_goes(device, work, pid):
    with device.session() as session:
        loaded = session.load(work)
        os.kill(int(pid.read_text()), signal.SIGTERM)
        for _ in range(1000):
            loaded.times(1)


def _opened(device):
    with device.session():
        pass


def test_no_ssh_at_all(device, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="me@nx: cannot start ssh: No such file"):
        device(host="me@nx").describe()


@pytest.mark.parametrize("host", ["-oProxyCommand=touch x", "nx; rm", "", "a b", "$(x)"])
def test_a_host_that_is_no_name_is_refused(host):
    with pytest.raises(ValueError, match="expected user@board or a name of"):
        JetsonOptions(host=host)


# ------------------------------------------------------------------ recordings


def test_a_session_is_recorded_and_played_again(device, work, tmp_path, board):
    file = tmp_path / "nx.jsonl"
    with device(record=file).session() as session:
        times = session.load(work).times(4)
        conditions = session.conditions()
    assert json.loads(file.read_text().splitlines()[0])["origin"] == "constructed"
    again = Jetson(NX, JetsonOptions(recording=file))
    with again.session() as session:
        assert session.load(work).times(10) == times
        assert session.conditions() == conditions
    assert "constructed: no board has measured this" in again.describe()["model"]


def test_a_device_records_all_its_sessions_in_one_file(device, work, tmp_path):
    file = tmp_path / "nx.jsonl"
    one = device(record=file)
    for _ in range(2):
        with one.session() as session:
            session.load(work).times(1)
    with Jetson(NX, JetsonOptions(recording=file)).session() as session:
        assert len(session.load(work).times(5)) == 2


def test_another_recording_is_not_written_over(device, tmp_path):
    file = tmp_path / "nx.jsonl"
    file.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        device(record=file).describe()
    assert file.read_text() == "mine"


def test_a_recording_of_another_board_is_refused(device, tmp_path):
    file = tmp_path / "nx.jsonl"
    device(record=file).describe()
    with pytest.raises(UsageError, match=r"nx.jsonl is a Jetson Xavier NX, not a Jetson Nano"):
        Jetson(NAMED["jetson_nano"], JetsonOptions(recording=file)).describe()


# ------------------------------------------------------------------ laws of every device


class TestOverSsh(DeviceSuite):
    @pytest.fixture
    def device(self, ssh, options):
        ssh(RUN_HERE)
        return Jetson(NX, options(host="me@nx", mode="15W 2core"))


class TestOnTheBoard(DeviceSuite):
    @pytest.fixture
    def device(self, options):
        return Jetson(NX, options(processor="cpu", threads=2))
