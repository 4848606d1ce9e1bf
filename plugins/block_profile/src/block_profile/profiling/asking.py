"""From the options of a profile to what is measured: metrics, models, image sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs
from attrs import evolve, frozen

from block_profile.profiling.options import EVALUATING, ProfileOptions
from block_profile.profiling.profile import Metric
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Event, Notice
from ofa_plugins_core.interfaces import CostModel, Predictor, Problem, Supernet
from ofa_plugins_core.jobs.asking import question_of
from ofa_plugins_core.jobs.options import SearchOptions
from ofa_plugins_core.scoring import ACCURACY

USUAL: Final = (ACCURACY, "flops")


@frozen(eq=False)
class Subject:
    """What is profiled.

    Attributes:
        supernet: over every image size that a row may have.
        sizes: image sizes that are drawn from, pixels.
        metrics: in the order of the user.
        costs: by name. predictor: of accuracy; None where it is not asked for, or evaluated.
        dataset: that the predictor speaks of.
    """

    supernet: Supernet
    sizes: tuple[int, ...]
    metrics: tuple[Metric, ...]
    costs: Mapping[str, CostModel]
    predictor: Predictor | None
    dataset: str | None = None

    @property
    def problem(self) -> Problem:
        """What can be scored together, as searchers have it."""
        return Problem(self.supernet, self.costs, self.predictor)


def asked_metrics(options: ProfileOptions) -> list[str]:
    """Names, each once.

    Raises:
        UsageError: a published index in place of a name, or nothing at all.
    """
    names = [n.strip() for text in options.metrics for n in text.split(",") if n.strip()]
    numbers = [n for n in names if n.isdigit()]
    if numbers:
        raise UsageError(
            f"--metrics {numbers[0]}: metrics go by name here, not by number",
            advice="for example --metrics accuracy,flops,latency@note10; ofa list costs shows all",
        )
    if not names and options.metrics:
        raise UsageError("--metrics names nothing", advice="leave it out for accuracy and flops")
    if not names:
        names = [ACCURACY] if options.cost else list(USUAL)
    return list(dict.fromkeys((*names, *options.cost)))


def subject_of(context: JobContext, options: ProfileOptions, extra: Sequence[int] = ()) -> Subject:
    """The supernet, its metrics and image sizes.

    Args:
        extra: image sizes that single rows ask for.

    Raises:
        UnknownNameError: there is no such supernet, or metric.
        UsageError: options that do not fit together.
    """
    _check(options)
    names = asked_metrics(options)
    evaluated = options.data is not None
    if evaluated and ACCURACY not in names:
        raise UsageError("--weights and --data evaluate accuracy: --metrics does not name it")
    found = _question(context, options, names, None)
    sizes = found.supernet.resolutions
    every = tuple(sorted({*sizes, *extra}))
    if every != sizes:
        found = _question(evolve(context, listener=_quiet), options, names, every)
        lost = sorted(set(every) - set(found.supernet.resolutions))
        if lost:
            raise UsageError(f"no table for the resolution {lost[0]}, which a block asks for")
    if found.predictor is None and not evaluated and ACCURACY in names:
        names.remove(ACCURACY)
        if not names or any(ACCURACY in text for text in options.metrics):
            raise UsageError(
                f"nothing predicts the accuracy of {options.supernet}",
                advice="ofa run fit makes a predictor; or evaluate: --weights FILE --data FOLDER; "
                "or leave accuracy out of --metrics",
            )
    asked = ACCURACY in names
    predictor = found.predictor if asked and not evaluated else None
    costs = {n: found.costs[n] for n in names if n != ACCURACY}
    metrics = tuple(_metric(n, costs, predictor, options) for n in names)
    dataset = getattr(predictor, "dataset", None)
    return Subject(found.supernet, sizes, metrics, costs, predictor, dataset)


def _check(options: ProfileOptions) -> None:
    if options.all and options.blocks:
        raise UsageError("--all and --blocks cannot both be given")
    if not options.num_archs and not options.exact:
        raise UsageError("--num-archs 0 draws nothing: it goes with --exact")
    if not 0 <= options.num_archs <= MOST:
        raise UsageError(f"--num-archs: expected 1 to {MOST:,}, found {options.num_archs:,}")
    if (options.data is None) != (options.weights is None):
        raise UsageError(
            "accuracy is evaluated with --weights and --data together; with neither it is predicted"
        )
    idle = [n for n in EVALUATING if options.data is None and getattr(options, n) != _usual(n)]
    if idle:
        raise UsageError(
            f"--{idle[0].replace('_', '-')} says how accuracy is evaluated, and nothing is",
            advice="--weights FILE --data FOLDER evaluate it",
        )


def _usual(name: str) -> object:
    return getattr(attrs.fields(ProfileOptions), name).default


MOST: Final = 100_000
"""Networks a row at most."""


def _quiet(event: Event) -> None:
    """All is said already."""


def _question(
    context: JobContext,
    options: ProfileOptions,
    names: Sequence[str],
    sizes: tuple[int, ...] | None,
) -> Problem:
    """As a search asks it: the same image sizes, tables and predictor by the same names."""
    costs = tuple(n for n in names if n != ACCURACY) or ("flops",)
    shared = {a.name: getattr(options, a.name) for a in _shared()}
    asked = SearchOptions(
        **{
            **shared,
            "cost": costs,
            "resolutions": sizes or options.resolutions,
            "minimize": costs[0],
        }
    )
    told = context
    if options.data is not None or ACCURACY not in names:
        told = evolve(context, listener=lambda event: _but_accuracy(context, event))
    return question_of(told, asked).problem


def _shared() -> list[attrs.Attribute]:  # type: ignore[type-arg]
    own = {a.name for a in attrs.fields(ProfileOptions)}
    ours = {"resolutions", "plot"}
    return [a for a in attrs.fields(SearchOptions) if a.name in own - ours]


def _but_accuracy(context: JobContext, event: Event) -> None:
    """Where accuracy is not predicted, nobody needs to know that it could not be."""
    if not (isinstance(event, Notice) and event.message.startswith("no accuracy:")):
        context.listener(event)


def _metric(
    name: str,
    costs: Mapping[str, CostModel],
    predictor: Predictor | None,
    options: ProfileOptions,
) -> Metric:
    if name != ACCURACY:
        model = costs[name]
        return Metric(name, model.unit, model.kind, model.source)
    if predictor is None:
        return Metric(name, "%", "measured", f"{options.weights} on {options.data}", "higher")
    return Metric(name, "%", "predicted", f"{predictor.name}, {predictor.source}", "higher")
