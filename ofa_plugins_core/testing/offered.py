"""What a plugin offers, made ready for the laws: each offer, its laws, and what they stand on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import chain
from typing import Any, Final, TypeAlias

from attrs import frozen

from ofa_plugins_core.blame import BUILTIN, Plugin
from ofa_plugins_core.config import structure
from ofa_plugins_core.entries import FittedPredictorEntry, JobContext
from ofa_plugins_core.errors import OfaError, PluginError, UnknownNameError, UsageError
from ofa_plugins_core.host import Host
from ofa_plugins_core.interfaces import BuildableSupernet, Predictor, Supernet
from ofa_plugins_core.network_blame import built
from ofa_plugins_core.reduction.supernet import reduced
from ofa_plugins_core.testing import fresh, laws, toys
from ofa_plugins_core.testing.laws import (
    claim,
    cost,
    device,
    elastic,
    job,
    latency,
    monitor,
    plan,
    policy,
    predictor,
    reduction,
    sampler,
    searcher,
    supernet,
)
from ofa_plugins_core.testing.laws import plugin as plugin_laws

Tested: TypeAlias = tuple[Any, Any]
"""A subject, and what it stands on."""
Subjects: TypeAlias = Callable[[Host, Plugin, str], Iterator[Tested]]

ELASTIC: Final = "elastic networks"
"""What a supernet builds in torch."""
PRICED: Final = "core's costs on"
"""The core's own costs on a supernet."""
CLASSES: Final = 10


@frozen(eq=False)
class Trial:
    """An offer and the laws that it has to keep.

    Attributes:
        kind: of the offer, for example ``cost_models``.
        name: of the offer.
        laws: tried on each subject.
        subjects: makes what is tried; may raise, which says that the offer cannot be made.
    """

    kind: str
    name: str
    laws: tuple[laws.Law, ...]
    subjects: Callable[[], Iterator[Tested]]


def trials(host: Host, plugin: Plugin) -> list[Trial]:
    """The plugin as a whole, then everything that it offers, in its order; nothing is made yet."""
    found = [Trial("plugin", plugin.name, plugin_laws.LAWS, lambda: _whole(plugin))]
    for kind, names in plugin.offers.items():
        for name in names if kind in LAWS else ():
            found.append(_trial(host, plugin, kind, name))
            if kind == "supernets":
                found += (_trial(host, plugin, k, name) for k in (ELASTIC, PRICED))
    return found


def _trial(host: Host, plugin: Plugin, kind: str, name: str) -> Trial:
    return Trial(kind, name, LAWS[kind], lambda: _SUBJECTS[kind](host, plugin, name))


def _whole(plugin: Plugin) -> Iterator[Tested]:
    yield fresh.seen(plugin.name), plugin.offers


def _grounds(host: Host, plugin: Plugin) -> Iterator[Supernet]:
    """The toy, and the plugin's own supernets."""
    yield toys.toy_supernet()
    for name in plugin.offers.get("supernets", ()):
        yield host.supernet(name)


def _elastic(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    ground = host.supernet(name)
    if not isinstance(ground, BuildableSupernet):
        raise laws.NotApplicableError("it has no build(), so it has no network in torch")
    if find_spec("torch") is None:
        raise laws.NotApplicableError("torch is not installed")
    import torch

    fork: Any = torch.random.fork_rng
    with fork(devices=[]):  # fresh weights are drawn as torch's seed has it
        net = built(host, ground, CLASSES)
    yield net, ground


def _priced(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    """The core's own costs on a supernet."""
    ground = host.supernet(name)
    for entry in host.plugin(BUILTIN).offers["cost_models"]:
        if not host.cost_model(entry).qualified:
            yield host.cost_model(entry).build(ground), ground


def _supernet(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    yield host.supernet(name), None


def _reduction(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    """On the toy and the first other supernet, of those that have what it drops."""
    mine = plugin.offers.get("supernets", ())
    others = sorted(host.entries("supernets"), key=lambda entry: entry.name not in mine)
    found, refusals = False, []
    wholes = chain([toys.toy_supernet()], (host.supernet(entry.name) for entry in others))
    for whole in wholes:
        try:
            small = reduced(whole, host.reduction(name))
        except UsageError as error:
            refusals.append(error.message)
            continue
        yield small, whole
        found = True
        if not isinstance(whole, toys.ToySupernet):
            return
    if not found:
        raise laws.NotApplicableError(f"no supernet here has what it drops: {refusals[-1]}")


def _sampler(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    for ground in _grounds(host, plugin):
        yield host.sampler(name).build(ground), ground


def _cost(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    if host.cost_model(name).qualified:
        raise laws.NotApplicableError(f"it is asked for as {name}@QUALIFIER")
    for ground in _grounds(host, plugin):
        yield host.cost_model(name).build(ground), ground


def _predictor(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    fitted = [e for e in host.entries("fitted_predictors") if e.predictor == name]
    mine = [e for e in fitted if e.name in plugin.offers.get("fitted_predictors", ())]
    if not fitted:
        yield _unfitted(host, name), toys.toy_supernet()
    for entry in mine or fitted[:1]:
        yield from _loaded(host, entry)


def _unfitted(host: Host, name: str) -> Predictor:
    """A form that no file was fitted for: on the toy, where it needs none.

    Raises:
        NotApplicableError: it needs one, and says so. PluginError: it raises something else.
    """
    try:
        return host.predictor(name).load(toys.toy_supernet(), None, None)
    except PluginError:
        raise
    except OfaError as error:
        raise laws.NotApplicableError(
            f"no plugin ships a fitted one to try; without one: {error.message}"
        ) from None


def _fitted(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    for entry in host.entries("fitted_predictors"):
        if entry.name == name:
            yield from _loaded(host, entry)


def _loaded(host: Host, entry: FittedPredictorEntry) -> Iterator[Tested]:
    try:
        ground, form = host.supernet(entry.supernet), host.predictor(entry.predictor)
    except UnknownNameError as error:
        raise laws.NotApplicableError(error.message) from None
    yield form.load(ground, None, entry), ground


def _latency_predictor(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    ground, entry = toys.toy_supernet(), host.latency_predictor(name)
    yield latency.trial_of(entry, ground, structure(entry.trial, entry.options)), ground


def _searcher(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    entry = host.searcher(name)
    yield entry.build(structure(entry.trial, entry.options)), toys.toy_problem()


def _policy(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    yield host.runtime_policy(name).build(), toys.TOY_LEVELS


def _monitor(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    yield host.monitor(name).build(), None


def _actuator(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    yield host.actuator(name).build(), None


def _device(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    yield host.device(name).build(), toys.toy_supernet()


def _plan(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    for ground in _grounds(host, plugin):
        yield host.training_plan(name).build(ground), ground


def _job(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    yield host.job(name), None


def _claim(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    yield claim.Asked(host.claim(name), JobContext(host)), None


_SUBJECTS: Final[dict[str, Subjects]] = {
    "supernets": _supernet,
    ELASTIC: _elastic,
    PRICED: _priced,
    "reductions": _reduction,
    "samplers": _sampler,
    "cost_models": _cost,
    "predictors": _predictor,
    "fitted_predictors": _fitted,
    "latency_predictors": _latency_predictor,
    "searchers": _searcher,
    "runtime_policies": _policy,
    "monitors": _monitor,
    "actuators": _actuator,
    "devices": _device,
    "training_plans": _plan,
    "claims": _claim,
    "jobs": _job,
}

LAWS: Final[dict[str, tuple[laws.Law, ...]]] = {
    "supernets": supernet.LAWS,
    ELASTIC: elastic.LAWS,
    PRICED: (cost.batch_equals_single, cost.numbers_are_finite, cost.tables_equal_evaluate),
    "reductions": reduction.LAWS,
    "samplers": sampler.LAWS,
    "cost_models": cost.LAWS,
    "predictors": predictor.LAWS,
    "fitted_predictors": predictor.LAWS,
    "latency_predictors": latency.LAWS,
    "searchers": searcher.LAWS,
    "runtime_policies": policy.LAWS,
    "monitors": monitor.MONITORS,
    "actuators": monitor.ACTUATORS,
    "devices": device.LAWS,
    "training_plans": plan.LAWS,
    "claims": claim.LAWS,
    "jobs": job.LAWS,
}
"""Kind -> what has to hold for its offers."""

FIRST: Final[frozenset[laws.Law]] = frozenset(
    {
        cost.asks_nothing_twice,
        elastic.fills_the_protocols,
        latency.same_task_same_fit,
        policy.decides_purely,
        predictor.asks_nothing_twice,
        sampler.same_generator_same_draw,
        searcher.same_generator_same_answer,
        searcher.finds_networks_of_the_space,
    }
)
"""Laws that others take for granted: where one is broken, what those say would mislead."""
