"""One set of plugins: discovered one by one and guarded, asked by name.

A plugin that cannot be imported or raises in a hook is recorded with blame and takes nothing
else down; only a command that needs it stops. The host is a value that is made and passed on:
there is no global registry.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal, TypeVar, cast

import pluggy
from attrs import define, field, frozen

from ofa_plugins_core import hookspecs
from ofa_plugins_core.entries import (
    CostModelEntry,
    DeviceEntry,
    FittedPredictorEntry,
    JobEntry,
    PredictorEntry,
    RuntimePolicyEntry,
    SamplerEntry,
    SearcherEntry,
    SupernetEntry,
    SupernetFamilyEntry,
)
from ofa_plugins_core.errors import OfaError, PluginError, UnknownNameError, UsageError
from ofa_plugins_core.hookspecs import API_VERSION, ENTRY_POINT_GROUP, HOOKS, KINDS, PROJECT
from ofa_plugins_core.interfaces import Supernet

State = Literal["loaded", "blocked", "failed", "incompatible", "conflict"]
BUILTIN: Final = "builtin"
CORE_DISTRIBUTION: Final = "ofa-plugins-core"
T = TypeVar("T")


@define
class Plugin:
    """What became of one plugin.

    Attributes:
        name: of its entry point.
        distribution, version: of the package that brought it.
        state: loaded, blocked, failed, incompatible or conflict.
        error: with blame, where it is not loaded.
        offers: kind -> names that it offers.
    """

    name: str
    distribution: str
    version: str
    state: State = "loaded"
    error: str | None = None
    module: ModuleType | None = None
    offers: dict[str, list[str]] = field(factory=dict)

    @property
    def label(self) -> str:
        """For messages: ``plugin 'moofa' 0.1.0``."""
        return f"plugin {self.name!r} {self.version}"

    def fail(self, error: str, state: State = "failed") -> None:
        """Record why it takes no part."""
        self.state, self.error = state, error
        self.offers = {}


@frozen
class Offer:
    """One record and the plugin that offers it."""

    plugin: Plugin
    entry: Any


@define(eq=False, slots=False)
class Host:
    """A set of plugins. Make one with ``Host.discover()``."""

    plugins: list[Plugin]
    _pluggy: pluggy.PluginManager

    @classmethod
    def discover(
        cls,
        block: Iterable[str] = (),
        extra: Mapping[str, ModuleType] | None = None,
    ) -> Host:
        """Load the core's own plugin and every plugin that an installed package names.

        Args:
            block: names not even to import.
            extra: further modules by name, for tests.

        Raises:
            UsageError: a blocked name is no plugin's.
        """
        blocked = set(block)
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(hookspecs)
        host = cls([], manager)
        for name, module in {**_core_plugin(), **(extra or {})}.items():
            host._admit(_in_process(name), lambda module=module: module, blocked)
        for point in _points():
            host._admit(_described(point), point.load, blocked)
        unknown = blocked - {p.name for p in host.plugins}
        if unknown:
            raise UnknownNameError("plugin", sorted(unknown)[0], [p.name for p in host.plugins])
        return host

    def _admit(self, plugin: Plugin, load: Any, blocked: set[str]) -> None:
        twin = next((p for p in self.plugins if p.name == plugin.name), None)
        self.plugins.append(plugin)
        if twin is not None:
            _clash(plugin, twin)
        elif plugin.name in blocked:
            plugin.fail("blocked on request", "blocked")
        else:
            self._load(plugin, load)

    def _load(self, plugin: Plugin, load: Any) -> None:
        try:
            module = load()
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # an import may raise anything, SystemExit too
            plugin.fail(f"{plugin.label}: import raised {_shown(error)}")
            return
        api = getattr(module, "OFA_API", None)
        if api != API_VERSION:
            plugin.fail(
                f"{plugin.label}: states OFA_API = {api!r}, this core speaks {API_VERSION}; "
                "install matching versions",
                "incompatible",
            )
            return
        self._register(plugin, module)

    def _register(self, plugin: Plugin, module: ModuleType) -> None:
        misspelt = [n for n in vars(module) if n.startswith("ofa_") and _is_hook(module, n)]
        wrong = sorted(set(misspelt) - set(HOOKS))
        if wrong:
            known = UnknownNameError("hook", wrong[0], HOOKS)
            plugin.fail(f"{plugin.label}: {known.message}")
            return
        try:
            self._pluggy.register(module, name=plugin.name)
            self._pluggy.check_pending()
        except Exception as error:  # pluggy validates signatures; anything it says is blame
            if self._pluggy.is_registered(module):
                self._pluggy.unregister(module)
            plugin.fail(f"{plugin.label}: {_shown(error)}")
            return
        plugin.module = module

    @cached_property
    def _offers(self) -> dict[str, dict[str, list[Offer]]]:
        """Hook -> name -> who offers it. Asking for one kind asks every plugin for all."""
        found: dict[str, dict[str, list[Offer]]] = {hook: {} for hook in HOOKS}
        for plugin in self.plugins:
            if plugin.module is None:
                continue
            try:
                entries = {hook: _collect(plugin, hook) for hook in HOOKS}
            except PluginError as error:
                plugin.fail(error.message)
                continue
            for kind, hook in KINDS.items():
                for entry in entries[hook]:
                    found[hook].setdefault(entry.name, []).append(Offer(plugin, entry))
                    plugin.offers.setdefault(kind, []).append(entry.name)
        self._mark_conflicts(found)
        return found

    def _mark_conflicts(self, found: dict[str, dict[str, list[Offer]]]) -> None:
        for hook, names in found.items():
            for name, offers in names.items():
                if len(offers) > 1:
                    message = _conflict_message(hook, name, offers)
                    for offer in offers:
                        offer.plugin.state, offer.plugin.error = "conflict", message

    def entries(self, kind: str) -> list[Any]:
        """Every record of a kind (``supernets``, ``cost_models``, …) that is not in conflict."""
        if kind not in KINDS:
            raise UnknownNameError("kind", kind, KINDS)
        names = self._offers[KINDS[kind]]
        return [offers[0].entry for _, offers in sorted(names.items()) if len(offers) == 1]

    def states(self) -> list[Plugin]:
        """Every plugin, with its final state and its offers."""
        assert self._offers is not None
        return self.plugins

    def _find(self, kind: str, label: str, name: str) -> Any:
        names = self._offers[KINDS[kind]]
        offers = names.get(name)
        if offers is None:
            raise self._absent(label, name, names)
        if len(offers) > 1:
            raise PluginError(
                _conflict_message(KINDS[kind], name, offers),
                advice="block one of them: --block NAME",
            )
        return offers[0].entry

    def _absent(self, label: str, name: str, known: Iterable[str]) -> OfaError:
        error = UnknownNameError(label, name, known)
        failed = [p for p in self.plugins if p.state in ("failed", "incompatible")]
        if failed:
            error.advice = "plugins that take no part: " + "; ".join(str(p.error) for p in failed)
        return error

    def supernet(self, name: str) -> Supernet:
        """A supernet by name, by alias, or from a YAML file with a row of the user's own.

        Raises:
            UnknownNameError, PluginError, InputError.
        """
        if name.endswith((".yaml", ".yml")):
            from ofa_plugins_core.config import supernet_from_file

            return supernet_from_file(self, Path(name))
        entry: SupernetEntry = self._find("supernets", "supernet", self._resolved(name))
        return guarded(self.owner("supernets", entry.name), "build", entry.build)

    def _resolved(self, name: str) -> str:
        """The name that an alias stands for."""
        names = self._offers["ofa_supernets"]
        if name in names:
            return name
        entries = [o.entry for offers in names.values() for o in offers]
        found = sorted({e.name for e in entries if name in e.aliases})
        if not found:
            raise self._absent("supernet", name, [*names, *(a for e in entries for a in e.aliases)])
        if len(found) > 1:
            raise PluginError(f"the alias {name!r} stands for several: {', '.join(found)}")
        return str(found[0])

    def owner(self, kind: str, name: str) -> Plugin:
        """The plugin that offers a name."""
        return self._offers[KINDS[kind]][name][0].plugin

    def family(self, name: str) -> SupernetFamilyEntry:
        """A kind of supernet for rows of users' own."""
        return cast(SupernetFamilyEntry, self._find("families", "family of supernets", name))

    def cost_model(self, name: str) -> CostModelEntry:
        """A cost model's entry, by name or NAME@QUALIFIER."""
        return cast(CostModelEntry, self._find("cost_models", "cost", name.partition("@")[0]))

    def predictor(self, name: str) -> PredictorEntry:
        """A form of predictor."""
        return cast(PredictorEntry, self._find("predictors", "predictor", name))

    def fitted(self, predictor: str, supernet: str) -> list[FittedPredictorEntry]:
        """What ships fitted for a supernet, one entry a data set."""
        return [
            e
            for e in self.entries("fitted_predictors")
            if (e.predictor, e.supernet) == (predictor, supernet)
        ]

    def searcher(self, name: str) -> SearcherEntry:
        """A searcher's entry."""
        return cast(SearcherEntry, self._find("searchers", "searcher", name))

    def sampler(self, name: str) -> SamplerEntry:
        """A sampler's entry."""
        return cast(SamplerEntry, self._find("samplers", "sampler", name))

    def runtime_policy(self, name: str) -> RuntimePolicyEntry:
        """A runtime policy's entry."""
        return cast(RuntimePolicyEntry, self._find("runtime_policies", "policy", name))

    def device(self, name: str) -> DeviceEntry:
        """A device's entry."""
        return cast(DeviceEntry, self._find("devices", "device", name))

    def job(self, name: str) -> JobEntry:
        """A job's entry."""
        return cast(JobEntry, self._find("jobs", "job", name))


def guarded(plugin: Plugin, what: str, call: Any, *args: Any) -> Any:
    """Call into a plugin; what is not an OfaError comes back as a PluginError with blame."""
    try:
        return call(*args)
    except OfaError:
        raise
    except Exception as error:
        raise PluginError(f"{plugin.label}: {what} raised {_shown(error)}") from error


def _core_plugin() -> dict[str, ModuleType]:
    return {BUILTIN: import_module("ofa_plugins_core.builtin.plugin")}


def _points() -> list[EntryPoint]:
    return sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda p: p.name)


def _described(point: EntryPoint) -> Plugin:
    dist = point.dist
    if dist is None:
        return Plugin(point.name, "unknown", "unknown")
    return Plugin(point.name, dist.name, dist.version)


def _in_process(name: str) -> Plugin:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return Plugin(name, CORE_DISTRIBUTION, version(CORE_DISTRIBUTION))
    except PackageNotFoundError:
        return Plugin(name, CORE_DISTRIBUTION, "uninstalled")


def _clash(plugin: Plugin, twin: Plugin) -> None:
    message = (
        f"two plugins are named {plugin.name!r}: {twin.distribution} {twin.version} and "
        f"{plugin.distribution} {plugin.version}; uninstall one"
    )
    plugin.fail(message, "conflict")
    twin.fail(message, "conflict")
    twin.module = None


def _is_hook(module: ModuleType, name: str) -> bool:
    value = getattr(module, name)
    return inspect.isfunction(value) and hasattr(value, f"{PROJECT}_impl")


def _collect(plugin: Plugin, hook: str) -> Sequence[Any]:
    """The records of one hook of one plugin; generators raise late, so exhaust it here."""
    implementation = getattr(plugin.module, hook, None)
    if implementation is None or not hasattr(implementation, f"{PROJECT}_impl"):
        return ()
    try:
        entries = list(implementation())
    except Exception as error:
        raise PluginError(f"{plugin.label}: {hook}() raised {_shown(error)}") from error
    for entry in entries:
        if not isinstance(entry, HOOKS[hook]):
            raise PluginError(
                f"{plugin.label}: {hook}() yielded {entry!r:.80}, "
                f"where a {HOOKS[hook].__name__} is due"
            )
    return entries


def _conflict_message(hook: str, name: str, offers: Sequence[Offer]) -> str:
    who = " and ".join(o.plugin.label for o in offers)
    return f"{name!r} of {hook} is offered by {who}: neither is taken"


def _shown(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__

