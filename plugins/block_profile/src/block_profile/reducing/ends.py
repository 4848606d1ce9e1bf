"""What a smaller space loses at its ends: the least cost, the best accuracy, before and after."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve, frozen

from block_profile.profiling.profile import Metric, Profile
from block_profile.reducing.options import ReduceOptions
from ofa_plugins_core.archive import reachable
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import OfaError
from ofa_plugins_core.events import Notice, silent
from ofa_plugins_core.interfaces import CostModel, Predictor, Problem, SeparableCost, Supernet
from ofa_plugins_core.jobs.choosing import cost_models, predictor_needed
from ofa_plugins_core.jobs.options import PricedOptions
from ofa_plugins_core.reduction.costs import whole_cost
from ofa_plugins_core.reduction.predictors import whole_predictor
from ofa_plugins_core.reduction.supernet import ReducedSupernet
from ofa_plugins_core.scoring import ACCURACY
from ofa_plugins_core.values import Constraint


@frozen(eq=False)
class Priced:
    """A profile's metrics, asked of the whole supernet anew, as far as they can be.

    Attributes:
        costs: name -> cost. predictor: of accuracy, or None.
        why: metric -> why it cannot be asked.
    """

    costs: dict[str, CostModel]
    predictor: Predictor | None
    why: dict[str, str]


@frozen
class End:
    """The better end of a metric, over all networks and all of the profile's image sizes; exact.

    Attributes:
        metric: whose. by: the predictor's name, of an accuracy.
        before, after: in the whole space, in the smaller one; in the metric's unit.
    """

    metric: Metric
    by: str | None
    before: float
    after: float

    @property
    def label(self) -> str:
        """``least peak_memory``, ``best accuracy by additive``."""
        side = "least" if self.metric.better == "lower" else "best"
        return f"{side} {self.metric.name}" + (f" by {self.by}" if self.by else "")


def priced(
    context: JobContext, options: ReduceOptions, profile: Profile, whole: Supernet
) -> Priced:
    """The metrics of a profile as costs and a predictor of its supernet.

    Args:
        whole: at the profile's image sizes.
    """
    quiet = evolve(context, listener=silent)
    asked = PricedOptions(supernet=whole.name, lut=options.lut)
    costs: dict[str, CostModel] = {}
    why: dict[str, str] = {}
    predictor = None
    for metric in profile.metrics:
        try:
            if metric.name == ACCURACY:
                predictor = predictor_needed(quiet, options, whole).predictor
            else:
                costs |= cost_models(quiet, asked, whole, [metric.name])
        except OfaError as error:
            why[metric.name] = error.message
    return Priced(costs, predictor, why)


def is_maximum(cost: CostModel | None, size: int) -> bool:
    """Whether a cost is known to be the maximum over places, as peak memory is."""
    return isinstance(cost, SeparableCost) and cost.separable(size).reduce == "max"


def ends_of(
    context: JobContext, known: Priced, metrics: Iterable[Metric], space: ReducedSupernet
) -> list[End]:
    """Both spaces' ends; of what is no sum or maximum of tables a notice says that it is not told.

    Args:
        space: at the profile's image sizes.
    """
    predictor = known.predictor
    whole = Problem(space.whole, known.costs, predictor)
    small = Problem(
        space,
        {n: whole_cost(c, space) for n, c in known.costs.items()},
        None if predictor is None else whole_predictor(predictor, space),
    )
    found = []
    for metric in metrics:
        bound = Constraint(metric.name, "<=" if metric.better == "lower" else ">=", 0.0)
        why = known.why.get(metric.name, "it is no sum or maximum of tables; see ofa run contest")
        if metric.name not in known.why:
            before, after = reachable(whole, bound), reachable(small, bound)
            if before is not None and after is not None:
                by = predictor.name if predictor and metric.name == ACCURACY else None
                found.append(End(metric, by, before, after))
                continue
        context.listener(Notice(f"the best {metric.name} before and after is not told: {why}"))
    return found
