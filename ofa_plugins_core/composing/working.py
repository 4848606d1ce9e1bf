"""All combinations, by one process or several; a journal lets an interrupted matrix go on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from ofa_plugins_core.composing.axes import NO_PREDICTOR, Axes, Combination
from ofa_plugins_core.composing.bench import Bench
from ofa_plugins_core.composing.cells import Cell
from ofa_plugins_core.composing.matrix import Pair
from ofa_plugins_core.composing.pairs import pairs_of
from ofa_plugins_core.composing.supplies import Supplies
from ofa_plugins_core.composing.trying import tried
from ofa_plugins_core.config import plain, structure
from ofa_plugins_core.entries import Plugins
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.jobs.crew import worked
from ofa_plugins_core.journal import Journal

JOURNAL: Final = "cells.jsonl"
MADE: Final = "made"
SMALLER: Final = "+"
"""In the name of a smaller space."""


@frozen(eq=False)
class Task:
    """What is to be tried; travels to the processes.

    Attributes:
        host: the plugins. axes: what is combined. seed: of every random choice.
        folder: for what a trial makes up.
    """

    host: Plugins
    axes: Axes
    seed: int
    folder: Path

    def bench(self) -> Bench:
        """A bench for it."""
        return Bench(self.host, Supplies(self.host, self.folder), self.seed)


@frozen(eq=False)
class Progressed:
    """What is known.

    Attributes:
        cells: number of a combination -> what it came to.
        pairs: of the other seams; [] where it was interrupted.
        interrupted: the user stopped it.
    """

    cells: dict[int, Cell] = field(factory=dict)
    pairs: list[Pair] = field(factory=list)
    interrupted: bool = False


def try_all(
    host: Plugins,
    axes: Axes,
    *,
    seed: int = 0,
    processes: int = 1,
    out: Path | None = None,
    resume: bool = False,
    versions: Mapping[str, Any] | None = None,
    listener: Listener = silent,
) -> Progressed:
    """Try every combination; an interruption keeps what is known.

    Args:
        out: folder for the journal; None: nothing is kept. resume: go on with it.
        versions: of the plugins; with others nothing is gone on with.

    Raises:
        UsageError: no process, or the journal is of another matrix.
        InputError: the journal is broken, or cannot be written.
        PeerLostError: one of the processes was killed.
    """
    if processes < 1:
        raise UsageError(f"--parallel: expected a whole number from 1 up, found {processes}")
    of = {"axes": axes.as_json(), "seed": seed, "plugins": dict(versions or {})}
    path = None if out is None else out / JOURNAL
    journal = Journal(path, of, resume, work="trying combinations")
    cells = _read(journal, axes.combinations())
    try:
        with _supplied(out) as folder:
            task = Task(host, axes, seed, folder)
            _work(task, cells, journal, processes, listener)
            whole = tuple(n for n in axes.supernets if SMALLER not in n)
            return Progressed(cells, list(pairs_of(task.bench(), whole)))
    except KeyboardInterrupt:
        return Progressed(cells, interrupted=True)
    finally:
        journal.close()


@contextmanager
def _supplied(out: Path | None) -> Iterator[Path]:
    """A folder for what a trial makes up; in --out it is there for whoever goes on."""
    if out is None:
        with tempfile.TemporaryDirectory(prefix="ofa-matrix-") as folder:
            yield Path(folder)
        return
    yield out / MADE
    shutil.rmtree(out / MADE, ignore_errors=True)  # all is tried: it is of no more use


def openers_first(asked: Sequence[Combination], left: Iterable[int]) -> list[int]:
    """Numbers in an order in which processes seldom wait for what another makes up.

    Those come first that may need one table or fit that none before needs; the rest find them all.
    """
    known: set[tuple[str, str]] = set()
    openers, rest = [], []
    for number in left:
        one = asked[number]
        needs = [one.cost] * ("@" in one.cost) + [one.predictor] * (one.predictor != NO_PREDICTOR)
        new = {(one.supernet, name) for name in needs} - known
        if len(new) == 1:
            known |= new
            openers.append(number)
        else:
            rest.append(number)
    return openers + rest


def _work(
    task: Task, cells: dict[int, Cell], journal: Journal, processes: int, listener: Listener
) -> None:
    """Try what has no cell yet; each is kept as it comes."""
    asked = task.axes.combinations()

    def keep(number: int, cell: Cell) -> None:
        journal.add({"number": number, "cell": plain(cell)})
        cells[number] = cell
        listener(Progress("combination", len(cells), len(asked), asked[number].words))

    left = openers_first(asked, [n for n in range(len(asked)) if n not in cells])
    if min(processes, len(left)) > 1:
        worked(min(processes, len(left)), opened, task, left, keep, listener)
        return
    with opened(task, listener) as trial:
        for number in left:
            keep(number, trial(number))


@contextmanager
def opened(task: Task, listener: Listener) -> Iterator[Callable[[int], Cell]]:
    """A bench in this process: the number of a combination -> what it comes to."""
    bench, asked = task.bench(), task.axes.combinations()
    yield lambda number: tried(bench, asked[number], task.axes.policies)


def _read(journal: Journal, asked: list[Combination]) -> dict[int, Cell]:
    """What a journal holds.

    Raises:
        InputError: a line is of no combination here.
    """
    found: dict[int, Cell] = {}
    for place, line in journal.found:
        number = line.get("number")
        if not isinstance(number, int) or not 0 <= number < len(asked):
            raise journal.broken(place)
        cell = structure(line.get("cell"), Cell, f"{journal.path}, line {place}", InputError)
        if cell.combination != asked[number]:
            raise journal.broken(place)
        found[number] = cell
    return found
