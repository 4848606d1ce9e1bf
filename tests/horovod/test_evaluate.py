"""``ofa run evaluate`` by two workers of Horovod."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("horovod", reason="Horovod is not installed: nox -s horovod has it")
pytest.importorskip("moofa")

OFA = "import sys; from ofa_plugins_core.program import main; sys.exit(main())\n"
EVALUATE = ("run", "evaluate", "--supernet", "moofa_v3", "--weights", "synthetic")
QUICK = ("--data", "digits", "--images", "20", "--calibrate", "30", "--batch", "5", "--largest")
PATIENT = ("--start-timeout", "240", "--gloo-timeout-seconds", "240")
HOROVODRUN = ("-m", "horovod.runner.launch", "-np", "2", "--gloo", *PATIENT, sys.executable)


def test_two_workers_find_what_one_process_finds(tmp_path):
    script = tmp_path / "ofa.py"
    script.write_text(OFA)

    def found(folder, *launcher):
        words = [str(script), *EVALUATE, *QUICK, "--repeats", "1", "--out", folder]
        done = subprocess.run(
            [sys.executable, *launcher, *words],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((tmp_path / folder / "result.json").read_text())

    one, two = found("one"), found("two", *HOROVODRUN)
    assert (one["processes"], two["processes"]) == (1, 2)
    for single, shared in zip(one["networks"], two["networks"], strict=True):
        names = ("arch", "top1", "top5", "images", "calibrated", "costs")
        assert {n: shared[n] for n in names} == {n: single[n] for n in names}
