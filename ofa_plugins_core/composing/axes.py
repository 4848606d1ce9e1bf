"""What there is to combine, and all its combinations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, Final

from attrs import asdict, frozen

from ofa_plugins_core.entries import Plugins
from ofa_plugins_core.errors import OfaError, UnknownNameError, UsageError

NO_PREDICTOR: Final = "none"
AUTO: Final = "auto"
LATENCY: Final = "latency"
TABLE: Final = "table"
"""Qualifier of the latency that is read from a table made for the trial."""


@frozen(order=True)
class Combination:
    """One supernet, cost, predictor (or ``none``) and searcher, by name."""

    supernet: str
    cost: str
    predictor: str
    searcher: str

    @property
    def words(self) -> str:
        """For messages."""
        return f"{self.supernet} × {self.cost} × {self.predictor} × {self.searcher}"


@frozen(kw_only=True)
class Axes:
    """The names along each axis. Policies are run on what each combination finds."""

    supernets: tuple[str, ...]
    costs: tuple[str, ...]
    predictors: tuple[str, ...]
    searchers: tuple[str, ...]
    policies: tuple[str, ...] = ()

    def combinations(self) -> list[Combination]:
        """All of them, supernet by supernet."""
        names = (self.supernets, self.costs, self.predictors, self.searchers)
        return [Combination(*one) for one in product(*names)]

    def as_json(self) -> dict[str, list[str]]:
        """JSON form."""
        return {name: list(values) for name, values in asdict(self).items()}


@frozen(kw_only=True)
class Asked:
    """What the user wants tried; () along an axis: all that there is."""

    supernets: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()
    predictors: tuple[str, ...] = ()
    searchers: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()


def axes_of(host: Plugins, asked: Asked) -> Axes:
    """What there is, less what was not asked for.

    Every smaller space takes part on one supernet: the first that has what it drops.

    Raises:
        UnknownNameError: a name that nothing offers.
        UsageError: nothing is left to combine along an axis.
    """
    forms = [NO_PREDICTOR, *_names(host, "predictors")]
    found = Axes(
        supernets=_supernets(host, asked.supernets),
        costs=_chosen("cost", asked.costs, _costs(host)),
        predictors=_chosen("predictor", asked.predictors, forms),
        searchers=_chosen("searcher", asked.searchers, [AUTO, *_names(host, "searchers")]),
        policies=_chosen("runtime policy", asked.policies, _names(host, "runtime_policies")),
    )
    if not found.supernets:
        raise UsageError(
            "nothing to combine: no plugin offers a supernet",
            advice="ofa plugins list shows what is installed",
        )
    return found


def _names(host: Plugins, kind: str) -> list[str]:
    return [entry.name for entry in host.entries(kind)]


def _chosen(kind: str, asked: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    for name in asked:
        if name not in known:
            raise UnknownNameError(kind, name, known)
    return tuple(n for n in known if not asked or n in asked)


def _supernets(host: Plugins, asked: Sequence[str]) -> tuple[str, ...]:
    """Those asked for: aliases, variants, smaller spaces and files, too; else all there are."""
    if asked:
        return tuple(dict.fromkeys(_own_name(host, name) for name in asked))
    whole = _names(host, "supernets")
    return (*whole, *_smaller(host, whole))


def _own_name(host: Plugins, name: str) -> str:
    """A file's row has no name that the host knows: it goes by its file."""
    found = host.supernet(name)
    return name if name.endswith((".yaml", ".yml")) else found.name


def _smaller(host: Plugins, whole: Sequence[str]) -> Iterator[str]:
    for entry in host.entries("reductions"):
        found = next((n for n in whole if _takes(host, n, entry)), None)
        if found is not None:
            yield f"{found}+{entry.name}"


def _takes(host: Plugins, supernet: str, reduction: Any) -> bool:
    try:
        host.supernet(f"{supernet}+{reduction.name}")
    except OfaError:
        return False
    return True


def _costs(host: Plugins) -> list[str]:
    """Costs by name; latency once for each way to have it without a device."""
    ways = [TABLE, *_names(host, "latency_predictors")]
    found = [
        [f"{name}@{way}" for way in ways] if name == LATENCY else [name]
        for name in _names(host, "cost_models")
    ]
    return [name for names in found for name in names]
