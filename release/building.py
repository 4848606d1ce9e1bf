"""From what is committed to archives of sources and wheels, the same bytes each time."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

from release.packages import Package, packages
from release.pins import pinned, unlinked


def committed(root: Path, folder: Path) -> list[Package]:
    """Copy what is committed, with versions for addresses; the packages of the copy."""
    archive = folder.with_suffix(".tar")
    subprocess.run(["git", "archive", "-o", str(archive), "HEAD"], cwd=root, check=True)
    with tarfile.open(archive) as read:
        read.extractall(folder, filter="data")
    archive.unlink()
    found = packages(folder)
    versions = {package.name: package.version for package in found}
    for package in found:
        _change(package.folder / "pyproject.toml", lambda text: pinned(text, versions))
        _change(package.folder / "README.md", unlinked)
    return found


def _change(file: Path, change: Callable[[str], str]) -> None:
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")


def commit_time(root: Path) -> str:
    """Seconds since 1970 of the last commit: the time that all files in archives get."""
    words = ["git", "log", "-1", "--format=%ct"]
    return subprocess.run(
        words, cwd=root, check=True, capture_output=True, text=True
    ).stdout.strip()


def build(folder: Path, out: Path, kinds: Sequence[str], time: str) -> None:
    """Build a folder's ``sdist`` or ``wheel`` or both into ``out``.

    Raises:
        ValueError: the build ended in an error, for example at an address of the checkout.
    """
    targets = [word for kind in kinds for word in ("-t", kind)]
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(out), *targets],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": time},
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no word why").splitlines()[-1]
        raise ValueError(f"{folder.name} cannot be built: {said}")


def rebuilt(sdist: Path, folder: Path, time: str) -> Path:
    """The wheel that an archive of sources gives."""
    with tarfile.open(sdist) as read:
        read.extractall(folder, filter="data")
    (sources,) = folder.iterdir()
    out = folder / "wheel"
    build(sources, out, ["wheel"], time)
    (wheel,) = out.glob("*.whl")
    return wheel
