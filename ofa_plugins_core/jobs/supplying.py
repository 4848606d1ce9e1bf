"""The images that networks are measured on, and what says which ones they are.

What it imports loads torch: it is imported when a job measures, not when jobs are listed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from attrs import frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.events import Notice
from ofa_plugins_core.jobs.evaluate_options import EvaluateOptions
from ofa_plugins_core.jobs.networks import SYNTHETIC
from ofa_plugins_core.nn.data import ImageSet, Share, calibration_set, images_of
from ofa_plugins_core.nn.engines import number
from ofa_plugins_core.nn.evaluating import ROOM, Supply, check_memory
from ofa_plugins_core.nn.prepared import check_disk
from ofa_plugins_core.weights import cache

CALIBRATE: Final = 2000
"""Training images for batch norm, as the published evaluations take."""

FOLDER: Final = "images"
"""Of the cache folder: what --fast disk keeps."""

LOCAL: Final = ("LOCAL_WORLD_SIZE", "HOROVOD_LOCAL_SIZE")
"""Where the launchers say how many processes they have started on this machine."""


@frozen(eq=False)
class Supplies:
    """Images to evaluate on and to calibrate with; None where there are none."""

    images: Supply | None
    calibration: Supply | None

    @property
    def all(self) -> tuple[Supply, ...]:
        """Those that are there."""
        return tuple(s for s in (self.images, self.calibration) if s is not None)

    @property
    def of(self) -> dict[str, str | None]:
        """Which images: two measurements that differ in it share no numbers."""
        named = {"evaluated_on": self.images, "calibrated_on": self.calibration}
        return {k: None if s is None else fingerprint(s.images) for k, s in named.items()}

    def check_room(self, sizes: Iterable[int], processes: int = 1) -> None:
        """Refuse --fast where there is no room for these sizes.

        Args:
            processes: that each keep their own, beside those of a launcher.

        Raises:
            UsageError: in memory; says how much is needed, and how much is there.
            InputError: on disk.
        """
        local = max(number(name, 1) for name in LOCAL)
        asked = set(sizes)
        check_memory(self.all, asked, processes * local)
        lacking = [s.images.at(size) for s in self.all for size in asked if s.fast == "disk"]
        check_disk(lacking, cache.root() / FOLDER)


def supplies_of(
    context: JobContext, options: EvaluateOptions, share: Share, size: int, room: int = ROOM
) -> Supplies:
    """The images that the options ask for, listed; none is read yet.

    Args:
        share: (n, of) of the batches, for one of several processes.
        size: of the first architecture, pixels.
        room: bytes of them to keep in memory, where --fast says nothing.

    Raises:
        InputError: data are missing or of no known shape.
    """
    folder = cache.root() / FOLDER

    def supply(images: ImageSet | None, batch: int) -> Supply | None:
        if images is None:
            return None
        return Supply(images, batch, options.workers, share, room, options.fast, folder)

    return Supplies(
        supply(_images(context, options, size), options.batch),
        supply(_calibration(context, options, size), options.calibrate_batch),
    )


def _images(context: JobContext, options: EvaluateOptions, size: int) -> ImageSet | None:
    if options.data is None:
        context.listener(Notice("no --data: top-1 is not measured"))
        return None
    return images_of(
        options.data,
        size,
        split="val",
        limit=options.images,
        seed=context.seed,
        listener=context.listener,
    )


def _calibration(context: JobContext, options: EvaluateOptions, size: int) -> ImageSet | None:
    usual = 0 if options.model == "teacher" else CALIBRATE
    count = usual if options.calibrate is None else options.calibrate
    data = options.calibrate_data or options.data
    if not count or data is None:
        return None
    return calibration_set(data, size, count, context.seed, context.listener)


def weights_of(file: Path | None) -> dict[str, str | None]:
    """Which weights, down to their bytes: another file may lie at the same path by now.

    Args:
        file: None where they are synthetic.
    """
    if file is None:
        return {"weights_file": SYNTHETIC, "weights_sha256": None}
    return {"weights_file": str(file), "weights_sha256": cache.digest(file)}


def fingerprint(images: ImageSet) -> str:
    """Images by number and names: their bytes would take as long to read as to evaluate."""
    names = hashlib.sha256()
    for place in images.numbers:
        names.update(f"{images.pictures.called(place)}\n".encode())
    return f"{len(images):,} images, names {names.hexdigest()[:12]}"
