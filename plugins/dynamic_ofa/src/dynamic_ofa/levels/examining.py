"""Accuracy and batch norm statistics of networks; what it imports loads torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from dynamic_ofa.levels.options import LevelsOptions
from dynamic_ofa.levels.statistics import as_table_statistics
from dynamic_ofa.levels.table import Accuracy, NormStatistics, WeightsOf
from dynamic_ofa.levels.weights import digest_of
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.events import Notice, Progress
from ofa_plugins_core.interfaces import Statistics, Subnet
from ofa_plugins_core.jobs.evaluate_options import EvaluateOptions
from ofa_plugins_core.jobs.measuring import Bench, bench_of, share
from ofa_plugins_core.jobs.networks import SYNTHETIC
from ofa_plugins_core.network_blame import asked_for
from ofa_plugins_core.nn import engines, evaluating
from ofa_plugins_core.nn.calibrate import apply, norms_of, statistics_of
from ofa_plugins_core.nn.evaluating import score
from ofa_plugins_core.values import Arch


@frozen(eq=False)
class Examined:
    """What was found out about one network.

    Attributes:
        statistics: of its batch norms.
        calibrated: images that they come from; 0: they are the weights' own.
        accuracy: measured; None where no images are evaluated.
    """

    statistics: NormStatistics
    calibrated: int
    accuracy: Accuracy | None


@contextmanager
def opened(context: JobContext, options: LevelsOptions, archs: Sequence[Arch]) -> Iterator[Bench]:
    """The elastic network with its weights, and images, ready.

    Args:
        archs: that will be examined.

    Raises:
        UsageError: there is no such device, classes of data and network do not fit, or --fast has
            no room for the images.
        InputError: weights or images are missing or broken.
    """
    own = evaluate_options(options)
    if options.data is not None and own.data is None:
        said = "synthetic weights: images calibrate, accuracies are the predictor's"
        context.listener(Notice(said))
    with engines.joined(own.device, "alone") as group, evaluating.threads(options.threads):
        bench = bench_of(context, own, group, archs[0].image_size)
        bench.check_room(archs)
        yield bench


def evaluate_options(options: LevelsOptions) -> EvaluateOptions:
    """The part of the options that says which weights and images.

    What untrained weights answer means nothing: no image is evaluated on them.
    """
    trained = options.weights != SYNTHETIC
    return EvaluateOptions(
        supernet=options.supernet,
        weights=options.weights,
        classes=options.classes,
        data=options.data if trained else None,
        batch=options.evaluate_batch,
        workers=options.workers,
        device="cuda" if options.device == "cuda" else "cpu",
        images=options.images,
        fast=options.fast,
        calibrate=options.calibrate,
        calibrate_data=options.calibrate_data or options.data,
        calibrate_batch=options.calibrate_batch,
        repeats=0,
    )


def weights_of(bench: Bench) -> WeightsOf:
    """Whose weights: by their own hash, whatever file they came in."""
    loaded = bench.loaded
    source = loaded.source if loaded.file is None else loaded.file.name
    kind: Any = "synthetic" if loaded.synthetic else "file"
    return WeightsOf(kind=kind, sha256=digest_of(loaded.net), source=source)


def examined(bench: Bench, arch: Arch, label: str) -> Examined:
    """One network extracted, calibrated and evaluated, as far as there are images for it.

    Args:
        label: goes before progress.

    Raises:
        InputError: no image could be read, or the weights are of another network alone.
        PluginError: the network cannot be extracted; with blame.
    """
    host, supernet, net = bench.context.host, bench.loaded.supernet, bench.loaded.net
    extracted = asked_for(Subnet, host, supernet, "extract()", net.extract, arch)
    subnet = bench.runner.placed(extracted)
    statistics, images = _calibrated(bench, subnet, arch, label)
    accuracy = _accuracy(bench, subnet, arch, label)
    return Examined(as_table_statistics(statistics), images, accuracy)


def _calibrated(bench: Bench, subnet: Any, arch: Arch, label: str) -> tuple[Statistics, int]:
    """Statistics, and from how many images; the subnet has them afterwards."""
    supply = bench.calibration
    if supply is None:
        return _own(subnet), 0
    total = len(supply.images)

    def batches() -> Iterator[Any]:
        done = 0
        for images, _ in supply.at(arch.image_size):
            yield bench.runner.images(images)
            done += len(images)
            bench.context.listener(Progress(f"{label}: calibrate", done, total, "images"))

    found = statistics_of(subnet, batches(), bench.group.total)
    apply(subnet, found)
    return found, total - len(supply.images.unreadable)


def _own(subnet: Any) -> Statistics:
    return {n: (norm.running_mean, norm.running_var) for n, norm in norms_of(subnet).items()}


def _accuracy(bench: Bench, subnet: Any, arch: Arch, label: str) -> Accuracy | None:
    if bench.images is None:
        return None
    images = bench.images.images

    def tell(done: int) -> None:
        bench.context.listener(Progress(f"{label}: evaluate", done, len(images), "images"))

    found = score(subnet, bench.images.at(arch.image_size), bench.runner, tell)
    if not found.images:
        raise InputError(f"{images.name}: none of its {len(images)} images can be read")
    top1 = share(found.top1, found.images, f"{images.name}, {found.images:,} images")
    return Accuracy(
        value=float(top1.value), kind="measured", source=top1.source, low=top1.low, high=top1.high
    )
