"""Two ways to switch behind one protocol: levels in place, or resident side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any, Final, Literal, Protocol, runtime_checkable

import torch
from attrs import frozen
from torch import nn

from dynamic_ofa.switching.lock import FairLock
from dynamic_ofa.switching.sharing import share, storage_bytes, tensor_bytes
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import ElasticModule, Statistics
from ofa_plugins_core.nn import calibrate
from ofa_plugins_core.structural import Structural

Mode = Literal["resident", "in_place"]


@frozen(eq=False)
class Standing:
    """A level that is on, as one inference sees it.

    Attributes:
        level: its number. network: images of its size -> logits, all of them at this level.
    """

    level: int
    network: Any


@frozen(eq=False)
class Prepared:
    """What a level is made of: its architecture, and its statistics by own names."""

    arch: Any
    statistics: Statistics


@runtime_checkable
class Preparing(Protocol, metaclass=Structural):
    """An elastic network that can do before a pass what its first one would do."""

    def prepare(self) -> None:
        """Get the active subnet ready to run."""


class Way(Protocol):
    """How levels take turns. Any thread may use it."""

    largest_bytes: int
    """Of the largest level alone."""

    @property
    def level(self) -> int | None:
        """Number of the level that is on; None: a switch that failed left none."""

    def running(self) -> AbstractContextManager[Standing]:
        """The level that is on, for one inference; it stays as it is until that has ended.

        Raises:
            UsageError: none is on.
        """

    def switch(self, level: int) -> None:
        """Turn another level on, for inferences that begin from now on.

        Where that fails, the level that was on stays on, or none is.
        """

    def resident_bytes(self) -> int:
        """Of distinct storages that it holds."""


class Resident:
    """Every level extracted, side by side; a switch changes one reference.

    Args:
        net: with weights, where it is to run; not needed any more afterwards.
        levels: from fast to slow. start: number of the level that is on at first.
    """

    def __init__(self, net: ElasticModule, levels: Sequence[Prepared], start: int) -> None:
        self._networks = [_extracted(net, level) for level in levels]
        self.largest_bytes = max(map(tensor_bytes, self._networks))
        share(self._networks)
        self._standing = Standing(start, self._networks[start])

    @property
    def level(self) -> int:
        """Number of the level that is on."""
        return self._standing.level

    def running(self) -> AbstractContextManager[Standing]:
        """The level that is on: the reference is read once."""
        return nullcontext(self._standing)

    def switch(self, level: int) -> None:
        """Turn another level on; inferences that run meanwhile keep theirs."""
        self._standing = Standing(level, self._networks[level])

    def resident_bytes(self) -> int:
        """Of all levels, what they share counted once."""
        return storage_bytes(t for n in self._networks for t in (*n.parameters(), *n.buffers()))


class InPlace:
    """One elastic network; a switch activates a subnet and writes its statistics.

    The elastic network lays weights out for the active subnet; that copy is its own affair, and
    not among ``resident_bytes``.

    Args:
        net: with weights, where it is to run; nobody else uses it any more.
        levels: from fast to slow. start: number of the level that is on at first.
    """

    def __init__(self, net: ElasticModule, levels: Sequence[Prepared], start: int) -> None:
        self.largest_bytes = max(tensor_bytes(_extracted(net, level)) for level in levels)
        self._net, self._levels, self._lock = net, tuple(levels), FairLock()
        self._standing: Standing | None = None
        self._turn_on(start)

    @property
    def level(self) -> int | None:
        """Number of the level that is on; None: a switch failed, and so did putting it back."""
        standing = self._standing
        return None if standing is None else standing.level

    @contextmanager
    def running(self) -> Iterator[Standing]:
        """The level that is on; switches wait until the inference has ended.

        Raises:
            UsageError: none is on.
        """
        with self._lock.reading():
            if self._standing is None:
                raise none_on()
            yield self._standing

    def switch(self, level: int) -> None:
        """Turn another level on, once the inferences that run have ended.

        Where that fails, or is interrupted, the level that was on is turned on again.
        """
        with self._lock.writing():
            if level != self.level:
                self._turn_on(level)

    def _turn_on(self, level: int) -> None:
        before = self._standing
        try:
            self._write(level)
            self._standing = Standing(level, self._net)
        except BaseException:
            self._put_back(before)
            raise

    def _put_back(self, before: Standing | None) -> None:
        whole = None
        try:
            with suppress(Exception):  # what went wrong first is what the caller is told
                if before is not None:
                    self._write(before.level)
                    whole = before
        finally:  # an interrupt, too, leaves no half of a level that calls itself one
            self._standing = whole

    def _write(self, level: int) -> None:
        chosen = self._levels[level]
        with torch.inference_mode(False), torch.no_grad():
            self._net.activate(chosen.arch)
            self._net.apply_statistics(chosen.arch, chosen.statistics)
            if isinstance(self._net, Preparing):
                self._net.prepare()

    def resident_bytes(self) -> int:
        """Of the supernet, and of every level's statistics."""
        net: Any = self._net
        held = [t for level in self._levels for pair in level.statistics.values() for t in pair]
        return storage_bytes([*net.parameters(), *net.buffers(), *held])


WAYS: Final[dict[str, type[Resident] | type[InPlace]]] = {
    "resident": Resident,
    "in_place": InPlace,
}


def none_on() -> UsageError:
    """What is refused after a switch that failed, and could not be put back."""
    return UsageError(
        "no level is on: a switch failed halfway, and the level before it could not be put back",
        advice="switch to a level again; if that fails too, open another switcher",
    )


def _extracted(net: ElasticModule, level: Prepared) -> nn.Module:
    subnet: Any = net.extract(level.arch)
    calibrate.apply(subnet, level.statistics)
    found: nn.Module = subnet.eval().requires_grad_(False)
    return found
