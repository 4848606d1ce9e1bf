"""``ofa run evaluate`` on a real supernet, with synthetic weights and small images."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from ofa_plugins_core.cli.main import run  # noqa: E402
from ofa_plugins_core.jobs import evaluate, measuring  # noqa: E402
from ofa_plugins_core.nn import evaluating as nn_evaluating  # noqa: E402
from ofa_plugins_core.nn import prepared  # noqa: E402

SLOTS = 20
SMALL = {"ks": [3] * SLOTS, "e": [2] * SLOTS, "d": [2] * 5}
OTHER = {"ks": [5] * SLOTS, "e": [3] * SLOTS, "d": [4] * 5}
ARCHS = [{**SMALL, "image_size": 32}, {**OTHER, "image_size": 32}, {**SMALL, "image_size": 48}]
NETWORK = ("--supernet", "moofa_v3", "--weights", "synthetic")
QUICK = ("--images", "20", "--calibrate", "30", "--calibrate-batch", "10", "--batch", "5")
TIMES = ("--repeats", "1", "--warmup", "0")
EVALUATE = ("run", "evaluate", *NETWORK, "--data", "digits", *QUICK, *TIMES)


@pytest.fixture
def archs(tmp_path):
    path = tmp_path / "archs.jsonl"
    path.write_text("".join(json.dumps(a) + "\n" for a in ARCHS))
    return str(path)


def without_times(result):
    """What must be the same on each run: everything but times, and what comes of them."""
    networks = [{k: v for k, v in n.items() if k != "forward"} for n in result["networks"]]
    return {k: v for k, v in result.items() if k not in ("run", "pareto", "processes")} | {
        "networks": networks
    }


def test_every_number_has_its_unit_and_kind_and_synthetic_weights_are_marked(ofa, archs):
    found = ofa(*EVALUATE, "--archs", archs, "--out", "a", "--json")
    assert (found["supernet"], found["data"], found["classes"]) == ("moofa_v3", "digits", 10)
    assert found["synthetic"] is found["untrained"] is True
    assert [n["number"] for n in found["networks"]] == [1, 2, 3]
    for network, arch in zip(found["networks"], ARCHS, strict=True):
        assert network["arch"] == arch
        assert (network["images"], network["skipped"], network["calibrated"]) == (20, 0, 30)
        for name, unit in (("top1", "%"), ("top5", "%"), ("forward", "ms")):
            assert (network[name]["unit"], network[name]["kind"]) == (unit, "measured")
        assert network["top1"]["low"] <= network["top1"]["value"] <= network["top1"]["high"]
        assert network["top1"]["value"] <= network["top5"]["value"]
        assert "means nothing" in network["top1"]["source"]
        for name, unit in (("params", "count"), ("flops", "MACs"), ("peak_memory", "items")):
            assert (network["costs"][name]["unit"], network["costs"][name]["kind"]) == (
                unit,
                "computed",
            )
        info = json.loads(Path("a", "archs", str(network["number"]), "info.json").read_text())
        assert info["top1"] == network["top1"]
        assert info["supernet"] == "moofa_v3"
    assert json.loads(Path("a", "result.json").read_text()) == found
    assert Path("a", "front.csv").read_text().startswith("number,top1_percent,top5_percent,")


def test_top1_is_that_of_the_extracted_and_calibrated_network_by_hand(ofa, archs, host):
    from ofa_plugins_core.nn.calibrate import apply, statistics_of
    from ofa_plugins_core.nn.checkpoints import synthetic_state
    from ofa_plugins_core.nn.data import calibration_batches, images_of

    found = ofa(*EVALUATE, "--archs", archs, "--json")
    net = host.supernet("moofa_v3").build(10).eval()
    shapes = {k: tuple(t.shape) for k, t in net.published().items()}
    net.load_published(synthetic_state(shapes, torch.float32))
    for network in found["networks"][:2]:
        subnet = net.extract(network["arch"])
        apply(subnet, statistics_of(subnet, calibration_batches("digits", 32, 30, 10)))
        right = 0
        with torch.no_grad():
            for images, labels in images_of("digits", 32, split="val", limit=20).batches(20):
                right += int((subnet(images).argmax(1) == labels).sum())
        assert network["top1"]["value"] == pytest.approx(100 * right / 20)
        real = sum(p.numel() for p in subnet.parameters())  # with ten classes, not a thousand
        assert network["costs"]["params"]["value"] == real


def test_two_processes_of_torchrun_find_what_one_finds(ofa, archs, tmp_path):
    script = tmp_path / "ofa.py"
    script.write_text("import sys; from ofa_plugins_core.program import main; sys.exit(main())")
    words = [*EVALUATE, "--archs", archs, "--json"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*launch, str(script), *words, "--out", "both"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    both = json.loads(done.stdout)  # one process alone has printed
    assert done.stderr.count("synthetic weights") == 1
    assert both["processes"] == 2
    assert json.loads((tmp_path / "both" / "result.json").read_text()) == both
    assert without_times(both) == without_times(ofa(*words))


def test_images_that_are_kept_change_no_number_and_may_be_asked_for_at_resume(ofa, archs):
    words = (*EVALUATE, "--archs", archs, "--json")
    usual = without_times(ofa(*words, "--out", "usual"))
    for fast in ("memory", "disk"):
        assert without_times(ofa(*words, "--fast", fast)) == usual
    kept = sorted(p.name.rpartition("-")[0] for p in Path("cache", "images").glob("*.images"))
    assert kept == ["digits-32", "digits-32", "digits-48", "digits-48"]
    again = ofa(*words, "--out", "usual", "--resume", "--fast", "disk")
    assert without_times(again) == usual


def test_memory_that_is_short_is_refused_with_what_is_needed(ofa, archs, monkeypatch):
    monkeypatch.setattr(nn_evaluating, "memory_left", lambda: 100_000)
    said = ofa(*EVALUATE, "--archs", archs, "--fast", "memory", code=2)
    # 20 + 30 images of 32 × 32 and of 48 × 48
    assert "--fast memory needs 0.499 MB for 50 images at 32, 48 pixels" in said
    assert "0.1 MB of memory are free" in said and "--fast disk" in said
    monkeypatch.setattr(prepared, "disk_left", lambda folder: 400_000)
    said = ofa(*EVALUATE, "--archs", archs, "--fast", "disk", code=5)
    assert "--fast disk needs 0.499 MB in" in said and "0.4 MB are free" in said
    assert not Path("cache").exists()  # not one of two sizes either


class Stop(BaseException):
    """As abrupt as a kill: the job does not catch it."""


@pytest.fixture
def stopped(monkeypatch):
    """Stop the second measurement; say how many were begun."""
    monkeypatch.setattr(evaluate, "STORE_SECONDS", -1)
    begun = []
    original = measuring.Bench.measure

    def make(error):
        def measure(self, arch, label):
            begun.append(label)
            if len(begun) == 2:
                raise error
            return original(self, arch, label)

        monkeypatch.setattr(measuring.Bench, "measure", measure)
        return begun

    return make


def test_resumed_after_a_kill_it_is_as_if_never_interrupted(ofa, archs, stopped):
    words = (*EVALUATE, "--archs", archs, "--out", "k", "--json")
    begun = stopped(Stop())
    ofa(*words, code=1)
    assert not Path("k", "result.json").exists()
    resumed = ofa(*words, "--resume")
    assert [b[:9] for b in begun] == ["network 1", "network 2", "network 2", "network 3"]
    assert not Path("k", "progress.json").exists()
    whole = ofa(*EVALUATE, "--archs", archs, "--json")
    assert without_times(resumed) == without_times(whole)
    assert ofa(*words, "--resume")["networks"] == resumed["networks"]  # finished: nothing anew
    assert len(begun) == 7


def test_an_interrupt_keeps_what_is_finished_and_resume_goes_on(ofa, archs, stopped):
    words = (*EVALUATE, "--archs", archs, "--out", "c", "--json")
    stopped(KeyboardInterrupt())
    found = ofa(*words, code=130)
    assert (found["interrupted"], found["asked"], len(found["networks"])) == (True, 3, 1)
    assert len(ofa(*words, "--resume")["networks"]) == 3


def test_another_request_is_not_resumed(ofa, archs, stopped):
    stopped(KeyboardInterrupt())
    ofa(*EVALUATE, "--archs", archs, "--out", "c", code=130)
    said = ofa(*EVALUATE, "--archs", archs, "--out", "c", "--resume", "--seed", "3", code=2)
    assert "c is of another run: seed was 0, is 3" in said


def trained(host, path, seed):
    torch.manual_seed(seed)
    net = host.supernet("moofa_v3").build(10)
    torch.save({"state_dict": net.published()}, path)


def test_other_weights_at_the_same_path_are_not_resumed(ofa, host, archs, stopped):
    words = (*EVALUATE, "--weights", "own.pth", "--archs", archs, "--out", "w")
    trained(host, "own.pth", 1)
    stopped(Stop())
    ofa(*words, code=1)
    kept = Path("own.pth").read_bytes()
    trained(host, "own.pth", 2)
    assert "w is of another run: weights_sha256 was" in ofa(*words, "--resume", code=2)
    Path("own.pth").write_bytes(kept)
    found = ofa(*words, "--resume", "--json")
    assert found["of"]["weights_file"] == str(Path("own.pth").resolve())
    trained(host, "own.pth", 2)  # of a finished run, too
    assert "w is of another run: weights_sha256 was" in ofa(*words, "--resume", code=2)


def test_other_images_are_not_resumed(ofa, archs, tmp_path):
    Image = pytest.importorskip("PIL.Image")
    folder = tmp_path / "some" / "val" / "n01440764"
    folder.mkdir(parents=True)
    for n in range(2):
        Image.new("RGB", (40, 50), (80 * n, 0, 0)).save(folder / f"{n}.png")
    words = ("--data", "some", "--classes", "1000", "--calibrate", "0")
    words = (*EVALUATE, "--archs", archs, *words, "--out", "b")
    shown = ofa(*words)
    assert "some · 2 images, 0 skipped · " in shown
    (folder / "0.png").rename(folder / "zero.png")
    assert "b is of another run: evaluated_on was '2 images" in ofa(*words, "--resume", code=2)


@pytest.mark.parametrize("where", ["extract", "forward"])
def test_a_network_that_raises_names_its_plugin(ofa, host, archs, monkeypatch, where):
    def raising(*given, **more):
        raise ZeroDivisionError("no such width")

    net = type(host.supernet("moofa_v3").build(10))
    subnet = type(host.supernet("moofa_v3").build(10).extract(ARCHS[0]))
    monkeypatch.setattr(net if where == "extract" else subnet, where, raising)
    said = ofa(*EVALUATE, "--archs", archs, code=4)
    assert "plugin 'moofa'" in said
    assert f"{where}()" in said


@pytest.fixture
def searched(tmp_path, host):
    """A search's run of small images: three networks with a predicted accuracy and a latency."""
    folder = tmp_path / "run"
    folder.mkdir()
    front = [
        {
            "arch": arch,
            "accuracy": {
                "value": 60.0 + n,
                "low": 59,
                "high": 63,
                "unit": "%",
                "kind": "predicted",
            },
            "costs": {
                "peak_memory": {"value": 1000 + n, "unit": "items", "kind": "computed"},
                "latency@board": {"value": 5.0 + n, "unit": "ms", "kind": "measured"},
            },
        }
        for n, arch in enumerate(ARCHS)
    ]
    (folder / "result.json").write_text(json.dumps({"supernet": "moofa_v3", "front": front}))
    return str(folder)


def test_a_searchs_run_stands_beside_what_is_measured(ofa, searched):
    found = ofa(*EVALUATE, "--run", searched, "--out", "m", "--json")
    assert [n["predicted"]["accuracy"]["value"] for n in found["networks"]] == [60, 61, 62]
    for column, unit in (("accuracy", "%"), ("latency@board", "ms")):
        said = found["agreement"][column]
        assert said["networks"] == 3
        assert said["rmse"]["unit"] == unit
        assert {"spearman", "kendall"} <= set(said)
    assert found["pareto"]["against"] == "peak_memory"
    best = max(n["top1"]["value"] for n in found["networks"])
    (last,) = (n for n in found["networks"] if n["number"] == found["pareto"]["networks"][-1])
    assert last["top1"]["value"] == best
    if Path("m", "plots").exists():  # with matplotlib
        names = {p.name for p in Path("m", "plots").iterdir()}
        expected = {"predicted-accuracy.svg", "predicted-latency-board.svg", "measured-front.svg"}
        assert names == expected


def test_a_plot_draws_memory_and_picture_of_each_network(ofa, archs):
    pytest.importorskip("matplotlib")
    ofa(*EVALUATE, "--archs", archs, "--out", "p", "--plot", "--calibrate", "0")
    for number in ("1", "2", "3"):
        names = {p.name for p in Path("p", "archs", number).iterdir()}
        assert names == {"info.json", "memory.svg", "picture.svg"}


def test_a_teacher_is_a_static_file_of_the_largest_network(ofa, host, tmp_path):
    net = host.supernet("moofa_v3").build(10).eval()
    torch.save({"state_dict": net.extract(net.largest).published()}, "teacher.pth")
    words = ("--supernet", "moofa_v3", "--weights", "teacher.pth", *TIMES)
    found = ofa("run", "evaluate", *words, "--model", "teacher", "--json")
    (network,) = found["networks"]
    assert network["arch"] == net.largest.as_dict()
    assert (found["model"], found["untrained"], network["calibrated"]) == ("teacher", False, 0)
    assert network["top1"] is None  # no data was given
    said = ofa("run", "evaluate", *words, "--model", "teacher", "--random", "1", code=2)
    assert "a teacher is the largest network" in said


def test_broken_files_are_counted_and_imagenets_labels_go_by_wnid(ofa, archs, tmp_path):
    Image = pytest.importorskip("PIL.Image")
    for number, wnid in enumerate(("n01440764", "n03888257")):
        folder = tmp_path / "some" / "val" / wnid
        folder.mkdir(parents=True)
        for n in range(3):
            Image.new("RGB", (40, 50), (80 * n, 100 * number, 0)).save(folder / f"{n}.jpg")
    whole = (folder / "0.jpg").read_bytes()
    (folder / "0.jpg").write_bytes(whole[:-300])
    (folder / "notes.txt").write_text("no image")
    words = ("--data", "some", "--classes", "1000", "--calibrate-data", "digits")
    found = ofa(*EVALUATE, "--archs", archs, *words, "--out", "b", "--json")
    assert (found["data"], found["classes"]) == ("some", 1000)
    for network in found["networks"]:
        assert (network["images"], network["skipped"], network["calibrated"]) == (5, 2, 30)


def test_what_the_user_got_wrong_is_one_clear_line(ofa, archs, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    for words, code, said in (
        (("--data", str(empty)), 5, "holds no image"),
        (("--data", "nowhere"), 5, "cannot read nowhere"),
        (("--batch", "0"), 2, "--batch: expected a whole number from 1 up, found 0"),
        (("--classes", "3"), 2, "digits has 10 classes, the network 3"),
        (("--weights", "absent.pth"), 5, "--weights synthetic"),
        (("--out", "x.json"), 2, "is kept in a folder"),
        (("--largest",), 2, "found --archs and --largest"),
    ):
        text = ofa(*EVALUATE, "--archs", archs, *words, code=code)
        assert said in text
        assert "Traceback" not in text


def test_a_full_disk_does_not_lose_what_was_measured(ofa, archs, monkeypatch, tmp_path):
    def full(self, content, encoding=None):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(Path, "write_text", full)
    found = ofa(*EVALUATE, "--archs", archs, "--out", "f", "--json", code=5)
    assert len(found["networks"]) == 3
    assert found["run"] is None


def test_help_has_units_and_an_example(ofa, capsys):
    assert run(("run", "evaluate", "--help")) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "Top-1, top-5, forward time (ms), MACs and peak memory (items)" in text
    assert "Example: ofa run evaluate --supernet moofa_v3 --weights synthetic" in text
    assert "(images)" in text
