"""What differs between a checkout's files and a published package's; pure functions on text."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LOCAL = re.compile(r'"(ofa-plugins-[a-z-]+)(\[[^\]"]*\])? @ \{root:[^"]*"')
_LINK = re.compile(r"(?<!!)\[([^\]\n]+)\]\((?!https?:|#)[^)\n]+\)")


def pinned(pyproject: str, versions: Mapping[str, str]) -> str:
    """A pyproject.toml whose local addresses are replaced by compatible versions.

    Our packages use each other's inner modules, which may change with any minor version (the
    public ones do not, see docs/compatibility.md). So they hold each other to one: ``~=0.1.3`` is
    0.1.3 or a later 0.1. Addresses are forbidden from then on: one that was overlooked ends the
    build.

    Args:
        pyproject: the text of the file.
        versions: distribution -> its version, three numbers.

    Raises:
        KeyError: an address of a package that is not among them.
    """

    def pin(found: re.Match[str]) -> str:
        name, extra = found.group(1), found.group(2) or ""
        return f'"{name}{extra}~={versions[name]}"'

    allowed = "allow-direct-references = true"
    return _LOCAL.sub(pin, pyproject).replace(allowed, allowed.replace("true", "false"))


def unlinked(readme: str) -> str:
    """A README that is read outside of the checkout: links into it become their text."""
    return _LINK.sub(r"\1", readme)
