"""The job ``ofa run dataset``: networks drawn, calibrated and evaluated, for a predictor to fit.

Several processes, started by torchrun or horovodrun, each measure whole networks of their own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from attrs import evolve, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.config import as_yaml, plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Notice, Progress, silent
from ofa_plugins_core.jobs.dataset_draw import Drawn, draw
from ofa_plugins_core.jobs.dataset_options import DatasetOptions
from ofa_plugins_core.jobs.dataset_parts import Parts
from ofa_plugins_core.jobs.dataset_result import DatasetResult
from ofa_plugins_core.jobs.evaluate import check
from ofa_plugins_core.jobs.evaluate_options import EvaluateOptions
from ofa_plugins_core.jobs.networks import needs_torch
from ofa_plugins_core.jobs.torch_options import CHANGEABLE

if TYPE_CHECKING:
    from ofa_plugins_core.jobs.measuring import Bench  # noqa: TC004  # never structured
    from ofa_plugins_core.nn.engines import Engine  # noqa: TC004


def run_dataset(context: JobContext, options: DatasetOptions) -> DatasetResult | None:
    """Measure networks; None in a process that only helps the first.

    Raises:
        UsageError: options that do not fit together, a cost that cannot be balanced, or classes
            that do not fit the data.
        InputError: weights, data or architectures are missing or broken, or nothing can be written.
        MissingExtraError: torch is not installed.
        PeerLostError: another process is gone; what is measured is kept.
    """
    if options.data is None:
        raise UsageError("ofa run dataset needs --data: top-1 is measured on its images")
    if context.out is None:
        raise UsageError("a data set is kept in a folder: name it with --out")
    measuring = _evaluating(options)
    check(measuring)
    needs_torch("ofa run dataset")
    from ofa_plugins_core.nn import engines, evaluating
    from ofa_plugins_core.nn.training import sharing

    with engines.joined(options.device) as group, evaluating.threads(options.threads):
        told = context if group.leads else evolve(context, listener=silent)
        folder = sharing.same_folder(context.out, group)
        found = _measured(evolve(told, out=folder), options, measuring, group)
    return found if group.leads else None


def _evaluating(options: DatasetOptions) -> EvaluateOptions:
    """How each network is evaluated: as ``ofa run evaluate`` does it, without timing."""
    theirs = {a.name for a in attrs.fields(EvaluateOptions)} - {"archs"}
    shared = {a.name for a in attrs.fields(DatasetOptions)} & theirs
    return EvaluateOptions(**{name: getattr(options, name) for name in shared}, repeats=0)


@frozen(eq=False)
class _Work:
    """What one process needs to measure its share.

    Attributes:
        bench: on which it measures alone.
        group: this process among others.
        drawn: all networks.
        parts: the records on disk.
    """

    bench: Bench
    group: Engine
    drawn: Drawn
    parts: Parts


def _measured(
    context: JobContext, options: DatasetOptions, measuring: EvaluateOptions, group: Engine
) -> DatasetResult:
    from ofa_plugins_core.jobs.measuring import about, bench_of
    from ofa_plugins_core.nn.engines.alone import Alone

    assert context.out is not None
    drawn = draw(context, options)
    size = drawn.archs[0].image_size
    bench = bench_of(context, measuring, Alone(0, 1, group.device), size)
    bench.check_room(drawn.archs)
    if bench.loaded.synthetic:
        context.listener(Notice("synthetic weights: top-1 means nothing"))
    work = _Work(bench, group, drawn, Parts(context.out, drawn.archs))
    of = {**bench.of, "drawn": drawn.key}
    done = _begun(context, options, work, of)
    started = time.monotonic()
    whole = _share_measured(context, work, done)
    if whole:
        group.meet()
    records = list((work.parts.merge() if group.leads else done).values())
    if group.leads and not records:
        raise KeyboardInterrupt  # nothing to keep, nothing to show
    shared = {**about(bench), "processes": group.count, "of": of}
    seconds = time.monotonic() - started
    return DatasetResult(context.out, shared, drawn, records, seconds, work.parts.merged)


def _begun(
    context: JobContext, options: DatasetOptions, work: _Work, of: Mapping[str, Any]
) -> dict[int, dict[str, Any]]:
    """What is measured already; the folder says from now on what it is of.

    Raises:
        UsageError: the folder is of other options, weights, images or networks.
        InputError: it cannot be read or written.
    """
    folder = work.parts.folder
    given = {k: v for k, v in plain(options).items() if k not in CHANGEABLE}
    request = {**given, "seed": context.seed, "set": plain(context.settings), **of}
    done: dict[int, dict[str, Any]] = {}
    if context.resume:
        runs.stored(folder, request)
        if before := _finished(folder):
            runs.refuse_another(folder, before, of)
        done = work.parts.read()
    work.group.meet()  # all have read before anyone writes
    if work.group.leads:
        runs.store(folder, request, {})
        if context.configuration:
            runs.write(folder / runs.CONFIG, as_yaml(context.configuration))
        if done:
            said = f"{len(done):,} of {len(work.drawn.archs):,} networks are measured already"
            context.listener(Notice(said))
    work.group.meet()  # the folder is there
    return done


def _finished(folder: Path) -> dict[str, Any]:
    """What the result in a folder is of; nothing where there is none."""
    try:
        return dict(json.loads((folder / runs.RESULT).read_bytes())["of"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _share_measured(
    context: JobContext, work: _Work, done: Mapping[int, Mapping[str, Any]]
) -> bool:
    """Measure this process's share of what is left; False if interrupted."""
    total, (rank, count) = len(work.drawn.archs), work.group.share
    left = [number for number in range(1, total + 1) if number not in done]
    mine = left[rank::count]
    if not mine:
        return True
    writer = work.parts.writer(rank)
    try:
        for place, number in enumerate(mine, 1):
            label = f"network {number} of {total}"
            record = _record(work, number, label)
            writer.add(record)
            so_far = min(len(done) + place * count, total)
            reading = f"top-1 {record['top1']:.2f} %"
            context.listener(Progress("network", so_far, total, reading))
    except KeyboardInterrupt:
        return False
    finally:
        writer.close()
    return True


def _record(work: _Work, number: int, label: str) -> dict[str, Any]:
    """One network's line."""
    part = work.bench.measure(work.drawn.archs[number - 1], label)
    place = work.drawn.range_of(number - 1)
    return {
        "number": number,
        **({} if place is None else {"range": place + 1}),
        "arch": part["arch"],
        "top1": part["top1"]["value"],
        "top5": part["top5"]["value"],
        **{key: part[key] for key in ("images", "skipped", "calibrated")},
        "costs": dict(work.drawn.costs[number - 1]),
    }
