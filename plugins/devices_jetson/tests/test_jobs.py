"""The jobs on a constructed board, through the program."""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType

import pytest

from ofa_plugins_core import Host, SupernetEntry, hookimpl
from ofa_plugins_core.cli.main import run
from ofa_plugins_core.testing.toys import toy_supernet

NX = "jetson_xavier_nx"


def toys():
    """A plugin with a small supernet."""
    module = ModuleType("toys")
    module.OFA_API = 1

    @hookimpl
    def ofa_supernets():
        yield SupernetEntry("toy", "small", toy_supernet)

    module.ofa_supernets = ofa_supernets
    return module


@pytest.fixture(scope="module")
def host():
    return Host.discover((), {"toys": toys()})


@pytest.fixture
def ofa(host, board, tmp_path, monkeypatch, capsys):
    """Runs ``ofa WORDS`` on the constructed board: code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("OFA_CACHE", str(tmp_path / "cache"))
    here = ("--set", f"{NX}.root={board}", "--set", f"{NX}.python={sys.executable}")

    def call(*words, on_board=True):
        code = run([*words, *(here if on_board else ())], lambda block: host)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call


def test_what_a_board_says_of_itself(ofa, calls):
    code, out, _ = ofa("run", "jetson", "--device", NX, "--json")
    found = json.loads(out)
    assert code == 0 and found["description"]["mode"] == "MODE_15W_6CORE"
    two, six, ten = found["modes"]
    assert (two["limits"]["cpu_limit_mhz"], two["published"]["cpu_mhz"], two["differs"]) == (
        "1907.2",
        1900,
        [],
    )
    assert six["present"] and not ten["present"]
    assert {"rail": "VDD_IN", "scope": "the whole board", "readable": True} in found["rails"]
    assert found["conditions"]["cpu_celsius"] == 39.5
    assert calls() == [], "nothing is changed"


def test_a_changed_mode_stands_out(ofa, board):
    conf = board / "etc/nvpmodel.conf"
    conf.write_text(conf.read_text().replace("803250000", "1109250000"))
    _, _, err = ofa("run", "jetson", "--device", NX)
    assert "GPU at most 1109.25 MHz, published 800 MHz" in err


def test_trtexec_on_exported_networks(ofa, tmp_path, calls):
    (tmp_path / "net.onnx").write_bytes(b"onnx")
    words = ("run", "trtexec", "--onnx", "net.onnx", "--device", NX, "--dtype", "fp16", "--json")
    code, out, _ = ofa(*words)
    found = json.loads(out)
    latency = found["latency"]
    assert code == 0 and (latency["value"], latency["unit"]) == (1.5, "ms")
    assert latency["kind"] == "measured" and "trtexec, fp16" in latency["source"]
    assert "constructed" in latency["source"] and found["count"] == 3
    run_as = next(c for c in calls() if c.startswith("trtexec"))
    assert "--fp16 --warmUp=200 --duration=10" in run_as or "trtexec --onnx=" in run_as
    assert calls()[-1] == "jetson_clocks --restore"


def test_trtexec_without_the_file_or_the_program(ofa, tmp_path, board):
    words = ("run", "trtexec", "--onnx", "net.onnx", "--device", NX)
    code, _, err = ofa(*words)
    assert code == 5 and "there is no file net.onnx" in err and "ofa run export" in err
    (tmp_path / "net.onnx").write_bytes(b"onnx")
    (board / "usr/src/tensorrt/bin/trtexec").unlink()
    code, _, err = ofa(*words)
    assert code == 2 and "trtexec is not installed here" in err


def test_another_device_is_no_jetson(ofa):
    code, _, err = ofa("run", "jetson", "--device", "cpu", on_board=False)
    assert code == 2 and "cpu is no Jetson" in err


@pytest.mark.parametrize("name", ["jetson_nano", "jetson_agx_orin"])
def test_off_a_board_the_program_says_what_to_give(ofa, name):
    code, _, err = ofa("run", "lut", "--supernet", "toy", "--device", name, on_board=False)
    assert code == 2 and "this machine is no Jetson" in err and f"{name}.host=user@board" in err
    assert "--host user@board" in err


TABLE = ("--resolutions", "32", "--least", "3", "--most", "3", "--networks", "9", "--seed", "4")


def test_a_table_is_built_recorded_and_played_to_the_same_table(ofa, tmp_path, calls):
    lut = ("run", "lut", "--supernet", "toy", "--device", NX, *TABLE, "--mode", "15W 2core")
    code, _, err = ofa(*lut, "--set", f"{NX}.record=nx.jsonl", "--out", "live")
    assert code == 0, err
    assert calls()[-2:] == ["jetson_clocks --restore", "nvpmodel -m 2"]
    played = ("--set", f"{NX}.recording=nx.jsonl", "--out", "played")
    code, _, err = ofa(*lut, *played, on_board=False)
    assert code == 0, err
    tables = [json.loads((tmp_path / d / "table.json").read_text()) for d in ("live", "played")]
    live, again = ({k: v for k, v in t.items() if k != "made"} for t in tables)
    assert live == again
    assert live["device"]["mode"] == "MODE_15W_2CORE" and "constructed" in live["device"]["model"]
    row = next(iter(live["rows"]["32"].values()))
    assert row["conditions"] == {
        "cpu_mhz": 1190.4,
        "gpu_mhz": 306.0,
        "cpu_celsius": 39.5,
        "gpu_celsius": 38.0,
    }


def stamp_each_work(answers):
    """Gives each work a time of its own, in ms, and the same in °C to its conditions."""
    lines = [json.loads(line) for line in answers.read_text().splitlines()]
    for line in lines[1:]:
        request, answer = line["request"], line["answer"]
        own = 10 + int(request["work"][1:]) if request.get("work", "").startswith("w") else 5
        if request["do"] == "time":
            answer["ms"] = [float(own)] * len(answer["ms"])
        if request["do"] == "conditions":
            answer["files"]["/sys/class/thermal/thermal_zone0/temp"] = f"{own}000"
    answers.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_table_by_hand_holds_every_row_and_network(ofa, tmp_path, board, calls):
    packed = ("run", "jetson_by_hand", "--supernet", "toy", "--device", NX, "--out", "hand")
    code, out, err = ofa(
        *packed, "--passes", "3", "--networks", "9", "--json", "--seed", "4", on_board=False
    )
    assert code == 0, err
    steps = json.loads(out)["steps"]
    assert "by its name" in steps[1] and "/etc/nvpmodel.conf" in steps[1]
    assert "ofa_board.py --requests requests.jsonl --answers answers.jsonl" in steps[2]
    hand = tmp_path / "hand"
    words = ["--requests", "requests.jsonl", "--answers", "answers.jsonl", "--root", str(board)]
    subprocess.run(
        [sys.executable, "ofa_board.py", *words], cwd=hand, check=True, capture_output=True
    )
    assert calls()[-1] == "jetson_clocks --restore"
    stamp_each_work(hand / "answers.jsonl")
    play = steps[3].split("here: ofa ")[1].replace("answers.jsonl", str(hand / "answers.jsonl"))
    code, _, err = ofa(*play.split(), on_board=False)
    assert code == 0, err
    table = json.loads((tmp_path / "hand_table" / "table.json").read_text())
    assert len(table["networks"]) == 9
    counts = {r["count"] + r["disturbed"] for rows in table["rows"].values() for r in rows.values()}
    assert counts == {3}
    for rows in table["rows"].values():
        for row in rows.values():
            assert row["conditions"]["cpu_celsius"] == pytest.approx(row["mean"])


def test_by_hand_the_mode_is_set_on_the_board(ofa):
    words = ("run", "jetson_by_hand", "--supernet", "toy", "--device", NX)
    code, _, err = ofa(*words, on_board=False)
    assert code == 2 and "--out FOLDER" in err
    code, _, err = ofa(*words, "--out", "x", "--set", f"{NX}.mode=10W", on_board=False)
    assert code == 2 and "in the power mode that it is in" in err


def test_energy_says_its_rail(ofa, tmp_path, monkeypatch):
    monkeypatch.setenv("STUB_SECONDS", "0.02")
    arch = {"ks": [3] * 4, "e": [2] * 4, "d": [1, 1], "image_size": 32}
    (tmp_path / "a.jsonl").write_text(json.dumps(arch) + "\n")
    quick = [
        f"energy.{k}" for k in ("seconds=0.8", "idle_seconds=0.6", "interval_ms=50", "repeats=1")
    ]
    sets = [w for one in quick for w in ("--set", one)]
    words = ("run", "cost", "--supernet", "toy", "--cost", f"energy@{NX}", "--measure")
    code, _out, err = ofa(*words, "--archs", "a.jsonl", *sets)
    assert code == 0, err
    assert "mJ" in err and "rail VDD_IN (the whole board)" in err
