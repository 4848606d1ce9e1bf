"""Architectures from a file of JSON lines: read strictly, every complaint with its line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.values import Genes, parse_arch

MAX_LINE: Final = 2**16
"""Bytes of the longest line that is read: an architecture takes some hundred."""
MAX_ARCHS: Final = 2_000_000
ADVICE: Final = 'one architecture a line: {"ks": […], "e": […], "d": […], "image_size": 224}'


@frozen(eq=False)
class ArchFile:
    """Architectures of one supernet, as a file lists them.

    Attributes:
        supernet: at the image sizes that occur in the file.
        genes: (n, genes) of its space, canonical, in the order of the file.
        archs: as they were read.
    """

    supernet: Supernet
    genes: Genes
    archs: Sequence[Any] = field(repr=False)


def read_archs(path: Path, supernet: Supernet) -> ArchFile:
    """Read a file of architectures.

    Raises:
        InputError: it cannot be read, or a line is no architecture of the supernet; names the
            file and the line.
    """
    lines, archs = _parsed(path)
    sizes = set()
    for line, arch in zip(lines, archs, strict=True):
        try:
            sizes.add(parse_arch(supernet.space, arch).image_size)
        except InputError as error:
            raise _at(path, line, error) from error
    moved = supernet.at(sorted(sizes))
    try:
        return ArchFile(moved, moved.space.encode(archs), archs)
    except InputError:
        for line, arch in zip(lines, archs, strict=True):  # find the line that is meant
            try:
                moved.space.encode([arch])
            except InputError as error:
                raise _at(path, line, error) from error
        raise


def _at(path: Path, line: int, error: InputError) -> InputError:
    message = error.message.removeprefix("architecture 0: ")
    return InputError(f"{path}, line {line}: {message}", advice=error.advice)


def _parsed(path: Path) -> tuple[list[int], list[Any]]:
    """Numbers and objects of the lines that are not blank."""
    lines: list[int] = []
    archs: list[Any] = []
    try:
        with path.open("rb") as file:
            number = 0
            while content := file.readline(MAX_LINE + 1):
                number += 1
                if not content.strip():
                    continue
                lines.append(number)
                archs.append(_object(path, number, content))
                if len(archs) > MAX_ARCHS:
                    raise InputError(
                        f"{path} holds more than {MAX_ARCHS:,} architectures; split it"
                    )
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if not archs:
        raise InputError(f"{path} holds no architecture", advice=ADVICE)
    return lines, archs


def _object(path: Path, number: int, content: bytes) -> dict[str, Any]:
    place = f"{path}, line {number}"
    if len(content) > MAX_LINE:
        raise InputError(
            f"{place} is longer than {MAX_LINE:,} bytes: no architecture", advice=ADVICE
        )
    try:
        found = json.loads(content.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"{place}: not text in UTF-8", advice=ADVICE) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: not JSON: {error}", advice=ADVICE) from error
    if not isinstance(found, dict):
        raise InputError(f"{place}: expected a JSON object, found {found!r:.60}", advice=ADVICE)
    if "arch" in found and not isinstance(found["arch"], dict):
        raise InputError(f"{place}: 'arch' must be an object, found {found['arch']!r:.60}")
    return found
