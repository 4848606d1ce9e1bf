"""What a switcher begins with: a supernet's network with the weights that a table was made with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from dynamic_ofa.levels.statistics import statistics_of_level
from dynamic_ofa.levels.table import LevelTable
from dynamic_ofa.levels.weights import digest_of, short
from dynamic_ofa.switching.ways import Prepared
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.jobs.networks import SYNTHETIC, Loaded, OneSubnet, load_network
from ofa_plugins_core.jobs.torch_options import NetworkOptions
from ofa_plugins_core.network_blame import asked
from ofa_plugins_core.values import parse_arch


def found_table(table: LevelTable | str | Path) -> LevelTable:
    """A table itself, or by file, folder or name.

    Raises:
        InputError: there is none of that name, or it is broken.
    """
    if isinstance(table, LevelTable):
        return table
    from dynamic_ofa.levels.finding import find_table

    return find_table(str(table))


def found_device(name: str) -> torch.device:
    """``cpu``, ``cuda``, ``cuda:1``, if it is there.

    Raises:
        UsageError: there is none, or networks do not run on it.
    """
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"levels do not run on the device {name!r:.40}", advice="cpu, or cuda")
    if device.type == "cuda" and not (device.index or 0) < torch.cuda.device_count():
        raise UsageError(
            f"this machine has no {name} that torch can use", advice="--device cpu runs here"
        )
    return device


def load_for(
    context: JobContext, table: LevelTable, supernet: str | None, weights: str | None
) -> Loaded:
    """The network of a table's supernet, with the weights that the table was made with.

    Args:
        supernet: None: the one that the table names.
        weights: None: what is cached for the supernet; for a table of synthetic ones, those.

    Raises:
        InputError: there are no weights, they are other ones than the table's, or the table or
            its architectures are of another supernet.
        MissingExtraError: torch is not installed.
    """
    name = _supernet(context, table, supernet)
    if weights is None and table.weights.kind == SYNTHETIC:
        weights = SYNTHETIC
    classes = table.classes if weights == SYNTHETIC else None
    options = NetworkOptions(supernet=name, weights=weights, classes=classes)
    _check_archs(context, table, name)
    loaded = load_network(context, options)
    if isinstance(loaded.net, OneSubnet):
        raise InputError(
            f"{loaded.source} holds one subnet; levels need the weights of the whole supernet"
        )
    _check_weights(context, table, loaded)
    return loaded


def _supernet(context: JobContext, table: LevelTable, asked: str | None) -> str:
    """The name of the supernet to load; a variant's own latencies are not the table's."""
    name = table.supernet if asked is None else asked
    try:
        found = context.host.supernet(name).name
    except UsageError as error:
        if asked is not None:
            raise
        raise InputError(
            f"the level table is of a supernet that nothing here offers: {error.message}",
            advice="install the plugin that offers it, or name one that has its networks",
        ) from error
    if found != table.supernet:
        said = f"the level table is of {table.supernet}; what it says does not hold for {found}"
        if asked is None:
            raise InputError(said, advice="make a table of it with ofa run levels")
        context.listener(Notice(said))
    return name


def _check_archs(context: JobContext, table: LevelTable, name: str) -> None:
    space = context.host.supernet(name).space
    for number, row in enumerate(table.levels):
        try:
            size = parse_arch(space, row.arch).image_size
            space.with_resolutions([size]).encode([row.arch])
        except InputError as error:
            why = error.message.removeprefix("architecture 0: ")
            raise InputError(
                f"level {number} is no architecture of {name}: {why}",
                advice=f"the table is of {table.supernet}",
            ) from error


def _check_weights(context: JobContext, table: LevelTable, loaded: Loaded) -> None:
    if table.weights.sha256 is None:
        context.listener(
            Notice(
                "the level table does not say with which weights it was made: its accuracies and "
                f"statistics hold for those alone; these are {loaded.source}"
            )
        )
        return
    found = digest_of(loaded.net)
    if found == table.weights.sha256:
        return
    if table.weights.kind == SYNTHETIC and loaded.synthetic:
        said = "the table's synthetic weights were filled otherwise, perhaps by another library's"
        context.listener(Notice(f"{said} rounding: {short(table.weights.sha256)}, {short(found)}"))
    else:
        raise InputError(
            f"the level table was made for other weights: {short(table.weights.sha256)}"
            f"{_said(table.weights.source)}; these are {short(found)}{_said(loaded.source)}",
            advice="give those with --weights, or make a table of these with ofa run levels",
        )


def _said(source: str) -> str:
    return f" ({source:.80})" if source else ""


def prepared(
    context: JobContext, table: LevelTable, loaded: Loaded, device: torch.device
) -> list[Prepared]:
    """Every level's architecture and statistics, checked against the network.

    The network is in evaluation afterwards, on the device where it is to run.

    Raises:
        InputError: statistics are missing, or of another network; names level and norm.
        PluginError: the network cannot be extracted; with blame.
    """
    net: Any = loaded.net
    net.to(device).eval()

    def of(number: int) -> Prepared:
        row = table.levels[number]
        subnet = asked(context.host, loaded.supernet, "extract()", net.extract, row.arch)
        return Prepared(row.arch, statistics_of_level(number, row, subnet, table.names))

    return [of(number) for number in range(len(table.levels))]
