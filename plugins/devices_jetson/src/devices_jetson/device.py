"""A Jetson as a device: networks run on the board, everything is decided and understood here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import define, field, frozen

from devices_jetson import sysfs
from devices_jetson.boards import Board, is_tegra
from devices_jetson.facts import Facts, understood
from devices_jetson.nvpmodel import Mode
from devices_jetson.options import JetsonOptions
from devices_jetson.recording import Recorder, Recording, Replay, numbers
from devices_jetson.transport import Answer, Channel, local, remote
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import Work

CONSTRUCTED: Final = "constructed: no board has measured this"
"""Said of every number that comes from a board, or a recording, that was made up."""


@frozen(eq=False)
class JetsonWork:
    """Work that is loaded on a board.

    Attributes:
        channel: to the board.
        name: of the work there.
    """

    channel: Channel
    name: str

    def times(self, passes: int) -> Sequence[float]:
        """Milliseconds of so many passes; fewer where a recording ends."""
        answer = self.channel.ask("time", work=self.name, passes=passes)
        return numbers(self.channel.where, answer, "ms")

    def power(self, passes: int, settle_s: float, idle_s: float, interval_ms: int) -> Answer:
        """Raw power readings while nothing runs and while so many passes do.

        Args:
            passes: in a row.
            settle_s: seconds in which the board calms down first.
            idle_s: seconds of idling after that, before the passes.
            interval_ms: between readings.
        """
        seconds = {"settle_s": settle_s, "idle_s": idle_s}
        asked = {"passes": passes, "interval_ms": interval_ms, **seconds}
        return self.channel.ask("power", work=self.name, **asked)

    def release(self) -> None:
        """Let go of its memory on the board."""
        self.channel.ask("release", work=self.name)


@define(eq=False)
class JetsonSession:
    """A board with its power mode set and its clocks locked.

    Attributes:
        channel: to the board. facts: of it.
        options: of the device.
        mode: the power mode that it is in, or None: it has none.
    """

    channel: Channel
    facts: Facts
    options: JetsonOptions
    mode: Mode | None
    _loaded: int = field(default=0, init=False)

    def load(self, work: Work) -> JetsonWork:
        """Have the board build the blocks, and run them once."""
        self._loaded += 1
        name = f"w{self._loaded}"
        self.channel.ask("load", work=name, **load_request(work, self.options))
        return JetsonWork(self.channel, name)

    def conditions(self) -> Mapping[str, float]:
        """Clocks in MHz and temperatures in °C, as they are now."""
        files = self.channel.ask("conditions").get("files")
        return sysfs.conditions(files if isinstance(files, dict) else {})


def load_request(work: Work, options: JetsonOptions) -> dict[str, Any]:
    """What a board is told of a work: JSON, nothing of torch."""
    return {
        "blocks": [block.as_dict() for block in work.blocks],
        "batch": work.batch,
        "processor": options.processor,
        "dtype": options.dtype,
        "threads": options.threads,
    }


@define(eq=False)
class Jetson:
    """A board: over ssh, this very machine, or a recording of one.

    Attributes:
        board: which one it has to be.
        options: where it is, and how it is set.
    """

    board: Board
    options: JetsonOptions
    _replay: Replay | None = field(default=None, init=False)
    _recording: bool = field(default=False, init=False)
    _facts: Facts | None = field(default=None, init=False)
    _origin: str = field(default="measured", init=False)

    def __attrs_post_init__(self) -> None:
        """Refuses what contradicts itself.

        Raises:
            UsageError: both a host and a recording; half precision on the CPU.
        """
        given = self.options
        if given.recording is not None and (given.host or given.root or given.record):
            raise UsageError(f"{self.board.name}: a recording is played without host, root, record")
        if given.dtype == "fp16" and given.processor == "cpu":
            raise UsageError(f"{self.board.name}: fp16 runs on the GPU", advice="processor=gpu")

    def describe(self) -> dict[str, str]:
        """Model, release, power mode with its clocks, versions; where it was made up, that.

        Raises:
            UsageError, InputError: as ``session``.
        """
        return described(self.board, self.facts(), self.options, self._origin)

    def facts(self) -> Facts:
        """What the board says of itself; asked once, and nothing is changed by it.

        Raises:
            UsageError, InputError: as ``session``.
        """
        if self._facts is None:
            with self._connected() as (_, facts):
                return facts
        return self._facts

    @contextmanager
    def session(self) -> Iterator[JetsonSession]:
        """Set the power mode and lock the clocks; however the block ends, both are put back.

        Raises:
            UsageError: no Jetson, another one, no such mode, no permission.
            InputError: the board cannot be reached, or is gone.
        """
        with self._connected() as (channel, facts):
            mode = facts.mode(self.options.mode)
            if mode is not None and mode != facts.present:
                channel.ask("mode", number=mode.id)
            if self.options.lock_clocks:
                channel.ask("lock")
            yield JetsonSession(channel, facts, self.options, mode)

    @contextmanager
    def _connected(self) -> Iterator[tuple[Channel, Facts]]:
        channel = self._open()
        try:
            facts = understood(channel.where, channel.ask("hello"))
            facts.refuse_another(self.board)
            self._facts, self._origin = facts, channel.origin
            yield channel, facts
        finally:
            channel.close()

    def _open(self) -> Channel:
        given = self.options
        if given.recording is not None:
            if self._replay is None:
                self._replay = Replay(Recording.read(given.recording))
            return self._replay
        root = None if given.root is None else str(given.root)
        if given.host is not None:
            channel = remote(given.host, given.python, root)
        else:
            self._refuse_here(given.root or Path("/"))
            channel = local(given.python, root)
        return channel if given.record is None else self._recorded(channel, given.record)

    def _recorded(self, channel: Channel, path: Path) -> Recorder:
        try:
            recorder = Recorder(channel, path, new=not self._recording)
        except (UsageError, InputError):
            channel.close()
            raise
        self._recording = True
        return recorder

    def _refuse_here(self, root: Path) -> None:
        """Where this machine is no Jetson, say so before anything is started."""
        try:
            compatible = (root / "proc/device-tree/compatible").read_text(errors="replace")
        except OSError:
            compatible = ""
        if not is_tegra(compatible):
            name = self.board.name
            raise UsageError(
                "this machine is no Jetson",
                advice=f"give the board: --host user@board (ofa run lut, jetson, trtexec), or "
                f"--set {name}.host=user@board; or a recording of one: "
                f"--set {name}.recording=FILE",
            )


def described(
    board: Board, facts: Facts, options: JetsonOptions, origin: str = "measured"
) -> dict[str, str]:
    """What goes with every measurement; nothing in it changes by itself."""
    mode = facts.mode(options.mode)
    made_up = "" if origin == "measured" else f" ({CONSTRUCTED})"
    found = {
        "device": board.name,
        "model": f"{facts.model}{made_up}",
        "compute_capability": board.capability,
        "processor": options.processor,
        "dtype": options.dtype,
        "clocks": "locked" if options.lock_clocks else "free",
    }
    if options.processor == "cpu":
        found["threads"] = str(options.threads)
    if facts.release is not None:
        found["l4t"] = facts.release.version
    if facts.release is not None and facts.release.jetpack is not None:
        found["jetpack"] = str(facts.release.jetpack)
    if mode is not None:
        found.update(mode=mode.name, **limits(mode))
    return {**found, **facts.versions}


def limits(mode: Mode) -> dict[str, str]:
    """What a power mode allows, by name with unit; what it does not limit is left out."""
    found: dict[str, float | None] = {
        "cores_on": mode.cores,
        "cpu_limit_mhz": max(mode.cpu_mhz.values(), default=None),
        "gpu_limit_mhz": mode.gpu_mhz,
        "emc_limit_mhz": mode.emc_mhz,
    }
    return {name: f"{value:g}" for name, value in found.items() if value is not None}
