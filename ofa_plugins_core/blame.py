"""Blame: a plugin that fails is named, with its version and what it was doing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires
from types import ModuleType
from typing import Any, Final, Literal, NoReturn

from attrs import define, field

from ofa_plugins_core.errors import MissingExtraError, OfaError, PluginError, installable

State = Literal["loaded", "blocked", "failed", "incompatible", "conflict"]
BUILTIN: Final = "builtin"
"""Name of the core's own plugin."""
_CORE: Final = "ofa_plugins_core"

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)(?:.*extra\s*==\s*['\"]([^'\"]+)['\"])?")


@define(eq=False)
class Plugin:
    """What became of one plugin.

    Attributes:
        name: of its entry point.
        distribution, version: of the package that brought it.
        state: loaded, blocked, failed, incompatible or conflict.
        error: with blame, where something is wrong.
        module: where it takes part.
        offers: kind -> names that can be asked for.
        withdrawn: kind -> names that it would offer, had it not failed.
    """

    name: str
    distribution: str
    version: str
    state: State = "loaded"
    error: str | None = None
    module: ModuleType | None = None
    offers: dict[str, list[str]] = field(factory=dict)
    withdrawn: dict[str, list[str]] = field(factory=dict)

    @property
    def label(self) -> str:
        """For messages: ``plugin 'moofa' 0.1.0``."""
        return f"plugin {self.name!r} {self.version}"

    def fail(self, error: str, state: State = "failed") -> None:
        """Record why it takes no part."""
        self.state, self.error = state, error
        self.module, self.offers, self.withdrawn = None, {}, self.offers

    def offer(self, kind: str, name: str) -> None:
        """Record a name that it offers."""
        self.offers.setdefault(kind, []).append(name)

    def contest(self, kind: str, name: str, error: str) -> None:
        """Record that an offer is withdrawn; it takes part with the others."""
        left = [n for n in self.offers.pop(kind, []) if n != name]
        if left:
            self.offers[kind] = left
        self.withdrawn.setdefault(kind, []).append(name)
        self.error = f"{self.error}; {error}" if self.state == "conflict" else error
        self.state = "conflict"

    def blames(self, what: str, error: BaseException) -> str:
        """``plugin 'x' 1.2: ofa_cost_models() raised ValueError: …``, and how to mend it."""
        text = f"{self.label}: {what} raised {shown(error)}"
        if missing_from(error) == _CORE:
            return f"{text}; it needs a newer core: pip install --upgrade ofa-plugins-core"
        module = missing_module(error)
        if module is None or module == self._package:
            return text
        return f"{text}; install what is missing: pip install {self._bringing(module)}"

    @property
    def _package(self) -> str:
        return self.module.__name__.partition(".")[0] if self.module else self.name

    def _bringing(self, module: str) -> str:
        """What to give pip so that a module is there: an extra of the plugin's, or the module."""
        extra = self.extra_with(module)
        return installable(self.distribution, extra) if extra else module

    def extra_with(self, module: str) -> str | None:
        """The extra of its distribution that brings a module, or None."""
        wanted = _normal(module)
        return next(
            (e for name, e in _requirements(self.distribution) if e and name == wanted), None
        )

    def lacks_extra(self, error: BaseException) -> str | None:
        """The extra of its distribution without which an import failed, or None."""
        module = missing_module(error)
        return self.extra_with(module) if module and module != _CORE else None


def _requirements(distribution: str) -> Iterator[tuple[str, str | None]]:
    """(normal name, extra or None) of everything that an installed distribution requires."""
    try:
        lines = requires(distribution) or []
    except (PackageNotFoundError, ValueError):
        return
    for line in lines:
        if match := _REQUIREMENT.match(line):
            yield _normal(match.group(1)), match.group(2)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def shown(error: BaseException) -> str:
    """Type and first line of an error: ``ValueError: no such width``."""
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def missing_from(error: BaseException) -> str | None:
    """The top-level module in which an import did not find a module or a name, or None."""
    return error.name.partition(".")[0] if isinstance(error, ImportError) and error.name else None


def missing_module(error: BaseException) -> str | None:
    """The top-level module that an import did not find, or None."""
    return missing_from(error) if isinstance(error, ModuleNotFoundError) else None


def attempt(plugin: Plugin, what: str, call: Callable[..., Any], *args: Any) -> Any:
    """Call into a plugin.

    Raises:
        OfaError: as the plugin raised it.
        MissingExtraError: what it imports comes with an extra of its distribution.
        PluginError: anything else that the plugin raised, with blame.
    """
    try:
        return call(*args)
    except (OfaError, KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # plugins raise anything, SystemExit too
        accuse(plugin, what, error)


def accuse(plugin: Plugin, what: str, error: BaseException) -> NoReturn:
    """Raise what a plugin raised as an error that names it."""
    extra = plugin.lacks_extra(error)
    if extra:
        raise MissingExtraError(f"{plugin.label}: {what}", plugin.distribution, extra) from error
    raise PluginError(plugin.blames(what, error)) from error


def culprit(error: BaseException, plugins: Iterable[Plugin]) -> Plugin | None:
    """The plugin in whose code an error was raised, or None where it was the core's own.

    Of all plugins on the way the innermost is taken: a searcher that calls a cost model which
    raises is not to blame.
    """
    known = {p._package: p for p in plugins if p.module is not None and p.name != BUILTIN}
    found = None
    trace = error.__traceback__
    while trace is not None:
        package = str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        found = known.get(package, found)
        trace = trace.tb_next
    return found
