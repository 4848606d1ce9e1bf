"""Points that others measured: filtered as the published program does, and drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from dynamic_ofa.levels.choosing import Point
from ofa_plugins_core.config import structure
from ofa_plugins_core.errors import InputError

ADVICE: Final = 'JSON with "points": [[accuracy %, cost], …]'
MOST: Final = 10_000
"""Points of a file: the filter looks at every pair."""


@frozen(kw_only=True)
class Points:
    """What a file holds.

    Attributes:
        points: (accuracy %, cost). about: what the file says of itself.
    """

    points: tuple[tuple[float, float], ...]
    about: str = ""


def read_points(path: Path) -> tuple[list[Point], str]:
    """The points of a file, and what it says of itself.

    Raises:
        InputError: it is missing or broken; names the point.
    """
    try:
        content: Any = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}", advice=ADVICE) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON: {error}", advice=ADVICE) from error
    if not isinstance(content, dict) or not isinstance(content.get("points"), list):
        raise InputError(f"{path} holds no points", advice=ADVICE)
    known = {k: content[k] for k in ("points", "about") if k in content}
    found = structure(known, Points, str(path), InputError)
    if not 0 < len(found.points) <= MOST:
        raise InputError(f"{path}: 1 to {MOST:,} points are due, found {len(found.points)}")
    for index, (accuracy, cost) in enumerate(found.points):
        if not (0 <= accuracy <= 100 and 0 < cost < float("inf")):
            raise InputError(
                f"{path}: points[{index}]: an accuracy in percent and a cost above 0 are due, "
                f"found {[accuracy, cost]}",
                advice=ADVICE,
            )
    return list(found.points), found.about
