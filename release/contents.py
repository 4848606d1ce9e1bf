"""What a wheel has to hold, and what it must not; each flaw as one line."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from pathlib import Path

from release.packages import Package


def flaws(package: Package, wheel: Path) -> list[str]:
    """What is wrong with a package's wheel; nothing where it is as it should be.

    Args:
        package: of the copy that the wheel was built from.
        wheel: the file.
    """
    with zipfile.ZipFile(wheel) as read:
        names = set(read.namelist())
        info = f"{package.stem}.dist-info"
        metadata = Parser().parsestr(read.read(f"{info}/METADATA").decode())
    found = [*_files(package, names, info), *_stated(metadata)]
    return [f"{wheel.name}: {flaw}" for flaw in found]


def _files(package: Package, names: set[str], info: str) -> Iterator[str]:
    """Exactly the committed files of its code, and what describes it."""
    within = package.code.parent
    code = {str(p.relative_to(within)) for p in package.code.rglob("*") if p.is_file()}
    held = {name for name in names if not name.startswith(f"{info}/")}
    yield from (f"lacks {name}" for name in sorted(code - held))
    yield from (f"holds {name}, which is not its code" for name in sorted(held - code))
    for name in (f"{package.module}/py.typed", f"{info}/licenses/LICENSE"):
        if name not in names:
            yield f"lacks {name}"
    yield from (f"holds tests: {name}" for name in sorted(held) if "tests" in Path(name).parts)


def _stated(metadata: Message) -> Iterator[str]:
    """No address in what it needs; the facts by which an index shows it."""
    for need in metadata.get_all("Requires-Dist") or []:
        if "@" in need or "file:" in need:
            yield f"needs an address: {need}"
        if need.startswith("ofa-plugins-") and "~=" not in need:
            yield f"needs a package of ours in any version: {need}"
    for key in ("Summary", "License-Expression", "Requires-Python", "Author", "Keywords"):
        if not metadata[key]:
            yield f"states no {key}"
    if "Typing :: Typed" not in (metadata.get_all("Classifier") or []):
        yield "does not state Typing :: Typed"
