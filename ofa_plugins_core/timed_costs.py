"""Costs that are had by running a network on a device: exact for that network, and slow.

What was measured once is not measured again: results are kept by what the network is made of
(architecture and image size), batch, device as it describes itself, and how much effort was taken.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from attrs import asdict, field, frozen
from attrs.validators import ge
from numpy.typing import NDArray

from ofa_plugins_core.config import structure
from ofa_plugins_core.errors import InputError, OfaError
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Archs, Device, DeviceSession, LoadedWork, Supernet, Work
from ofa_plugins_core.own_tables import device_words
from ofa_plugins_core.pricing import encoded
from ofa_plugins_core.timing import Effort, measure, refuse_odd
from ofa_plugins_core.values import Kind

MOST: Final = 1e12


@frozen
class Reading:
    """What a network was measured to cost.

    Attributes:
        value: the mean, or what else the cost takes of its runs.
        low, high: between which its runs lay: the middle 80 % of them, unless the cost says what
            else.
        runs: that count. disturbed: set aside.
    """

    value: float
    low: float
    high: float
    runs: int = field(default=1, validator=ge(1))
    disturbed: int = 0

    def __attrs_post_init__(self) -> None:
        """Raises ValueError for numbers that no cost has."""
        if not 0 <= self.low <= self.value <= self.high < MOST:
            found = f"{self.value} within {self.low} to {self.high}"
            raise ValueError(f"a cost is 0 to {MOST:g}, between its ends; found {found}")


Take: TypeAlias = Callable[[DeviceSession, LoadedWork, Effort], Reading]
"""Runs a network that is loaded, and says what it cost."""

Memo: TypeAlias = MutableMapping[str, Reading]
"""What was measured before: digest of all that matters -> reading."""


def mean_time(session: DeviceSession, loaded: LoadedWork, effort: Effort) -> Reading:
    """A pass's mean time, ms, without those that something disturbed.

    Raises:
        InputError: not one pass could be had.
        PluginError: the device says of a pass what cannot be.
    """
    generator = np.random.Generator(np.random.PCG64(0))  # one work has no order to draw
    for _, timed in measure({"the network": loaded}, effort, generator, session):
        return Reading(timed.mean, timed.low, timed.high, timed.count, timed.disturbed)
    raise InputError("the device ran no pass: a recording has ended, or holds no such network")


@frozen(eq=False, slots=False)
class MeasuredCost:
    """A cost that is measured, network by network, on a device.

    Attributes:
        name, unit: as shown to the user.
        supernet: whose networks are run.
        device: where.
        take: runs a network and says what it cost.
        effort: until a measurement is done.
        batch: images a pass.
        memo: what was measured before.
        listener: takes progress.
        what: goes into the memo's key: two costs of one device are kept apart by it.
    """

    name: str
    unit: str
    supernet: Supernet
    device: Device
    take: Take
    effort: Effort = Effort()
    batch: int = 1
    memo: Memo = field(factory=dict)
    listener: Listener = silent
    what: str = "latency"

    @property
    def kind(self) -> Kind:
        """Measured."""
        return "measured"

    @cached_property
    def described(self) -> dict[str, str]:
        """The device, as it describes itself."""
        return dict(self.device.describe())

    @property
    def source(self) -> str:
        """Device, threads, batch."""
        return device_words(self.described, self.batch)

    def evaluate(self, archs: Archs) -> NDArray[Any]:
        """(n,) costs of exchange dicts, Archs, or an encoded (n, genes) array; each network once.

        Raises:
            InputError: an architecture is not of the supernet's space; or the device is gone.
            UsageError: the device cannot run it.
        """
        return np.array([reading.value for reading in self.readings(archs)], dtype=float)

    def readings(self, archs: Archs) -> list[Reading]:
        """What n architectures were measured to cost; see ``evaluate``."""
        space, genes = encoded(self.supernet.space, archs)
        keys = [self._key(work) for work in self._works(space, genes)]
        lacking = {k: i for i, k in enumerate(keys) if k not in self.memo}
        if lacking:
            self._measure(lacking, self._works(space, genes[list(lacking.values())]))
        return [self.memo[k] for k in keys]

    def interval(
        self, archs: Archs, values: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """(n,) ends of the middle 80 % of each architecture's runs."""
        found = self.readings(archs)
        return np.array([r.low for r in found]), np.array([r.high for r in found])

    def _works(self, space: Any, genes: Any) -> Iterator[Work]:
        geometry = self.supernet.geometry()
        for arch in space.decode(genes):
            yield Work(geometry.blocks(arch), self.batch)

    def _key(self, work: Work) -> str:
        made_of = [block.as_dict() for block in work.blocks]
        about = [self.what, self.described, asdict(self.effort), work.batch, made_of]
        return sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:32]

    def _measure(self, keys: dict[str, int], works: Iterator[Work]) -> None:
        with self.device.session() as session:
            for done, (key, work) in enumerate(zip(keys, works, strict=True), 1):
                loaded = session.load(work)
                try:
                    found = self.take(session, loaded, self.effort)
                finally:
                    loaded.release()
                if self.unit == "ms":
                    refuse_odd([found.value / len(work.blocks)], work.batch)
                self.memo[key] = found
                said = f"{found.value:.4g} {self.unit}"
                self.listener(Progress(f"{self.name} measured", done, len(keys), said))


# ------------------------------------------------------------------------------- memo


class KeptMemo(MutableMapping[str, Reading]):
    """A memo in a file of JSON lines, one a measurement: it outlives the command.

    A line that is broken is not there; a folder that cannot be written costs the memory alone.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, Reading] = dict(_lines(path))

    def __getitem__(self, key: str) -> Reading:
        return self._values[key]

    def __setitem__(self, key: str, value: Reading) -> None:
        self._values[key] = value
        with suppress(OSError), _appending(self._path) as file:
            file.write(json.dumps([key, asdict(value)]).encode() + b"\n")

    def __delitem__(self, key: str) -> None:
        del self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@contextmanager
def _appending(path: Path) -> Iterator[Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) and file.read(1) != b"\n":
            file.write(b"\n")  # a line that was cut short takes no other with it
        yield file


def _lines(path: Path) -> Iterator[tuple[str, Reading]]:
    try:
        lines: Sequence[str] = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        with suppress(ValueError, TypeError, RecursionError, OfaError):
            key, value = json.loads(line)
            if isinstance(key, str):
                yield key, structure(value, Reading, error=InputError)


def kept_memo() -> Memo:
    """The memo in the user's cache folder, ``$OFA_CACHE/measured.jsonl``."""
    named = os.environ.get("OFA_CACHE")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(named).expanduser() if named else Path(cache) / "ofa-plugins"
    return KeptMemo(folder / "measured.jsonl")
