"""Level tables as users name them: a file, a run, a published pickle, or one that ships."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dynamic_ofa.levels.published import SUFFIXES, read_published
from dynamic_ofa.levels.table import FILE, LevelTable, read_table
from ofa_plugins_core.errors import InputError

SHIPPED: Final = Path(__file__).parent / "tables"
ENDING: Final = ".zip"
PICKLED: Final = b"\x80"
"""First byte of a pickle."""


def shipped() -> dict[str, Path]:
    """The tables that come with the plugin, by name."""
    return {path.stem: path for path in sorted(SHIPPED.glob(f"*{ENDING}"))}


def find_table(text: str) -> LevelTable:
    """A level table.

    Args:
        text: a file, the folder of a run of ``ofa run levels``, a published pickle, or the name
            of a table that ships.

    Raises:
        InputError: there is none of that name, or it is broken.
    """
    path = Path(text)
    if path.is_dir():
        return _of_run(path)
    if path.is_file():
        return read_published(path) if _is_pickle(path) else read_table(path)
    known = shipped()
    if text in known:
        return read_table(known[text])
    names = ", ".join(known) or "none"
    raise InputError(
        f"no level table {text!r:.120}: no such file or folder; names that ship: {names}",
        advice="ofa run levels makes one",
    )


def _of_run(folder: Path) -> LevelTable:
    path = folder / FILE
    if not path.is_file():
        raise InputError(
            f"{folder} holds no {FILE}",
            advice="a run of ofa run levels does once it is finished; --resume finishes it",
        )
    return read_table(path)


def _is_pickle(path: Path) -> bool:
    if path.suffix in SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return file.read(1) == PICKLED
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
