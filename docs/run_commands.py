"""Runs what the pages print: python docs/run_commands.py [PAGE …]

Each page in a copy of what is tracked, its lines in order, with the substitutes of
``command_lines.toml``; fits, tables and caches go to folders beside the copy. Ends with 1 where a
command failed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from command_lines import ROOT, Line, lines_of, pages, substitutes

LONGEST: Final = 900
"""Seconds that a command may take."""


def main(asked: Sequence[str]) -> int:
    """Run the pages; the exit code."""
    wrong = [page for page in asked if page not in pages()]
    if wrong:
        _say(f"no page with commands: {', '.join(wrong)}")
        return 2
    failed: list[str] = []
    for page in asked or pages():
        failed += _run_page(page)
    _say("\n".join([f"{len(failed)} failed", *failed]))
    return 1 if failed else 0


def _run_page(page: str) -> list[str]:
    """The failures of one page."""
    given = substitutes()
    lines = lines_of(page, (ROOT / page).read_text(encoding="utf-8"))
    if not any(given.reason(line) is None for line in lines):
        return []
    with tempfile.TemporaryDirectory(prefix="ofa-page-") as scratch:
        folder = _checkout(Path(scratch))
        wanted = " ".join(given.small(line) for line in lines)
        for what, command in given.prepared.items():
            if what in wanted:
                _shell(command, folder)
        found = [_run(line, given.small(line), folder) for line in lines if not given.reason(line)]
    return [failure for failure in found if failure]


def _checkout(scratch: Path) -> Path:
    """A copy of the tracked files."""
    folder = scratch / "checkout"
    folder.mkdir()
    copy = f"git -C '{ROOT}' ls-files -z | tar -C '{ROOT}' --null -T - -cf - | tar -xf -"
    subprocess.run(["bash", "-ec", copy], cwd=folder, check=True)
    return folder


def _run(line: Line, command: str, folder: Path) -> str | None:
    """What went wrong, or None."""
    _make_room(command, folder)
    started = time.monotonic()
    code, said = _shell(command, folder)
    took = f"{time.monotonic() - started:.1f} s"
    _say(f"{'ok  ' if code == 0 else 'FAIL'} {line.page}:{line.number} ({took}) {command}")
    if code == 0:
        return None
    _say(said[-1500:])
    return f"{line.page}:{line.number}: code {code}: {command}"


def _make_room(command: str, folder: Path) -> None:
    """Remove what an earlier line of the page left under the same --out, which would be refused."""
    for name in re.findall(r"--out ([\w.]+)", command):
        place = folder / name
        if "--resume" not in command and place.is_dir():
            shutil.rmtree(place)
        elif "--resume" not in command:
            place.unlink(missing_ok=True)


def _shell(command: str, folder: Path) -> tuple[int, str]:
    home = folder.parent
    kept = {f"OFA_{k}": str(home / k.lower()) for k in ("FITTED", "TABLES", "REDUCED", "CACHE")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, **kept, "OMP_NUM_THREADS": "1", "PATH": path}
    try:
        done = subprocess.run(
            ["bash", "-ec", command],
            cwd=folder,
            env=env,
            timeout=LONGEST,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 124, f"took more than {LONGEST} s"
    return done.returncode, done.stdout


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
