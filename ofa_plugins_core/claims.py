"""What a paper claims, beside what comes out here: comparisons, and the files that they need.

Knows no plugin and reads no file. A plugin's claim yields comparisons; what they come to is a
verdict: reproduced where every judged one holds and something of it was had here; consistent where
all that holds is arithmetic on published figures, or hangs on a choice of ours; else differs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Literal, TypeAlias, get_args

from attrs import field, frozen, validators

from ofa_plugins_core.values import Kind

Verdict: TypeAlias = Literal["reproduced", "consistent", "differs", "needs", "failed"]
Relation: TypeAlias = Literal["equal", "at least", "at most", "shown"]
Figure: TypeAlias = float | int | str | None


@frozen
class Material:
    """A published file that a claim reads, and that is not redistributed: a user's own copy.

    Attributes:
        name: for example ``note10_tables``; ``--given NAME=PATH`` says where it is.
        place: where it lies below ``--material FOLDER``, for example ``lut/note10``.
        summary: what it is, in one line.
        how: to get it: an address, or whom to ask.
    """

    name: str
    place: str
    summary: str
    how: str


def _figure(value: Any) -> Figure:
    """A number of Python's own, or a text; what is no finite number is none at all."""
    plain: Figure = value.item() if hasattr(value, "item") else value
    if not isinstance(plain, int | float | str | None):
        raise TypeError(f"expected a number or a text, found {value!r:.60}")
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def _margin(value: float) -> float:
    """Raises ValueError: it would grant everything, or means nothing."""
    plain = _figure(value)
    if not isinstance(plain, int | float) or plain < 0:
        raise ValueError(f"within: expected a finite number from 0 up, found {value!r:.60}")
    return plain


@frozen
class Comparison:
    """One figure of ours beside the published one.

    Attributes:
        what: for example ``networks at one image size``.
        ours: what came out here; None: nothing did, or no finite number.
        published: the figure as published; None: none was.
        unit: of both; empty for a count or a text.
        kind: how ours was had. ``published``: by arithmetic on published figures.
        relation: how ours has to stand to the published one; ``shown``: it is not judged.
        within: how far off ours may be, in the unit of both.
        why: why ours differs, where that is known; said unless it holds.
        against: what ours is held to where nothing was published: another figure of ours.
        beside: whose that is, for example ``Once-for-All's, of the same records``.

    Raises:
        TypeError, ValueError: a figure is neither number nor text, ``within`` no finite number
            from 0 up, or ``kind`` or ``relation`` is no such word.
    """

    what: str = field(validator=validators.instance_of(str))
    ours: Figure = field(converter=_figure)
    published: Figure = field(converter=_figure)
    unit: str = field(default="", validator=validators.instance_of(str))
    kind: Kind = field(default="computed", validator=validators.in_(get_args(Kind)))
    relation: Relation = field(default="equal", validator=validators.in_(get_args(Relation)))
    within: float = field(default=0.0, converter=_margin)
    why: str = field(default="", validator=validators.instance_of(str))
    against: Figure = field(default=None, converter=_figure)
    beside: str = field(default="", validator=validators.instance_of(str))

    @property
    def holds(self) -> bool | None:
        """Whether ours stands to the published figure as it has to; None: not judged."""
        if self.relation == "shown":
            return None
        due = self.against if self.published is None else self.published
        if not isinstance(self.ours, int | float) or not isinstance(due, int | float):
            return self.ours is not None and self.ours == due
        # whole numbers beyond a float's digits are compared exactly where nothing is granted
        off = self.within or 0
        above = self.ours >= due - off
        below = self.ours <= due + off
        return {"at least": above, "at most": below, "equal": above and below}[self.relation]

    def as_json(self) -> dict[str, Any]:
        """JSON form."""
        found = {k: getattr(self, k) for k in ("what", "ours", "published", "unit", "kind")}
        if self.against is not None:
            found |= {"against": self.against, "beside": self.beside}
        found |= {"relation": self.relation, "within": self.within, "holds": self.holds}
        return {**found, "why": self.why} if self.why and not self.holds else found


def _in_order(comparisons: Iterable[Comparison]) -> tuple[Comparison, ...]:
    return tuple(comparisons)


@frozen
class Checked:
    """What checking a claim came to.

    Attributes:
        comparisons: in the order in which they are to be read; at least one is judged.
        note: how it was done, and how far it goes, in a sentence or two.
        chosen: what we chose where the paper leaves it open, and the verdict hangs on it: a
            constructed trace, a reading of a word. Such a claim is consistent, not reproduced.
    """

    comparisons: tuple[Comparison, ...] = field(converter=_in_order)
    note: str = ""
    chosen: str = ""

    @property
    def verdict(self) -> Verdict:
        """Of all that is judged; see the module."""
        judged = [c for c in self.comparisons if c.holds is not None]
        if any(c.holds is False for c in judged):
            return "differs"
        earned = any(c.kind != "published" for c in judged)
        return "reproduced" if earned and not self.chosen else "consistent"


def lazily(place: str) -> Callable[..., Checked]:
    """What checks a claim, imported when it is called: entries of claims load nothing heavy.

    Args:
        place: ``package.module:function``; the function takes what a claim's ``check`` takes.

    Raises:
        ValueError: a part is missing.
    """
    module, colon, name = place.partition(":")
    if not (module and colon and name):
        raise ValueError(f"{place!r} is not package.module:function")

    def check(*given: Any) -> Checked:
        checked: Checked = getattr(import_module(module), name)(*given)
        return checked

    return check
