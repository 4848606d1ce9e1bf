"""``ofa run profile``: what each block choice at each place does to every metric."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from block_profile.profiling.options import CHANGEABLE, ProfileOptions
from block_profile.profiling.planning import Work, work_of
from block_profile.profiling.profile import Binding, Extreme, Profile, Row, Statistic
from block_profile.profiling.result import BlockList, ProfileResult
from block_profile.profiling.rows import RowPlan
from block_profile.profiling.scoring import JOURNAL, Scoring, find_out, slow_of
from block_profile.profiling.specs import Catalogue
from block_profile.profiling.statistics import bindings, sampled
from block_profile.profiling.writing import written
from ofa_plugins_core import runs
from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Progress
from ofa_plugins_core.jobs.resuming import begun
from ofa_plugins_core.journal import Journal
from ofa_plugins_core.latency_models import networks_digest
from ofa_plugins_core.values import Genes

TOGETHER: Final = 2**15
"""Networks that are scored at once."""


def run_profile(context: JobContext, options: ProfileOptions) -> ProfileResult | BlockList:
    """Profile a supernet's blocks, or list them.

    Raises:
        UnknownNameError: there is no such supernet or metric.
        UsageError: options that do not fit, a block outside the space.
        InputError: a file is missing or broken, or a result cannot be written.
    """
    started = time.monotonic()
    if options.list_blocks:
        supernet = context.host.supernet(options.supernet)
        return BlockList(supernet.name, Catalogue.of(supernet.geometry()))
    if context.out is not None and context.out.suffix in runs.FILES:
        raise UsageError("a profile is a folder: name it with --out")
    work = work_of(context, options)
    scoring, whole = _found_out(context, options, work)
    rows, collected = list[Row](), Collected(work)
    try:
        for row in _rows(context, options, work, scoring, collected):
            if not row.forced or any(row.image_size == r.image_size for r in rows):
                rows.append(row)  # else an interruption left it nothing to be compared with
    except KeyboardInterrupt:  # a closed form at many image sizes takes its time, too
        whole = False
    if not rows:
        raise KeyboardInterrupt  # nothing to keep, nothing to show
    profile = _profile(context, options, work, rows, collected)
    seconds = time.monotonic() - started
    result = ProfileResult(context.out, profile, seconds, not whole, len(work.plans) - len(rows))
    return written(context, options, result)


def _profile(
    context: JobContext,
    options: ProfileOptions,
    work: Work,
    rows: Sequence[Row],
    collected: Collected,
) -> Profile:
    subject = work.subject
    return Profile(
        supernet=subject.supernet.name,
        networks=subject.supernet.space.count(),
        rule=options.rule,
        archs=options.num_archs,
        draws=options.draws,
        seed=context.seed,
        resolutions=subject.sizes,
        metrics=subject.metrics,
        rows=tuple(rows),
        best=collected.extremes(best=True),
        worst=collected.extremes(best=False),
        binds=_binds(work),
        notes=work.notes,
        digest=networks_digest(context.host.supernet(options.supernet)),
    )


def _found_out(context: JobContext, options: ProfileOptions, work: Work) -> tuple[Scoring, bool]:
    """Everything that is known network by network; False where that was interrupted."""
    accuracy = None
    if options.data is not None and any(m.name == "accuracy" for m in work.subject.metrics):
        from block_profile.profiling.evaluating import evaluator

        accuracy = evaluator(context, options)
    slow = slow_of(work.subject, accuracy)
    scoring = Scoring(work.subject, slow)
    if not slow.names or not options.num_archs:
        return scoring, True
    of = {k: v for k, v in plain(options).items() if k not in CHANGEABLE}
    path = None if context.out is None else context.out / JOURNAL
    told = {**of, "seed": context.seed, "set": plain(context.settings)}
    journal = Journal(path, told, context.resume, lambda: begun(context), "profiling")
    drawn = (genes for genes, _ in work.drawing.networks(work.plans))
    return scoring, find_out(work.subject, slow, drawn, journal, context.listener)


class Collected:
    """The best and the worst network of each metric so far."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._ends: dict[tuple[str, bool], tuple[float, NDArray[np.uint8], str]] = {}

    def add(self, label: str, genes: Genes, values: Mapping[str, NDArray[np.float64]]) -> None:
        """The networks of a row: (n, genes), and (n,) values of each metric."""
        for name, found in values.items():
            for largest in (True, False):
                row = int(found.argmax() if largest else found.argmin())
                value = float(found[row])
                before = self._ends.get((name, largest))
                if before is None or (value > before[0] if largest else value < before[0]):
                    self._ends[name, largest] = (value, genes[row].copy(), label)

    def extremes(self, *, best: bool) -> dict[str, Extreme]:
        """Metric -> its best network, or its worst."""
        found = {}
        for metric in self._work.subject.metrics:
            largest = (metric.better == "higher") == best
            if (metric.name, largest) in self._ends:
                value, genes, label = self._ends[metric.name, largest]
                (arch,) = self._work.subject.supernet.space.decode(genes[None])
                found[metric.name] = Extreme(value, arch.as_dict(), label)
        return found


def _rows(
    context: JobContext,
    options: ProfileOptions,
    work: Work,
    scoring: Scoring,
    collected: Collected,
) -> Iterator[Row]:
    """The rows of which everything is known, in order."""
    done, total = 0, len(work.plans)
    for part in _parts(work, options):
        drawn = [(plan, genes, share) for plan, genes, share in part if scoring.known(genes)]
        if not drawn:
            continue
        together = scoring(np.concatenate([genes for _, genes, _ in drawn]))
        for number, (plan, genes, share) in enumerate(drawn):
            here = slice(number * options.num_archs, (number + 1) * options.num_archs)
            values = {name: found[here] for name, found in together.items()}
            yield _row(options, work, plan, share, values)
            if len(genes):
                collected.add(plan.label, genes, values)
        done += len(drawn)
        context.listener(Progress("row", done, total, part[-1][0].label))


_Drawn = tuple[RowPlan, Genes, float]


def _parts(work: Work, options: ProfileOptions) -> Iterator[list[_Drawn]]:
    """Neighbouring rows with their networks, so many that scoring them together pays."""
    most = min(max(TOGETHER // max(options.num_archs, 1), 1), 10 if options.exact else 10**6)
    part: list[_Drawn] = []
    drawn = work.drawing.networks(work.plans)
    for plan, (genes, share) in zip(work.plans, drawn, strict=True):
        part.append((plan, genes, share))
        if len(part) == most:
            yield part
            part = []
    if part:
        yield part


def _row(
    options: ProfileOptions,
    work: Work,
    plan: RowPlan,
    share: float,
    values: Mapping[str, Any],
) -> Row:
    chance = plan.forcing.chance(work.subject.supernet.space)
    exact: dict[str, Statistic] = {}
    if options.exact:
        exact = {name: closed.row(plan) for name, closed in work.closed.items()}
    known = options.num_archs > 0
    return Row(
        label=plan.label,
        forced=tuple(d.forced for d in plan.forcing.demands),
        image_size=plan.size,
        active=share if known else chance,
        sampled={n: sampled(v) for n, v in values.items()} if known else {},
        exact=exact,
        chance=chance,
    )


def _binds(work: Work) -> dict[str, tuple[Binding, ...]]:
    """Of each maximum, the places that hold it."""
    return {
        name: bindings(closed, work.catalogue.places)
        for name, closed in work.closed.items()
        if closed.is_maximum
    }
