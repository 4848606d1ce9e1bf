"""Images for a live run, prepared for every size before it begins: reading is not timed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.events import Listener
from ofa_plugins_core.words import counted

if TYPE_CHECKING:
    from torch import Tensor

RANDOM: Final = "random"
KEPT: Final = 64
"""Images of a folder that are kept, drawn with the seed; a run goes round among them."""
KEPT_RANDOM: Final = 8


class Images:
    """Batches by image size and number.

    Args:
        data: a folder, or ``random``.
        sizes: sides in pixels of all levels.
        batch: images.
        seed: of the draw.

    Raises:
        InputError: the folder is missing, or too few of its images can be read for a batch.
    """

    def __init__(
        self, data: str, sizes: Iterable[int], batch: int, seed: int, listener: Listener
    ) -> None:
        distinct = sorted(set(sizes))
        if data == RANDOM:
            self._batches = {size: _random(size, batch, seed) for size in distinct}
        else:
            self._batches = _read(data, distinct, batch, seed, listener)

    def at(self, size: int, number: int) -> Tensor:
        """Batch of a number, (batch, 3, size, size), normalised as ImageNet's; they go round."""
        from ofa_plugins_core.nn.pictures import normalised

        kept = self._batches[size]
        pixels = kept[number % len(kept)]
        return pixels if pixels.is_floating_point() else normalised(pixels)


def _read(
    data: str, sizes: Sequence[int], batch: int, seed: int, listener: Listener
) -> dict[int, Sequence[Tensor]]:
    """Bytes: a quarter of the memory of what networks take."""
    from ofa_plugins_core.nn.data import images_of

    most = max(KEPT, batch)
    found = images_of(data, sizes[0], split="val", limit=most, seed=seed, listener=listener)
    kept = {
        size: [pixels for pixels, _ in found.at(size).raw_batches(batch) if len(pixels) == batch]
        for size in sizes
    }
    if not all(kept.values()):
        raise InputError(
            f"{data} has not {counted(batch, 'image')} that can be read",
            advice="take a smaller --batch, or other --images",
        )
    return dict(kept)


def _random(size: int, batch: int, seed: int) -> Sequence[Tensor]:
    import torch

    generator = torch.Generator().manual_seed(seed)
    shape = (batch, 3, size, size)
    return [torch.randn(shape, generator=generator) for _ in range(max(1, KEPT_RANDOM // batch))]
