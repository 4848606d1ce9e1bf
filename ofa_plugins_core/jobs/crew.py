"""Several processes that work through numbers together; none of them outlives this one.

They are started anew, not forked: threads and GPUs survive no fork.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from multiprocessing import connection, get_context, parent_process, resource_tracker
from typing import Any, Final, Protocol, TypeAlias

from attrs import field, frozen

from ofa_plugins_core.blame import shown
from ofa_plugins_core.errors import OfaError, PeerLostError
from ofa_plugins_core.events import Event, Listener

Work: TypeAlias = Callable[[int], Any]
"""A number -> what comes of it; travels back, so it has to pickle."""
Done: TypeAlias = Callable[[int, Any], None]

PATIENCE: Final = 0.2
"""Seconds between two looks at whether the user has interrupted."""
ENDING: Final = 5.0
"""Seconds that a process may take to end after it was lost."""


class Opening(Protocol):
    """Makes ready for work in a process of its own; a function of a module, so that it travels."""

    def __call__(self, task: Any, listener: Listener) -> AbstractContextManager[Work]:
        """The work, ready while the context lasts."""


def worked(
    processes: int,
    opening: Opening,
    task: Any,
    numbers: Sequence[int],
    done: Done,
    listener: Listener,
) -> None:
    """Work through numbers; each process takes the next one when it is ready.

    Args:
        opening, task: travel to the processes.
        done: is told each number and what came of it, as they come.
        listener: takes the events of all processes.

    Raises:
        KeyboardInterrupt: the user's, after ``done`` was told all that was finished.
        PeerLostError: a process was killed.
        Exception: what the work has raised in one of them.
    """
    with _noted() as interrupted, ExitStack() as stack:
        crew = _Crew(deque(numbers), done, listener)
        stack.callback(crew.end)
        for _ in range(processes):
            crew.start(opening, task)
        while crew.members:
            if interrupted():
                raise KeyboardInterrupt
            crew.listen()


@frozen(eq=False)
class _Crew:
    """Processes, and the numbers that nobody has taken yet."""

    left: deque[int]
    done: Done
    listener: Listener
    members: dict[Any, Any] = field(factory=dict)

    def start(self, opening: Opening, task: Any) -> None:
        method = get_context("spawn")
        ours, theirs = method.Pipe()
        member = method.Process(target=_serve, args=(theirs, opening, task))
        with theirs, _deaf():  # whoever is started hears no Ctrl-C: this process ends them
            member.start()
        self.members[ours] = member

    def listen(self) -> None:
        """Take what has come."""
        for pipe in connection.wait(list(self.members), PATIENCE):
            self._take(pipe)

    def _take(self, pipe: Any) -> None:
        try:
            kind, *rest = pipe.recv()
        except (EOFError, OSError):
            raise self._lost(pipe) from None
        if kind == "told":
            self.listener(rest[0])
        elif kind == "failed":
            raise rest[0].raised()
        else:
            if kind == "done":
                self.done(*rest)
            self._hand(pipe)

    def _hand(self, pipe: Any) -> None:
        """The next number; without one the process ends."""
        number = self.left.popleft() if self.left else None
        with suppress(OSError):  # it is gone: that is heard next
            pipe.send(number)
        if number is None:
            self.members.pop(pipe).join()
            pipe.close()

    def _lost(self, pipe: Any) -> PeerLostError:
        member = self.members[pipe]
        member.join(ENDING)
        code = member.exitcode
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        why = ": was there too little memory?" if code == -9 else ""
        return PeerLostError(f"one of the processes is gone ({how}){why}")

    def end(self) -> None:
        """Take what is finished; then nobody is left."""
        try:
            for pipe in list(self.members):
                self._drain(pipe)
        finally:
            for member in self.members.values():
                member.kill()
            for member in self.members.values():
                member.join()

    def _drain(self, pipe: Any) -> None:
        with suppress(EOFError, OSError):
            while pipe.poll():
                kind, *rest = pipe.recv()
                if kind == "done":
                    self.done(*rest)


# ------------------------------------------------------------------------------- Ctrl-C


@contextmanager
def _noted() -> Iterator[Callable[[], bool]]:
    """Meanwhile a first Ctrl-C is noted, so that it cuts no result short; a second one acts."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread may say what a signal does
        return
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN or before is None:
        yield lambda: False
        return
    seen: list[int] = []

    def note(number: int, frame: Any) -> None:
        seen.append(number)
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: bool(seen)
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _deaf() -> Iterator[None]:
    """Ctrl-C waits meanwhile; a process that is started now never hears one."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # it lets Ctrl-C in where it is started: not meanwhile
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# ------------------------------------------------------------------------------- in a process


def _serve(pipe: Any, opening: Opening, task: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell(event: Event) -> None:
        pipe.send(("told", event))

    try:
        with opening(task, tell) as work:
            pipe.send(("ready",))
            while (number := pipe.recv()) is not None:
                pipe.send(("done", number, work(number)))
    except BaseException as error:  # whatever it is, the one who asked is told
        with suppress(OSError):
            pipe.send(("failed", _Failure.of(error)))


def _end_with_parent() -> None:
    """A process whose parent was killed is of no use to anybody."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


@frozen(eq=False)
class _Failure:
    """An error on its way to another process.

    Attributes:
        error: pickled; an ``OfaError`` as what it is made of: its class may ask for more.
        trace: where it was raised, for --debug.
    """

    error: bytes
    trace: str

    @classmethod
    def of(cls, error: BaseException) -> _Failure:
        """An error; what cannot travel goes by its name and its first line."""
        trace = "".join(traceback.format_exception(error))
        parts = (type(error), error.args, vars(error)) if isinstance(error, OfaError) else error
        try:
            carried = pickle.dumps(parts)
            pickle.loads(carried)
        except Exception:  # classes of others do what they like when they are pickled
            carried = pickle.dumps(RuntimeError(shown(error)))
        return cls(carried, trace)

    def raised(self) -> BaseException:
        """The error again."""
        found = pickle.loads(self.error)
        if isinstance(found, tuple):
            kind, given, state = found
            found = kind.__new__(kind, *given)
            vars(found).update(state)
        found.add_note(f"raised in another process:\n{self.trace}")
        assert isinstance(found, BaseException)
        return found
