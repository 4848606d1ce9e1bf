"""The switcher: a supernet and a level table as one network whose level changes while it runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, TypeAlias

import torch
from attrs import evolve, frozen
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from dynamic_ofa.levels.table import LevelTable
from dynamic_ofa.switching import loading
from dynamic_ofa.switching.deciding import Deciding, found_governor, found_limits
from dynamic_ofa.switching.threads import hold_threads, let_go
from dynamic_ofa.switching.times import SwitchTimes
from dynamic_ofa.switching.ways import WAYS, Mode, Way, none_on
from ofa_plugins_core import Host
from ofa_plugins_core.entries import JobContext, Plugins
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Listener, silent
from ofa_plugins_core.interfaces import Decision, Level, RuntimePolicy
from ofa_plugins_core.nn.devices import machine

Images: TypeAlias = "Tensor | Callable[[int], Tensor]"
"""(n, 3, height, width), or size in pixels -> that."""


@frozen(eq=False)
class Ran:
    """One inference.

    Attributes:
        output: logits (n, classes). level: number of the level that ran, all of it.
        latency_ms: measured, from images of the level's size to logits; on a GPU waited for.
        decision: of the policy; None where there is none.
    """

    output: Tensor
    level: int
    latency_ms: float
    decision: Decision | None = None


@frozen(kw_only=True)
class Facts:
    """What switching costs here; times measured, bytes counted.

    Attributes:
        mode: ``resident`` or ``in_place``. device: where it runs.
        resident_bytes: of distinct storages. largest_bytes: of the largest level alone.
        load_seconds: until the first inference could run.
        switches: so many were asked for and done.
        switch_ms: of the last; None: there was none. mean_switch_ms: of all.
        first_ms: of the first inference after the last switch; None: none came.
    """

    mode: Mode
    device: str
    resident_bytes: int
    largest_bytes: int
    load_seconds: float
    switches: int
    switch_ms: float | None
    mean_switch_ms: float | None
    first_ms: float | None


class Switcher:
    """Runs images at the level that is on, while levels change; from any thread.

    Each inference runs at one level as a whole. Levels are numbered from 0, from fast to slow.

    Args:
        table: of levels; by file, folder or name of one that ships, too.
        weights: a file or a cached one's name; None: those that the table was made with, where
            they are synthetic, else what is cached for the supernet.
        supernet: None: the one that the table names.
        mode: ``resident``: levels side by side, sharing what is equal, a switch costs next to
            nothing; ``in_place``: one elastic network, a switch writes a level's statistics.
        device: ``cpu``, ``cuda``, ``cuda:1``.
        start: number of the first level; None: the policy's choice, else the most accurate one
            that the limit allows by the table.
        policy: by name, or an object; is shown each inference, and switches.
        limit: for the policy: on latency, ms, or in words (``60 ms, 45 ms from 10 s``).
        host: the plugins; None: all that are installed.
        listener: takes notices.
        threads: of torch inside an operation, put back by the last switcher's ``close``; None: on
            a processor as many as the table was measured with, as far as it says and there are
            cores.

    Raises:
        InputError: the table is missing or broken, of other weights or another supernet, or has
            no batch norm statistics of a level.
        UsageError: there is no such level or device; a policy without a limit.
        PluginError: a plugin failed, with blame.
    """

    def __init__(
        self,
        table: LevelTable | str | Path,
        *,
        weights: str | None = None,
        supernet: str | None = None,
        mode: Mode = "resident",
        device: str = "cpu",
        start: int | None = None,
        policy: str | RuntimePolicy | None = None,
        limit: str | float | None = None,
        host: Plugins | None = None,
        listener: Listener = silent,
        threads: int | None = None,
    ) -> None:
        began = time.perf_counter()
        if mode not in WAYS:
            raise UsageError(f"unknown mode {mode!r:.40}", advice=f"one of {', '.join(WAYS)}")
        context = JobContext(Host.discover() if host is None else host, listener)
        self.table, self.mode = loading.found_table(table), mode
        self.levels: tuple[Level, ...] = self.table.policy_levels()
        limits = found_limits(limit, policy, self.levels, listener)
        governor = found_governor(context, policy, self.levels, start, limits)
        self.sizes = [int(row.arch["image_size"]) for row in self.table.levels]
        self._device, self._times = loading.found_device(device), SwitchTimes()
        self._way: Way | None = None
        self._switching = Lock()
        self._threads = hold_threads(self._usual_threads() if threads is None else threads)
        try:
            self._load(context, supernet, weights, governor.level)
        except BaseException:
            self.close()
            raise
        self._deciding = None if limits is None else Deciding(governor, limits, self._turn_on)
        self._load_seconds = time.perf_counter() - began

    def _usual_threads(self) -> int | None:
        found = self.table.threads if self._device.type == "cpu" else None
        return None if found is None else min(found, os.cpu_count() or 1)

    def _load(
        self, context: JobContext, supernet: str | None, weights: str | None, first: int
    ) -> None:
        if self._device.type == "cpu":
            machine.keep_memory()
        with torch.inference_mode(False):  # what is made in inference mode, torch does not track
            loaded = loading.load_for(context, self.table, supernet, weights)
            levels = loading.prepared(context, self.table, loaded, self._device)
            net: Any = loaded.net
            self._dtype = next(p.dtype for p in net.parameters())
            self._way = WAYS[self.mode](net, levels, first)
        for level in (*(n for n in range(len(levels)) if n != first), first):
            self._way.switch(level)
            self._warm(self.sizes[level])

    def _warm(self, size: int) -> None:
        """Kernels are chosen, and memory is taken, before the first inference that counts."""
        for _ in range(2):
            self._timed(torch.zeros(1, 3, size, size, device=self._device, dtype=self._dtype))

    # ------------------------------------------------------------------------- running

    @property
    def level(self) -> int:
        """Number of the level that is on now.

        Raises:
            UsageError: the switcher is closed, or a switch that failed left no level on.
        """
        level = self._open().level
        if level is None:
            raise none_on()
        return level

    def __call__(self, x: Images) -> Tensor:
        """As ``run``: the logits alone."""
        return self.run(x).output

    def run(self, x: Images) -> Ran:
        """One inference at the level that is on; then the policy, if there is one, may switch.

        Args:
            x: (n, 3, height, width) of any float type, cast to the network's; resized to the
                level's image size where that differs. Or a callable: the size in pixels of the
                level that is on -> images. Where a switch comes between the two, they are resized.

        Returns:
            Logits (n, classes), made in inference mode, where the networks run; and the facts.

        Raises:
            UsageError: the images are of no such shape or of whole numbers, the switcher is
                closed, or a switch that failed left no level on.
            PluginError: the policy failed, with blame.
        """
        images = x(self.sizes[self.level]) if callable(x) else x
        ran = self._timed(_checked(images).to(self._device, self._dtype))
        self._times.ran(ran.level, ran.latency_ms)
        if self._deciding is None:
            return ran
        return evolve(ran, decision=self._deciding.observe(ran.level, ran.latency_ms))

    def _timed(self, images: Tensor) -> Ran:
        with torch.inference_mode(), self._open().running() as standing:
            images = _resized(images, self.sizes[standing.level])
            start = self._now()
            output = standing.network(images)
            return Ran(output, standing.level, self._now() - start)

    def switch(self, level: int) -> float:
        """Turn a level on, for inferences that begin from now on; a policy may decide otherwise.

        Where that fails, the level that was on stays on; where even that could not be put back,
        none is, and inferences are refused until a switch succeeds.

        Returns:
            What it took, ms, waiting for inferences that had to end first included; 0 where the
            level was on already.

        Raises:
            UsageError: there is no such level, or the switcher is closed.
        """
        self._open()
        if not 0 <= level < len(self.levels):
            raise UsageError(
                f"there is no level {level}: the table has {len(self.levels)}",
                advice=f"take 0 (the fastest) to {len(self.levels) - 1}",
            )
        return self._turn_on(level) if self._deciding is None else self._deciding.switch(level)

    def _turn_on(self, level: int) -> float:
        """The switch itself; the last one that is noted is the last one that was done."""
        way = self._open()
        with self._switching:
            if level == way.level:
                return 0.0
            start = self._now()
            way.switch(level)
            took = self._now() - start
            self._times.switched(level, took)
        return took

    def _now(self) -> float:
        """Milliseconds, once the device has done what it was given."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        return time.perf_counter() * 1000

    # ------------------------------------------------------------------------- about it

    def facts(self) -> Facts:
        """What switching costs here, so far.

        Raises:
            UsageError: the switcher is closed.
        """
        way, times = self._open(), self._times
        return Facts(
            mode=self.mode,
            device=str(self._device),
            resident_bytes=way.resident_bytes(),
            largest_bytes=way.largest_bytes,
            load_seconds=self._load_seconds,
            switches=times.count,
            switch_ms=times.last,
            mean_switch_ms=times.mean,
            first_ms=times.first,
        )

    def _open(self) -> Way:
        if self._way is None:
            raise UsageError("the switcher is closed")
        return self._way

    def close(self) -> None:
        """Let go of networks and threads; inferences that run end as they began."""
        self._way = None
        let_go(self._threads)

    def __enter__(self) -> Switcher:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


def _checked(x: Any) -> Tensor:
    if not isinstance(x, Tensor) or x.ndim != 4 or x.shape[1] != 3 or not x.is_floating_point():
        found = f"{tuple(x.shape)} of {x.dtype}" if isinstance(x, Tensor) else type(x).__name__
        raise UsageError(f"expected images (n, 3, height, width) in floats, found {found}")
    return x


def _resized(x: Tensor, size: int) -> Tensor:
    if tuple(x.shape[2:]) == (size, size):
        return x
    return F.interpolate(x, (size, size), mode="bilinear", align_corners=False, antialias=True)
