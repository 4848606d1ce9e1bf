"""Train three small supernets on CIFAR-10, and their subnets alone; make docs/data/training.json.

    python docs/make_training.py --data CIFAR10_FOLDER --work FOLDER [--images 5000 --shrink 0.034]

Everything is done by ``ofa`` commands, which are kept beside their results; what is done already is
not done again. The page docs/training.md quotes the result; figures need the extra [plot].
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROWS = ("small_ofa", "small_moofa", "small_compofa")
LEAST = 3
"""Best of so many seeds of random draws beside the search."""


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
    parser.add_argument("--only", choices=ROWS, action="append")
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
        plan = "compofa" if row == "small_compofa" else "ofa"
        shrunk = ("--all", "--no-finish", "--plan", plan, "--shrink", str(self.given.shrink))
        return self.run(f"{row}", "train", *self.supernet(row), *shrunk, *self.how())

    def alone(self, row: str, place: str, arch: dict[str, Any], epochs: int) -> dict[str, Any]:
        """A subnet from fresh weights, for as many epochs as the whole plan has subnet-epochs."""
        file = self.folder / f"{row}-{place}.jsonl"
        file.write_text(json.dumps(arch) + "\n")
        words = ("--step", "finetune", "--plan", "ofa", "--arch", str(file), "--weights", "fresh")
        rate = ("--set", "ofa.phases={finetune: {base_lr: 0.08125}}", "--epochs", str(epochs))
        given = (*words, *rate, *self.how(), "--validate-every", "10")
        return self.run(f"{row}-{place}", "train", *self.supernet(row), *given)

    def supernet(self, row: str) -> tuple[str, ...]:
        return ("--supernet", str(HERE.parent / "examples" / f"{row}.yaml"))

    def how(self) -> tuple[str, ...]:
        given = self.given
        counts = ("--images", str(given.images), "--validate-images", str(given.held_out))
        more = ("--calibrate", "1000", "--batch", "64", "--channels-last", "--device", given.device)
        return ("--data", str(given.data), *counts, *more)

    def weights(self, row: str) -> tuple[str, ...]:
        return ("--weights", str(self.folder / row / "weights.pth"))

    def dataset(self, row: str) -> dict[str, Any]:
        """Subnets in ranges of peak memory, measured."""
        counts = ("--n", str(self.given.networks), "--ranges", "10")
        return self.run(f"{row}-dataset", "dataset", *self.measured(row), *counts)

    def measured(self, row: str) -> tuple[str, ...]:
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


def main() -> None:
    """Train, measure, write."""
    given = parsed()
    work = Work(given)
    found: dict[str, Any] = {}
    for row in given.only or ROWS:
        trained = work.train(row)
        best = trained["phases"][-1]["best"]["top1"]
        table = {}
        for place, arch in named_archs(work.supernet(row)).items():
            alone = work.alone(row, place, arch, trained["subnet_epochs"])
            table[place] = {
                "arch": arch,
                "in_supernet": best[f"{place}@32"],
                "alone": alone["phases"][-1]["best"]["mean"],
                "alone_seconds": alone["phases"][-1]["seconds"],
            }
        found[row] = {
            "subnet_epochs": trained["subnet_epochs"],
            "share_of_full_schedule": trained["share_of_full_schedule"],
            "seconds": sum(p["seconds"] for p in trained["phases"]),
            "subnet_steps": sum(p["steps"] * p["subnets"] for p in trained["phases"]),
            "phases": {p["phase"]: p["best"]["top1"] for p in trained["phases"]},
            "subnets": table,
            "dataset": work.dataset(row).get("files"),
        }
        (work.folder / "training.json").write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
