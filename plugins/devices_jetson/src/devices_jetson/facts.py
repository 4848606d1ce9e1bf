"""What a board says of itself, understood: from the raw texts of its answer to ``hello``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from attrs import frozen

from devices_jetson import sysfs
from devices_jetson.boards import Board, Release, detect, is_tegra, parse_release
from devices_jetson.nvpmodel import Current, Mode, Modes, parse_conf, parse_query
from devices_jetson.transport import PROTOCOL, Answer
from ofa_plugins_core.errors import InputError, UsageError

T = TypeVar("T")


@frozen
class Facts:
    """A board as it is.

    Attributes:
        where: for messages.
        model, compatible: of its device tree; empty where it has none.
        board: which of the known ones it is, or None.
        release: of L4T, where it says.
        modes: its power modes, where it has a file of them.
        present: the mode that it is in, where it says.
        versions: of python, torch, cuda, cudnn, tensorrt; of what is there.
        programs: of nvpmodel, jetson_clocks, tegrastats, trtexec those that are there.
        files: path -> text, raw.
        leftover: what a killed session had left and is put back now.
        flaws: what of its files and programs is not understood; it counts as not said.
    """

    where: str
    model: str
    compatible: str
    board: Board | None
    release: Release | None
    modes: Modes | None
    present: Mode | None
    versions: Mapping[str, str]
    programs: tuple[str, ...]
    files: sysfs.Files
    leftover: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()

    @property
    def rails(self) -> tuple[str, ...]:
        """Power rails that the kernel lets be read."""
        return tuple(sensor.rail for sensor in sysfs.sensors(self.files))

    def mode(self, name: str | None) -> Mode | None:
        """The mode of a name, or the present one.

        Raises:
            UsageError: the board has none of that name, or no power modes.
        """
        if name is None:
            return self.present
        if self.modes is None:
            flaw = next((f for f in self.flaws if "nvpmodel.conf" in f), "no /etc/nvpmodel.conf")
            raise UsageError(f"{self.where} has no power modes that could be set: {flaw}")
        return self.modes.named(name)

    def refuse_another(self, board: Board) -> None:
        """End here where it is not that board.

        Raises:
            UsageError: naming both.
        """
        if self.board is board:
            return
        if self.board is not None:
            raise UsageError(
                f"{self.where} is a {self.board.title}, not a {board.title}",
                advice=f"--device {self.board.name}",
            )
        what = "a Jetson that is not known" if is_tegra(self.compatible) else "no Jetson"
        raise UsageError(
            f"{self.where} is {what}: its model is {self.model or 'not said'!r}",
            advice=f"give host=… or recording=…, for example --set {board.name}.host=user@board",
        )


def understood(where: str, answer: Answer) -> Facts:
    """A board's answer to ``hello``.

    Raises:
        InputError: it is no such answer.
        UsageError: it comes from a script of another version.
    """
    files, versions, programs = (answer.get(k) for k in ("files", "versions", "programs"))
    sound = isinstance(files, dict) and isinstance(versions, dict) and isinstance(programs, list)
    if not sound or not all(isinstance(text, str) for text in (files or {}).values()):
        raise InputError(f"{where}: the board's first answer is not that of ofa_board.py")
    assert isinstance(files, dict) and isinstance(versions, dict) and isinstance(programs, list)
    if answer.get("protocol") != PROTOCOL:
        raise UsageError(
            f"{where}: an ofa_board.py of another version answered "
            f"(protocol {answer.get('protocol')!r:.20}, here {PROTOCOL})",
            advice="record it anew; by hand, with the files that ofa run jetson_by_hand writes now",
        )
    model = str(files.get("/proc/device-tree/model", "")).strip("\0 \n")
    compatible = str(files.get("/proc/device-tree/compatible", ""))
    flaws: list[str] = []
    modes = _tried(parse_conf, files.get("/etc/nvpmodel.conf"), flaws)
    query = _tried(parse_query, str(answer.get("nvpmodel") or ""), flaws)
    return Facts(
        where,
        model,
        compatible,
        detect(model, compatible),
        _tried(parse_release, files.get("/etc/nv_tegra_release"), flaws),
        modes,
        None if query is None else _present(modes, query),
        {str(k): str(v) for k, v in versions.items() if v is not None},
        tuple(str(p) for p in programs),
        files,
        tuple(str(step) for step in _list(answer.get("leftover"))),
        tuple(flaws),
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _tried(parse: Callable[[str], T], text: str | None, flaws: list[str]) -> T | None:
    """What a text says; None where there is none, or it is not understood: then a flaw is noted."""
    if not text or not text.strip():
        return None
    try:
        return parse(text)
    except InputError as error:
        flaws.append(error.message)
        return None


def _present(modes: Modes | None, now: Current) -> Mode | None:
    """The present mode: by its id, else by its name, else as it was printed."""
    found = None if modes is None or now.id is None else modes.of_id(now.id)
    if found is None and modes is not None:
        found = next((mode for mode in modes.modes if mode.name == now.name), None)
    return found or Mode(-1 if now.id is None else now.id, now.name, {})
