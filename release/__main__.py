"""``python -m release``: build, look into, and try all packages.

Or set their version, or keep the public surface of the core.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from release.building import build, commit_time, committed, rebuilt
from release.contents import flaws
from release.packages import Package, packages, set_version
from release.trying import tried

ROOT = Path(__file__).parent.parent
SURFACE = ROOT / "tests" / "public_surface.json"


def main() -> int:
    """Parse, and do it; 0 where all is as it should be."""
    given = _arguments().parse_args()
    try:
        if given.version:
            return _said([f"{file}: {given.version}" for file in set_version(ROOT, given.version)])
        if given.freeze:
            return _frozen(SURFACE)
        return _release(given.out.resolve(), given.types, given.only_build)
    except subprocess.CalledProcessError as error:
        sys.stderr.write(f"release: {error}\n")  # what it said stands above
    except ValueError as error:
        sys.stderr.write(f"release: {error}\n")
    return 1


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m release", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder that it fills")
    parser.add_argument("--only-build", action="store_true", help="install and try nothing")
    parser.add_argument("--types", action="append", default=[], help="requirement of the checker")
    parser.add_argument("--version", help="write this version into every package, and end")
    parser.add_argument("--freeze", action="store_true", help="keep the public surface, and end")
    return parser


def _frozen(file: Path) -> int:
    """Write the public surface down, unless that would hide that something was broken."""
    from release.surface import added, broken, described  # the core, installed, is needed for it

    found = described()
    kept = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    lines = broken(kept, found)
    if lines and kept["api"] == found["api"]:
        advice = f"raise API_VERSION; where it was never published, remove {file.name} first"
        raise ValueError("\n  ".join(["this breaks plugins or users:", *lines, advice]))
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return _said([f"new: {line}" for line in added(kept, found)])


def _release(out: Path, typing: Sequence[str], only_build: bool) -> int:
    """All packages into ``out``; 1 with what is wrong on stderr."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="ofa-release-") as place:
        copy, time = Path(place) / "copy", commit_time(ROOT)
        found = committed(ROOT, copy)
        wrong = [flaw for p in found for flaw in _made(p, out, Path(place), time)]
        stated = {p.version for p in found}
        if len(stated) > 1:
            wrong.append(f"the packages state several versions: {', '.join(sorted(stated))}")
        wrong += _checked(out)
    if wrong:
        sys.stderr.write("".join(f"release: {flaw}\n" for flaw in wrong))
        return 1
    said = [f"{out / name}" for p in found for name in (p.sdist, p.wheel)]
    return _said(said if only_build else [*said, *tried(packages(ROOT), out, typing)])


def _made(package: Package, out: Path, place: Path, time: str) -> list[str]:
    """Build a package, and its wheel again from its sources; what is wrong with them."""
    build(package.folder, out, ["sdist", "wheel"], time)
    again = rebuilt(out / package.sdist, place / package.module, time)
    wrong = flaws(package, out / package.wheel)
    if again.read_bytes() != (out / package.wheel).read_bytes():
        wrong.append(f"{package.sdist}: gives another wheel than the checkout")
    return wrong


def _checked(out: Path) -> list[str]:
    """What an index would refuse."""
    words = [sys.executable, "-m", "twine", "check", "--strict", *map(str, sorted(out.iterdir()))]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    lines = (done.stdout + done.stderr).splitlines() if done.returncode else []
    return [f"twine: {line}" for line in lines]


def _said(lines: Sequence[str]) -> int:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
