"""The one file that knows matplotlib: sheets to draw on, colours, and how a sheet is written.

matplotlib is the extra ``[plot]``; it is imported when something is drawn, without pyplot and
without a window. What is drawn is the same bytes each time: no dates, fixed ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.errors import InputError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure  # noqa: TC004 -- attrs leaves annotations as text

INK: Final = "#1f2328"
MUTED: Final = "#59636e"
GRID: Final = "#d8dee4"
PAPER: Final = "#ffffff"
"""Colours of text, secondary text, lines and ground: a page in dark mode swaps these four."""

BLUE: Final = "#0072b2"
ORANGE: Final = "#e69f00"
GREEN: Final = "#009e73"
RED: Final = "#d55e00"
SKY: Final = "#56b4e9"
PINK: Final = "#cc79a7"
YELLOW: Final = "#f0e442"
GREY: Final = "#8c959f"
SERIES: Final = (BLUE, RED, GREEN, PINK, ORANGE, SKY, GREY)
"""Okabe and Ito's palette (2008): told apart with any colour vision, and in grey."""

ON_COLOUR: Final = "#14181c"
"""Text on a filled shape: stays dark in dark mode."""

SUFFIXES: Final = (".svg", ".png")

_STYLE: Final[dict[str, Any]] = {
    "font.size": 11,
    "svg.fonttype": "none",  # text stays text: searchable, selectable, a third of the size
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "legend.frameon": False,
}


@frozen(eq=False)
class Sheet:
    """A figure in the making.

    Attributes:
        figure: matplotlib's.
        notes: id of a drawn thing -> what hovering over it says.
    """

    figure: Figure
    notes: dict[str, str] = field(factory=dict)

    def axes(self) -> Axes:
        """The only pair of axes of a plain chart."""
        return self.figure.add_subplot()

    def whole(self) -> Axes:
        """Axes over the whole sheet, for a drawing that sets its own places."""
        self.figure.set_layout_engine("none")
        return self.figure.add_axes((0, 0, 1, 1))

    def note(self, artist: Artist, text: str) -> None:
        """Give a drawn thing a title that an SVG viewer shows on hovering."""
        name = f"note-{len(self.notes)}"
        artist.set_gid(name)
        self.notes[name] = text


@contextmanager
def sheet(path: Path, width: float, height: float) -> Iterator[Sheet]:
    """A sheet of so many inches; it is written to ``path`` when the block ends without an error.

    Raises:
        MissingExtraError: matplotlib is not installed.
        UsageError: the suffix is neither .svg nor .png.
        InputError: the file cannot be written; what was there before stays.
    """
    if path.suffix not in SUFFIXES:
        raise UsageError(f"cannot draw {path.name!r}: the name must end with .svg or .png")
    matplotlib = _matplotlib()
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a user's own matplotlibrc does not change our pictures
        matplotlib.rcParams.update({**_STYLE, "svg.hashsalt": path.stem})
        found = Sheet(Figure(figsize=(width, height), layout="constrained"))
        yield found
        runs.write(path, _rendered(found, path.suffix[1:]))


def can_draw() -> bool:
    """Whether matplotlib is installed."""
    from importlib.util import find_spec

    return find_spec("matplotlib") is not None


def _matplotlib() -> Any:
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        raise MissingExtraError("drawing", "ofa-plugins-core", "plot") from error
    return matplotlib


def _rendered(drawn: Sheet, form: str) -> bytes:
    nothing = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
    buffer = BytesIO()
    drawn.figure.savefig(buffer, format=form, dpi=160, metadata=nothing)
    if form == "png":
        return buffer.getvalue()
    return _with_notes(buffer.getvalue().decode(), drawn.notes).encode()


def _with_notes(svg: str, notes: dict[str, str]) -> str:
    def titled(match: re.Match[str]) -> str:
        return f"{match[0]}<title>{escape(notes[match[1]])}</title>"

    return re.sub(r'<g id="(note-\d+)">', titled, svg)


def inlined(svg_file: Path, prefix: str) -> str:
    """An SVG file as an element of an HTML page.

    Ids get a prefix, so that several pictures live on one page; the four neutral colours become
    the page's CSS variables ``--ink``, ``--muted``, ``--grid`` and ``--paper``.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        text = svg_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {svg_file}: {error}") from error
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r' id="', f' id="{prefix}-', body)
    body = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}-", body)
    for colour, name in ((INK, "ink"), (MUTED, "muted"), (GRID, "grid"), (PAPER, "paper")):
        body = body.replace(colour, f"var(--{name})")
    return body
