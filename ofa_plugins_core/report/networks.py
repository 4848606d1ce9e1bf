"""The networks of a result as pictures need them: their blocks and their memory, op by op."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from ofa_plugins_core.blame import attempt
from ofa_plugins_core.entries import NoOptions
from ofa_plugins_core.errors import OfaError
from ofa_plugins_core.geometry import Block
from ofa_plugins_core.host import Host
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.report.memory import History
from ofa_plugins_core.report.results import Point, Run

MEMORY = "peak_memory"
"""The definition whose history is drawn."""


@frozen(eq=False)
class Network:
    """One network of a result.

    Attributes:
        title: for headings.
        point: what the result says of it.
        blocks: what it is made of.
        history: memory of each op.
    """

    title: str
    point: Point
    blocks: tuple[Block, ...]
    history: History


def networks_of(host: Host, run: Run, most: int) -> list[Network]:
    """The most accurate networks of a search, as many as asked for; none of any other job.

    Raises:
        OfaError: the supernet's plugin is missing or failed, or an architecture is not of it.
    """
    if run.search is None or not run.search.points or most < 1:
        return []
    supernet = supernet_of(host, run)
    memory = memory_of(host, supernet)
    return [_network(supernet, point, memory) for point in run.search.ranked[:most]]


def supernet_of(host: Host, run: Run) -> Supernet:
    """The supernet of a run, as built where the run was.

    Raises:
        UnknownNameError, PluginError, InputError: as ``Host.supernet``.
    """
    result = run.result if isinstance(run.result, Mapping) else {}
    supernet = host.supernet(str(run.settings.get("supernet") or result.get("supernet")))
    return supernet.as_built() if run.settings.get("as_built") else supernet


def memory_of(host: Host, supernet: Supernet) -> Callable[[Mapping[str, Any]], History]:
    """Architecture -> its memory, op by op.

    Raises:
        OfaError: the cost model is missing or failed, or keeps no history.
    """
    owner = host.owner("cost_models", MEMORY)
    cost = host.cost_model(MEMORY).build(supernet, NoOptions())
    history = getattr(cost, "history", None)
    if history is None:
        raise OfaError(f"{owner.label}: {MEMORY} keeps no history of ops")
    return lambda arch: attempt(owner, f"cost {MEMORY!r}", history, arch)


def _network(
    supernet: Supernet, point: Point, memory: Callable[[Mapping[str, Any]], History]
) -> Network:
    size = point.arch.get("image_size", point.arch.get("r"))
    blocks = supernet.geometry().blocks(point.arch)
    return Network(f"{supernet.name} at {size}×{size}", point, blocks, memory(point.arch))
