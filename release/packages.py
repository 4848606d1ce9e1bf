"""The packages of the checkout: where they are, what they are called, which version they have."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from attrs import frozen

CORE = "ofa-plugins-core"


@frozen
class Package:
    """One package of the checkout.

    Attributes:
        folder: that holds its pyproject.toml.
        name: of the distribution, for example ``ofa-plugins-moofa``.
        version: as its pyproject.toml states it.
        code: folder of what is imported.
    """

    folder: Path
    name: str
    version: str
    code: Path

    @property
    def module(self) -> str:
        """What is imported."""
        return self.code.name

    @property
    def stem(self) -> str:
        """How its files in dist/ begin."""
        return f"{self.name.replace('-', '_')}-{self.version}"

    @property
    def wheel(self) -> str:
        """The name of its wheel."""
        return f"{self.stem}-py3-none-any.whl"

    @property
    def sdist(self) -> str:
        """The name of its archive of sources."""
        return f"{self.stem}.tar.gz"


def packages(root: Path) -> list[Package]:
    """All packages of a checkout, the core first: whoever is needed comes before who needs it.

    Raises:
        KeyError: a pyproject.toml states no name, version or packages.
    """
    found = [package(root), *(package(p.parent) for p in root.glob("plugins/*/pyproject.toml"))]
    return sorted(found, key=lambda p: (p.name != CORE, p.name))


def package(folder: Path) -> Package:
    """The package of a folder with a pyproject.toml."""
    read = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    (code,) = read["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return Package(folder, read["project"]["name"], read["project"]["version"], folder / code)


def set_version(root: Path, version: str) -> list[Path]:
    """Write a version into every pyproject.toml and CITATION.cff; the files that it stands in.

    Raises:
        ValueError: not three numbers with dots, or a file states no version.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ValueError(f"a version is three numbers with dots, found {version!r}")
    files = [*(p.folder / "pyproject.toml" for p in packages(root)), root / "CITATION.cff"]
    for file in files:
        text = file.read_text(encoding="utf-8")
        changed, times = re.subn(
            r'^(version(?: = |: ))"[^"]*"', rf'\g<1>"{version}"', text, count=1, flags=re.M
        )
        if not times:
            raise ValueError(f"{file}: states no version")
        file.write_text(changed, encoding="utf-8")
    return files
