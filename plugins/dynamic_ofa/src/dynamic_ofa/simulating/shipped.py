"""Traces by name or file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dynamic_ofa.traces import Trace, read_trace
from ofa_plugins_core.errors import UnknownNameError

FOLDER: Final = Path(__file__).parent / "traces"
RECORDED: Final = "trace.jsonl"
"""Of a live run's folder."""


def shipped() -> list[str]:
    """Names of the traces that ship."""
    return sorted(path.stem for path in FOLDER.glob("*.jsonl"))


def find_trace(text: str) -> Trace:
    """A trace that ships, by name; or a file, or the folder of a live run that was recorded.

    Raises:
        UnknownNameError: it reads as a name, and none of that name ships.
        InputError: the file is missing or broken.
    """
    if text in shipped():
        return read_trace(FOLDER / f"{text}.jsonl")
    path = Path(text)
    if path.is_dir():
        return read_trace(path / RECORDED)
    if not path.exists() and not path.suffix and path.name == text:
        raise UnknownNameError("trace", text, shipped())
    return read_trace(path)
