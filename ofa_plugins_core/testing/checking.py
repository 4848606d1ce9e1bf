"""The laws run on what an installed plugin offers: ``ofa plugins check``. Needs no pytest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from attrs import asdict, frozen

from ofa_plugins_core.blame import Plugin, shown
from ofa_plugins_core.entries import FittedPredictorEntry, JobEntry
from ofa_plugins_core.errors import OfaError, PluginError, UnknownNameError, UsageError
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.host import Host
from ofa_plugins_core.interfaces import BuildableSupernet, Supernet
from ofa_plugins_core.network_blame import built
from ofa_plugins_core.reduction.supernet import reduced
from ofa_plugins_core.testing import laws, toys
from ofa_plugins_core.testing.laws import (
    cost,
    device,
    elastic,
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

Outcome: TypeAlias = Literal["holds", "broken", "does not apply"]
Tested: TypeAlias = tuple[Any, Any]
"""A subject, and what it stands on."""

SEED: Final = 20


@frozen
class Finding:
    """What one law says about one offer.

    Attributes:
        kind: of the offer, for example ``cost_models``.
        name: of the offer.
        law: as a sentence.
        outcome: holds, broken, or does not apply.
        message: what is wrong, or why it does not apply.
    """

    kind: str
    name: str
    law: str
    outcome: Outcome
    message: str = ""

    def as_dict(self) -> dict[str, str]:
        """JSON form."""
        return asdict(self)


def check(host: Host, name: str, listener: Listener = silent) -> list[Finding]:
    """Try every law on everything that a plugin offers.

    Raises:
        UnknownNameError: there is no such plugin.
        UsageError: it is blocked.
        PluginError: it takes no part, with blame.
    """
    plugin = host.plugin(name)
    if plugin.state == "blocked":
        raise UsageError(f"the plugin {name!r} is blocked")
    if plugin.module is None:
        raise PluginError(str(plugin.error))
    found = [
        Finding(kind, offer, "Its name is offered once.", "broken", str(plugin.error))
        for kind, offers in plugin.withdrawn.items()
        for offer in offers
    ]
    offered = [(kind, offer) for kind, names in plugin.offers.items() for offer in names]
    for done, (kind, offer) in enumerate(offered):
        listener(Progress("offer", done, len(offered), offer))
        found += _findings(host, plugin, kind, offer)
        if kind == "supernets":
            found += _elastic_findings(host, offer)
    return found


def _findings(host: Host, plugin: Plugin, kind: str, name: str) -> Iterator[Finding]:
    """Build an offer, and try its laws on it."""
    if kind not in _SUBJECTS:
        return
    made = "It can be built."
    try:
        subjects = list(_SUBJECTS[kind](host, plugin, name))
    except laws.NotApplicableError as reason:
        yield Finding(kind, name, made, "does not apply", str(reason))
        return
    except (PluginError, laws.LawBrokenError) as error:
        yield Finding(kind, name, made, "broken", str(error))
        return
    except OfaError as error:  # it needs an option, a file or an extra of the user's
        yield Finding(kind, name, made, "does not apply", error.message)
        return
    yield Finding(kind, name, made, "holds")
    for law in _LAWS.get(kind, ()):
        yield _tried(kind, name, law, subjects)


def _elastic_findings(host: Host, name: str) -> Iterator[Finding]:
    """The laws of elastic networks on the one that a supernet builds, where torch is there."""
    try:
        ground = host.supernet(name)
        if not isinstance(ground, BuildableSupernet) or find_spec("torch") is None:
            return
        subjects = [(built(host, ground, 10), ground)]
    except (OfaError, laws.LawBrokenError) as error:
        yield Finding("elastic networks", name, "It can be built in torch.", "broken", str(error))
        return
    for law in elastic.LIGHT:
        yield _tried("elastic networks", name, law, subjects)


def _tried(kind: str, name: str, law: laws.Law, subjects: Sequence[Tested]) -> Finding:
    """A law on everything that an offer gives; it applies where it applies to any."""
    reasons = []
    for subject, ground in subjects:
        try:
            law(subject, ground, np.random.default_rng(SEED))
        except laws.NotApplicableError as reason:
            reasons.append(str(reason))
        except laws.LawBrokenError as error:
            return Finding(kind, name, laws.title(law), "broken", str(error))
        except Exception as error:  # whatever it raises where it should answer
            return Finding(kind, name, laws.title(law), "broken", f"raised {shown(error)}")
    if subjects and len(reasons) == len(subjects):
        return Finding(kind, name, laws.title(law), "does not apply", reasons[0])
    return Finding(kind, name, laws.title(law), "holds")


def _grounds(host: Host, plugin: Plugin) -> Iterator[Supernet]:
    """The toy, and the plugin's own supernets."""
    yield toys.toy_supernet()
    for name in plugin.offers.get("supernets", ()):
        yield host.supernet(name)


def _supernet(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    yield host.supernet(name), None


def _reduction(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    """On every supernet that has what it drops."""
    wholes = [toys.toy_supernet(), *(host.supernet(e.name) for e in host.entries("supernets"))]
    found, refusals = False, []
    for whole in wholes:
        try:
            small = reduced(whole, host.reduction(name))
        except UsageError as error:
            refusals.append(error.message)
            continue
        found = True
        yield small, whole
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
        raise laws.NotApplicableError("no plugin ships a fitted one to try")
    for entry in mine or fitted[:1]:
        yield from _loaded(host, entry)


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
    ground = toys.toy_supernet()
    yield latency.trial_of(host.latency_predictor(name), ground), ground


def _searcher(host: Host, plugin: Plugin, name: str) -> Iterator[Tested]:
    yield host.searcher(name).build(), toys.toy_problem()


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


def says_how_it_is_called(entry: JobEntry, _: Any, generator: np.random.Generator) -> None:
    """It has a summary, and an example that calls it."""
    laws.demand(entry.summary.strip(), "it has no summary")
    laws.demand(
        f"run {entry.name}" in entry.example, f"its example {entry.example!r} does not call it"
    )


def draws_a_folder(entry: JobEntry, _: Any, generator: np.random.Generator) -> None:
    """Its draw takes the folder of a run, and nothing else that it needs."""
    if entry.draw is None:
        raise laws.NotApplicableError("it draws nothing")
    laws.demand(callable(entry.draw), f"its draw is {entry.draw!r:.80}: it cannot be called")
    try:
        signature(entry.draw).bind(Path())
    except TypeError as error:
        raise laws.LawBrokenError(f"draw(folder) cannot be called: {error}") from None
    except ValueError:  # a built-in that does not say what it takes
        return


_SUBJECTS: Final[dict[str, Callable[[Host, Plugin, str], Iterator[Tested]]]] = {
    "supernets": _supernet,
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
    "jobs": _job,
}

_LAWS: Final[dict[str, tuple[laws.Law, ...]]] = {
    "supernets": supernet.LAWS,
    "reductions": reduction.LAWS,
    "samplers": sampler.LAWS,
    "cost_models": cost.LAWS,
    "predictors": predictor.LAWS,
    "fitted_predictors": predictor.LAWS,
    "latency_predictors": latency.LAWS,
    "searchers": searcher.LIGHT,
    "runtime_policies": policy.LAWS,
    "monitors": monitor.MONITORS,
    "actuators": monitor.ACTUATORS,
    "devices": device.LAWS,
    "training_plans": plan.LAWS,
    "jobs": (says_how_it_is_called, draws_a_folder),
}
