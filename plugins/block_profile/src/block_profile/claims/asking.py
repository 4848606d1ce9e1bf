"""Profiles and contests that claims ask for; what is interrupted ends the claim."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from attrs import evolve

from block_profile.claims.figures import SIZE, SUPERNET
from block_profile.profiling.job import run_profile
from block_profile.profiling.options import ProfileOptions
from block_profile.profiling.profile import Profile
from block_profile.profiling.result import ProfileResult
from block_profile.reducing.contest import run_contest
from block_profile.reducing.contest_result import ContestResult
from block_profile.reducing.options import ContestOptions
from ofa_plugins_core import JobContext
from ofa_plugins_core.events import silent
from ofa_plugins_core.weights.cache import digest

PREDICTOR: Final = "mlp"

MITS: Final = "48685122a3540636b06699af66cd816456b25f29b69563e2fda9bed4018eeba0"
"""SHA-256 of the OFA authors' predictor of ofa_mbv3_w1.2, as this was written with it.

They published none; a file of the same form and other content would pass for theirs.
"""


def whose(files: Mapping[str, Path]) -> str:
    """The predictor in words: MIT's, or the file that was given."""
    file = files["mit_predictor"]
    return "MIT's predictor" if digest(file) == MITS else f"the predictor in {file.name}"


def other_predictor(files: Mapping[str, Path]) -> str:
    """What to say where the file is not the one known as MIT's; else nothing."""
    found = digest(files["mit_predictor"])
    if found == MITS:
        return ""
    return (
        f"{files['mit_predictor'].name}, given as mit_predictor, is not the OFA authors' file as "
        f"it is known here: SHA-256 {found[:12]}… in place of {MITS[:12]}…"
    )


def profile_of(
    context: JobContext, *, predictor: Path | None = None, lut: Path | None = None, **asked: Any
) -> Profile:
    """A profile at the figures' size, by the paper's rule unless ``asked`` says otherwise.

    Args:
        predictor: the published predictor's file: accuracy is a metric then.
        lut: folder of Note10 tables: ``latency@note10`` is one then.

    Raises:
        InputError: one of them is broken.
        KeyboardInterrupt: the user stopped it.
    """
    named = {"accuracy": predictor, "latency@note10": lut}
    options = ProfileOptions(
        supernet=SUPERNET,
        metrics=tuple(name for name, path in named.items() if path is not None),
        resolutions=(SIZE,),
        **{"rule": "paper", **_predicted(predictor), **_priced(lut), **asked},
    )
    found = run_profile(_alone(context), options)
    assert isinstance(found, ProfileResult)  # blocks are not to be listed
    if found.interrupted:
        raise KeyboardInterrupt
    return found.profile


def contest_of(
    context: JobContext, space: str, predictor: Path, *, lut: Path | None = None, **asked: Any
) -> ContestResult:
    """The published search in a smaller space, in the whole one and in random ones of its size.

    Args:
        lut: folder of Note10 tables: fronts against ``latency@note10`` are compared then.

    Raises:
        InputError: a file is broken.
        KeyboardInterrupt: the user stopped it.
    """
    options = ContestOptions(
        supernet=f"{SUPERNET}+{space}",
        cost=() if lut is None else ("latency@note10",),
        resolutions=(SIZE,),
        **{**_predicted(predictor), **_priced(lut), **asked},
    )
    found = run_contest(_alone(context), options)
    if found.interrupted:
        raise KeyboardInterrupt
    return found


def _alone(context: JobContext) -> JobContext:
    """The claims' folder is not the job's, and its notices and steps are not theirs."""
    return evolve(context, listener=silent, out=None, resume=False)


def _predicted(predictor: Path | None) -> dict[str, Any]:
    return {} if predictor is None else {"predictor": PREDICTOR, "predictor_weights": predictor}


def _priced(lut: Path | None) -> dict[str, Any]:
    return {} if lut is None else {"lut": (f"note10={lut}",)}
