"""Recordings of a board: what it was asked and what it answered, one JSON object a line.

The first line says where it comes from: ``{"recording": 1, "origin": "measured"}``, or
``"constructed"`` for one that was made up; every number that comes out of it says so, too. Then
``{"request": {…}, "answer": {…}}`` a line. A session keeps one with the option ``record``; what
``ofa_board.py`` writes by hand has the same form.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import define, field, frozen

from devices_jetson.transport import Answer, Channel, checked
from ofa_plugins_core.errors import InputError, OfaError, UsageError

FORM: Final = 1
ORIGINS: Final = ("measured", "constructed")


@frozen
class Recording:
    """A recording.

    Attributes:
        path: of the file.
        origin: ``measured`` or ``constructed``.
        pairs: (request, answer), in order.
    """

    path: Path
    origin: str
    pairs: tuple[tuple[Mapping[str, Any], Answer], ...]

    @classmethod
    def read(cls, path: Path) -> Recording:
        """Read a file; a last line that was cut short is left out.

        Raises:
            InputError: it cannot be read, or is no recording; with the line.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"cannot read the recording {path}: {reason}") from error
        whole = text[: text.rfind("\n") + 1].split("\n")[:-1]
        head = _object(path, 1, whole[0]) if whole else {}
        if head.get("recording") != FORM or head.get("origin") not in ORIGINS:
            raise InputError(
                f"{path}: line 1 is not that of a recording",
                advice=f'it should be like {{"recording": {FORM}, "origin": "measured"}}',
            )
        return cls(path, head["origin"], tuple(_pairs(path, whole)))


def _pairs(path: Path, lines: list[str]) -> Iterator[tuple[Mapping[str, Any], Answer]]:
    for number, line in enumerate(lines[1:], 2):
        found = _object(path, number, line)
        request, answer = found.get("request"), found.get("answer")
        if not (isinstance(request, dict) and isinstance(answer, dict) and "do" in request):
            raise InputError(f"{path}: line {number} is no request with its answer")
        yield request, answer


def _object(path: Path, number: int, line: str) -> Mapping[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: line {number} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: line {number} is no JSON object")
    return found


WORK: Final = ("blocks", "batch", "processor", "dtype", "threads")
"""What tells works apart, in a request that loads one."""


def _key(given: Mapping[str, Any]) -> str:
    return json.dumps({k: v for k, v in given.items() if k != "n"}, sort_keys=True)


def _work_key(given: Mapping[str, Any]) -> str:
    return _key({name: given.get(name) for name in WORK})


@define
class _Played:
    """What is left of a work's recorded passes, of its energy runs, and of its conditions."""

    answer: Answer
    ms: deque[float] = field(factory=deque)
    power: deque[Answer] = field(factory=deque)
    conditions: deque[Answer] = field(factory=deque)


class Replay:
    """Plays a recording: works are known by what they are made of, not by their order.

    A work's passes come in the order in which they were recorded until they run out; of what was
    asked several times the last answer stays. Conditions that were recorded of a work, as by hand,
    go to the work that is done: the first of those loaded whose passes have run out. It goes on
    where it was in the next session.
    """

    def __init__(self, recording: Recording) -> None:
        self.where, self.origin = str(recording.path), recording.origin
        self._works: dict[str, _Played] = {}
        self._others: dict[str, deque[Answer]] = {}
        self._loaded: dict[str, _Played] = {}
        for request, answer in recording.pairs:
            self._take(request, answer)
        self._loaded.clear()

    def _take(self, request: Mapping[str, Any], answer: Answer) -> None:
        do, work = request["do"], str(request.get("work"))
        if do == "load":
            played = self._works.setdefault(_work_key(request), _Played(answer))
            if answer.get("ok"):  # by hand, a load that failed may have been tried again
                played.answer = answer
            self._loaded[work] = played
        elif do == "time" and work in self._loaded and answer.get("ok"):
            self._loaded[work].ms.extend(numbers(self.where, answer, "ms"))
        elif do == "power" and work in self._loaded:
            self._loaded[work].power.append(answer)
        elif do == "conditions" and work in self._loaded:
            self._loaded[work].conditions.append(answer)
        else:
            self._others.setdefault(_key(request), deque()).append(answer)

    def ask(self, do: str, **given: Any) -> Answer:
        """See ``Channel``; what the recording does not hold is refused."""
        if do == "load":
            return self._load(given)
        if do == "release":
            self._loaded.pop(str(given["work"]), None)
            return {"ok": True}
        if do in ("time", "power"):
            return self._run(do, given)
        answers = self._of_a_work(do) or self._others.get(_key({"do": do, **given}))
        if not answers:
            raise self._lacks(do, given)
        return checked(self.where, do, answers.popleft() if len(answers) > 1 else answers[0])

    def _of_a_work(self, do: str) -> deque[Answer] | None:
        """Conditions of the work that is done; ``timing.measure`` asks in the order of loading."""
        if do != "conditions":
            return None
        left = [played for played in self._loaded.values() if played.conditions]
        done = min(left, key=lambda played: bool(played.ms), default=None)
        return None if done is None else deque([done.conditions.popleft()])

    def _load(self, given: Mapping[str, Any]) -> Answer:
        played = self._works.get(_work_key(given))
        if played is None:
            raise self._lacks("load", given)
        self._loaded[str(given["work"])] = played
        return checked(self.where, "load", played.answer)

    def _run(self, do: str, given: Mapping[str, Any]) -> Answer:
        played = self._loaded[str(given["work"])]
        if do == "time":
            count = min(int(given["passes"]), len(played.ms))
            return {"ok": True, "ms": [played.ms.popleft() for _ in range(count)]}
        if not played.power:
            raise self._lacks(do, given)
        return checked(self.where, do, played.power.popleft())

    def _lacks(self, do: str, given: Mapping[str, Any]) -> OfaError:
        """Says what is asked for that nobody recorded."""
        if do == "load":
            ops = ", ".join(op["name"] for block in given["blocks"] for op in block["ops"])
            said = (
                f"{given['batch']} × ({ops[:60]}) at {given['blocks'][0]['ops'][0]['size_in']} px"
            )
            how = f"on the {given['processor']}, {given['dtype']}, {given['threads']} threads"
            what = f"{said} {how} among its {len(self._works)} works"
        else:
            what = {
                "lock": "locked clocks: --set DEVICE.lock_clocks=false plays it as it is",
                "mode": f"change to the power mode {given.get('number')}",
                "power": "more power readings of this network",
            }.get(do, f"answer to {do!r}")
        return UsageError(f"the recording {self.where} has no {what}")

    def close(self) -> None:
        """See ``Channel``; there is nothing to put back."""
        self._loaded.clear()


def numbers(where: str, answer: Answer, name: str) -> list[float]:
    """A list of finite numbers in an answer.

    Raises:
        InputError: it is none.
    """
    found = answer.get(name)
    if not isinstance(found, list) or not all(_is_number(x) for x in found):
        raise InputError(f"{where}: {name!r} of an answer is no list of numbers: {found!r:.80}")
    return [float(x) for x in found]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


class Recorder:
    """A channel that keeps what goes through it.

    Args:
        channel: to the board.
        path: of the file; written line by line, so that an interrupted session leaves a recording.
        new: start the file; else go on with it.
    """

    def __init__(self, channel: Channel, path: Path, new: bool) -> None:
        self._channel, self._path = channel, path
        self.where, self.origin = channel.where, channel.origin
        if new:
            self._start()

    def _start(self) -> None:
        head = {"recording": FORM, "origin": self.origin, "where": self.where}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("x", encoding="utf-8") as file:
                file.write(json.dumps(head) + "\n")
        except FileExistsError as error:
            raise UsageError(f"{self._path} exists already", advice="record elsewhere") from error
        except OSError as error:
            raise InputError(f"cannot write {self._path}: {error.strerror}") from error

    def ask(self, do: str, **given: Any) -> Answer:
        """See ``Channel``."""
        answer = self._channel.ask(do, **given)
        line = json.dumps({"request": {"do": do, **given}, "answer": answer})
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise InputError(f"cannot write {self._path}: {error.strerror}") from error
        return answer

    def close(self) -> None:
        """See ``Channel``."""
        self._channel.close()
