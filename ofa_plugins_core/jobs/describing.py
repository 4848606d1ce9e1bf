"""Networks that were found, with their predicted accuracies and their costs."""

from __future__ import annotations

from collections.abc import Sequence

from ofa_plugins_core.interfaces import Predictions, Predictor, Problem, RecordSupport
from ofa_plugins_core.jobs.results import Item
from ofa_plugins_core.pricing import measurements
from ofa_plugins_core.values import Constraint, Genes, Measurement


def described(problem: Problem, genes: Genes, constraints: Sequence[Constraint] = ()) -> list[Item]:
    """(n, genes) of the problem's space -> n items.

    Args:
        constraints: under which they were found: the records that support each are counted under
            its bounds on costs, or at most at its own first cost where there are none.
    """
    if not len(genes):
        return []
    costs = {n: measurements(m, genes) for n, m in problem.costs.items()}
    predicted = None if problem.predictor is None else problem.predictor.predict(genes)
    bounds = [c for c in constraints if c.name != "accuracy"]
    items = []
    for row, arch in enumerate(problem.supernet.space.decode(genes)):
        found = {name: column[row] for name, column in costs.items()}
        around = bounds or [Constraint(n, "<=", m.value) for n, m in list(found.items())[:1]]
        items.append(
            Item(
                arch,
                _accuracy(predicted, row),
                found,
                None if predicted is None else bool(predicted.extrapolated[row]),
                _support(problem.predictor, arch.image_size, around),
            )
        )
    return items


def _accuracy(predicted: Predictions | None, row: int) -> Measurement | None:
    if predicted is None:
        return None
    value, low, high = (float(v[row]) for v in (predicted.value, predicted.low, predicted.high))
    return Measurement(value, "%", "predicted", None, low, high)


def _support(predictor: Predictor | None, size: int, bounds: Sequence[Constraint]) -> int | None:
    if not isinstance(predictor, RecordSupport):
        return None
    return predictor.support(size, bounds)
