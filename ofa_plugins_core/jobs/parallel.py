"""Networks evaluated many at a time, by one process or several: the same numbers.

Each process has a bench of its own; it finds the plugins itself. No torch at module level.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import evolve, frozen

from ofa_plugins_core.blame import culprit
from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import OfaError, PluginError, UsageError
from ofa_plugins_core.events import Event, Listener, Progress, each_once, silent
from ofa_plugins_core.jobs.crew import worked
from ofa_plugins_core.jobs.evaluate import check
from ofa_plugins_core.jobs.evaluate_options import EvaluateOptions
from ofa_plugins_core.jobs.networks import SYNTHETIC, needs_torch, weights_file
from ofa_plugins_core.jobs.resuming import begun
from ofa_plugins_core.jobs.torch_options import CHANGEABLE
from ofa_plugins_core.journal import Journal
from ofa_plugins_core.values import Arch

if TYPE_CHECKING:
    from ofa_plugins_core.jobs.supplying import Supplies  # never structured

Found: TypeAlias = Mapping[str, Any]
"""What ``Bench.measure`` gives: arch, calibrated, top1, top5, images, skipped, …"""
Done: TypeAlias = Callable[[int, Found], None]

BETWEEN: Final = 0.5
"""Seconds between two words of a process on how far it is with its network."""
READERS: Final = "workers"
"""The option that says how many processes read images: they find nothing else either."""


def evaluated(
    context: JobContext,
    options: EvaluateOptions,
    archs: Sequence[Arch],
    done: Done,
    *,
    processes: int = 1,
    numbers: Sequence[int] | None = None,
) -> None:
    """Extract, calibrate and evaluate architectures, each once.

    What is found does not depend on the number of processes: on the CPU each computes with one
    thread, unless ``options.threads`` says otherwise.

    Args:
        options: as of ``ofa run evaluate``; which architectures they name does not matter.
        archs: distinct.
        done: is told the number of an architecture, from 0, and what was found, as they come.
        processes: that evaluate at once; 1: this one does it.
        numbers: of the architectures to evaluate, in this order; None: all.

    Raises:
        UsageError: options that do not fit together, or too little memory for --fast memory.
        InputError: weights or data are missing or broken.
        PluginError: the supernet's plugin raised, in whichever process; with blame.
        PeerLostError: one of the processes was killed.
        KeyboardInterrupt: after ``done`` was told all that was finished; no process is left.
    """
    check(options)
    if processes < 1:
        raise UsageError(f"processes: expected a whole number from 1 up, found {processes}")
    needs_torch("evaluating networks")
    left = list(range(len(archs)) if numbers is None else numbers)
    if not left:
        return
    context = evolve(context, listener=each_once(context.listener))
    many = min(processes, len(left))
    task = Task(context, options, tuple(archs), many)
    told = _counting(task, done, len(left))
    if many == 1:
        with opened(task, context.listener) as measure:
            for number in left:
                told(number, measure(number))
        return
    prepared(task, left)
    quiet = evolve(context, listener=silent, configuration={})
    worked(many, opened, evolve(task, context=quiet), left, told, context.listener)


def _counting(task: Task, done: Done, left: int) -> Done:
    """Tells how many networks are done, too."""
    so_far = [len(task.archs) - left]

    def told(number: int, found: Found) -> None:
        done(number, found)
        so_far[0] += 1
        reading = f"top-1 {found['top1']['value']:.2f} %" if found["top1"] else ""
        task.context.listener(Progress("network", so_far[0], len(task.archs), reading))

    return told


@frozen(eq=False)
class Task:
    """What is to be evaluated; travels to the processes.

    Attributes:
        processes: that evaluate at once, and share the memory.
    """

    context: JobContext
    options: EvaluateOptions
    archs: tuple[Arch, ...]
    processes: int

    @property
    def threads(self) -> int | None:
        """Of each process; another number of them may change the last bits of what is computed."""
        return self.options.threads or (1 if self.options.device == "cpu" else None)


@contextmanager
def opened(task: Task, listener: Listener) -> Iterator[Callable[[int], Found]]:
    """A bench in this process: the number of an architecture -> what is measured of it."""
    from ofa_plugins_core.jobs.measuring import bench_of
    from ofa_plugins_core.nn import engines, evaluating

    context, options = evolve(task.context, listener=_seldom(listener)), task.options
    room = evaluating.ROOM // task.processes
    with engines.joined(options.device, "alone") as group, evaluating.threads(task.threads):
        bench = bench_of(context, options, group, task.archs[0].image_size, room)
        if task.processes == 1:  # several were checked together
            bench.check_room(task.archs)

        def measure(number: int) -> Found:
            label = f"network {number + 1} of {len(task.archs)}"
            return _blaming(context, lambda: bench.measure(task.archs[number], label))

        yield measure


def _blaming(context: JobContext, call: Callable[[], Found]) -> Found:
    """What a plugin's code raises names it here: its traceback does not travel."""
    try:
        return call()
    except (OfaError, MemoryError):
        raise
    except Exception as error:
        plugin = culprit(error, getattr(context.host, "plugins", ()))
        if plugin is None:
            raise
        raise PluginError(plugin.blames("a call", error)) from error


def _seldom(listener: Listener) -> Listener:
    """Progress now and then: it crosses from one process to another."""
    last = [0.0]

    def tell(event: Event) -> None:
        now = time.monotonic()
        if isinstance(event, Progress) and event.done < event.total and now - last[0] < BETWEEN:
            return
        last[0] = now
        listener(event)

    return tell


def prepared(task: Task, numbers: Sequence[int]) -> None:
    """What is shared is made once, and what has no room is refused, before others start.

    Raises:
        UsageError: --fast memory has no room for the images of all processes.
        InputError: data are missing, or a file of images cannot be made.
    """
    sizes = {task.archs[number].image_size for number in numbers}
    supplies = _supplies(task.context, task.options, min(sizes))
    supplies.check_room(sizes, task.processes)
    if task.options.fast == "disk":
        for supply in supplies.all:
            for size in sorted(sizes):
                supply.keep(size)


def _supplies(context: JobContext, options: EvaluateOptions, size: int) -> Supplies:
    from ofa_plugins_core.jobs.supplying import supplies_of

    return supplies_of(context, options, (0, 1), size)


# ------------------------------------------------------------------------------- kept


def evaluations(
    context: JobContext,
    options: EvaluateOptions,
    archs: Sequence[Arch],
    file: Path | None,
    *,
    processes: int = 1,
) -> dict[int, Found]:
    """As ``evaluated``, with a journal: what a run has found before is not measured again.

    Args:
        file: of the journal; None: nothing is kept. ``context.resume`` goes on with it.

    Returns:
        Number -> what was found. Some are missing where it was interrupted.

    Raises:
        UsageError: the journal is of other networks, weights, images or options.
        InputError: it is broken, or cannot be written.
        KeyboardInterrupt: before anything was found.
        UsageError, InputError, PluginError, PeerLostError: as ``evaluated``.
    """
    check(options)
    needs_torch("evaluating networks")
    context = evolve(context, listener=each_once(context.listener))
    of = identity(context, options, archs)
    journal = Journal(file, of, context.resume, lambda: begun(context), work="evaluating")
    found = _read(journal, archs)

    def keep(number: int, one: Found) -> None:
        journal.add({"number": number, **one})
        found[number] = one

    left = [number for number in range(len(archs)) if number not in found]
    try:
        evaluated(context, options, archs, keep, processes=processes, numbers=left)
    except KeyboardInterrupt:
        if not found:
            raise
    finally:
        journal.close()
    return dict(sorted(found.items()))


def _read(journal: Journal, archs: Sequence[Arch]) -> dict[int, Found]:
    """What a journal holds.

    Raises:
        InputError: a line is of no network here.
    """
    found: dict[int, Found] = {}
    for place, line in journal.found:
        number = line.pop("number", None)
        known = isinstance(number, int) and 0 <= number < len(archs)
        if not known or line.get("arch") != plain(archs[number].as_dict()):
            raise journal.broken(place)
        found[number] = line
    return found


def identity(
    context: JobContext, options: EvaluateOptions, archs: Sequence[Arch]
) -> dict[str, Any]:
    """What evaluations are of: networks, weights, images, and how they are measured.

    Raises:
        InputError: weights or data are missing.
    """
    from ofa_plugins_core.jobs.supplying import weights_of
    from ofa_plugins_core.nn.checkpoints import file_of

    path = None
    if options.weights != SYNTHETIC:
        supernet = context.host.supernet(options.supernet)
        path = weights_file(context, options, supernet, options.model == "teacher")
    text = "\n".join(json.dumps(plain(arch.as_dict())) for arch in archs)
    how = {k: v for k, v in plain(options).items() if k not in (*CHANGEABLE, READERS)}
    return {
        "networks": f"{len(archs):,}, {hashlib.sha256(text.encode()).hexdigest()[:12]}",
        **weights_of(None if path is None else file_of(path).resolve()),
        **_supplies(context, options, archs[0].image_size).of,
        "options": how,
        "seed": context.seed,
        "set": plain(context.settings),
    }
