"""The command lines that the pages print, and what becomes of each.

A line of a block of ``sh`` or ``console``, or of a table's cell, is run by ``nox -s commands``,
part of ``nox -s full``, with the substitutes of ``command_lines.toml``. What is not run has a
reason: in that file, where it holds for many pages, or in a comment before its block or table::

    <!-- not run: takes GPU hours -->
    <!-- not run, "user@board": needs a Jetson -->
    <!-- not run on this page: takes GPU hours -->

The second form is for the lines that hold that text. Every line, run or not, is read by CI through
the real program: tests/together/test_command_lines.py.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from attrs import evolve, frozen

ROOT: Final = Path(__file__).resolve().parents[1]
PROGRAMS: Final = ("ofa", "pip", "python", "nox", "torchrun", "horovodrun", "pytest")
COMMANDS: Final = ("list", "plugins", "report", "reproduce", "run", "show", "weights")
"""Of ``ofa``, in tables: there are formats of files, too, that begin with that word."""
MADE: Final = ("hooks.md", "commands.md")
"""Pages that programs write: their examples are tested where they come from."""

BLOCK: Final = re.compile(r"^ *```(\w+)?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PAGE_MARK: Final = re.compile(r"^<!-- not run on this page: (?P<why>.+?) -->$", re.MULTILINE)
MARK: Final = re.compile(r'^<!-- not run(?:, "(?P<which>.+?)")?: (?P<why>.+?) -->$', re.MULTILINE)
PLACEHOLDER: Final = re.compile(r"…|(?<![\w./@{])[A-Z][A-Z_0-9]{2,}(?![\w.=])")
"""What a reader has to fill in: FILE, FOLDER, NAME, or an ellipsis."""


@frozen
class Mark:
    """A reason not to run lines.

    Attributes:
        which: a text that they hold; empty: all of the next block or table.
        why: the reason.
    """

    which: str
    why: str


@frozen
class Line:
    """A command line of a page.

    Attributes:
        page: the file, from the root of the checkout.
        number: of the line in it, from 1.
        text: the command, in one line, without its comment.
        why_not: the reason why it is not run; None: it is.
    """

    page: str
    number: int
    text: str
    why_not: str | None = None

    @property
    def words(self) -> list[str]:
        """As a shell splits them."""
        return shlex.split(self.text)

    @property
    def ofa(self) -> list[str] | None:
        """What ``ofa`` is called with, launchers and what follows left out; None: it is not."""
        words = [Path(w).name if w.endswith("/ofa") else w for w in self.words]
        if "ofa" not in words:
            return None
        called = words[words.index("ofa") + 1 :]
        end = next(
            (n for n, w in enumerate(called) if w in (">", "|", "&&", ";") or w[-1:] == ";"), None
        )
        if end is None:
            return called
        return [*called[:end], *filter(None, [called[end].rstrip(";>|&")])]


def pages(root: Path = ROOT) -> list[str]:
    """The pages that hold commands: README, docs, and the plugins' own."""
    found = [root / "README.md", *sorted(root.glob("docs/*.md"))]
    found += sorted(root.glob("plugins/*/README.md"))
    return [p.relative_to(root).as_posix() for p in found if p.name not in MADE]


def lines_of(page: str, text: str) -> list[Line]:
    """The command lines of a page, in order."""
    of_page = PAGE_MARK.search(text)
    lines = [line for _, lines in _parts(page, text) for line in lines]
    return lines if of_page is None else [evolve(x, why_not=of_page["why"]) for x in lines]


def idle_marks(page: str, text: str) -> list[str]:
    """Marks that no line answers to: their reason is gone, or they are misspelt."""
    return [
        f"{page}: {mark.which or mark.why}"
        for marks, lines in _parts(page, text)
        for mark in marks
        if not any(mark.which in line.text for line in lines)
    ]


def _parts(page: str, text: str) -> Iterator[tuple[list[Mark], list[Line]]]:
    """(marks, lines) of each block and table; a block's marks stand right before it."""
    marks: list[Mark] = []
    position = 0
    for start, end, commands in _places(text):
        for match in MARK.finditer(text, position, start):
            marks.append(Mark(match["which"] or "", match["why"]))
        position = end
        lines = [Line(page, n, t, _reason(t, marks)) for n, t in commands]
        if lines or marks:
            yield marks, lines
            marks = []


def _reason(text: str, marks: Sequence[Mark]) -> str | None:
    return next((m.why for m in marks if m.which in text), None)


def _places(text: str) -> Iterator[tuple[int, int, list[tuple[int, str]]]]:
    """(start, end, numbered commands) of each block of commands and each table."""
    blocks = [
        (m.start(), m.end(), list(_of_block(m[2], text[: m.start(2)].count("\n") + 1)))
        for m in BLOCK.finditer(text)
        if m[1] in ("sh", "console")
    ]
    plain = BLOCK.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
    tables = [
        (m.start(), m.end(), list(_of_table(m[0], text[: m.start()].count("\n") + 1)))
        for m in re.finditer(r"(?:^\|.*\n)+", plain, re.MULTILINE)
    ]
    return iter(sorted(p for p in [*blocks, *tables] if p[2]))


def _of_block(block: str, first: int) -> Iterator[tuple[int, str]]:
    """Commands, those over several lines joined, comments left out."""
    number = first
    for line in re.split(r"(?<!\\)\n", block):
        text = re.sub(r"\s*\\\n\s*", " ", line).strip()
        text = re.sub(r"(^|\s+)#(\s.*)?$", "", text)
        if text:
            yield number, text
        number += line.count("\n") + 1


def _of_table(table: str, first: int) -> Iterator[tuple[int, str]]:
    """Code in cells that calls a program with something to do."""
    for number, row in enumerate(table.splitlines(), first):
        for code in re.findall(r"`([^`]+)`", row):
            command = code.replace(r"\|", "|")
            if _is_command(command.split()):
                yield number, command


def _is_command(words: Sequence[str]) -> bool:
    """Whether code in a cell is a command line, and no mention: `ofa run fit`, `torchrun`."""
    if len(words) < 2 or words[0] not in PROGRAMS:
        return False
    if words[0] != "ofa":
        return True
    return words[1] in COMMANDS and (words[1] != "run" or len(words) > 3)


@frozen
class Substitutes:
    """What ``command_lines.toml`` says.

    Attributes:
        replaced: (pattern, replacement) in every line: what a reader has to fill in.
        smaller: pattern of a job -> flags that make it take seconds, where a line has none; the
            first pattern counts.
        elsewhere: (pattern, why) of lines that are not run here.
        as_written: pages whose jobs are run at full size.
        prepared: what lines take for granted -> the command that makes it.
    """

    replaced: Sequence[tuple[str, str]]
    smaller: dict[str, dict[str, str]]
    elsewhere: Sequence[tuple[str, str]]
    as_written: Sequence[str]
    prepared: dict[str, str]

    def reason(self, line: Line) -> str | None:
        """Why a line is not run; None: it is."""
        general = (why for pattern, why in self.elsewhere if re.search(pattern, line.text))
        return line.why_not or next(general, None)

    def small(self, line: Line) -> str:
        """The line as it is run."""
        text = line.text
        for pattern, new in self.replaced:
            text = re.sub(pattern, new, text)
        if line.page in self.as_written:
            return text
        jobs = (f for job, f in self.smaller.items() if re.search(rf"\bofa run {job}\b", text))
        given = set(text.split())
        added = (f"{k} {v}" for k, v in next(jobs, {}).items() if k not in given)
        return " ".join([text, *added])


def substitutes() -> Substitutes:
    """What runs replace, so that they take minutes and need nothing that is not here."""
    file = Path(__file__).with_suffix(".toml")
    return Substitutes(**tomllib.loads(file.read_text(encoding="utf-8")))
