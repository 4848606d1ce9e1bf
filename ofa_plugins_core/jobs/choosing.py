"""What a job works with, chosen by name from the plugins: costs, a predictor, a searcher."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import attrs
from attrs import evolve, frozen

from ofa_plugins_core.config import structure
from ofa_plugins_core.device_blame import Watched
from ofa_plugins_core.entries import (
    CostModelEntry,
    FittedPredictorEntry,
    JobContext,
    PredictorEntry,
    SamplerEntry,
)
from ofa_plugins_core.errors import MissingExtraError, UnknownNameError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.interfaces import (
    ClassedSupernet,
    CostModel,
    Device,
    Predictor,
    Problem,
    Sampler,
    Searcher,
    Supernet,
)
from ofa_plugins_core.jobs.options import PredictedOptions, PricedOptions
from ofa_plugins_core.structural import Structural

LATENCY = "latency"
DEFAULT_DEVICE = "cpu"
DEFAULT_PREDICTOR = "additive"
DEFAULT_DATASET = "imagenet"
AUTOMATIC = ("exact", "evolution", "nsga2", "random")
"""What ``auto`` tries, in this order."""


@runtime_checkable
class Noticing(Protocol, metaclass=Structural):
    """A cost model that has something to say about itself."""

    def notices(self) -> Iterable[Notice]:
        """For the user."""


def entry_options(context: JobContext, entry: Any, given: Mapping[str, Any] | None = None) -> Any:
    """An entry's options: what the job knows, under what the user set.

    Args:
        given: values of the job's own flags; those that the entry has no field for are left out.

    Raises:
        UsageError: an unknown key or a wrong type, with its path and the value found.
    """
    fields = {f.name for f in attrs.fields(entry.options) if f.init}
    known = {k: v for k, v in (given or {}).items() if k in fields and v is not None}
    return structure({**known, **context.settings.get(entry.name, {})}, entry.options, entry.name)


# ------------------------------------------------------------------------------- costs


def cost_models(
    context: JobContext, options: PricedOptions, supernet: Supernet, names: Iterable[str]
) -> dict[str, CostModel]:
    """The named costs of a supernet, in the order of the names.

    Raises:
        UnknownNameError: nothing offers one of them; with the nearest known names.
        UsageError: plain ``latency`` where several tables, or none, are given.
    """
    tables = latency_tables(options.lut)
    priced = priced_supernet(options, supernet)
    return {
        name: _cost_model(context, options, priced, name, tables) for name in dict.fromkeys(names)
    }


def priced_supernet(options: PricedOptions, supernet: Supernet) -> Supernet:
    """The supernet whose blocks are priced: as it is built, with as many classes, where asked for.

    Raises:
        UsageError: it cannot be priced for other classes.
    """
    priced = supernet.as_built() if options.as_built else supernet
    if options.classes is None:
        return priced
    if not isinstance(priced, ClassedSupernet):
        raise UsageError(f"{supernet.name} cannot be priced for another number of classes")
    return priced.with_classes(options.classes)


def _cost_model(
    context: JobContext,
    options: PricedOptions,
    supernet: Supernet,
    name: str,
    tables: Mapping[str, Path],
) -> CostModel:
    entry = context.host.cost_model(name)
    _, _, qualifier = name.partition("@")
    if qualifier and not entry.qualified:
        raise UsageError(f"the cost {entry.name!r} takes no @{qualifier}")
    if entry.name == LATENCY and not (options.measure and qualifier not in tables):
        from ofa_plugins_core.jobs.fitted_latency import fitted_latency, fitted_place

        if (fitted := fitted_place(tables, qualifier)) is not None:
            return fitted_latency(context, supernet, *fitted, options.lut_as)
    if entry.qualified and not qualifier and len(tables) == 1:
        qualifier = next(iter(tables))
    if entry.qualified and not qualifier and len(tables) > 1:
        known = " or ".join(f"{entry.name}@{t}" for t in tables)
        raise UsageError(f"which {entry.name}? several tables are given", advice=f"say {known}")
    given = {
        "qualifier": qualifier or None,
        "folder": tables.get(qualifier),
        "lut_as": None if options.lut_as is None else context.host.supernet(options.lut_as).name,
        "dtype": options.dtype,
    }
    if options.measure and entry.measured is not None and qualifier not in tables:
        return _measured_cost(context, options, supernet, entry, qualifier)
    if options.measure and entry.measured is not None:
        said = (
            f"{name} is read from its table, not measured: --cost {entry.name}@DEVICE is measured"
        )
        context.listener(Notice(said))
    if options.lut_as is not None and entry.qualified:
        supernet = supernet.priced_as(context.host.supernet(options.lut_as))
    return entry.build(supernet, entry_options(context, entry, given))


def _measured_cost(
    context: JobContext,
    options: PricedOptions,
    supernet: Supernet,
    entry: CostModelEntry,
    qualifier: str,
) -> CostModel:
    """A cost that is had by running networks on a device: the one of ``NAME@DEVICE``, or --device.

    Raises:
        UsageError: the two differ.
    """
    assert entry.measured is not None
    name = qualifier or options.device or DEFAULT_DEVICE
    if options.device not in (None, name):
        raise UsageError(
            f"where is {entry.name} to be measured: on {name}, or on --device {options.device}?"
        )
    given = {"qualifier": name, "batch": options.batch, "dtype": options.dtype}
    device = watched(context, name, device_of(context, name))
    own = entry_options(context, entry, given)
    return entry.measured(supernet.as_built(), own, device, context.listener)


def device_of(context: JobContext, name: str, given: Mapping[str, Any] | None = None) -> Device:
    """A device by name, with the user's options.

    Args:
        given: values of the job's own flags, by the device's option; None where not given.

    Raises:
        UnknownNameError: nothing offers it; with the nearest known names.
        UsageError: a flag is given that the device has no option for.
    """
    entry = context.host.device(name)
    options = {f.name for f in attrs.fields(entry.options) if f.init}
    for flag, value in (given or {}).items():
        if value is not None and flag not in options:
            raise UsageError(
                f"the device {name} has no {flag}: --{flag} {value} would do nothing",
                advice="--device NAME says where to measure; ofa list devices shows them",
            )
    return entry.build(entry_options(context, entry, given))


def watched(context: JobContext, name: str, device: Device) -> Device:
    """The device, with blame for what its plugin raises or wrongly gives."""
    owner = getattr(context.host, "owner", None)
    return Watched(device, name, None if owner is None else owner("devices", name))


def notices_of(costs: Mapping[str, CostModel]) -> list[Notice]:
    """What cost models have to say about themselves: flaws of a table."""
    found: list[Notice] = []
    for model in costs.values():
        if isinstance(model, Noticing):
            found += model.notices()
    return found


def latency_tables(given: Iterable[str]) -> dict[str, Path]:
    """``FOLDER`` or ``NAME=FOLDER`` -> name -> folder; a folder's own name is its name.

    Raises:
        UsageError: one name stands for two folders.
    """
    found: dict[str, Path] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        path = Path(folder if equals else text)
        label = name if equals else _folder(path).resolve().name
        if not label or not str(path) or found.get(label, path) != path:
            raise UsageError(
                f"cannot read --lut {text!r}: a name and a folder are due, each name once",
                advice="write --lut FOLDER or --lut NAME=FOLDER",
            )
        found[label] = path
    return found


def _folder(path: Path) -> Path:
    """A table of ours, or a fitted predictor, may be named by its file, too."""
    from ofa_plugins_core.own_tables import FILE, MODEL  # where no table is given, none is loaded

    return path.parent if path.name in (FILE, MODEL) else path


def resolve_cost(name: str, given: Iterable[str], known: Iterable[str]) -> str:
    """The cost that a bound is about: plain ``latency`` is the only ``latency@…`` there is.

    Raises:
        UnknownNameError: nothing is named so.
        UsageError: it could be several.
    """
    costs = list(given)
    if name in costs or name == "accuracy":
        return name
    meant = [c for c in costs if c.partition("@")[0] == name]
    if len(meant) > 1:
        raise UsageError(f"which {name}? {' and '.join(meant)} are given")
    names = list(known)
    if not meant and name.partition("@")[0] not in names:
        raise UnknownNameError("cost", name, [*names, "accuracy"])
    return meant[0] if meant else name


# ------------------------------------------------------------------------------- sampler


def sampler_of(
    context: JobContext,
    entry: SamplerEntry,
    supernet: Supernet,
    priced: PricedOptions,
    given: Mapping[str, Any] | None = None,
) -> Sampler:
    """A sampler, with the model of the cost that its options name, whoever offers it.

    Args:
        priced: how that cost is priced. given: values of the job's own flags.

    Raises:
        UnknownNameError: nothing offers the cost.
        UsageError: an option makes no sense.
    """
    options = entry_options(context, entry, given)
    if entry.cost is None:
        return entry.build(supernet, options)
    name = getattr(options, entry.cost)
    (model,) = cost_models(context, priced, supernet, [name]).values()
    return entry.build(supernet, options, model)


# ------------------------------------------------------------------------------- predictor


@frozen(eq=False)
class Chosen:
    """A predictor and the data set that it speaks of."""

    predictor: Predictor
    dataset: str | None


def predictor_of(
    context: JobContext, options: PredictedOptions, supernet: Supernet
) -> Chosen | None:
    """The predictor that the user named, or the default where it has a fit; None without one.

    Raises:
        UsageError: what was asked for by name is not there, or several data sets are.
    """
    asked = options.predictor or options.predictor_weights or options.dataset
    try:
        return predictor_needed(context, options, supernet)
    except UsageError as error:
        if asked:
            raise
        said = f"{error.message}; {error.advice}" if error.advice else error.message
        context.listener(Notice(f"no accuracy: {said}"))
        return None


def predictor_needed(context: JobContext, options: PredictedOptions, supernet: Supernet) -> Chosen:
    """The predictor that the user named, or the default.

    Raises:
        UsageError: there is none for the supernet; says how to get one.
    """
    if "ofa_plugins_core.reduction.supernet" in sys.modules:  # else there is no smaller space
        from ofa_plugins_core.reduction.predictors import whole_predictor
        from ofa_plugins_core.reduction.supernet import ReducedSupernet

        if isinstance(supernet, ReducedSupernet):
            chosen = predictor_needed(context, options, supernet.whole)
            return evolve(chosen, predictor=whole_predictor(chosen.predictor, supernet))
    name = options.predictor or _usual_form(context, options, supernet)
    entry = context.host.predictor(name)
    fit = _fit(context, options, name, supernet)
    predictor = entry.load(supernet, options.predictor_weights, fit)
    if context.settings.get(name):
        entry_options(context, entry)  # it has none: says so
    dataset = getattr(predictor, "dataset", None) or (fit.dataset if fit else None)
    if fit is not None and fit.own:
        context.listener(Notice(f"accuracies: {name} on {fit.dataset}, {fit.origin}"))
    return Chosen(predictor, dataset)


def _usual_form(context: JobContext, options: PredictedOptions, supernet: Supernet) -> str:
    """The default, unless the user has fitted another form for the supernet, and not that one."""
    if options.predictor_weights is not None:
        return DEFAULT_PREDICTOR
    offered: list[PredictorEntry] = context.host.entries("predictors")
    forms = [DEFAULT_PREDICTOR, *(e.name for e in offered)]
    for form in dict.fromkeys(forms):
        own = [f for f in context.host.fitted(form, supernet.name) if f.own]
        if any(options.dataset in (None, f.dataset) for f in own):
            return form
    return DEFAULT_PREDICTOR


def _fit(
    context: JobContext, options: PredictedOptions, name: str, supernet: Supernet
) -> FittedPredictorEntry | None:
    """The fit for a supernet: on the named data set, else what the user fitted, else what ships.

    Raises:
        UsageError: there are several to choose from.
    """
    if options.predictor_weights is not None:
        return None
    fits = {e.dataset: e for e in context.host.fitted(name, supernet.name)}
    if options.dataset is not None:
        if options.dataset not in fits:
            raise UnknownNameError(
                f"data set for {name} and {supernet.name}", options.dataset, fits
            )
        return fits[options.dataset]
    own = {dataset: e for dataset, e in fits.items() if e.own}
    if own:
        return _only(own, f"you fitted {name} for {supernet.name} on several data sets")
    if DEFAULT_DATASET in fits or not fits:
        return fits.get(DEFAULT_DATASET)
    return _only(fits, f"{name} was fitted for {supernet.name} on several data sets")


def _only(fits: Mapping[str, FittedPredictorEntry], several: str) -> FittedPredictorEntry:
    if len(fits) > 1:
        raise UsageError(f"{several}: {', '.join(fits)}", advice="name one: --dataset NAME")
    return next(iter(fits.values()))


# ------------------------------------------------------------------------------- searcher


@frozen(eq=False)
class Choice:
    """A searcher, why it is this one, and whether what it returns is proven."""

    name: str
    searcher: Searcher
    reason: str
    exact: bool = False


def searcher_of(context: JobContext, name: str, problem: Problem) -> Choice:
    """The named searcher, or the first that takes the problem: exact where that is possible.

    Raises:
        UsageError: the named one refuses, or none takes it.
    """
    if name != "auto":
        searcher, refusal = _asked(context, name, problem)
        if refusal is not None:
            raise UsageError(
                f"{name} cannot take this: {refusal}", advice="--searcher auto chooses"
            )
        return Choice(name, searcher, "asked for", context.host.searcher(name).exact)
    refusals: list[str] = []
    for candidate in AUTOMATIC:
        try:
            searcher, refusal = _asked(context, candidate, problem)
        except (UnknownNameError, MissingExtraError) as error:
            refusals.append(f"{candidate}: {error.message}")
            continue
        if refusal is None:
            reason = "; ".join(refusals) or "everything asked is separable"
            return Choice(candidate, searcher, reason, context.host.searcher(candidate).exact)
        refusals.append(f"{candidate}: {refusal}")
    raise UsageError(f"no searcher takes this: {'; '.join(refusals)}")


def _asked(context: JobContext, name: str, problem: Problem) -> tuple[Searcher, str | None]:
    entry = context.host.searcher(name)
    searcher = entry.build(entry_options(context, entry))
    return searcher, searcher.refuses(problem)
