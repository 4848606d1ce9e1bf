"""A picture of a subnet: a row a stage, a box a block."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from ofa_plugins_core.geometry import SPATIAL, Block, Op
from ofa_plugins_core.report import canvas
from ofa_plugins_core.report.words import full
from ofa_plugins_core.values import Arch, ArchLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes  # noqa: TC004 -- attrs leaves annotations as text

_TINTS: Final = {1: "#d0d7de", 3: "#a9d5f2", 5: "#f5cf7b", 7: "#f0a37c"}
_OTHER_TINT: Final = "#d9b8d0"
"""Colour of a box by its kernel size: light enough for dark text, far apart in grey."""

_LABELS: Final = 1.75
_STEP: Final = 1.6
_BOX: Final = 1.1
_ROW: Final = 1.3
_TITLE: Final = 0.42
_LEGEND: Final = 0.75
"""Inches: the column of row names, a box with its gap, the widest box, a row, top and bottom."""


@frozen
class _Box:
    """A block on the sheet: left edge, centre line and sides, in inches."""

    block: Block
    left: float
    middle: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Right edge."""
        return self.left + self.width

    @property
    def top(self) -> float:
        """Upper edge."""
        return self.middle + self.height / 2

    @property
    def foot(self) -> float:
        """Lower edge."""
        return self.middle - self.height / 2


@frozen(eq=False)
class _Drawing:
    """What every part of the picture needs: where to draw, the widest ratio, the peak."""

    sheet: canvas.Sheet
    axes: Axes
    widest: float
    peak: tuple[str, str, int] | None


def subnet_picture(
    blocks: Sequence[Block],
    arch: ArchLike,
    path: Path,
    peak: tuple[str, str, int] | None = None,
    *,
    title: str = "",
) -> None:
    """Draw a subnet: each stage a row, each block a box, with what was chosen there; SVG or PNG.

    A box's height and colour tell its kernel size, its width the expand ratio; arcs are identity
    shortcuts, SE marks squeeze-excite; each row says its channels and feature-map size.

    Args:
        blocks: of the subnet, in order, as ``Geometry.blocks(arch)`` gives them.
        arch: for the image size in the heading.
        path: .svg or .png.
        peak: (block, op, items) where memory peaks, as ``peak_of(history)`` gives it.
        title: name of the subnet.

    Raises:
        MissingExtraError, UsageError, InputError: as ``canvas.sheet``.
    """
    rows = _rows(blocks)
    width = _LABELS + max(4, *map(len, rows)) * _STEP + 0.15
    height = len(rows) * _ROW + _TITLE + _LEGEND
    with canvas.sheet(path, width, height) as sheet:
        axes = sheet.whole()
        axes.set(xlim=(0, width), ylim=(0, height))
        axes.axis("off")
        widest = max((expand_of(b) or 0 for b in blocks), default=1)
        drawing = _Drawing(sheet, axes, widest, peak)
        _heading(axes, title, arch, height)
        for number, row in enumerate(rows):
            _draw_row(drawing, row, height - _TITLE - (number + 0.52) * _ROW)
        _draw_legend(drawing, blocks)


def _heading(axes: Axes, title: str, arch: ArchLike, height: float) -> None:
    found = arch.as_dict() if isinstance(arch, Arch) else arch
    found = found.get("arch", found)
    size = found.get("image_size", found.get("r"))
    text = f"{title or 'Subnet'}: input {size}×{size}"
    axes.text(0.05, height - 0.25, text, fontsize=14, fontweight="bold", va="center")


def _rows(blocks: Sequence[Block]) -> list[list[Block]]:
    """What comes before the stages, each stage, what comes after."""
    return [list(run) for _, run in groupby(blocks, key=lambda b: b.stage)]


def expand_of(block: Block) -> float | None:
    """The expand ratio that was chosen, or None where there is none to choose."""
    return None if block.stage is None else dict(block.choice).get("e")


def main_op(block: Block) -> Op:
    """The op that gives a block its kernel: the one that works across pixels, or the first."""
    return next((op for op in block.ops if op.name in SPATIAL), block.ops[0])


def kernel_of(block: Block) -> int | None:
    """Its kernel size, or None for pooling and linear layers."""
    main = main_op(block)
    return None if main.role in ("pool", "linear") else main.kernel


def out_op(block: Block) -> Op:
    """The op that makes the block's output."""
    return next(op for op in reversed(block.ops) if not op.name.startswith("shortcut"))


def _box(drawing: _Drawing, block: Block, number: int, middle: float) -> _Box:
    ratio = expand_of(block)
    share = 0.82 if ratio is None else max(0.5, ratio / drawing.widest)
    centre = _LABELS + (number + 0.5) * _STEP
    height = 0.24 + 0.06 * min(kernel_of(block) or 3, 7)
    return _Box(block, centre - _BOX * share / 2, middle, _BOX * share, height)


def _draw_row(drawing: _Drawing, row: Sequence[Block], middle: float) -> None:
    _name_row(drawing.axes, row, middle)
    boxes = [_box(drawing, block, number, middle) for number, block in enumerate(row)]
    starts = [_LABELS - 0.05, *(box.right for box in boxes)]
    ends = [*(box.left for box in boxes), boxes[-1].right + 0.24]
    for start, end in zip(starts, ends, strict=True):
        _draw_arrow(drawing.axes, start, end, middle)
    for box in boxes:
        if box.block.shortcut:
            _draw_shortcut(drawing.axes, box)
        _draw_box(drawing, box)


def _draw_arrow(axes: Axes, start: float, end: float, middle: float) -> None:
    style = {"arrowstyle": "-|>", "color": canvas.MUTED, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (end, middle), (start, middle), arrowprops=style)


def _name_row(axes: Axes, row: Sequence[Block], middle: float) -> None:
    stage, out = row[0].stage, out_op(row[-1])
    if stage is None:
        name = "input" if row[0].kind == "stem" else "head"
        axes.text(0.05, middle, name, fontweight="bold", va="center")
        return
    axes.text(0.05, middle + 0.24, f"stage {stage}", fontweight="bold", va="center")
    axes.text(0.05, middle, f"{out.channels_out} channels", va="center")
    axes.text(0.05, middle - 0.23, f"{out.size_out}×{out.size_out} pixels", va="center")


def _draw_shortcut(axes: Axes, box: _Box) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Curve

    left, right, over, bend = box.left - 0.15, box.right + 0.15, box.top + 0.1, 0.1
    points = [
        *((left, box.middle), (left, over - bend), (left, over), (left + bend, over)),
        *((right - bend, over), (right, over), (right, over - bend), (right, box.middle)),
    ]
    turn = [Curve.LINETO, Curve.CURVE3, Curve.CURVE3]
    curve = Curve(points, [Curve.MOVETO, *turn, *turn, Curve.LINETO])
    axes.add_patch(PathPatch(curve, facecolor="none", edgecolor=canvas.BLUE, linewidth=1.6))


def _draw_box(drawing: _Drawing, box: _Box) -> None:
    from matplotlib.patches import FancyBboxPatch

    block, peak = box.block, drawing.peak
    peaks = peak is not None and peak[0] == block.name
    shape = FancyBboxPatch(
        (box.left, box.foot),
        box.width,
        box.height,
        boxstyle="round,pad=0,rounding_size=0.07",
        facecolor=_tint(block),
        edgecolor=canvas.RED if peaks else canvas.MUTED,
        linewidth=3 if peaks else 0.8,
    )
    drawing.axes.add_patch(shape)
    drawing.sheet.note(shape, _described(block))
    _label_box(drawing.axes, box)
    if peak is not None and peaks:
        _name_peak(drawing.axes, box, peak)


def _tint(block: Block) -> str:
    return _TINTS.get(kernel_of(block) or 1, _OTHER_TINT)


def _described(block: Block) -> str:
    """What hovering over a box says: its ops with their shapes."""
    ops = (
        f"{op.name} {op.kernel}×{op.kernel} {op.channels_in}→{op.channels_out} "
        f"at {op.size_out}×{op.size_out}"
        for op in block.ops
    )
    return f"{block.name}: " + "; ".join(ops)


def _label_box(axes: Axes, box: _Box) -> None:
    block, centre = box.block, box.left + box.width / 2
    kernel, ratio = kernel_of(block), expand_of(block)
    inside = main_op(block).role if kernel is None else f"{kernel}×{kernel}"
    inside += "" if ratio is None else f"\ne {ratio:g}"
    centred: dict[str, Any] = {"ha": "center", "linespacing": 1.05}
    axes.text(centre, box.middle, inside, va="center", color=canvas.ON_COLOUR, **centred)
    small: dict[str, Any] = {**centred, "fontsize": 9.5, "color": canvas.MUTED}
    axes.text(centre, box.foot - 0.05, _below(block), va="top", **small)
    if block.squeeze_excite:
        badge = {"boxstyle": "round,pad=0.18", "facecolor": canvas.PAPER, "edgecolor": canvas.INK}
        style: dict[str, Any] = {"fontsize": 8, "fontweight": "bold", "bbox": badge, "ha": "center"}
        axes.text(box.right, box.foot + 0.03, "SE", va="center", **style)


def _below(block: Block) -> str:
    """Channels inside an elastic block; name and output of any other."""
    if expand_of(block) is not None:
        return f"mid {main_op(block).channels_out}"
    out = out_op(block)
    size = f", {out.size_out}×{out.size_out}" if out.size_out > 1 else ""
    unit = "out" if out.role == "linear" else "ch"
    return f"{block.name}\n{out.channels_out} {unit}{size}"


def _name_peak(axes: Axes, box: _Box, peak: tuple[str, str, int]) -> None:
    left = box.left < _LABELS + _STEP
    axes.text(
        box.left if left else box.right,
        box.top + 0.15,
        f"peak: {full(peak[2])} items ({peak[1]})",
        ha="left" if left else "right",
        va="bottom",
        fontweight="bold",
        color=canvas.RED,
    )


def _draw_legend(drawing: _Drawing, blocks: Sequence[Block]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    tints = {k: _tint(b) for b in blocks if (k := kernel_of(b) or 1) > 1}
    handles: list[Patch | Line2D] = [
        Patch(facecolor=tint, edgecolor=canvas.MUTED, label=f"kernel {k}×{k}")
        for k, tint in sorted(tints.items())
    ]
    if any(b.shortcut for b in blocks):
        handles.append(Line2D([], [], color=canvas.BLUE, linewidth=1.6, label="shortcut"))
    if drawing.peak is not None:
        edge = Patch(facecolor="none", edgecolor=canvas.RED, linewidth=3, label="peak memory")
        handles.append(edge)
    drawing.axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 0),
        ncols=7,
        handlelength=1.4,
        columnspacing=1.2,
        title="width: expand ratio e; mid: channels inside the block; SE: squeeze-excite",
        alignment="left",
    )
