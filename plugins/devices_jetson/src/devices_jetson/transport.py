"""How requests reach a board: over ssh, or to a child process where this machine is the board.

The board's script is sent along each time, so nothing has to be installed or kept there.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from typing import IO, Any, Final, Protocol, TypeAlias

from ofa_plugins_core.errors import InputError, OfaError, UsageError

Answer: TypeAlias = Mapping[str, Any]

PROTOCOL: Final = 1
"""Of requests and answers; the board's script says the same."""

BOOT: Final = (
    "import sys;n=int(sys.stdin.readline());"
    "exec(compile(sys.stdin.read(n),'ofa_board.py','exec'),{'__name__':'__main__'})"
)
"""Runs as many characters of stdin as its first line says; the rest is for what it ran."""

SSH: Final = (
    "ssh",
    *("-o", "BatchMode=yes"),
    *("-o", "ConnectTimeout=10"),
    *("-o", "ServerAliveInterval=5"),
    *("-o", "ServerAliveCountMax=3"),
)
"""Asks for no password, and does not wait for a board that is gone."""

PATIENCE: Final = 60.0
"""Seconds for a board to put clocks and power mode back."""

_REFUSALS: Final[Mapping[str, type[OfaError]]] = {
    "denied": UsageError,
    "missing": UsageError,
    "reboot": UsageError,
    "usage": UsageError,
}


class Channel(Protocol):
    """A board that answers."""

    @property
    def where(self) -> str:
        """For messages: the host, the file."""

    @property
    def origin(self) -> str:
        """``measured``, or ``constructed``: the board, or its recording, was made up."""

    def ask(self, do: str, **given: Any) -> Answer:
        """The answer to one request.

        Raises:
            UsageError: the board cannot do it, and the user can change that.
            InputError: it failed, or the board is gone.
        """

    def close(self) -> None:
        """End it; clocks and power mode are as before.

        Raises:
            InputError: something could not be put back, and what.
        """


def script() -> str:
    """The board's script."""
    return files("devices_jetson").joinpath("board/ofa_board.py").read_text(encoding="ascii")


def checked(where: str, do: str, answer: Answer) -> Answer:
    """An answer, or the error that it tells of."""
    if answer.get("ok") is True:
        return answer
    said, kind = str(answer.get("error", "no reason given")), str(answer.get("kind"))
    error = _REFUSALS.get(kind, InputError)
    raise error(f"{where}: {said}", advice=_ADVICE.get(kind) if do != "trtexec" else None)


_ADVICE: Final = {
    "denied": "log in as root, or let your user run sudo without a password for nvpmodel and "
    "jetson_clocks; or measure with clocks as they are: --set DEVICE.lock_clocks=false",
    "missing": "docs/jetson.md says what has to be on a board, and how torch gets there",
    "reboot": "set the mode on the board with: sudo nvpmodel -m NUMBER (that of the mode's name in "
    "its /etc/nvpmodel.conf), and reboot it yourself",
}


class Process:
    """A board's script that runs in a process of this machine, or of another one by ssh.

    Args:
        words: that start it; see ``local`` and ``remote``.
        where: for messages.
        origin: ``measured`` or ``constructed``.
        advice: what to try where it does not answer.
    """

    def __init__(self, words: Sequence[str], where: str, origin: str, advice: str) -> None:
        self.where, self.origin, self._asked, self._advice = where, origin, 0, advice
        self._owed = False
        self._said: IO[str] = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # Ctrl-C is ours: the board ends when we say so
            )
        except OSError as error:
            raise InputError(f"{where}: cannot start {words[0]}: {error.strerror}") from error
        source = script()
        try:
            self._send(f"{len(source)}\n{source}")
        except InputError:
            self._end()
            raise

    def ask(self, do: str, **given: Any) -> Answer:
        """See ``Channel``."""
        self._asked += 1
        self._owed = True
        self._send(json.dumps({"n": self._asked, "do": do, **given}) + "\n")
        answer = self._answer(self._asked)
        self._owed = False
        return checked(self.where, do, answer)

    def close(self) -> None:
        """See ``Channel``.

        A board that still owes an answer, such as trtexec's after Ctrl-C, is not waited for: it
        sees that nobody listens, and puts things back by itself.
        """
        failed: list[str] = []
        if not self._owed:
            with suppress(InputError):  # it is gone already, and has put things back by itself
                failed = self.ask("end")["failed"]
        self._end()
        if failed:
            raise InputError(f"{self.where}: not as before: {'; '.join(failed)}")

    def _end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(PATIENCE)
                break
            with suppress(OSError):
                os.killpg(self._process.pid, number)
        self._process.wait()
        self._said.close()

    def _send(self, text: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text)
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._gone() from error

    def _answer(self, number: int) -> Answer:
        """The answer with a number; what a login script prints, and answers left over, are not."""
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            with suppress(ValueError, RecursionError):
                found = json.loads(line)
                if isinstance(found, dict) and found.get("n") == number:
                    return found
        raise self._gone()

    def _gone(self) -> InputError:
        """Why there is no answer: the last thing that ssh or the board's Python said."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self._said.seek(0)
        said = [line.strip() for line in self._said.read().splitlines() if line.strip()]
        reason = said[-1] if said else f"it ended with code {self._process.poll()}"
        return InputError(f"{self.where}: the board does not answer: {reason}", advice=self._advice)


def _command(python: str, root: str | None) -> list[str]:
    return [python, "-u", "-c", BOOT, *(["--root", root] if root else [])]


def local(python: str, root: str | None = None) -> Process:
    """This machine is the board.

    Args:
        python: interpreter.
        root: of a constructed board's file system.
    """
    where = "this machine" if root is None else f"the constructed board {root}"
    origin = "measured" if root is None else "constructed"
    return Process(_command(python, root), where, origin, f"try by hand: {python} --version")


def remote(host: str, python: str, root: str | None = None) -> Process:
    """A board over ssh; keys have to be set up, nothing is asked.

    Args:
        host: as ssh takes it.
    """
    words = [*SSH, "--", host, shlex.join(_command(python, root))]
    advice = f"try by hand: ssh -o BatchMode=yes {host} {python} --version"
    return Process(words, host, "measured" if root is None else "constructed", advice)
