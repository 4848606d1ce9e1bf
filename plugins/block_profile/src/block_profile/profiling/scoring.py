"""What networks are worth: together where tables and predictors allow it, else one by one.

What is slow is asked of each distinct network once, in the order of the rows, and written down as
it comes: an interrupted run goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from attrs import evolve, field, frozen
from numpy.typing import NDArray

from block_profile.profiling.asking import Subject
from ofa_plugins_core.errors import PluginError
from ofa_plugins_core.events import Listener, Progress
from ofa_plugins_core.interfaces import CostModel, SeparableCost
from ofa_plugins_core.journal import Journal
from ofa_plugins_core.scoring import ACCURACY, Scorer
from ofa_plugins_core.values import Arch, Genes

JOURNAL: Final = "networks.jsonl"

Evaluate: TypeAlias = Callable[[Sequence[Arch]], Mapping[int, float]]
"""Networks -> top-1 in percent of each by its number; some are missing if interrupted."""


@frozen(eq=False)
class Slow:
    """Metrics that are known network by network.

    Attributes:
        costs: that are no tables. accuracy: evaluates, or None where it is predicted.
        known: metric -> network -> value.
    """

    costs: Mapping[str, CostModel]
    accuracy: Evaluate | None
    known: dict[str, dict[bytes, float]] = field(factory=dict)

    @property
    def names(self) -> list[str]:
        """Of the metrics."""
        return [*self.costs, *([ACCURACY] if self.accuracy else [])]


def slow_of(subject: Subject, accuracy: Evaluate | None) -> Slow:
    """What cannot be scored together."""
    costs = {n: c for n, c in subject.costs.items() if not isinstance(c, SeparableCost)}
    found = Slow(costs, accuracy)
    for name in found.names:
        found.known[name] = {}
    return found


def find_out(
    subject: Subject, slow: Slow, genes: Iterable[Genes], journal: Journal, listener: Listener
) -> bool:
    """Ask about every network once; False if interrupted, which loses nothing that was found.

    Args:
        genes: (n, genes) of each row, canonical.

    Raises:
        OfaError: as the cost or the evaluation raised it; a journal of something else.
    """
    if not slow.names:
        return True
    rows = list(dict.fromkeys(row.tobytes() for part in genes for row in part))
    _read(subject, slow, journal)
    try:
        for name in slow.costs:
            _priced(subject, slow, name, rows, journal, listener)
        return slow.accuracy is None or _evaluated(subject, slow, rows)
    except KeyboardInterrupt:
        return False
    finally:
        journal.close()


def _read(subject: Subject, slow: Slow, journal: Journal) -> None:
    space = subject.supernet.space
    for number, line in journal.found:
        try:
            row = space.encode([line["arch"]])[0].tobytes()
            slow.known[line["metric"]][row] = float(line["value"])
        except (KeyError, TypeError, ValueError) as error:
            raise journal.broken(number) from error


def _priced(
    subject: Subject,
    slow: Slow,
    name: str,
    rows: Sequence[bytes],
    journal: Journal,
    listener: Listener,
) -> None:
    known, model, total = slow.known[name], slow.costs[name], len(rows)
    left = [row for row in rows if row not in known]
    share = 1 if model.kind == "measured" else 256
    for start in range(0, len(left), share):
        part = left[start : start + share]
        archs = _archs(subject, part)
        values = np.asarray(model.evaluate(archs), dtype=float)
        if values.shape != (len(part),) or not np.isfinite(values).all():
            raise PluginError(f"cost {name!r}: evaluate() gave no finite number an architecture")
        for row, arch, value in zip(part, archs, values.tolist(), strict=True):
            known[row] = value
            journal.add({"metric": name, "arch": arch.as_dict(), "value": value})
        reading = f"{name} {values[-1]:.4g} {model.unit}"
        listener(Progress("network", total - len(left) + start + len(part), total, reading))


def _evaluated(subject: Subject, slow: Slow, rows: Sequence[bytes]) -> bool:
    """Whether all are known now."""
    assert slow.accuracy is not None
    found = slow.accuracy(_archs(subject, rows))
    slow.known[ACCURACY].update((rows[number], value) for number, value in found.items())
    return len(found) == len(rows)


def _archs(subject: Subject, rows: Sequence[bytes]) -> list[Arch]:
    if not rows:
        return []
    genes = np.stack([np.frombuffer(row, dtype=np.uint8) for row in rows])
    return subject.supernet.space.decode(genes)


@frozen(eq=False, slots=False)
class Scoring:
    """Values of every metric for networks of any row.

    Attributes:
        subject: what is profiled. slow: metrics that were found out before.
    """

    subject: Subject
    slow: Slow
    _scorer: Scorer = field(init=False)

    @_scorer.default
    def _together(self) -> Scorer:
        problem = self.subject.problem
        costs = {n: c for n, c in problem.costs.items() if n not in self.slow.costs}
        return Scorer(evolve(problem, costs=costs))

    def known(self, genes: Genes) -> bool:
        """Whether every slow metric of every network is known."""
        rows = [row.tobytes() for row in genes]
        return all(row in found for found in self.slow.known.values() for row in rows)

    def __call__(self, genes: Genes) -> dict[str, NDArray[np.float64]]:
        """(n, genes), canonical -> metric -> (n,) values."""
        scores, found = self._scorer(genes), dict[str, NDArray[Any]]()
        for metric in self.subject.metrics:
            name = metric.name
            if name in self.slow.known:
                known = self.slow.known[name]
                found[name] = np.array([known[row.tobytes()] for row in genes])
            else:
                found[name] = np.asarray(scores.of(name), dtype=float)
        return found
