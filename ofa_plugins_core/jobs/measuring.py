"""One architecture measured: extracted, calibrated, evaluated and timed.

What it imports loads torch: it is imported when a job measures, not when jobs are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, field, frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, OfaError
from ofa_plugins_core.events import Notice, Progress, each_once
from ofa_plugins_core.interfaces import Subnet
from ofa_plugins_core.jobs.evaluate_options import EvaluateOptions
from ofa_plugins_core.jobs.networks import Loaded, load_network
from ofa_plugins_core.jobs.supplying import Supplies, supplies_of, weights_of
from ofa_plugins_core.network_blame import accused, asked_for
from ofa_plugins_core.nn.calibrate import apply, statistics_of
from ofa_plugins_core.nn.data import ImageSet
from ofa_plugins_core.nn.engines import Engine
from ofa_plugins_core.nn.evaluating import (
    ROOM,
    Score,
    Supply,
    Timing,
    device_name,
    forward_time,
    score,
)
from ofa_plugins_core.nn.running import Runner
from ofa_plugins_core.values import Arch, Measurement
from ofa_plugins_core.words import counted

if TYPE_CHECKING:
    from torch import Tensor

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

    def check_room(self, archs: Iterable[Arch]) -> None:
        """Refuse --fast where the images of these architectures have no room.

        Raises:
            UsageError: in memory; says how much is needed, and how much is there.
            InputError: on disk.
        """
        Supplies(self.images, self.calibration).check_room({a.image_size for a in archs})

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


def bench_of(
    context: JobContext, options: EvaluateOptions, group: Engine, size: int, room: int = ROOM
) -> Bench:
    """Everything that measuring needs, loaded.

    Args:
        size: of the first architecture, in pixels.
        room: bytes of images to keep in memory, where --fast says nothing.

    Raises:
        UsageError: classes of data and network do not fit.
        InputError: data or weights are missing or broken.
    """
    context = evolve(context, listener=each_once(context.listener))
    supplies = supplies_of(context, options, group.share, size, room)
    images = supplies.images
    classes = None if images is None else len(images.images.classes) or None
    loaded = load_network(context, options, classes, teacher=options.model == "teacher")
    if images is not None:
        images = evolve(images, images=images.images.labelled_for(loaded.classes))
    runner = Runner(group, options.channels_last, options.dtype)
    of = {**weights_of(loaded.file), **supplies.of}
    return Bench(context, options, loaded, group, runner, images, supplies.calibration, of)


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
