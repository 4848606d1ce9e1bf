"""What a board says of itself, understood: from the raw texts of its answer to ``hello``."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from devices_jetson import sysfs
from devices_jetson.boards import Board, Release, detect, is_tegra, parse_release
from devices_jetson.nvpmodel import Mode, Modes, parse_conf, parse_query
from devices_jetson.transport import Answer
from ofa_plugins_core.errors import InputError, UsageError


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
            raise UsageError(f"{self.where} has no /etc/nvpmodel.conf: it has no power modes")
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
        InputError: it is no such answer, or a file of the board is not what it should be.
    """
    files, versions, programs = (answer.get(k) for k in ("files", "versions", "programs"))
    sound = isinstance(files, dict) and isinstance(versions, dict) and isinstance(programs, list)
    if not sound or not all(isinstance(text, str) for text in (files or {}).values()):
        raise InputError(f"{where}: the board's first answer is not that of ofa_board.py")
    assert isinstance(files, dict) and isinstance(versions, dict) and isinstance(programs, list)
    model = str(files.get("/proc/device-tree/model", "")).strip("\0 \n")
    compatible = str(files.get("/proc/device-tree/compatible", ""))
    release, conf = files.get("/etc/nv_tegra_release"), files.get("/etc/nvpmodel.conf")
    modes = parse_conf(conf) if conf else None
    return Facts(
        where,
        model,
        compatible,
        detect(model, compatible),
        parse_release(release) if release else None,
        modes,
        _present(modes, str(answer.get("nvpmodel") or "")),
        {str(k): str(v) for k, v in versions.items() if v is not None},
        tuple(str(p) for p in programs),
        files,
        tuple(str(step) for step in answer.get("leftover") or ()),
    )


def _present(modes: Modes | None, query: str) -> Mode | None:
    """The present mode, by its id; by its name where no id was printed."""
    if not query.strip():
        return None
    now = parse_query(query)
    if modes is None:
        return Mode(-1 if now.id is None else now.id, now.name, {})
    found = None if now.id is None else modes.of_id(now.id)
    return found or modes.named(now.name)
