"""The job ``ofa reproduce``: what papers claim, checked one by one, beside what they published."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher, get_close_matches
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import Final

from attrs import evolve, frozen

from ofa_plugins_core.claims import Checked, Material
from ofa_plugins_core.entries import ClaimEntry, JobContext
from ofa_plugins_core.errors import (
    InputError,
    MissingExtraError,
    OfaError,
    PluginError,
    UnknownNameError,
    UsageError,
)
from ofa_plugins_core.events import Event, Listener, Notice, Progress
from ofa_plugins_core.jobs.reproduce_options import ReproduceOptions
from ofa_plugins_core.jobs.reproduced import Outcome, Reproduction, Shown, elsewhere
from ofa_plugins_core.jobs.resuming import begun
from ofa_plugins_core.journal import Journal

JOURNAL: Final = "claims.jsonl"
MATERIAL: Final = "OFA_MATERIAL"
NEAR: Final = 0.6
"""How alike names are that a user may have meant: ``difflib``'s ratio, its default."""
SLIP: Final = 0.8
"""The same of a name that a claim asks for: so alike, it is a slip of the claim's author, not the
name of something that another plugin would bring."""


def run_reproduce(context: JobContext, options: ReproduceOptions) -> Reproduction | Shown:
    """Check claims, each by itself: one that cannot be checked keeps no other from it.

    Raises:
        UsageError: a name is unknown, --given does not read, or there are no claims at all.
        PluginError: a name is that of a plugin's claim that takes no part.
        InputError: the material's folder is not there.
    """
    if not options.claims:
        _tell_lost(context)
    claims = _asked(context, options.claims)
    every: Sequence[ClaimEntry] = context.host.entries("claims")
    files = _files(claims, every, options)
    if options.show:
        works = sorted({c.work for c in every})
        there = {m for c in claims for m in c.needs if files.of(m) is not None}
        return Shown(claims, works, there)
    return _checked(context, options, claims, files)


def _asked(context: JobContext, names: Sequence[str]) -> list[ClaimEntry]:
    """The claims by name, or all of a work, in the order of works."""
    every = sorted(context.host.entries("claims"), key=lambda c: (c.work, c.name))
    if not every and not names:
        raise UsageError(
            "no plugin that takes part offers a claim",
            advice="ofa plugins list says what is installed, and what takes no part",
        )
    found: list[ClaimEntry] = []
    for name in names:
        meant = [c for c in every if name.lower() in (c.name, c.work.lower())]
        found += meant or [_found(context, name, every)]
    return list(dict.fromkeys(found)) if names else every


def _found(context: JobContext, name: str, every: Sequence[ClaimEntry]) -> ClaimEntry:
    """A claim that is no known one: the error says why.

    Raises:
        PluginError: two plugins offer it, or the one that may offer it failed.
        UsageError: nobody does; with the nearest works and claims, else with where others are.
    """
    try:
        return context.host.claim(name)
    except UnknownNameError as error:
        near = _nearest(name, every)
        said = f"; nearest known: {', '.join(near)}" if near else ""
        advice = [error.advice, None if near else elsewhere(c.work for c in every)]
        told = "; ".join(filter(None, advice)) or None
        raise UsageError(f"unknown claim or work {name!r}{said}", advice=told) from None


def _nearest(name: str, every: Sequence[ClaimEntry]) -> list[str]:
    """Works and claims that are written much like it, however large its letters are."""
    known = {c.work.lower(): c.work for c in every} | {c.name: c.name for c in every}
    near = get_close_matches(name.lower(), known, n=3, cutoff=NEAR)
    return [known[found] for found in near]


def _tell_lost(context: JobContext) -> None:
    """Plugins that take no part: what they claim nobody knows."""
    for plugin in context.host.states():
        if plugin.state in ("failed", "incompatible", "conflict"):
            said = f"claims of the plugin {plugin.name!r} are left out where it offers any"
            context.listener(Notice(f"{said}: {plugin.error}"))


@frozen
class Files:
    """Where published files are.

    Attributes:
        folder: of --material, or None.
        given: name -> path, by --given.
    """

    folder: Path | None
    given: Mapping[str, Path]

    def of(self, needed: Material) -> Path | None:
        """The place of a file that is there, else None."""
        below = None if self.folder is None else self.folder / needed.place
        path = self.given.get(needed.name, below)
        return path if path is not None and path.exists() else None


def _files(
    claims: Sequence[ClaimEntry], every: Sequence[ClaimEntry], options: ReproduceOptions
) -> Files:
    """Raises as ``run_reproduce``."""
    folder = options.material or (Path(os.environ[MATERIAL]) if os.environ.get(MATERIAL) else None)
    if folder is not None and not folder.expanduser().is_dir():
        raise InputError(f"{folder} is no folder", advice="ofa reproduce --show: what it may hold")
    # of claims that are not asked, too: a run that goes on with fewer was given all its files
    known: dict[str, list[Material]] = {m.name: [] for c in every for m in c.needs}
    for needed in {(m.name, m.place): m for c in claims for m in c.needs}.values():
        known[needed.name].append(needed)
    return Files(folder and folder.expanduser(), _given(options.given, known))


def _given(texts: Sequence[str], known: Mapping[str, Sequence[Material]]) -> dict[str, Path]:
    """Name -> path; a name that two plugins use for two files says neither."""
    found = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or not path:
            raise UsageError(f"cannot read --given {text!r}", advice="write --given NAME=PATH")
        if name not in known:
            raise UnknownNameError("published file", name, known)
        if len(known[name]) > 1:
            places = " and ".join(m.place for m in known[name])
            raise UsageError(
                f"--given {name}: {len(known[name])} published files are called so: {places}",
                advice="put them there below --material FOLDER, or ask for one claim",
            )
        found[name] = Path(path).expanduser()
        if not found[name].exists():
            how = f"{name}: {known[name][0].how}" if known[name] else None
            raise InputError(f"{path} is not there", advice=how)
    return found


def _checked(
    context: JobContext,
    options: ReproduceOptions,
    claims: Sequence[ClaimEntry],
    files: Files,
) -> Reproduction:
    """Each claim's outcome, kept as it comes; an interrupt keeps those before it."""
    path = None if context.out is None else context.out / JOURNAL
    # not the material: what was lacking or broken may be there, or mended, when it goes on; and
    # each line is of one claim, so that more or fewer may be asked for
    request = {"seed": context.seed}
    journal = Journal(path, request, context.resume, lambda: begun(context), "checking")
    outcomes: dict[str, Outcome] = {}
    try:
        outcomes |= _kept(journal)
        for done, claim in enumerate(claims):
            context.listener(Progress("claim", done, len(claims), claim.name))
            if claim.name not in outcomes:
                outcomes[claim.name] = outcome_of(context, claim, files)
                journal.add(outcomes[claim.name].as_json())
    except KeyboardInterrupt:
        if not outcomes:
            raise
    finally:
        journal.close()
    found = [outcomes[c.name] for c in claims if c.name in outcomes]
    return Reproduction(found, len(claims), options.verdict)


def _kept(journal: Journal) -> dict[str, Outcome]:
    """Claims that an earlier run judged; those that it could not judge are asked again."""
    outcomes = {}
    for number, line in journal.found:
        try:
            outcome = Outcome.read(line)
        except (KeyError, TypeError, ValueError) as error:
            raise journal.broken(number) from error
        outcomes[outcome.claim] = outcome
    return {n: o for n, o in outcomes.items() if o.verdict not in ("needs", "failed")}


def outcome_of(context: JobContext, claim: ClaimEntry, files: Files) -> Outcome:
    """What checking one claim comes to; what it raises is its outcome, too."""
    places = {m.name: files.of(m) for m in claim.needs}
    if lacking := [m for m in claim.needs if places[m.name] is None]:
        return Outcome.of(claim, "needs", reason="\n".join(_needed(m) for m in lacking))
    started = time.monotonic()
    alone = evolve(context, out=None, resume=False, listener=_progress_of(context.listener))
    try:
        with _interruptible():
            checked = claim.check(alone, {n: path for n, path in places.items() if path})
    except (MissingExtraError, UnknownNameError) as error:  # a plugin, or an extra, is not here
        said = "; ".join(str(error).splitlines())
        if not _is_slip(error):
            return Outcome.of(claim, "needs", reason=said)
        blamed = f"a fault of the claim's plugin: it asks for an {said}"
        return Outcome.of(claim, "failed", reason=blamed, exit_code=PluginError.exit_code)
    except OfaError as error:
        said = "; ".join(str(error).splitlines())
        return Outcome.of(claim, "failed", reason=said, exit_code=error.exit_code)
    seconds = time.monotonic() - started
    rows = [c.as_json() for c in checked.comparisons]
    chosen = checked.chosen if checked.verdict == "consistent" else ""
    return Outcome.of(
        claim, checked.verdict, rows=rows, reason=_said(checked), chosen=chosen, seconds=seconds
    )


def _is_slip(error: OfaError) -> bool:
    """Whether a claim asks for a known name, misspelt."""
    if not isinstance(error, UnknownNameError) or not error.near:
        return False
    return SequenceMatcher(None, error.name, error.near[0]).ratio() >= SLIP


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends a claim, also where a search in it takes it and returns what it has.

    Raises:
        KeyboardInterrupt: it was pressed meanwhile.
    """
    before = signal.getsignal(signal.SIGINT)
    if current_thread() is not main_thread() or not callable(before):
        yield
        return
    pressed = []

    def press(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        before(number, frame)

    signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def _progress_of(listener: Listener) -> Listener:
    """Progress alone: what a claim's reader has to know is in its note."""

    def tell(event: Event) -> None:
        if isinstance(event, Progress):
            listener(event)

    return tell


def _needed(material: Material) -> str:
    return f"needs {material.name}: {material.summary}; {material.how}"


def _said(checked: Checked) -> str:
    """What there is to say of a claim that could be checked."""
    if checked.verdict != "consistent" or not checked.chosen:
        return checked.note
    return f"{checked.note} Consistent, not reproduced: {checked.chosen}.".strip()
