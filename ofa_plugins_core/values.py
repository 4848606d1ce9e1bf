"""Immutable values: search spaces, architectures, measurements, constraints, fronts.

Knows no torch, no file and no plugin. A space's architectures are exchanged as the field's own
dict (``{"ks": […], "e": […], "d": […], "image_size": 224}``), and computed on as one array of
small integers, one column a gene.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from ofa_plugins_core.bounds import DTYPE_BYTES as DTYPE_BYTES
from ofa_plugins_core.bounds import BoundRange as BoundRange
from ofa_plugins_core.bounds import Constraint as Constraint
from ofa_plugins_core.bounds import parse_constraint as parse_constraint
from ofa_plugins_core.errors import InputError, UsageError

Number: TypeAlias = int | float
Genes: TypeAlias = NDArray[np.uint8]  # (n, genes): option indices, column 0 is the resolution
Kind = Literal["computed", "measured", "predicted", "published"]


def whole(value: float) -> Number:
    """A number as JSON should have it: an int where it is one."""
    return int(value) if float(value).is_integer() else float(value)


RESOLUTION: Final = 0
"""Column of the resolution in an encoded array."""

MAX_OPTIONS: Final = 255
"""Most options of a gene: an encoded array holds bytes."""

SIZES: Final = (32, 65536)
"""Smallest and largest image side in pixels that is taken for one."""


@frozen
class Arch:
    """One point of a search space, without weights.

    Attributes:
        choices: the dimensions in the order of the space, each a tuple of chosen values with one
            entry a slot (inactive slots included), or None where the dimension is fixed.
        image_size: side of the square input in pixels.
    """

    choices: tuple[tuple[str, tuple[Number, ...] | None], ...]
    image_size: int

    def as_dict(self) -> dict[str, Any]:
        """The exchange form, ready for JSON."""
        lists = {k: None if v is None else list(v) for k, v in self.choices}
        return {**lists, "image_size": self.image_size}


ArchLike: TypeAlias = Arch | Mapping[str, Any]


@frozen(eq=False)
class Gene:
    """One choice of a search space: a column of the encoded array.

    Attributes:
        name: for example ``d[1]`` or ``ks[7]``.
        options: the values, in increasing order.
        group: number of the gene's group in the chain (a stage); -1 for the resolution.
        controls: columns of the genes (of the same group) that decide which options differ.
        canonical: (options of each control…, options) -> index of the option that stands for it:
            an inactive slot maps all its options to 0, two options of one width map to the first.
            None: all options are distinct, always.
    """

    name: str
    options: tuple[Number, ...]
    group: int
    controls: tuple[int, ...] = ()
    canonical: NDArray[np.uint8] | None = None

    def representatives(self) -> NDArray[np.uint8]:
        """The canonical table, (options of each control…, options), also where none was given."""
        if self.canonical is None:
            return np.arange(len(self.options), dtype=np.uint8)
        return self.canonical


@frozen
class Derived:
    """An entry of a dimension that follows from another gene, or from nothing (a constant).

    A gene that no entry shows by itself is read from all entries that follow from it together:
    its options are pairs, say, of a kernel and an expand ratio.

    Attributes:
        gene: column of the gene that decides, or None for a constant.
        values: the entry's value for each option of that gene; one value for a constant.
        active: for each option, whether the slot is used (what an unused slot holds is free).
    """

    gene: int | None
    values: tuple[Number, ...]
    active: tuple[bool, ...]


@frozen
class Dimension:
    """One key of the exchange dict: for each entry a gene's column, or a derived value.

    Attributes:
        key: ``ks``, ``e``, ``d``, ``w`` …
        entries: a column of the encoded array, or a Derived, for each slot.
        fixed: written as ``null`` in the exchange dict (CompOFA's kernels).
    """

    key: str
    entries: tuple[int | Derived, ...]
    fixed: bool = False


def _as_int(value: Number) -> Number:
    """3.0 -> 3: options are shown, and written, as the field writes them."""
    return int(value) if float(value).is_integer() else float(value)


@frozen(eq=False, slots=False)
class SearchSpace:
    """Named dimensions with options, over genes that form a chain of groups.

    Attributes:
        name: of the space (its supernet's).
        resolutions: image sizes of gene 0, increasing.
        genes: one a column of the encoded array; ``genes[0]`` is the resolution.
        dimensions: how genes read as the exchange dict.
    """

    name: str
    resolutions: tuple[int, ...]
    genes: tuple[Gene, ...]
    dimensions: tuple[Dimension, ...]

    @classmethod
    def of(
        cls,
        name: str,
        resolutions: Sequence[int],
        genes: Sequence[Gene],
        dimensions: Sequence[Dimension],
    ) -> SearchSpace:
        """Build a space from its architecture genes; the resolution gene is put before them.

        The genes' ``controls`` and the dimensions' entries count columns of the encoded array,
        so the first of ``genes`` is column 1.
        """
        sizes = tuple(sorted(set(resolutions)))
        first = Gene("image_size", sizes, -1)
        return cls(name, sizes, (first, *genes), tuple(dimensions))

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Columns of each group, in the order of the chain; the resolution is in none."""
        count = max((g.group for g in self.genes), default=-1) + 1
        columns: list[list[int]] = [[] for _ in range(count)]
        for column, gene in enumerate(self.genes):
            if gene.group >= 0:
                columns[gene.group].append(column)
        return tuple(tuple(c) for c in columns)

    @cached_property
    def sizes(self) -> NDArray[np.int64]:
        """(genes,) number of options of each gene."""
        return np.array([len(g.options) for g in self.genes], dtype=np.int64)

    def with_resolutions(self, resolutions: Iterable[int]) -> SearchSpace:
        """The same space on other image sizes (pixels, 32 or more).

        Raises:
            UsageError: no size, too many, or one that is no image's.
        """
        sizes = tuple(sorted({int(r) for r in resolutions}))
        if not sizes or sizes[0] < SIZES[0] or sizes[-1] > SIZES[1]:
            raise UsageError(
                f"resolutions must be {SIZES[0]} to {SIZES[1]} pixels, found {list(sizes)}"
            )
        if len(sizes) > MAX_OPTIONS:
            raise UsageError(f"at most {MAX_OPTIONS} resolutions at once, found {len(sizes)}")
        first = evolve(self.genes[0], options=sizes)
        return evolve(self, resolutions=sizes, genes=(first, *self.genes[1:]))

    def count(self) -> int:
        """Exact number of distinct networks a resolution."""
        total = 1
        for columns in self.groups:
            total *= _distinct(self, columns)
        return total

    def canonical(self, genes: Genes) -> Genes:
        """(n, genes) -> the same networks in canonical form; equal rows are equal networks."""
        out = np.array(genes, dtype=np.uint8, copy=True)
        for column, gene in enumerate(self.genes):
            if gene.canonical is not None:
                index = tuple(out[:, c] for c in gene.controls)
                out[:, column] = gene.canonical[(*index, out[:, column])]
        return out

    def sample(self, n: int, generator: np.random.Generator) -> Genes:
        """Draw n architectures, each gene's options equally likely: (n, genes) uint8."""
        return generator.integers(0, self.sizes, size=(n, len(self.genes)), dtype=np.uint8)

    def encode(self, archs: Iterable[ArchLike]) -> Genes:
        """Exchange dicts or Archs -> (n, genes) uint8, canonical.

        Raises:
            InputError: an architecture is not of this space; names its number and what is wrong.
        """
        parsed = [parse_arch(self, a, number) for number, a in enumerate(archs)]
        out = np.zeros((len(parsed), len(self.genes)), dtype=np.uint8)
        if not parsed:
            return out
        sizes = np.array([p.image_size for p in parsed])
        out[:, RESOLUTION] = self._indices(RESOLUTION, sizes, None)
        given = [(d, *self._filled(d, parsed)) for d in self.dimensions]
        chosen = {
            entry: values[:, slot]
            for dimension, values, _ in given
            for slot, entry in enumerate(dimension.entries)
            if isinstance(entry, int)
        }
        told = _told_by(given)
        for column in range(1, len(self.genes)):  # controls come first
            if column in chosen:
                out[:, column] = self._indices(column, chosen[column], out)
            elif column in told:
                out[:, column] = self._joint_indices(column, told.pop(column), out)
        for entries in told.values():
            for name, entry, values, present in entries:
                self._check_derived(name, entry, values, present, out)
        return self.canonical(out)

    def decode(self, genes: Genes) -> list[Arch]:
        """(n, genes) -> architectures, in canonical form."""
        rows = self.canonical(np.atleast_2d(genes))
        tables = [np.array(g.options) for g in self.genes]
        columns = {d.key: self._decode_dimension(d, rows, tables) for d in self.dimensions}
        sizes = tables[RESOLUTION][rows[:, RESOLUTION]]
        lists = {
            key: [None] * len(rows) if c is None else [tuple(map(_as_int, v)) for v in c.tolist()]
            for key, c in columns.items()
        }
        return [
            Arch(tuple((key, lists[key][i]) for key in lists), size)
            for i, size in enumerate(sizes.tolist())
        ]

    def _decode_dimension(
        self, dimension: Dimension, rows: Genes, tables: list[NDArray[Any]]
    ) -> NDArray[Any] | None:
        if dimension.fixed:
            return None
        columns = []
        for entry in dimension.entries:
            if isinstance(entry, int):
                columns.append(tables[entry][rows[:, entry]])
            else:
                index = 0 if entry.gene is None else rows[:, entry.gene]
                columns.append(np.broadcast_to(np.array(entry.values)[index], len(rows)))
        return np.stack(columns, axis=1)

    def _filled(
        self, dimension: Dimension, archs: Sequence[Arch]
    ) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """(n, slots) values, 0 where the dimension is left out, and (n,) whether it is there."""
        values = [dict(a.choices)[dimension.key] for a in archs]
        blank = (0,) * len(dimension.entries)
        filled = np.array([blank if v is None else v for v in values], dtype=float)
        return filled, np.array([v is not None for v in values])

    def _indices(self, column: int, values: NDArray[Any], out: Genes | None) -> NDArray[np.intp]:
        """Option indices of values of one gene; free where the gene is inactive."""
        gene = self.genes[column]
        options = np.array(gene.options, dtype=float)
        index = np.minimum(np.searchsorted(options, values), len(options) - 1)
        wrong = ~np.isclose(options[index], values, rtol=0, atol=1e-9)
        if out is not None and gene.canonical is not None and wrong.any():
            spread = gene.canonical.max(axis=-1) > 0
            wrong &= spread[tuple(out[:, c] for c in gene.controls)]
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"architecture {row}: {gene.name} = {_as_int(values[row])} is not an option of "
                f"{self.name}; options: {', '.join(str(o) for o in gene.options)}"
            )
        return np.where(wrong, 0, index)

    def _joint_indices(self, column: int, entries: Sequence[_Told], out: Genes) -> NDArray[np.intp]:
        """Option indices of a gene that is read from several entries together (see Derived)."""
        gene = self.genes[column]
        found = np.ones((len(out), len(gene.options)), dtype=bool)
        for _, entry, values, present in entries:
            options = np.array(entry.values, dtype=float)
            same = np.isclose(options, values[:, None], rtol=0, atol=1e-9)
            found &= same | ~present[:, None]
        wrong = ~found.any(axis=1)
        if gene.canonical is not None and wrong.any():
            spread = gene.canonical.max(axis=-1) > 0
            wrong &= spread[tuple(out[:, c] for c in gene.controls)]
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            names = ", ".join(name for name, *_ in entries)
            wanted = ", ".join(str(_as_int(v[row])) for _, _, v, _ in entries)
            pairs = zip(*(e.values for _, e, _, _ in entries), strict=True)
            known = "; ".join(", ".join(map(str, pair)) for pair in pairs)
            raise InputError(
                f"architecture {row}: {names} = {wanted} is not an option of {self.name}; "
                f"options: {known}"
            )
        return np.where(found.any(axis=1), found.argmax(axis=1), 0)

    def _check_derived(
        self, name: str, entry: Derived, values: NDArray[Any], given: NDArray[np.bool_], out: Genes
    ) -> None:
        index = np.zeros(len(values), np.intp) if entry.gene is None else out[:, entry.gene]
        expected = np.array(entry.values, dtype=float)[index]
        same = np.isclose(expected, values, rtol=0, atol=1e-9)
        wrong = given & np.array(entry.active)[index] & ~same
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"architecture {row}: {name} = {_as_int(values[row])} breaks the coupling of "
                f"{self.name}, which fixes it to {_as_int(expected[row])}"
            )


_Told: TypeAlias = tuple[str, Derived, NDArray[Any], NDArray[np.bool_]]
"""An entry that follows from a gene: its name, itself, (n,) values, (n,) whether they are there."""


def _told_by(
    given: Sequence[tuple[Dimension, NDArray[Any], NDArray[np.bool_]]],
) -> dict[int | None, list[_Told]]:
    """Column of a gene, or None -> the entries that follow from it."""
    found: dict[int | None, list[_Told]] = {}
    for dimension, values, present in given:
        for slot, entry in enumerate(dimension.entries):
            if isinstance(entry, Derived):
                told = (f"{dimension.key}[{slot}]", entry, values[:, slot], present)
                found.setdefault(entry.gene, []).append(told)
    return found


def _distinct(space: SearchSpace, columns: tuple[int, ...]) -> int:
    """Exact number of canonical assignments of one group's genes."""
    free = [c for c in columns if space.genes[c].canonical is None]
    controls = sorted({c for col in columns for c in space.genes[col].controls})
    uncontrolled = 1
    for column in set(free) - set(controls):
        uncontrolled *= len(space.genes[column].options)
    total = 0
    for point in _canonical_points(space, controls):
        product = uncontrolled
        for column in columns:
            gene = space.genes[column]
            if gene.canonical is None or column in controls:
                continue
            row = gene.canonical[tuple(point[c] for c in gene.controls)]
            product *= len(np.unique(row))
        total += product
    return total


def _canonical_points(space: SearchSpace, controls: list[int]) -> Iterable[dict[int, int]]:
    """All canonical assignments of the controlling genes of a group."""
    shape = [len(space.genes[c].options) for c in controls]
    for index in np.ndindex(*shape):
        point = dict(zip(controls, index, strict=True))
        if all(_stands_for_itself(space.genes[c], point, c) for c in controls):
            yield point


def _stands_for_itself(gene: Gene, point: Mapping[int, int], column: int) -> bool:
    if gene.canonical is None:
        return True
    index = (*(point[c] for c in gene.controls), point[column])
    return bool(gene.canonical[index] == point[column])


def parse_arch(space: SearchSpace, arch: ArchLike, number: int = 0) -> Arch:
    """Check the shape of one exchange dict against a space, without looking up its options.

    Accepts the forms found in published files: the dict itself or under a key "arch"; a null
    "wid"; ``r: [176]`` for the image size; a null dimension where the space fixes it.

    Raises:
        InputError: names the architecture's number, the key and what was found.
    """
    if isinstance(arch, Arch):
        found: Mapping[str, Any] = arch.as_dict()
    elif isinstance(arch, Mapping):
        found = arch["arch"] if isinstance(arch.get("arch"), Mapping) else arch
    else:
        raise InputError(f"architecture {number}: expected a JSON object, found {_shown(arch)}")
    if found.get("wid") is not None:
        raise InputError(f"architecture {number}: 'wid' must be null, found {_shown(found['wid'])}")
    choices = tuple((d.key, _entries(space, d, found, number)) for d in space.dimensions)
    return Arch(choices, _image_size(found, number))


def _image_size(found: Mapping[str, Any], number: int) -> int:
    size = found.get("image_size", found.get("r"))
    if isinstance(size, list | tuple) and len(size) == 1:
        size = size[0]
    if not _is_number(size) or int(size) != size or not SIZES[0] <= size <= SIZES[1]:
        raise InputError(
            f"architecture {number}: image_size must be a whole number of pixels, {SIZES[0]} to "
            f"{SIZES[1]}, found {_shown(size)}"
        )
    return int(size)


def _entries(
    space: SearchSpace, dimension: Dimension, found: Mapping[str, Any], number: int
) -> tuple[Number, ...] | None:
    values, width = found.get(dimension.key), len(dimension.entries)
    if values is None and dimension.fixed:
        return None
    if not isinstance(values, list | tuple) or len(values) != width:
        raise InputError(
            f"architecture {number}: {dimension.key!r} must be a list of {width} numbers for "
            f"{space.name}, found {_shown(values)}"
        )
    for slot, value in enumerate(values):
        if not _is_number(value):
            raise InputError(
                f"architecture {number}: {dimension.key}[{slot}] must be a number, "
                f"found {_shown(value)}"
            )
    return tuple(values)


def _is_number(value: Any) -> bool:
    """A number that an option or an image size might be; numpy's scalars are."""
    if isinstance(value, float):
        return math.isfinite(value)
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return whole and -(2**31) < value < 2**31


def _shown(value: object) -> str:
    huge = isinstance(value, int) and value.bit_length() > 64  # too long to be written out
    text = "a huge number" if huge else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


@frozen
class Measurement:
    """A number that says what it is: value, unit, how it was had, and from where.

    Attributes:
        value: the number.
        unit: for example ``items``, ``MACs``, ``ms``, ``%``.
        kind: computed (closed form), measured, predicted or published.
        source: definition, device, predictor or publication; None where kind and unit say it all.
        low, high: ends of an 80 % interval, where there is one.
    """

    value: Number
    unit: str
    kind: Kind
    source: str | None = None
    low: float | None = None
    high: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON form, without the keys that say nothing."""
        keys = ("value", "low", "high", "unit", "kind", "source")
        return {k: v for k in keys if (v := getattr(self, k)) is not None}
