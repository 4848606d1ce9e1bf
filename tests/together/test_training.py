"""``ofa run train`` on a tiny supernet and real digits: phases, files, resuming, bad input."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from PIL import Image  # noqa: E402

from ofa_plugins_core.cli.main import run  # noqa: E402
from ofa_plugins_core.errors import InputError  # noqa: E402
from ofa_plugins_core.jobs import train, training  # noqa: E402
from ofa_plugins_core.nn.checkpoints import about_of, read_state  # noqa: E402
from ofa_plugins_core.nn.training import steps as training_steps  # noqa: E402

ROW = """
family: {family}
name: tiny_{family}
stem: 8
first: 8
widths: [8, 16]
strides: [2, 2]
activations: [relu, h_swish]
se: [false, true]
final_expand: 16
feature_mix: 16
ks: [3, 5]
e: [2, 3]
d: [1, 2]
resolutions: [32, 36]
classes: 10
"""
QUICK = ("--images", "64", "--validate-images", "20", "--calibrate", "20", "--batch", "8")
SHORT = ("--steps", "3", "--shrink", "0", "--no-finish")
PHASES = ["teacher", "kernel 1", "depth 1", "expand 1"]
SCRIPT = "import sys; from ofa_plugins_core.program import main; sys.exit(main())"
KILLS = int(os.environ.get("OFA_KILLS", "3"))
"""How often a run is killed; ``nox -s full`` does it ten times."""


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows")
    for family in ("mbconv", "compound"):
        (folder / f"{family}.yaml").write_text(ROW.format(family=family))
    return folder


@pytest.fixture(scope="module")
def tiny(rows):
    return ("--supernet", str(rows / "mbconv.yaml"))


@pytest.fixture
def ofa(ofa):
    """Runs ``ofa run WORDS``."""
    return partial(ofa, "run")


@pytest.fixture(scope="module")
def whole(host, tiny, tmp_path_factory):
    """The plan in one go."""
    out = tmp_path_factory.mktemp("whole") / "run"
    torch.set_num_threads(1)
    words = ("run", "train", *tiny, "--all", *QUICK, *SHORT, "--out", str(out))
    assert run(words, lambda block: host) == 0
    return out


def tensors(path):
    return read_state(Path(path))


def same(one, other):
    one, other = tensors(one), tensors(other)
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


# ------------------------------------------------------------------------------- the plan


def test_the_plan_is_shown_with_epochs_times_subnets_and_its_share(ofa, tiny):
    found = ofa("train", *tiny, "--all", "--show", "--json")
    assert [p["phase"] for p in found["phases"]] == PHASES
    costs = [p["epochs"] * p["subnets"] for p in found["phases"]]
    assert [p["subnet_epochs"] for p in found["phases"]] == costs
    assert found["subnet_epochs"] == sum(costs)
    assert found["share_of_full_schedule"] == 1
    assert not Path("runs").exists()


def test_compound_training_costs_a_part_of_progressive_shrinking(ofa, rows):
    """CompOFA: 25 and 120 epochs of four subnets, after the teacher."""
    found = ofa("train", "--supernet", "compofa", "--all", "--show", "--json")
    assert [p["phase"] for p in found["phases"]] == ["teacher", "compound 1", "compound 2"]
    assert found["subnet_epochs"] == 180 + 25 * 4 + 120 * 4
    assert found["share_of_full_schedule"] == pytest.approx(760 / 1170, abs=1e-6)


def test_a_shrunk_plan_says_what_is_left_of_the_schedule(ofa, tiny):
    found = ofa("train", *tiny, "--all", "--shrink", "0.1", "--show", "--json")
    assert found["share_of_full_schedule"] == pytest.approx(0.1, rel=0.2)


# ------------------------------------------------------------------------------- its result


def test_all_trains_each_phase_from_the_best_of_the_last(whole):
    found = json.loads((whole / "result.json").read_text())
    assert [p["phase"] for p in found["phases"]] == PHASES
    assert all(p["steps"] == 3 for p in found["phases"])
    names = ["1-teacher", "2-kernel-1", "3-depth-1", "4-expand-1"]
    assert sorted(p.name for p in (whole / "phases").iterdir()) == names
    assert same(found["weights"], whole / "phases" / names[-1] / "best.pth")
    assert about_of(whole / "weights.pth")["label"] == "expand 1"
    last = found["phases"][-1]["best"]["top1"]
    assert set(last) == {f"{n}@{s}" for n in ("smallest", "largest") for s in (32, 36)}


def test_each_step_and_each_validation_is_tracked(whole):
    lines = (whole / "metrics.csv").read_text().splitlines()
    head = lines[0].split(",")
    assert {"step", "loss", "rate", "epoch", "train_loss", "top1_mean"} <= set(head)
    assert int(lines[-1].split(",")[0]) == 3 * len(PHASES)
    assert any(p.name.startswith("events.") for p in (whole / "tensorboard").iterdir())


def test_the_curves_are_drawn(whole):
    pytest.importorskip("matplotlib")
    drawn = (whole / "plots" / "training.svg").read_text()
    assert all(phase in drawn for phase in PHASES)


def test_a_report_of_it_has_a_row_a_phase(host, whole, capsys):
    assert run(("report", str(whole), "--no-plots"), lambda block: host) == 0
    said = capsys.readouterr().err
    assert all(phase in said for phase in PHASES)


def test_the_result_goes_into_evaluate_dataset_and_search(ofa, host, tiny, whole):
    weights = ("--weights", str(whole / "weights.pth"), "--data", "digits")
    few = ("--images", "20", "--calibrate", "20")
    evaluated = ofa("evaluate", *tiny, *weights, *few, "--random", "2", "--repeats", "1", "--json")
    assert not evaluated["untrained"] and len(evaluated["networks"]) == 2
    net = host.supernet(tiny[1]).build(num_classes=10)
    net.load_published(torch.load(whole / "weights.pth", weights_only=True))


def test_one_step_at_a_time_ends_in_the_same_weights_as_all_at_once(ofa, tiny, whole):
    """Each phase from the file of the one before; the draws depend on the phase's place alone."""
    taught = ("--teacher", str(whole / "phases" / "1-teacher" / "best.pth"))
    start = whole / "phases" / "2-kernel-1" / "best.pth"
    for step in ("depth", "expand"):
        words = ("--step", step, "--phase", "1", *taught, "--weights", str(start))
        ofa("train", *tiny, *words, *QUICK, *SHORT, "--out", step)
        start = f"{step}/weights.pth"
    assert same(start, whole / "weights.pth")


@pytest.mark.parametrize(("step", "sorted_as"), [("depth", []), ("expand", [0])])
def test_channels_are_sorted_when_an_expand_phase_begins(
    ofa, tiny, whole, monkeypatch, step, sorted_as
):
    network = pytest.importorskip("ofa_mit.elastic.network").ElasticNetwork
    sort, told = network.sort_channels, []
    monkeypatch.setattr(network, "sort_channels", lambda n, p: (told.append(p), sort(n, p)))
    taught = ("--teacher", str(whole / "phases" / "1-teacher" / "best.pth"))
    start = ("--weights", str(whole / "phases" / "3-depth-1" / "best.pth"))
    ofa("train", *tiny, "--step", step, *taught, *start, *QUICK, *SHORT, "--out", "x")
    assert told == sorted_as


def test_a_subnet_is_continued_alone(ofa, host, tiny, whole):
    arch = {"ks": [3] * 4, "e": [2] * 4, "d": [1, 2], "image_size": 32}
    Path("arch.jsonl").write_text(json.dumps(arch))
    words = ("--step", "finetune", "--arch", "arch.jsonl", "--epochs", "2", "--json")
    start = ("--weights", str(whole / "weights.pth"))
    found = ofa("train", *tiny, *words, *start, *QUICK, *SHORT, "--out", "fine")
    assert (found["phases"][0]["phase"], found["phases"][0]["steps"]) == ("finetune", 6)
    assert found["image_sizes"] == [32]
    subnet = host.supernet(tiny[1]).build(num_classes=10).extract(arch)
    subnet.load_published(tensors("fine/weights.pth"))


@pytest.fixture
def continued(ofa, tiny, whole):
    """The weights of one subnet; (how a job names them, its architecture)."""
    arch = {"ks": [3] * 4, "e": [2] * 4, "d": [1, 2], "image_size": 36}
    Path("arch.jsonl").write_text(json.dumps(arch))
    words = ("--step", "finetune", "--arch", "arch.jsonl", "--epochs", "1", "--out", "fine")
    ofa("train", *tiny, *words, "--weights", str(whole / "weights.pth"), *QUICK, *SHORT)
    return ("--weights", "fine/weights.pth", "--data", "digits"), arch


def test_a_continued_subnet_is_evaluated_as_what_it_is(ofa, tiny, continued):
    weights, arch = continued
    few = ("--images", "20", "--calibrate", "0", "--repeats", "1", "--json", "--out", "e")
    found = ofa("evaluate", *tiny, *weights, *few)
    (network,) = found["networks"]
    assert network["arch"]["d"] == arch["d"] and network["arch"]["image_size"] == 36
    best = json.loads(Path("fine/result.json").read_text())["phases"][0]["best"]
    assert network["top1"]["value"] == pytest.approx(best["top1"]["alone@36"])


def test_of_a_continued_subnet_no_other_can_be_had(ofa, tiny, continued):
    weights, _ = continued
    few = ("--images", "20", "--calibrate", "0", "--repeats", "1", "--out", "e", "--largest")
    assert "holds one subnet" in ofa("evaluate", *tiny, *weights, *few, code=5)


def test_a_continued_subnet_is_continued_again(ofa, tiny, continued):
    words = ("--step", "finetune", "--arch", "arch.jsonl", "--epochs", "1", "--out", "again")
    ofa("train", *tiny, *words, *continued[0], *QUICK, *SHORT)
    assert about_of("again/weights.pth")["arch"]["image_size"] == 36


def test_a_supernet_of_fixed_kernels_is_taught_by_one_of_the_largest(ofa, rows):
    row = (rows / "compound.yaml").read_text() + "kernels: [3, 5]\n"
    Path("fixed.yaml").write_text(row)
    words = ("train", "--supernet", "fixed.yaml", "--all", *QUICK, *SHORT, "--out", "fixed")
    ofa(*words)
    teacher = tensors("fixed/phases/1-teacher/best.pth")
    kernels = [t.shape[-1] for k, t in teacher.items() if "depth_conv.conv.weight" in k]
    assert set(kernels[1:]) == {5}


def test_the_sandwich_plan_needs_no_teacher(ofa, tiny):
    words = ("--plan", "sandwich", "--all", "--json", "--out", "sandwich")
    found = ofa("train", *tiny, *words, *QUICK, *SHORT)
    assert [p["phase"] for p in found["phases"]] == ["compound 1"]


def test_training_learns(ofa, tiny):
    """Digits of ten classes: far better than chance after some epochs of the largest network."""
    words = ("--step", "teacher", "--epochs", "6", "--batch", "16", "--lr-scale", "4")
    counts = ("--images", "800", "--validate-images", "200", "--image-sizes", "32")
    found = ofa("train", *tiny, *words, *counts, "--out", "t", "--json")
    assert found["phases"][0]["best"]["mean"] > 60


# ------------------------------------------------------------------------------- again


def test_the_same_seed_gives_the_same_bits_and_another_does_not(ofa, tiny, whole):
    words = ("train", *tiny, "--step", "teacher", *QUICK, *SHORT)
    ofa(*words, "--out", "again")
    ofa(*words, "--seed", "1", "--out", "other")
    assert same("again/weights.pth", whole / "phases" / "1-teacher" / "best.pth")
    assert not same("again/weights.pth", "other/weights.pth")


def test_what_is_finished_is_not_done_again(ofa, tiny, whole):
    before = (whole / "weights.pth").stat().st_mtime_ns, tensors(whole / "weights.pth")
    done = [p.read_text() for p in sorted(whole.glob("phases/*/done.json"))]
    said = ofa("train", "--out", str(whole), "--resume")
    assert said.count("is done already") == len(PHASES)
    assert [p.read_text() for p in sorted(whole.glob("phases/*/done.json"))] == done
    assert all(torch.equal(before[1][k], t) for k, t in tensors(whole / "weights.pth").items())


def test_what_does_not_change_the_result_may_change_when_it_is_gone_on_with(ofa, tiny):
    words = ("train", *tiny, "--step", "teacher", *QUICK, *SHORT, "--out", "x")
    ofa(*words)
    ofa("train", "--out", "x", "--resume", "--keep", "1", "--track", "csv", "--threads", "1")


def test_a_tracker_that_nobody_asked_for_may_be_missing(ofa, tiny, monkeypatch):
    found = train.find_spec
    monkeypatch.setattr(train, "find_spec", lambda n: None if n == "tensorboardX" else found(n))
    words = ("train", *tiny, "--step", "teacher", *QUICK, *SHORT)
    said = ofa(*words, "--out", "x")
    assert "note: tensorboard is left out: tensorboardX is not installed" in said
    assert Path("x/metrics.csv").is_file() and not Path("x/tensorboard").exists()
    said = ofa(*words, "--track", "csv,tensorboard", "--track", "tensorboard", "--out", "y", code=2)
    assert "--track tensorboard needs the extra [torch]" in said


def test_another_request_does_not_go_on_with_the_folder(ofa, tiny, whole):
    said = ofa("train", *tiny, "--out", str(whole), "--resume", "--batch", "4", code=2)
    assert "batch was 8, is 4" in said


def started(folder, *words):
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SCRIPT, "run", *words]
    return subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


LONG = ("--step", "teacher", "--epochs", "3", *QUICK, "--save-every", "2", "--keep", "1")


@pytest.fixture(scope="module")
def undisturbed(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    assert started(folder, "train", *tiny, *LONG, "--out", "run").wait(300) == 0
    return folder / "run"


def wait_for(process, ready, seconds=240):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if ready():
            return
        time.sleep(0.01)


def test_killed_at_random_moments_and_resumed_it_ends_in_the_same_bits(tiny, undisturbed, tmp_path):
    """kill -9, be it in a step, while a checkpoint is written or while it is validated."""
    generator = np.random.Generator(np.random.PCG64(0))
    words = ("train", *tiny, *LONG, "--out", "run")
    kept = tmp_path / "run" / "phases" / "1-teacher"
    for _ in range(KILLS):
        process = started(tmp_path, *words, *(["--resume"] if kept.exists() else []))
        at = latest(kept)
        wait_for(process, lambda at=at: latest(kept) != at)
        time.sleep(float(generator.uniform(0, 0.3)))
        process.kill()
        process.wait()
        assert not list(kept.glob(".*.ckpt.*.part")) or latest(kept) is not None
    assert started(tmp_path, *words, "--resume").wait(300) == 0
    assert same(tmp_path / "run" / "weights.pth", undisturbed / "weights.pth")
    rows = [
        [line.split(",")[0] for line in (folder / "metrics.csv").read_text().splitlines()]
        for folder in (tmp_path / "run", undisturbed)
    ]
    assert rows[0] == rows[1]


def latest(folder):
    found = sorted(folder.glob("checkpoint-*.ckpt")) if folder.is_dir() else []
    return found[-1].name if found else None


def test_ctrl_c_ends_after_the_step_and_loses_nothing(tiny, undisturbed, tmp_path):
    words = ("train", *tiny, *LONG, "--save-every", "1000", "--out", "run")
    process = started(tmp_path, *words)
    table = tmp_path / "run" / "metrics.csv"
    wait_for(process, lambda: table.is_file() and len(table.read_text().splitlines()) > 3)
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 130, process.stderr.read()
    assert json.loads((tmp_path / "run" / "result.json").read_text())["interrupted"]
    assert started(tmp_path, *words, "--resume").wait(300) == 0
    assert same(tmp_path / "run" / "weights.pth", undisturbed / "weights.pth")


# ------------------------------------------------------------------------------- bad input


def teach(*words):
    return ("train", "--step", "teacher", *words, *SHORT)


def test_a_class_folder_of_one_class(ofa, tiny):
    folder = Path("one/cats")
    folder.mkdir(parents=True)
    for number in range(8):
        Image.new("RGB", (32, 32), (number, 0, 0)).save(folder / f"{number}.png")
    said = ofa(*teach(*tiny, "--data", "one", "--out", "x"), code=5)
    assert "one class: there is nothing to learn" in said


@pytest.fixture
def pictures():
    """Two classes; of each the second picture is broken."""
    for name, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        folder = Path("two") / name
        folder.mkdir(parents=True)
        for number in range(12):
            Image.new("RGB", (32, 32), colour).save(folder / f"{number}.png")
        (folder / "1.png").write_bytes(b"\x89PNG\r\n\x1a\n and then nothing")
    return "two"


def test_corrupt_images_are_left_out_and_counted(ofa, tiny, pictures):
    counts = ("--batch", "4", "--calibrate", "4", "--out", "x", "--json")
    found = ofa(*teach(*tiny, "--data", pictures, *counts))
    assert found["skipped"] >= 1
    assert found["phases"][0]["steps"] >= 1


def test_a_batch_larger_than_the_set(ofa, tiny, pictures):
    words = teach(*tiny, "--data", pictures, "--batch", "64", "--calibrate", "4", "--out", "x")
    said = ofa(*words, code=2)
    assert "the batch is larger than the set" in said and "64" in said
    assert not Path("x").exists()


def test_what_was_trained_stays_where_its_end_cannot_be_written(ofa, tiny, monkeypatch):
    def full(*args):
        raise InputError("cannot write x/weights.pth: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(training.Training, "place_weights", full)
        assert "No space left" in ofa(*teach(*tiny, *QUICK, "--out", "x"), code=5)
    assert latest(Path("x/phases/1-teacher"))
    assert "teacher is done already" in ofa("train", "--out", "x", "--resume")


def test_a_rate_that_a_steps_images_change_is_told(ofa, tiny):
    said = ofa(*teach(*tiny, *QUICK, "--lr-scale", "0.5", "--out", "x"))
    told = "rates are times 0.0625: a step takes 8 images, the plan's 64; --lr-scale is 0.5"
    assert told in " ".join(said.split())


def test_a_set_without_a_readable_picture_leaves_the_place_free(ofa, tiny, pictures):
    for file in Path(pictures).rglob("*.png"):
        file.write_bytes(b"broken")
    words = teach(*tiny, "--data", pictures, "--batch", "4", "--calibrate", "4", "--out", "x")
    assert "can be read" in ofa(*words, code=5)
    assert not Path("x").exists()


def test_a_loss_that_is_no_number_stops_with_the_last_good_checkpoint(ofa, tiny, monkeypatch):
    step = training_steps.Stepper.step
    count = iter(range(100))
    monkeypatch.setattr(
        training_steps.Stepper,
        "step",
        lambda *args: step(*args) if next(count) < 2 else float("nan"),
    )
    words = teach(*tiny, *QUICK, "--save-every", "1", "--out", "x")
    said = ofa(*words, code=2)
    assert "the loss is nan in teacher, epoch 1, step 3" in said
    assert "checkpoint-000000002.ckpt is the last good checkpoint" in said
    assert latest(Path("x/phases/1-teacher")) == "checkpoint-000000002.ckpt"


def test_a_rate_that_is_far_too_large_is_told_and_not_trained_on(ofa, tiny):
    said = ofa(*teach(*tiny, *QUICK, "--lr-scale", "1e30", "--out", "x"), code=2)
    assert "training has diverged" in said


def test_a_teacher_of_another_space(ofa, tiny, whole):
    row = ROW.format(family="mbconv").replace("widths: [8, 16]", "widths: [8, 24]")
    Path("other.yaml").write_text(row.replace("tiny_mbconv", "other"))
    taught = ("--teacher", str(whole / "phases" / "1-teacher" / "best.pth"))
    words = ("train", "--supernet", "other.yaml", "--all", *taught, *QUICK, *SHORT, "--out", "x")
    said = ofa(*words, code=5)
    assert "best.pth" in said and "does not fit" in said


def test_an_expand_phase_before_a_depth_phase(ofa, tiny, whole):
    start = whole / "phases" / "2-kernel-1" / "best.pth"
    taught = ("--teacher", str(whole / "phases" / "1-teacher" / "best.pth"))
    words = ("--step", "expand", "--phase", "1", "--weights", str(start), *taught, "--out", "x")
    said = ofa("train", *tiny, *words, *QUICK, *SHORT, code=2)
    assert re.search(r"expand 1 comes after depth 1; .*best.pth is of kernel 1", said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give --all for the whole plan, or --step"),
        (("--step", "depth", "--phase", "2"), "step depth has one phase here"),
        (("--step", "compound"), "has no step compound"),
        (("--step", "depth"), "depth 1 starts from the weights of kernel 1"),
        (("--step", "depth", "--teacher", "t.pth"), "depth 1 starts from the weights of kernel 1"),
        (("--all", "--step", "depth"), "give --all for the whole plan, or --step"),
        (("--all", "--batch", "1"), "--batch: expected a whole number from 2 up, found 1"),
        (("--all", "--shrink", "2"), "--shrink: expected a share from 0 to 1, found 2.0"),
        (("--all", "--plan", "ofaa"), "unknown training plan 'ofaa'"),
        (("--all", "--engine", "torchrun"), "was not started by torchrun"),
        (("--all", "--precision", "fp16"), "--precision fp16 is for GPUs"),
        (("--step", "finetune"), "it needs --arch FILE"),
        (("--step", "teacher", "--finish"), "--finish goes with --all"),
        (("--all", "--validate-sizes", "9999"), "not among those trained on, 32 to 36"),
        (("--all", "--validate-sizes", "0,32"), "--validate-sizes: 0 pixels are not among"),
    ],
)
def test_wrong_use_is_one_clear_line_and_leaves_the_place_free(ofa, tiny, words, said):
    assert said in ofa("train", *tiny, *QUICK, *SHORT, *words, "--out", "x", code=2)
    assert not Path("x").exists()


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"best": {"mean": "x"}, "history": []}'])
def test_of_a_phase_whose_summary_is_broken_the_checkpoint_says_it(ofa, tiny, content):
    words = ("--step", "teacher", "--out", "x")
    found = ofa("train", *tiny, *words, *QUICK, *SHORT, "--json")
    Path("x/phases/1-teacher/done.json").write_text(content)
    said = ofa("train", "--out", "x", "--resume")
    assert "done.json is broken" in said
    again = json.loads(Path("x/result.json").read_text())
    assert again["phases"][0]["best"] == found["phases"][0]["best"]


@pytest.fixture
def unmarked(ofa, tiny):
    """A phase that ended, but does not say so; its best weights."""
    ofa("train", *tiny, "--step", "teacher", "--out", "x", *QUICK, *SHORT)
    Path("x/phases/1-teacher/done.json").unlink()
    return Path("x/phases/1-teacher/best.pth")


def test_a_finished_phase_whose_weights_are_broken_is_made_again_from_its_checkpoint(ofa, tiny):
    ofa("train", *tiny, "--step", "teacher", "--out", "x", *QUICK, *SHORT)
    before = tensors("x/weights.pth")
    Path("x/phases/1-teacher/best.pth").write_bytes(b"PK")
    ofa("train", "--out", "x", "--resume")
    assert all(torch.equal(before[k], t) for k, t in tensors("x/weights.pth").items())


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_best_weights_that_are_gone_or_empty_come_from_their_checkpoint(ofa, unmarked, harm):
    before = tensors(unmarked)
    harm(unmarked)
    ofa("train", "--out", "x", "--resume")
    assert all(torch.equal(before[k], t) for k, t in tensors("x/weights.pth").items())


def test_a_start_that_has_changed_since_is_another_run(ofa, tiny, whole):
    taught = ("--teacher", str(whole / "phases" / "1-teacher" / "best.pth"))
    start, other = Path("start.pth"), whole / "phases" / "2-kernel-1" / "best.pth"
    start.write_bytes((whole / "phases" / "1-teacher" / "best.pth").read_bytes())
    words = ("--step", "kernel", "--phase", "1", *taught, "--weights", str(start), "--out", "x")
    ofa("train", *tiny, *words, *QUICK, *SHORT)
    Path("x/phases/2-kernel-1/done.json").unlink()
    start.write_bytes(other.read_bytes())
    said = ofa("train", "--out", "x", "--resume", code=2)
    assert "is of another run: start was" in said


@pytest.mark.parametrize("part", ["model", "optimiser"])
def test_a_checkpoint_that_does_not_fit_is_one_clear_line(ofa, tiny, part):
    ofa("train", *tiny, "--step", "teacher", "--out", "x", *QUICK, *SHORT)
    folder = Path("x/phases/1-teacher")
    (folder / "done.json").unlink()
    (file,) = folder.glob("*.ckpt")
    content = torch.load(file, weights_only=True)
    content[part] = {"stem.conv.weight": torch.zeros(3)}
    torch.save(content, file)
    assert "does not fit" in ofa("train", "--out", "x", "--resume", code=5)


def test_a_start_that_is_no_file(ofa, tiny):
    words = ("--step", "kernel", "--weights", "nowhere.pth", "--out", "x")
    assert "no weights 'nowhere.pth'" in ofa("train", *tiny, *words, *QUICK, code=5)
