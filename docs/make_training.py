"""Train three small supernets on CIFAR-10, and their subnets alone; make docs/data/training.json.

    python docs/make_training.py --data CIFAR10_FOLDER --work FOLDER [--images 5000 --shrink 0.034]

Everything is done by ``ofa`` commands; what is done already is not done again. With the extras
[torch], [export] and [plot]. docs/cifar10.md quotes what is written here.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

HERE = Path(__file__).parent


@frozen
class Row:
    """A supernet that is trained.

    Attributes:
        example: Its file in examples/.
        plan: What it is trained by.
        share: Of its plan, as multiples of ``--shrink``.
        alone: The row whose networks trained alone stand beside its own: the same networks.
        measured: Whether subnets are drawn and measured.
    """

    example: str
    plan: str
    share: float
    alone: str
    measured: bool = True


ROWS = {
    "small_ofa": Row("small_ofa", "ofa", 1, "small_ofa"),
    "small_moofa": Row("small_moofa", "ofa", 1, "small_moofa"),
    "small_compofa": Row("small_compofa", "compofa", 1, "small_ofa"),
    "small_compofa_equal": Row("small_compofa", "compofa", 1.6, "small_ofa", measured=False),
    "small_ofa_longer": Row("small_ofa", "ofa", 3, "small_ofa_longer", measured=False),
}
SEARCHED = "small_moofa"
BOUNDS = (7000, 8500, 10000)
"""On peak memory, items, of the subnets that are searched for."""

Found = dict[str, Any]


def parsed() -> argparse.Namespace:
    """What the caller wants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--held-out", type=int, default=2000)
    parser.add_argument("--shrink", type=float, default=0.034)
    parser.add_argument("--networks", type=int, default=150)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", choices=tuple(ROWS), action="append")
    return parser.parse_args()


class Work:
    """Runs commands, once each."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given, self.folder = given, given.work.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)

    def run(self, name: str, *words: str) -> dict[str, Any]:
        """A command's result, as JSON."""
        kept = self.folder / f"{name}.json"
        if not kept.is_file():
            out = ("--out", str(self.folder / name)) + (
                ("--resume",) if (self.folder / name).exists() else ()
            )
            command = ["ofa", "run", *words, *out, "--json"]
            sys.stderr.write(f"$ {shlex.join(command)}\n")
            env = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=env)
            kept.write_bytes(done.stdout)
        lines = kept.read_text().splitlines()
        return json.loads(lines[0]) if len(lines) == 1 else {"lines": lines}

    def train(self, row: str) -> dict[str, Any]:
        """The whole plan of a supernet, shrunk."""
        share = f"{self.given.shrink * ROWS[row].share:g}"
        shrunk = ("--all", "--no-finish", "--plan", ROWS[row].plan, "--shrink", share)
        return self.run(row, "train", *self.supernet(row), *shrunk, *self.how())

    def alone(self, row: str, place: str, arch: dict[str, Any], epochs: int) -> dict[str, Any]:
        """A subnet from fresh weights, for as many epochs as the whole plan has subnet-epochs."""
        file = self.folder / f"{row}-{place}.jsonl"
        file.write_text(json.dumps(arch) + "\n")
        words = ("--step", "finetune", "--plan", "ofa", "--arch", str(file), "--weights", "fresh")
        rate = ("--set", "ofa.phases={finetune: {base_lr: 0.08125}}", "--epochs", str(epochs))
        given = (*words, *rate, *self.how(), "--validate-every", "10")
        return self.run(f"{row}-{place}", "train", *self.supernet(row), *given)

    def supernet(self, row: str) -> tuple[str, ...]:
        """The words that name a supernet."""
        return ("--supernet", str(HERE.parent / "examples" / f"{ROWS[row].example}.yaml"))

    def how(self) -> tuple[str, ...]:
        """The words on data and batches that all trainings share."""
        given = self.given
        counts = ("--images", str(given.images), "--validate-images", str(given.held_out))
        more = ("--calibrate", "1000", "--batch", "64", "--device", given.device)
        return ("--data", str(given.data), *counts, *more)

    def weights(self, row: str) -> tuple[str, ...]:
        """The words that name what was trained."""
        return ("--weights", str(self.folder / row / "weights.pth"))

    def dataset(self, row: str) -> dict[str, Any]:
        """Subnets in ranges of peak memory, measured."""
        counts = ("--n", str(self.given.networks), "--ranges", "10")
        return self.run(f"{row}-dataset", "dataset", *self.measured(row), *counts)

    def uniform(self, row: str) -> dict[str, Any]:
        """As many subnets drawn as random search draws them, measured."""
        drawn = ("--sampler", "uniform", "--n", str(self.given.networks), "--seed", "1")
        return self.run(f"{row}-uniform", "dataset", *self.measured(row), *drawn)

    def fit(self, row: str, data: str) -> dict[str, Any]:
        """The additive predictor of the measured subnets."""
        words = ("--data", data, "--dataset", "cifar10", "--plot")
        return self.run(f"{row}-fit", "fit", *self.supernet(row), *words)

    def search(self, row: str, fit: str, bound: int) -> dict[str, Any]:
        """What is predicted to be best under a bound."""
        words = ("--cost", "peak_memory", "--constraint", f"peak_memory<={bound}")
        given = (*words, "--predictor-weights", fit, "--resolutions", "32")
        return self.run(f"{row}-search-{bound}", "search", *self.supernet(row), *given)

    def evaluate(self, row: str, name: str, archs: Sequence[Found]) -> dict[str, Any]:
        """Subnets on all images that training never saw."""
        file = self.folder / f"{row}-{name}.jsonl"
        file.write_text("".join(json.dumps(a) + "\n" for a in archs))
        words = ("--archs", str(file), "--data", str(self.given.data), "--calibrate", "2000")
        given = (*self.weights(row), *words, "--channels-last", "--repeats", "1")
        return self.run(f"{row}-{name}", "evaluate", *self.supernet(row), *given)

    def export(self, row: str, arch: Found) -> dict[str, Any]:
        """A subnet as an int8 file."""
        file = self.folder / f"{row}-exported.jsonl"
        file.write_text(json.dumps(arch) + "\n")
        words = ("--archs", str(file), "--dtype", "int8", "--data", str(self.given.data))
        return self.run(f"{row}-int8", "export", *self.supernet(row), *self.weights(row), *words)

    def measured(self, row: str) -> tuple[str, ...]:
        """The words that all data sets of measured subnets share."""
        data = ("--data", str(self.given.data), "--calibrate", "1000", "--channels-last")
        images = ("--images", str(self.given.held_out), "--device", self.given.device)
        return (*self.supernet(row), *self.weights(row), *data, *images)


def named_archs(supernet: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Smallest, middle and largest, as training validates them."""
    from ofa_plugins_core import Host
    from ofa_plugins_core.phases import Phase, at

    space = Host.discover().supernet(supernet[1]).space
    phase = Phase(step="expand", epochs=1, base_lr=1.0)
    places = {"smallest": 0.0, "middle": 0.5, "largest": 1.0}
    return {n: space.decode(at(space, phase, p)[None])[0].as_dict() for n, p in places.items()}


def records(found: Found) -> list[Found]:
    """Of a data set: arch, top1, costs."""
    return [json.loads(line) for line in Path(found["files"][0]).read_text().splitlines()]


def searched(work: Work, row: str, data: Found) -> Found:
    """Search by the fitted predictor against random search of equal evaluations.

    Both have measured as many subnets on the same images: the search those that its predictor is
    fitted on, random search those of which it takes the best. Both picks are then measured on more
    images.
    """
    fit = work.fit(row, data["files"][0])
    random = records(work.uniform(row))
    picks: list[Found] = []
    for bound in BOUNDS:
        fitting = [r for r in random if r["costs"]["peak_memory"] <= bound]
        best = max(fitting, key=lambda r: r["top1"])
        found = work.search(row, fit["files"][0], bound)["front"][0]
        picks += [found["arch"], best["arch"]]
    seen = [round(n["top1"]["value"], 2) for n in work.evaluate(row, "picks", picks)["networks"]]
    table = [
        {"bound": bound, "searched": seen[2 * n], "random": seen[2 * n + 1]}
        for n, bound in enumerate(BOUNDS)
    ]
    file = work.export(row, picks[2])
    counted = int8_top1(Path(file["file"]), work.given.data, file["image_size"])
    return {
        "held_out": fit["held_out"],
        "networks": data["evaluations"],
        "picks": table,
        "int8": {
            "arch": picks[2],
            "float_top1": seen[2],
            "int8_top1": counted,
            "file_bytes": file["numbers"]["file_bytes"]["value"],
        },
    }


def int8_top1(file: Path, data: Path, size: int) -> float:
    """Top-1 of a file in ONNX Runtime, on all images that training never saw; percent."""
    import onnxruntime

    from ofa_plugins_core.nn.data import images_of

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    right = count = 0
    for images, labels in images_of(str(data), size, split="val").batches(100):
        (logits,) = session.run(None, {name: images.numpy()})
        right += int((logits.argmax(1) == labels.numpy()).sum())
        count += len(labels)
    return 100 * right / count


def of_row(work: Work, row: str) -> Found:
    """A supernet's training, its named subnets beside the same trained alone, and measured ones."""
    trained = work.train(row)
    best = trained["phases"][-1]["best"]["top1"]
    table = {}
    with_alone = ROWS[row].alone
    epochs = work.train(with_alone)["subnet_epochs"]
    for place, arch in named_archs(work.supernet(with_alone)).items():
        alone = work.alone(with_alone, place, arch, epochs)
        table[place] = {
            "arch": arch,
            "in_supernet": best[f"{place}@32"],
            "alone": alone["phases"][-1]["best"]["mean"],
            "alone_epochs": epochs,
        }
    measured = records(work.dataset(row)) if ROWS[row].measured else []
    return {
        "subnet_epochs": trained["subnet_epochs"],
        "share_of_full_schedule": trained["share_of_full_schedule"],
        "subnet_steps": sum(p["steps"] * p["subnets"] for p in trained["phases"]),
        "phases": {p["phase"]: p["best"]["top1"] for p in trained["phases"]},
        "subnets": table,
        "memory_and_top1": [(r["costs"]["peak_memory"], r["top1"]) for r in measured],
    }


def draw(found: Found, file: Path) -> None:
    """Accuracy against peak memory of the three."""
    from ofa_plugins_core.report import canvas

    with canvas.sheet(file, 6.4, 4.2) as sheet:
        axes = sheet.axes()
        rows = [row for row in ROWS if ROWS[row].measured]
        for row, mark, colour in zip(rows, "os^", canvas.SERIES, strict=False):
            memory, top1 = zip(*found[row]["memory_and_top1"], strict=True)
            across = [m / 1000 for m in memory]
            axes.scatter(across, top1, s=14, marker=mark, color=colour, label=row)
        axes.set_xlabel("peak memory, computed (thousand items)")
        axes.set_ylabel("top-1, measured (%)")
        axes.legend()


def text(found: Found) -> str:
    """As JSON, lists of numbers on one line."""
    spread = json.dumps(found, indent=1) + "\n"
    return re.sub(r"\[[\s\d.,]+\]", lambda part: " ".join(part[0].split()), spread)


def main() -> None:
    """Train, measure, write."""
    given = parsed()
    work = Work(given)
    found: Found = {}
    for row in given.only or ROWS:
        found[row] = of_row(work, row)
        if row == SEARCHED:
            found[row] |= searched(work, row, work.dataset(row))
        (work.folder / "training.json").write_text(text(found))
    if not given.only:
        (HERE / "data" / "training.json").write_text(text(found))
        draw(found, HERE / "figures" / "training.svg")


if __name__ == "__main__":
    main()
