"""One architecture measured: extracted, calibrated, evaluated and timed.

What it imports loads torch: it is imported when a job measures, not when jobs are listed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, field, frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, OfaError
from ofa_plugins_core.events import Notice, Progress, each_once
from ofa_plugins_core.interfaces import Subnet
from ofa_plugins_core.jobs.evaluate_options import EvaluateOptions
from ofa_plugins_core.jobs.networks import SYNTHETIC, Loaded, load_network
from ofa_plugins_core.network_blame import accused, asked_for
from ofa_plugins_core.nn.calibrate import apply, statistics_of
from ofa_plugins_core.nn.data import ImageSet, calibration_set, images_of
from ofa_plugins_core.nn.engines import Engine
from ofa_plugins_core.nn.evaluating import (
    Score,
    Supply,
    Timing,
    device_name,
    forward_time,
    score,
)
from ofa_plugins_core.nn.running import Runner
from ofa_plugins_core.values import Arch, Measurement
from ofa_plugins_core.weights.cache import digest
from ofa_plugins_core.words import counted

if TYPE_CHECKING:
    from torch import Tensor

CALIBRATE: Final = 2000
"""Training images for batch norm, as the published evaluations take."""

_EIGHTY: Final = 1.2816
"""Standard deviations to each side of the middle 80 % of a normal distribution."""


@frozen(eq=False)
class Bench:
    """What architectures are measured on.

    Attributes:
        context, options: of the job.
        loaded: the elastic network.
        group: this process among others.
        runner: how networks run.
        images: to evaluate on, or None.
        calibration: to calibrate on, or None.
        of: what is measured and on what: two benches that differ in it share no numbers.
    """

    context: JobContext
    options: EvaluateOptions
    loaded: Loaded
    group: Engine
    runner: Runner
    images: Supply | None
    calibration: Supply | None
    of: Mapping[str, Any] = field(factory=dict)

    def measure(self, arch: Arch, label: str) -> dict[str, Any]:
        """One architecture's numbers, ready for JSON; None for what was not asked for.

        Args:
            label: goes before progress.

        Raises:
            InputError: no image could be read.
            PluginError: the network's plugin raised in it; with blame.
        """
        from torch import OutOfMemoryError

        host, supernet, net = self.context.host, self.loaded.supernet, self.loaded.net
        extracted = asked_for(Subnet, host, supernet, "extract()", net.extract, arch)
        subnet = self.runner.placed(extracted)
        try:
            return self._numbers(subnet, arch, label)
        except (OfaError, MemoryError, OutOfMemoryError):
            raise
        except Exception as error:
            if _came_through(subnet, error):
                accused(host, supernet, "forward() of an extracted network", error)
            raise

    def _numbers(self, subnet: Any, arch: Arch, label: str) -> dict[str, Any]:
        calibrated = self._calibrate(subnet, arch.image_size, label)
        found: dict[str, Any] = {"arch": arch.as_dict(), "calibrated": calibrated}
        found |= self._scored(subnet, arch.image_size, label)
        return {**found, "forward": self._timed(subnet, arch.image_size)}

    def _calibrate(self, subnet: Any, size: int, label: str) -> int:
        """Give the subnet its own statistics; how many images they come from."""
        if self.calibration is None:
            return 0
        supply, tell = self.calibration, self._teller(f"{label}: calibrate", self.calibration)
        batches = (self.runner.images(images) for images in _told(supply, size, tell))
        apply(subnet, statistics_of(subnet, batches, self.group.total))
        return len(supply.images) - self._unreadable(supply.images)

    def _teller(self, what: str, supply: Supply) -> Callable[[int], None]:
        total = -(-len(supply.images) // self.group.count)
        return lambda done: self.context.listener(Progress(what, min(done, total), total, "images"))

    def _unreadable(self, images: ImageSet) -> int:
        """In all processes: each reads its own share."""
        return self.group.count_all(len(images.unreadable))

    def _scored(self, subnet: Any, size: int, label: str) -> dict[str, Any]:
        if self.images is None:
            return {"top1": None, "top5": None, "images": 0, "skipped": 0}
        tell = self._teller(f"{label}: evaluate", self.images)
        found = score(subnet, self.images.at(size), self.runner, tell)
        images = self.images.images
        skipped = images.unnamed + self._unreadable(images)
        if not found.images:
            raise InputError(f"{self.options.data}: none of its {len(images)} images can be read")
        if found.infinite:
            of = counted(found.infinite, "image")
            said = f"{label}: no finite numbers of {of}, which count as wrong"
            self.context.listener(Notice(said))
        scores = self._shares(found, images)
        return {**scores, "images": found.images, "skipped": skipped, "infinite": found.infinite}

    def _shares(self, found: Score, images: ImageSet) -> dict[str, Any]:
        source = f"{images.name}, {counted(found.images, 'image')}"
        if self.loaded.synthetic or self.loaded.new_head:
            source += "; untrained weights: means nothing"
        return {
            name: share(right, found.images, source).as_dict()
            for name, right in (("top1", found.top1), ("top5", found.top5))
        }

    def _timed(self, subnet: Any, size: int) -> dict[str, Any] | None:
        """The forward pass's time on the first process, while the others wait."""
        options, found = self.options, None
        self.group.meet()
        if self.group.leads and options.repeats:
            found = forward_time(
                subnet,
                size,
                self.runner,
                batch=options.time_batch,
                repeats=options.repeats,
                warmup=options.warmup,
            )
        self.group.meet()
        return None if found is None else self._described(found)

    def _described(self, found: Timing) -> dict[str, Any]:
        how = [self.options.device, self.options.dtype, f"batch {found.batch}"]
        how.append(f"median of {found.repeats}")
        if self.options.device == "cpu":
            how.append(counted(found.threads, "thread"))
        if self.options.channels_last:
            how.append("channels last")
        return Measurement(
            found.median, "ms", "measured", ", ".join(how), found.low, found.high
        ).as_dict()


def _came_through(subnet: Any, error: BaseException) -> bool:
    """Whether an error was raised inside a network's forward pass, be it in torch's own layers."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_locals.get("self") is subnet:
            return True
        trace = trace.tb_next
    return False


def _told(supply: Supply, size: int, tell: Callable[[int], None]) -> Iterator[Tensor]:
    done = 0
    for images, _ in supply.at(size):
        yield images
        done += len(images)
        tell(done)


def share(right: int, images: int, source: str) -> Measurement:
    """Right answers in percent, with Wilson's 80 % interval (1927) of what more images would give.

    Args:
        right: of so many ``images``, 1 or more.
    """
    part, spread = right / images, _EIGHTY**2 / images
    centre = (part + spread / 2) / (1 + spread)
    half = sqrt(part * (1 - part) * spread + spread**2 / 4) / (1 + spread)
    low, high = (max(0.0, centre - half), min(1.0, centre + half))
    return Measurement(100 * part, "%", "measured", source, 100 * low, 100 * high)


# ------------------------------------------------------------------------------- setting up


def bench_of(context: JobContext, options: EvaluateOptions, group: Engine, size: int) -> Bench:
    """Everything that measuring needs, loaded.

    Args:
        size: of the first architecture, in pixels.

    Raises:
        UsageError: classes of data and network do not fit.
        InputError: data or weights are missing or broken.
    """
    context = evolve(context, listener=each_once(context.listener))
    images = _images(context, options, size)
    classes = None if images is None else len(images.classes) or None
    loaded = load_network(context, options, classes, teacher=options.model == "teacher")
    supply = None
    if images is not None:
        fitting = images.labelled_for(loaded.classes)
        supply = Supply(fitting, options.batch, options.workers, group.share)
    runner = Runner(group, options.channels_last, options.dtype)
    calibration = _calibration(context, options, group, size)
    of = {
        **_weights(loaded),
        "evaluated_on": None if supply is None else fingerprint(supply.images),
        "calibrated_on": None if calibration is None else fingerprint(calibration.images),
    }
    return Bench(context, options, loaded, group, runner, supply, calibration, of)


def _weights(loaded: Loaded) -> dict[str, str | None]:
    """Which weights, down to their bytes: another file may lie at the same path by now."""
    if loaded.file is None:
        return {"weights_file": SYNTHETIC, "weights_sha256": None}
    return {"weights_file": str(loaded.file), "weights_sha256": digest(loaded.file)}


def fingerprint(images: ImageSet) -> str:
    """Images by number and names: their bytes would take as long to read as to evaluate."""
    names = hashlib.sha256()
    for number in images.numbers:
        names.update(f"{images.pictures.called(number)}\n".encode())
    return f"{len(images):,} images, names {names.hexdigest()[:12]}"


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


def _calibration(
    context: JobContext, options: EvaluateOptions, group: Engine, size: int
) -> Supply | None:
    usual = 0 if options.model == "teacher" else CALIBRATE
    count = usual if options.calibrate is None else options.calibrate
    data = options.calibrate_data or options.data
    if not count or data is None:
        return None
    images = calibration_set(data, size, count, context.seed, context.listener)
    return Supply(images, options.calibrate_batch, options.workers, group.share)


def about(bench: Bench) -> dict[str, Any]:
    """What all networks of a run share, for its result."""
    options, loaded = bench.options, bench.loaded
    return {
        "supernet": loaded.supernet.name,
        "model": options.model,
        "weights": loaded.source,
        "synthetic": loaded.synthetic,
        "untrained": loaded.synthetic or loaded.new_head,
        "classes": loaded.classes,
        "data": None if bench.images is None else bench.images.images.name,
        "device": device_name(bench.group),
        "processes": bench.group.count,
        "of": dict(bench.of),
    }
