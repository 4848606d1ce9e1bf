"""The job ``ofa reproduce``: what papers claim, checked one by one, beside what they published."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ofa_plugins_core.claims import Material
from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import ClaimEntry, JobContext
from ofa_plugins_core.errors import (
    InputError,
    MissingExtraError,
    OfaError,
    UnknownNameError,
    UsageError,
)
from ofa_plugins_core.events import Progress
from ofa_plugins_core.jobs.reproduce_options import ReproduceOptions
from ofa_plugins_core.jobs.reproduced import Outcome, Reproduction, Shown
from ofa_plugins_core.jobs.resuming import begun
from ofa_plugins_core.journal import Journal

JOURNAL: Final = "claims.jsonl"
MATERIAL: Final = "OFA_MATERIAL"


def run_reproduce(context: JobContext, options: ReproduceOptions) -> Reproduction | Shown:
    """Check claims, each by itself: one that cannot be checked keeps no other from it.

    Raises:
        UsageError: a name is unknown, or --given does not read.
        InputError: the material's folder is not there.
    """
    claims = _asked(context, options.claims)
    files = _files(claims, options)
    if options.show:
        return Shown(claims, {name: path for name, path in files.items() if path.exists()})
    return _checked(context, options, claims, files)


def _asked(context: JobContext, names: Sequence[str]) -> list[ClaimEntry]:
    """The claims by name, or all of a work, in the order of works."""
    every = sorted(context.host.entries("claims"), key=lambda c: (c.work, c.name))
    found: list[ClaimEntry] = []
    for name in names:
        meant = [c for c in every if name.lower() in (c.name, c.work.lower())]
        if not meant:
            raise UnknownNameError("claim", name, [*(c.name for c in every), *_works(every)])
        found += meant
    return list(dict.fromkeys(found)) if names else every


def _works(claims: Sequence[ClaimEntry]) -> list[str]:
    return list(dict.fromkeys(c.work for c in claims))


def _files(claims: Sequence[ClaimEntry], options: ReproduceOptions) -> dict[str, Path]:
    """Where each published file is, or would be."""
    folder = options.material or (Path(os.environ[MATERIAL]) if os.environ.get(MATERIAL) else None)
    if folder is not None and not folder.expanduser().is_dir():
        raise InputError(f"{folder} is no folder", advice="ofa reproduce --show: what it may hold")
    known = {m.name: m for c in claims for m in c.needs}
    given = _given(options.given, known)
    below = {} if folder is None else {n: folder.expanduser() / m.place for n, m in known.items()}
    return {**below, **given}


def _given(texts: Sequence[str], known: Mapping[str, Material]) -> dict[str, Path]:
    found = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or not path:
            raise UsageError(f"cannot read --given {text!r}", advice="write --given NAME=PATH")
        if name not in known:
            raise UnknownNameError("published file", name, known)
        found[name] = Path(path).expanduser()
        if not found[name].exists():
            raise InputError(f"{path} is not there", advice=f"{name}: {known[name].how}")
    return found


def _checked(
    context: JobContext,
    options: ReproduceOptions,
    claims: Sequence[ClaimEntry],
    files: Mapping[str, Path],
) -> Reproduction:
    """Each claim's outcome, kept as it comes; an interrupt keeps those before it."""
    path = None if context.out is None else context.out / JOURNAL
    request = {**plain(options), "seed": context.seed}
    journal = Journal(path, request, context.resume, lambda: begun(context), "checking")
    outcomes = {}
    try:
        for number, line in journal.found:
            try:
                outcome = Outcome.read(line)
            except (KeyError, TypeError, ValueError) as error:
                raise journal.broken(number) from error
            outcomes[outcome.claim] = outcome
        for done, claim in enumerate(claims):
            context.listener(Progress("claim", done, len(claims), claim.name))
            if claim.name not in outcomes:
                outcomes[claim.name] = outcome_of(context, claim, files)
                journal.add(outcomes[claim.name].as_json())
    except KeyboardInterrupt:
        if not outcomes:
            raise
        return Reproduction(list(outcomes.values()), len(claims))
    finally:
        journal.close()
    return Reproduction([outcomes[c.name] for c in claims], len(claims))


def outcome_of(context: JobContext, claim: ClaimEntry, files: Mapping[str, Path]) -> Outcome:
    """What checking one claim comes to; what it raises is its outcome, too."""
    lacking = [m for m in claim.needs if m.name not in files or not files[m.name].exists()]
    if lacking:
        return Outcome.of(claim, "needs", reason=" ".join(_needed(m) for m in lacking))
    started = time.monotonic()
    try:
        checked = claim.check(context, {m.name: files[m.name] for m in claim.needs})
    except (MissingExtraError, UnknownNameError) as error:  # a plugin, or an extra, is not here
        return Outcome.of(claim, "needs", reason="; ".join(str(error).splitlines()))
    except OfaError as error:
        said = "; ".join(str(error).splitlines())
        return Outcome.of(claim, "failed", reason=said, exit_code=error.exit_code)
    seconds = time.monotonic() - started
    rows = [c.as_json() for c in checked.comparisons]
    return Outcome.of(claim, checked.verdict, rows=rows, reason=checked.note, seconds=seconds)


def _needed(material: Material) -> str:
    return f"{material.name} ({material.summary}): {material.how}."
