"""One set of plugins: discovered one by one and guarded, asked by name.

A plugin that cannot be imported or raises in a hook is recorded with blame and takes nothing
else down; only a command that needs it stops. The host is a value that is made and passed on:
there is no global registry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pluggy
from attrs import define, evolve, field, frozen

from ofa_plugins_core import discovery
from ofa_plugins_core.blame import BUILTIN, Plugin, State
from ofa_plugins_core.entries import (
    ActuatorEntry,
    ClaimEntry,
    CostModelEntry,
    DeviceEntry,
    FittedPredictorEntry,
    JobEntry,
    LatencyPredictorEntry,
    MonitorEntry,
    PredictorEntry,
    RuntimePolicyEntry,
    SamplerEntry,
    SearcherEntry,
    SupernetEntry,
    SupernetFamilyEntry,
    TrainingPlanEntry,
)
from ofa_plugins_core.errors import OfaError, PluginError, UnknownNameError
from ofa_plugins_core.fits import user_fits, user_reductions
from ofa_plugins_core.handing import handed_out
from ofa_plugins_core.hookspecs import KIND_OF, KINDS, LABELS
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.reduction.data import Reduction

__all__ = ["BUILTIN", "Host", "Plugin", "State"]


@frozen(eq=False)
class Offer:
    """One record, as it is handed out, and the plugin that offers it."""

    plugin: Plugin
    entry: Any


@define(eq=False)
class Host:
    """A set of plugins. Make one with ``Host.discover()``.

    Attributes:
        plugins: every one that was found, with its state and what it offers.
    """

    plugins: list[Plugin] = field(factory=list)
    _registry: pluggy.PluginManager = field(factory=discovery.new_registry, repr=False)
    _offers: dict[str, dict[str, list[Offer]]] = field(
        factory=lambda: {kind: {} for kind in KINDS}, repr=False
    )
    _settings: Mapping[str, Mapping[str, Any]] = field(factory=dict, repr=False)
    _asked: set[str] = field(factory=set, repr=False)
    _extra: bool = False

    def __reduce__(self) -> tuple[Callable[..., Host], tuple[Any, ...]]:
        """A host travels to another process as how it was made: the plugins are found there anew.

        Raises:
            TypeError: some of its plugins are no installed package's.
        """
        if self._extra:
            raise TypeError("a host of plugins that are not installed cannot go to another process")
        blocked = tuple(p.name for p in self.plugins if p.state == "blocked")
        return _again, (blocked, {k: dict(v) for k, v in self._settings.items()})

    @classmethod
    def discover(
        cls,
        block: Iterable[str] = (),
        extra: Mapping[str, ModuleType] | None = None,
    ) -> Host:
        """Load the core's own plugin and every plugin that an installed package names.

        Args:
            block: names (or distributions) of plugins not even to import.
            extra: further modules by name, for tests.

        Raises:
            UnknownNameError: a blocked name is no plugin's.
        """
        found = list(discovery.candidates(extra or {}))
        host = cls([plugin for plugin, _ in found], extra=bool(extra))
        host._block(set(block))
        host._withdraw_twins()
        for plugin, loader in found:
            if plugin.state == "loaded":
                host._take(plugin, discovery.load(plugin, loader, host._registry))
        host._withdraw_contested()
        return host

    def _block(self, blocked: set[str]) -> None:
        for plugin in self.plugins:
            if blocked & {plugin.name, plugin.distribution}:
                plugin.fail("blocked on request", "blocked")
        known = {n for p in self.plugins for n in (p.name, p.distribution)}
        if blocked - known:
            raise UnknownNameError("plugin", min(blocked - known), [p.name for p in self.plugins])

    def _withdraw_twins(self) -> None:
        """Of two plugins of one name neither is imported: nothing could tell them apart."""
        names: dict[str, list[Plugin]] = {}
        for plugin in self.plugins:
            if plugin.state == "loaded":
                names.setdefault(plugin.name, []).append(plugin)
        for name, twins in names.items():
            if len(twins) > 1:
                who = " and ".join(f"{p.distribution} {p.version}" for p in twins)
                for plugin in twins:
                    plugin.fail(
                        f"several plugins are named {name!r}, of {who}: none is taken; "
                        "uninstall or block one of these distributions",
                        "conflict",
                    )

    def _take(self, plugin: Plugin, records: discovery.Records) -> None:
        for hook, entries in records.items():
            kind = KIND_OF[hook]
            for entry in entries:
                handed = handed_out(entry, LABELS[kind], plugin, self.plugins)
                self._offers[kind].setdefault(entry.name, []).append(Offer(plugin, handed))

    def _withdraw_contested(self) -> None:
        for kind, names in self._offers.items():
            for name, offers in names.items():
                if len(offers) > 1:
                    for plugin in {id(o.plugin): o.plugin for o in offers}.values():
                        plugin.contest(kind, name, _contested(kind, name, offers))

    def states(self) -> list[Plugin]:
        """Every plugin, with its final state and its offers."""
        return self.plugins

    def plugin(self, name: str) -> Plugin:
        """A plugin by name.

        Raises:
            UnknownNameError: none is named so.
        """
        for plugin in self.plugins:
            if plugin.name == name:
                return plugin
        raise UnknownNameError("plugin", name, [p.name for p in self.plugins])

    def entries(self, kind: str) -> list[Any]:
        """Every record of a kind (``supernets``, ``cost_models``, …) that is not in conflict."""
        if kind not in KINDS:
            raise UnknownNameError("kind", kind, KINDS)
        names = self._offers[kind]
        return [offers[0].entry for _, offers in sorted(names.items()) if len(offers) == 1]

    def owner(self, kind: str, name: str) -> Plugin:
        """The plugin that offers a name."""
        return self._found(kind, name).plugin

    def _find(self, kind: str, name: str) -> Any:
        return self._found(kind, name).entry

    def _found(self, kind: str, name: str) -> Offer:
        offers = self._offers[kind].get(name)
        if offers is None:
            raise self._absent(kind, name, self._offers[kind])
        if len(offers) > 1:
            raise PluginError(_contested(kind, name, offers), advice=_how_to_choose(offers))
        return offers[0]

    def _absent(self, kind: str, name: str, known: Iterable[str]) -> OfaError:
        """The error for a name that nothing offers: the user's mistake, or a failed plugin's.

        What a plugin would offer that failed on import nobody knows: a name that is like no known
        one, where no plugin is blocked, is taken for one of its.
        """
        names = list(known)
        out = [p for p in self.plugins if p.state in ("failed", "incompatible", "conflict")]
        out = [p for p in out if p.module is None]
        lost = [p for p in out if name in p.withdrawn.get(kind, ())]
        blocked = [p.name for p in self.plugins if p.state == "blocked"]
        reasons = "; ".join(str(p.error) for p in lost or out)
        if lost or (out and not blocked and not get_close_matches(name, names)):
            return PluginError(
                f"no {LABELS[kind]} {name!r}, and a plugin that may offer it takes no part: "
                f"{reasons}",
                advice=f"mend or uninstall the plugin; known: {', '.join(sorted(names)) or 'none'}",
            )
        error = UnknownNameError(LABELS[kind], name, names)
        if blocked:
            error.advice = f"blocked plugins: {', '.join(blocked)}"
        elif out:
            error.advice = f"plugins that take no part: {reasons}"
        return error

    def supernet(self, name: str) -> Supernet:
        """A supernet by name, by alias, or from a YAML file with a row of the user's own.

        A variant goes by its own name, too, as results call it: ``NAME+KEYVALUE``; so does a
        smaller space of it: ``NAME+REDUCTION``.

        Raises:
            UnknownNameError, PluginError, InputError.
        """
        if name.endswith((".yaml", ".yml")):
            from ofa_plugins_core.config import supernet_from_file

            return supernet_from_file(self, Path(name))
        base, *changes = [name] if self._names_one(name) else name.split("+")
        entry = self.supernet_entry(base)
        self._asked.add(entry.name)
        smaller = [change for change in changes if self._names_reduction(change)]
        supernet = self._varied(entry, [c for c in changes if c not in smaller])
        for change in smaller:
            from ofa_plugins_core.reduction.supernet import reduced

            supernet = reduced(supernet, self.reduction(change))
        return supernet

    def _names_one(self, name: str) -> bool:
        """Whether a supernet has this name or alias, a + in it or not."""
        names = self._offers["supernets"]
        return name in names or any(
            name in offer.entry.aliases for offers in names.values() for offer in offers
        )

    def _varied(self, entry: SupernetEntry, changes: Sequence[str]) -> Supernet:
        given = self._settings.get(entry.name, {})
        if not given and not changes:
            return entry.build()
        from ofa_plugins_core.config import named_options, structure

        smaller = sorted({*self._offers["reductions"], *user_reductions()})
        named = named_options(entry, changes, smaller)
        return entry.build(structure({**given, **named}, entry.options, entry.name))

    def supernet_entry(self, name: str) -> SupernetEntry:
        """A supernet's entry, by name or alias."""
        return cast(SupernetEntry, self._find("supernets", self._resolved(name)))

    def reduction(self, name: str) -> Reduction:
        """A smaller space by name: what the user installed comes first.

        Raises:
            UnknownNameError: nothing is named so.
            InputError: the installed file is broken.
        """
        if (file := user_reductions().get(name)) is not None:
            from ofa_plugins_core.config import reduction_from_file

            return evolve(reduction_from_file(file), name=name)
        return cast(Reduction, self._find("reductions", name).reduction)

    def _names_reduction(self, name: str) -> bool:
        return name in self._offers["reductions"] or name in user_reductions()

    def configured(self, settings: Mapping[str, Mapping[str, Any]]) -> Host:
        """The same plugins; a supernet that is asked for by name is built with these options.

        Args:
            settings: supernet, by name or alias -> its options, not structured yet.

        Raises:
            UnknownNameError, PluginError: there is no such supernet.
        """
        found: dict[str, dict[str, Any]] = {}
        for name, given in settings.items():
            found.setdefault(self.supernet_entry(name).name, {}).update(given)
        return evolve(self, settings=found, asked=set())

    def unused_settings(self) -> list[str]:
        """Supernets that are configured, but that nobody has asked for."""
        return sorted(set(self._settings) - self._asked)

    def _resolved(self, name: str) -> str:
        """The name that an alias stands for; names come before aliases."""
        names = self._offers["supernets"]
        if name in names:
            return name
        offers = [o for several in names.values() for o in several]
        found = [o for o in offers if name in o.entry.aliases]
        meant = sorted({o.entry.name for o in found})
        if not meant:
            aliases = (a for o in offers for a in o.entry.aliases)
            raise self._absent("supernets", name, [*names, *aliases])
        if len(meant) > 1:
            who = " and ".join(f"{o.entry.name!r} of {o.plugin.label}" for o in found)
            raise PluginError(
                f"the alias {name!r} stands for {who}", advice="ask for one of them by its name"
            )
        return str(meant[0])

    def family(self, name: str) -> SupernetFamilyEntry:
        """A kind of supernet for rows of users' own."""
        return cast(SupernetFamilyEntry, self._find("families", name))

    def cost_model(self, name: str) -> CostModelEntry:
        """A cost model's entry, by name or NAME@QUALIFIER."""
        return cast(CostModelEntry, self._find("cost_models", name.partition("@")[0]))

    def predictor(self, name: str) -> PredictorEntry:
        """A form of predictor."""
        return cast(PredictorEntry, self._find("predictors", name))

    def fitted(self, predictor: str, supernet: str) -> list[FittedPredictorEntry]:
        """What is fitted for a supernet, one entry a data set; the user's own come first."""
        shipped = [
            e
            for e in self.entries("fitted_predictors")
            if (e.predictor, e.supernet) == (predictor, supernet)
        ]
        own = {e.dataset: e for e in user_fits(predictor, supernet)}
        return [*own.values(), *(e for e in shipped if e.dataset not in own)]

    def latency_predictor(self, name: str) -> LatencyPredictorEntry:
        """A form of latency predictor."""
        return cast(LatencyPredictorEntry, self._find("latency_predictors", name))

    def searcher(self, name: str) -> SearcherEntry:
        """A searcher's entry."""
        return cast(SearcherEntry, self._find("searchers", name))

    def sampler(self, name: str) -> SamplerEntry:
        """A sampler's entry."""
        return cast(SamplerEntry, self._find("samplers", name))

    def runtime_policy(self, name: str) -> RuntimePolicyEntry:
        """A runtime policy's entry."""
        return cast(RuntimePolicyEntry, self._find("runtime_policies", name))

    def monitor(self, name: str) -> MonitorEntry:
        """A monitor's entry."""
        return cast(MonitorEntry, self._find("monitors", name))

    def actuator(self, name: str) -> ActuatorEntry:
        """An actuator's entry."""
        return cast(ActuatorEntry, self._find("actuators", name))

    def device(self, name: str) -> DeviceEntry:
        """A device's entry."""
        return cast(DeviceEntry, self._find("devices", name))

    def training_plan(self, name: str) -> TrainingPlanEntry:
        """A training plan's entry."""
        return cast(TrainingPlanEntry, self._find("training_plans", name))

    def claim(self, name: str) -> ClaimEntry:
        """A paper's claim by name."""
        return cast(ClaimEntry, self._find("claims", name))

    def job(self, name: str) -> JobEntry:
        """A job's entry."""
        return cast(JobEntry, self._find("jobs", name))


def _again(block: Iterable[str], settings: Mapping[str, Mapping[str, Any]]) -> Host:
    """A host made the same way."""
    return Host.discover(block).configured(settings)


def _contested(kind: str, name: str, offers: Sequence[Offer]) -> str:
    owners = list(dict.fromkeys(o.plugin.label for o in offers))
    label = LABELS[kind]
    if len(owners) == 1:
        return f"the {label} {name!r} is offered twice by {owners[0]}: neither offer is taken"
    return f"the {label} {name!r} is offered by {' and '.join(owners)}: neither offer is taken"


def _how_to_choose(offers: Sequence[Offer]) -> str:
    names = list(dict.fromkeys(o.plugin.name for o in offers))
    if len(names) == 1:
        return f"mend the plugin, or leave it out: --block {names[0]}"
    return "leave one of them out: " + " or ".join(f"--block {n}" for n in names)
