"""How the published predictors read an architecture: one-hot vectors in three layouts.

Source: specs/search.md, "Encoding". Slots that an architecture does not use are all zero.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import Archs
from ofa_plugins_core.pricing import encoded
from ofa_plugins_core.values import Derived, Genes, SearchSpace, parse_arch

Bits = NDArray[np.float32]
Values = NDArray[np.float64]


@frozen(eq=False)
class Choices:
    """The values of n architectures.

    Those of exchange dicts are kept as they are written: a published predictor tells apart what
    is one network (ResNet's two stem widths of 24). Encoded arrays are read in canonical form.

    Attributes:
        values: key of a dimension -> (n, slots).
        sizes: (n,) image sizes in pixels.
    """

    values: Mapping[str, Values]
    sizes: Values

    def __len__(self) -> int:
        return len(self.sizes)

    def rows(self, part: slice) -> Choices:
        """Some of them."""
        return Choices({k: v[part] for k, v in self.values.items()}, self.sizes[part])


def choices_of(space: SearchSpace, archs: Archs) -> Choices:
    """The values of exchange dicts, or of an encoded (n, genes) array of the space.

    Raises:
        InputError: an architecture is not of the space.
    """
    if isinstance(archs, np.ndarray):
        return _decoded(space, space.canonical(encoded(space, archs)[1]))
    parsed = [parse_arch(space, a, i) for i, a in enumerate(archs)]
    found = _decoded(*encoded(space, parsed))
    raw = [dict(p.choices) for p in parsed]
    written = {
        key: np.array([row[key] for row in raw], dtype=float) if all(r[key] for r in raw) else v
        for key, v in found.values.items()
    }
    return Choices(written, found.sizes)


def _decoded(space: SearchSpace, genes: Genes) -> Choices:
    def column(entry: int | Derived) -> Values:
        if isinstance(entry, int):
            return np.array(space.genes[entry].options, dtype=float)[genes[:, entry]]
        table = np.array(entry.values, dtype=float)
        index = np.zeros(len(genes), np.intp) if entry.gene is None else genes[:, entry.gene]
        return np.asarray(table[index])

    values = {d.key: np.stack([column(e) for e in d.entries], axis=1) for d in space.dimensions}
    return Choices(values, np.array(space.resolutions, dtype=float)[genes[:, 0]])


@frozen
class Layout:
    """One way to write an architecture as a vector.

    Attributes:
        name: kept in files.
        inputs: length of the vector.
        keys: dimensions that it reads.
        encode: (choices, expand options) -> (n, inputs).
    """

    name: str
    inputs: int
    keys: frozenset[str]
    encode: Callable[[Choices, tuple[float, ...]], Bits]


def _one_hot(values: Values, options: Any, active: Any, what: str) -> Bits:
    """(n, slots) values -> (n, slots · options); zero where a slot is not active.

    Raises:
        UsageError: an active value is none of the options.
    """
    hot = np.isclose(values[:, :, None], np.array(options, dtype=float))
    used = np.broadcast_to(active, values.shape)
    if (unknown := used & ~hot.any(axis=2)).any():
        raise UsageError(
            f"the predictor does not know {what} {values[unknown][0]:g}; "
            f"it knows {', '.join(f'{o:g}' for o in options)}"
        )
    return np.asarray((hot & used[:, :, None]).reshape(len(values), -1), dtype=np.float32)


KERNELS: Final = (3, 5, 7)
MOOFA_SIZES: Final = (128, 160, 192, 224)
RESNET_SIZES: Final = (128, 144, 160, 176, 192, 224, 240, 256)
RESNET_SLOTS: Final = (4, 4, 6, 4)


def _slots(found: Choices, expands: tuple[float, ...]) -> tuple[Bits, Bits]:
    """Kernels (n, 60) and expand ratios (n, 60) of five stages of four slots."""
    used = np.arange(4) < found.values["d"][:, :, None]
    active = used.reshape(len(found), -1)
    kernels = _one_hot(found.values["ks"], KERNELS, active, "kernel size")
    return kernels, _one_hot(found.values["e"], expands, active, "expand ratio")


def _sizes(found: Choices, sizes: tuple[int, ...]) -> Bits:
    return _one_hot(found.sizes[:, None], sizes, True, "image size")


def _moofa(found: Choices, expands: tuple[float, ...]) -> Bits:
    return np.concatenate([_sizes(found, MOOFA_SIZES), *_slots(found, expands)], axis=1)


def _mit(found: Choices, expands: tuple[float, ...]) -> Bits:
    bins = np.floor((found.sizes - 112) / 16)
    if ((bins < 0) | (bins > 7)).any():
        raise UsageError("the predictor knows image sizes from 112 to 239 pixels")
    resolution = _one_hot(bins[:, None], range(8), True, "image size")
    return np.concatenate([*_slots(found, expands), resolution], axis=1)


def _resnet(found: Choices, expands: tuple[float, ...]) -> Bits:
    depth = found.values["d"]
    limits = [slots - 2 + depth[:, [1 + i]] for i, slots in enumerate(RESNET_SLOTS)]
    parts = zip(RESNET_SLOTS, limits, strict=True)
    active = np.concatenate([np.arange(slots) < limit for slots, limit in parts], axis=1)
    stem = _one_hot((depth[:, :1] > 0).astype(float), (0, 1), True, "stem depth")
    width = _one_hot(found.values["w"], (0, 1, 2), True, "width index")
    expand = _one_hot(found.values["e"], expands, active, "expand ratio")
    return np.concatenate([_sizes(found, RESNET_SIZES), stem, width, expand], axis=1)


LAYOUTS: Final = {
    layout.name: layout
    for layout in (
        Layout("moofa", 124, frozenset(("ks", "e", "d")), _moofa),
        Layout("mit", 128, frozenset(("ks", "e", "d")), _mit),
        Layout("resnet", 82, frozenset(("d", "e", "w")), _resnet),
    )
}


def layout_for(inputs: int, name: str) -> Layout:
    """The layout of a predictor with so many inputs.

    Args:
        inputs: length of its vector.
        name: of its file, for the message.

    Raises:
        InputError: no layout has as many.
    """
    found = next((x for x in LAYOUTS.values() if x.inputs == inputs), None)
    if found is None:
        known = ", ".join(f"{x.inputs} ({x.name})" for x in LAYOUTS.values())
        raise InputError(f"{name} reads {inputs} inputs; known layouts: {known}")
    return found
