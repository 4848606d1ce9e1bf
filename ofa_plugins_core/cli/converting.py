"""Weights from one published layout, or one format of files, into another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ofa_plugins_core.entries import Plugins
from ofa_plugins_core.errors import InputError, UnknownNameError, UsageError
from ofa_plugins_core.events import Listener, Notice, silent
from ofa_plugins_core.jobs.networks import buildable, classes_in, needs_torch
from ofa_plugins_core.network_blame import asked, built
from ofa_plugins_core.weights import registry

if TYPE_CHECKING:
    import torch

TARGETS: Final = ("new", "old", "safetensors", "torch")
"""Two layouts, which a network has to write, and two formats of files."""


def convert(
    host: Plugins,
    source: str,
    target: Path,
    *,
    to: str | None = None,
    supernet: str | None = None,
    tell: Listener = silent,
) -> dict[str, Any]:
    """Read weights, and write them in another layout or format.

    With a supernet known they go through its network, which takes them strictly and writes the
    layout that is asked for; without one the names stay, and only the format changes.

    Args:
        source: a file, or a name of the registry.
        target: to write; ``.safetensors`` gives that format, anything else torch's.
        to: ``new`` (default) or ``old``, the layout; ``safetensors`` or ``torch``, the format,
            whatever the target's ending.
        supernet: whose weights they are; that of the registry if None.

    Returns:
        What was done: files, supernet, layout, format, number of tensors.

    Raises:
        UsageError: an unknown target, or one that needs a supernet that is not known.
        InputError: the source is broken or not this supernet's, or nothing can be written.
        MissingExtraError: torch is not installed.
    """
    _check(target, to)
    path, owner = _found(host, source, supernet)
    if owner is None and to in ("new", "old"):
        raise UsageError(f"--to {to} needs --supernet: whose weights are in {source}?")
    needs_torch("converting weights")
    from ofa_plugins_core.nn.checkpoints import read_state, write_state

    state = read_state(path)
    layout = "as it was"
    if owner is None:
        tell(Notice("no supernet is named: names stay as they are, and nothing is checked"))
    else:
        layout = to if to in ("new", "old") else "new"
        state = _through(host, owner, state, layout)
    form = to if to in ("safetensors", "torch") else None
    form = write_state(target, state, form)
    done = {"in": str(path), "out": str(target), "supernet": owner, "layout": layout}
    return {**done, "format": form, "tensors": len(state)}


def _check(target: Path, to: str | None) -> None:
    if to is not None and to not in TARGETS:
        raise UnknownNameError("target of --to", to, TARGETS)
    if target.exists():
        raise UsageError(f"{target} exists already", advice="choose another name, or remove it")


def _found(host: Plugins, source: str, supernet: str | None) -> tuple[Path, str | None]:
    """The file that is meant, and whose weights are in it, where that is known."""
    owner = None if supernet is None else host.supernet(supernet).name
    if Path(source).exists():
        known = {file.name: file for file in registry.known(host)}
        return Path(source), owner or _owner(known.get(Path(source).name))
    try:
        file = registry.chosen(host, [source])[0]
    except UnknownNameError as error:
        raise InputError(f"{source} is not there", advice=error.message) from error
    if file.path is None:
        raise InputError(f"{source} is not cached", advice=f"ofa weights fetch {source}")
    return file.path, owner or _owner(file)


def _owner(file: registry.Known | None) -> str | None:
    return None if file is None or file.is_apart else file.supernet


def _through(
    host: Plugins, owner: str, state: Mapping[str, torch.Tensor], layout: str
) -> dict[str, torch.Tensor]:
    """The tensors as the supernet's network takes them, and gives them back."""
    ground = buildable(host.supernet(owner))
    network = built(host, ground, classes_in(host, ground, state))
    asked(host, ground, "load_published()", network.load_published, state)
    found: dict[str, torch.Tensor] = asked(host, ground, "published()", network.published, layout)
    return found
