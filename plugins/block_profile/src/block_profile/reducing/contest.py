"""The job ``ofa run contest``: the same search in a smaller space, the whole and a random one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import define, field

from block_profile.reducing.contest_result import ROLES, ContestResult, Found
from block_profile.reducing.options import CHANGEABLE, ContestOptions
from block_profile.reducing.spaces import Spaces, spaces_of
from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InfeasibleError, MissingExtraError, UnknownNameError, UsageError
from ofa_plugins_core.events import Notice, Progress, silent
from ofa_plugins_core.interfaces import Problem, Searcher
from ofa_plugins_core.jobs.choosing import entry_options, searcher_of
from ofa_plugins_core.jobs.resuming import begun
from ofa_plugins_core.journal import Journal
from ofa_plugins_core.scoring import Scorer

JOURNAL: Final = "contest.jsonl"
EXACT: Final = "exact"


def run_contest(context: JobContext, options: ContestOptions) -> ContestResult:
    """Search each space so many times, and compare.

    Raises:
        UsageError: names or options that do not fit together.
        InfeasibleError: the smaller space, or the whole one, has no network within the bounds.
        PluginError: a searcher, a cost or a predictor failed.
    """
    front = _is_front(options)
    spaces = spaces_of(context, options, front)
    _check(options, spaces, front)
    searcher = searcher_of(context, options.searcher, spaces.small).searcher
    run = _Run(context, options, spaces, searcher)
    interrupted = run.all()
    reference = (
        None if len(options.reference) != 2 else (options.reference[0], options.reference[1])
    )
    return ContestResult(
        run=context.out,
        small=spaces.reduced,
        searcher=options.searcher,
        front=front,
        costs={n: c.unit for n, c in spaces.small.costs.items()},
        named=None if spaces.named is None else spaces.named.supernet.name,
        found=run.found,
        exact=run.exact,
        asked=options.repeats,
        seed=context.seed,
        reference=reference,
        interrupted=interrupted,
    )


def _is_front(options: ContestOptions) -> bool:
    if options.goal is None:
        return bool(options.cost) and not options.constraint
    return options.goal == "pareto"


def _check(options: ContestOptions, spaces: Spaces, front: bool) -> None:
    if front and (not options.cost or len(spaces.small.costs) != 1):
        raise UsageError("a front of accuracy is compared against one cost: --cost NAME")
    if front and options.constraint:
        raise UsageError("--constraint is for --goal accuracy; a front has no bound")
    if options.reference and len(options.reference) != 2:
        raise UsageError(f"--reference: expected ACCURACY,COST, found {options.reference}")
    if options.reference and not front:
        raise UsageError("--reference is of a hypervolume: --goal pareto")


@define(eq=False)
class _Run:
    """All searches of a contest, each kept in a journal as it ends."""

    context: JobContext
    options: ContestOptions
    spaces: Spaces
    searcher: Searcher
    found: dict[tuple[str, int], Found] = field(factory=dict)
    exact: dict[tuple[str, int], Found] = field(factory=dict)
    _provable: bool = True

    def all(self) -> bool:
        """Every repeat in every space; whether the user stopped it."""
        path: Path | None = None if self.context.out is None else self.context.out / JOURNAL
        request = {**plain(self.options), "seed": self.context.seed}
        journal = Journal(
            path,
            {k: v for k, v in request.items() if k not in CHANGEABLE},
            self.context.resume,
            lambda: begun(self.context),
            "searching",
        )
        total = self.options.repeats * len(ROLES)
        try:
            self._read(journal)
            for repeat in range(self.options.repeats):
                for role in ROLES:
                    if (role, repeat) not in self.found:
                        journal.add(self._searched(role, repeat))
                    done = repeat * len(ROLES) + ROLES.index(role) + 1
                    self.context.listener(Progress("search", done, total, role))
        except KeyboardInterrupt:
            return True
        finally:
            journal.close()
        return False

    def _read(self, journal: Journal) -> None:
        for number, line in journal.found:
            try:
                key = (str(line["role"]), int(line["repeat"]))
                self.found[key] = Found.read(line["found"])
                if line["exact"] is not None:
                    self.exact[key] = Found.read(line["exact"])
            except (KeyError, TypeError, ValueError) as error:
                raise journal.broken(number) from error
        there = max((n + 1 for _, n in self.found), default=0)
        if there > self.options.repeats:
            raise UsageError(
                f"this contest has {there} repeats already, more than --repeats "
                f"{self.options.repeats}",
                advice=f"--repeats {there} or more, or another --out",
            )

    def _searched(self, role: str, repeat: int) -> Mapping[str, Any]:
        """One search, and what is proven of its space, as a line of the journal."""
        key = (role, repeat)
        seeds = [self.context.seed, repeat, ROLES.index(role)]
        generator = np.random.Generator(np.random.PCG64(seeds))
        problem = self._problem(role, generator)
        try:
            self.found[key] = searched(problem, self.searcher, generator)
        except InfeasibleError:
            if role != "control":
                raise
            self.found[key] = Found((), 0)
        if repeat == 0 or (role == "control" and self.spaces.named is None):
            self._prove(key, problem)
        proven = self.exact.get(key)
        return {
            "role": role,
            "repeat": repeat,
            "found": self.found[key].as_dict(),
            "exact": None if proven is None else proven.as_dict(),
        }

    def _problem(self, role: str, generator: np.random.Generator) -> Problem:
        if role == "control":
            return self.spaces.control(generator)
        return self.spaces.small if role == "reduced" else self.spaces.whole

    def _prove(self, key: tuple[str, int], problem: Problem) -> None:
        """What the exact searcher finds, where it takes the problem."""
        if not self._provable:
            return
        try:
            entry = self.context.host.searcher(EXACT)
            searcher = entry.build(entry_options(self.context, entry))
            refusal = searcher.refuses(problem)
        except (UnknownNameError, MissingExtraError) as error:
            refusal = error.message
        if refusal is not None:
            self._provable = False
            self.context.listener(Notice(f"what is best in a space is not proven: {refusal}"))
            return
        try:
            self.exact[key] = searched(problem, searcher, np.random.default_rng(0))
        except InfeasibleError:
            self.exact[key] = Found((), 0)


def searched(problem: Problem, searcher: Searcher, generator: np.random.Generator) -> Found:
    """One search's points: a front's, or the best one.

    Raises:
        InfeasibleError: no network meets the bounds.
        KeyboardInterrupt: the user stopped it; it is done anew when resumed.
    """
    found = searcher.search(problem, generator, silent)
    if found.interrupted:
        raise KeyboardInterrupt
    scores = Scorer(problem)(found.genes)
    first = next(iter(problem.costs))
    assert scores.accuracy is not None
    pairs = zip(scores.accuracy.tolist(), scores.of(first).tolist(), strict=True)
    return Found(tuple((float(a), float(c)) for a, c in pairs), found.evaluations)
