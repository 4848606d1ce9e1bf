"""Networks of a supernet's plugin: what they raise, or wrongly are, names that plugin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ofa_plugins_core.blame import BUILTIN, Plugin, accuse, attempt
from ofa_plugins_core.entries import Plugins
from ofa_plugins_core.errors import PluginError
from ofa_plugins_core.handing import absent_members
from ofa_plugins_core.interfaces import BuildableSupernet, ElasticModule, Supernet


def asked(
    host: Plugins, supernet: Supernet, what: str, call: Callable[..., Any], *args: Any
) -> Any:
    """Call a method of a supernet, or of its network.

    Args:
        what: the method, for messages: ``build()``.

    Raises:
        OfaError: as the plugin raised it.
        PluginError: anything else that it raised, with blame.
    """
    plugin = plugin_of(host, supernet)
    if plugin is None:  # the core's own, or a test's: nobody else is to blame
        return call(*args)
    return attempt(plugin, _named(supernet, what), call, *args)


def asked_for(
    due: type, host: Plugins, supernet: Supernet, what: str, call: Callable[..., Any], *args: Any
) -> Any:
    """As ``asked``; the result has to have the members of a Protocol.

    Raises:
        PluginError: it lacks some, or as ``asked``.
    """
    found = asked(host, supernet, what, call, *args)
    lacking = asked(host, supernet, what, absent_members, found, due)
    if lacking:
        raise PluginError(
            f"{_label(host, supernet)}{_named(supernet, what)} gave a {type(found).__name__}, "
            f"which is no {due.__name__}: it has no {', '.join(lacking)}"
        )
    return found


def built(host: Plugins, supernet: BuildableSupernet, classes: int | None) -> Any:
    """A supernet's elastic network, with fresh weights.

    Raises:
        OfaError: as the plugin raised it.
        PluginError: anything else that it raised, or what it built is none; with blame.
    """
    return asked_for(ElasticModule, host, supernet, "build()", supernet.build, classes)


def accused(host: Plugins, supernet: Supernet, what: str, error: BaseException) -> None:
    """Raise what a supernet's network raised with blame; nothing where there is no plugin.

    Raises:
        PluginError: names the plugin.
    """
    plugin = plugin_of(host, supernet)
    if plugin is not None:
        accuse(plugin, _named(supernet, what), error)


def broken(host: Plugins, supernet: Supernet, why: str) -> PluginError:
    """The error that says what is wrong with a supernet's network, with blame."""
    return PluginError(f"{_label(host, supernet)}supernet {supernet.name!r}: {why}")


def plugin_of(host: Plugins, supernet: Supernet) -> Plugin | None:
    """The plugin that offers a supernet, or else in whose package it is written; or None."""
    plugins = [p for p in getattr(host, "plugins", ()) if p.module and p.name != BUILTIN]
    package = _package(type(supernet).__module__)
    offering = [p for p in plugins if supernet.name in p.offers.get("supernets", ())]
    writing = [p for p in plugins if p.module and _package(p.module.__name__) == package]
    return next(iter([*offering, *writing]), None)


def _package(module: str) -> str:
    return module.partition(".")[0]


def _named(supernet: Supernet, what: str) -> str:
    return f"supernet {supernet.name!r}: {what}"


def _label(host: Plugins, supernet: Supernet) -> str:
    plugin = plugin_of(host, supernet)
    return "" if plugin is None else f"{plugin.label}: "
