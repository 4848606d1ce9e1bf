"""Laws of jobs: (the record as it is handed out, None, generator). None of them runs the job."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import Any, Final

import numpy as np

from ofa_plugins_core.entries import JobEntry
from ofa_plugins_core.testing.laws import Law, LawBrokenError, NotApplicableError, demand


def says_how_it_is_called(entry: JobEntry, _: Any, generator: np.random.Generator) -> None:
    """It has a summary, and an example that calls it.

    Give the JobEntry a summary, and an example with: ofa run NAME.
    """
    demand(entry.summary.strip(), "it has no summary")
    demand(f"run {entry.name}" in entry.example, f"its example {entry.example!r} does not call it")


def draws_a_folder(entry: JobEntry, _: Any, generator: np.random.Generator) -> None:
    """Its draw takes the folder of a run, and nothing else that it needs.

    Let draw take the folder alone, and yield (file, caption) of each picture.
    """
    if entry.draw is None:
        raise NotApplicableError("it draws nothing")
    demand(callable(entry.draw), f"its draw is {entry.draw!r:.80}: it cannot be called")
    try:
        signature(entry.draw).bind(Path())
    except TypeError as error:
        raise LawBrokenError(f"draw(folder) cannot be called: {error}") from None
    except ValueError:  # a built-in that does not say what it takes
        return


LAWS: Final[tuple[Law, ...]] = (says_how_it_is_called, draws_a_folder)
