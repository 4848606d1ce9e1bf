"""From an architecture to a checked file: extract, calibrate, export, quantise.

What ``ofa run export`` and ``ofa run deploy`` share. torch is imported when something is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from attrs import evolve, field, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, MissingExtraError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.jobs.deploy_options import DeployOptions
from ofa_plugins_core.jobs.export_options import ExportOptions
from ofa_plugins_core.jobs.networks import Loaded, load_network, needs_torch
from ofa_plugins_core.nn.exported import LEAST_SQNR, Exported, Images
from ofa_plugins_core.values import Arch

Options = ExportOptions | DeployOptions
Step = Callable[[str], None]
"""Is told what begins."""

ENDINGS: Final = {"onnx": ".onnx", "executorch": ".pte"}
EXTRAS: Final = {
    "onnx": ("export", ("onnx", "onnxscript", "onnxruntime")),
    "executorch": ("executorch", ("executorch", "torchao")),
}
RANDOM_BATCHES: Final = 8
"""Of 8 random images, to calibrate synthetic weights where no images are given."""


@frozen(eq=False)
class Ready:
    """A network that can be exported.

    Attributes:
        subnet: extracted, its batch norm calibrated: a ``torch.nn.Module``.
        arch: of it.
        loaded: whose subnet it is.
        classes: their names, or None.
        calibrating: batches to find int8's ranges with.
        checking: batches to compare on, beside random ones.
        calibrated: on how many images batch norm was measured; 0: not.
    """

    subnet: Any
    arch: Arch
    loaded: Loaded
    classes: tuple[str, ...] | None
    calibrating: Sequence[Images] = field(repr=False)
    checking: Sequence[Images] = field(repr=False)
    calibrated: int = 0


def check_options(options: Options) -> None:
    """Refuse what cannot work before anything is computed.

    Raises:
        MissingExtraError: an extra is not installed.
        UsageError: the options do not fit together.
    """
    needs_torch("a network in torch")
    extra, modules = EXTRAS[options.format]
    if any(find_spec(name) is None for name in modules):
        raise MissingExtraError(f"--format {options.format}", "ofa-plugins-core", extra)
    if options.format == "executorch" and options.dtype == "int8" and options.backend != "xnnpack":
        raise UsageError("int8 for ExecuTorch is for --backend xnnpack")
    for name, least in (("images", 1), ("calibrate", 0), ("batch", 1), ("workers", 0)):
        if getattr(options, name) < least:
            found = getattr(options, name)
            raise UsageError(f"--{name}: expected a whole number from {least} up, found {found}")
    if not options.tolerance > 0:
        raise UsageError(f"--tolerance: expected a number above 0, found {options.tolerance:g}")
    _check_images(options)


def _check_images(options: Options) -> None:
    from ofa_plugins_core.jobs.networks import SYNTHETIC

    if options.dtype == "int8" and options.data is None and options.weights != SYNTHETIC:
        raise UsageError(
            "int8 needs images of the kind that it will see, to find the ranges of activations",
            advice="--data FOLDER, for example a folder of ImageNet, or --data digits",
        )


def loaded_network(context: JobContext, options: Options) -> Loaded:
    """The elastic network; synthetic weights get as many classes as the images have."""
    classes = None
    if options.data is not None:
        from ofa_plugins_core.nn.data import images_of

        classes = len(images_of(options.data, 32, split="val").classes) or None
    return load_network(context, options, classes)


# ------------------------------------------------------------------------------- the network


def ready(context: JobContext, options: Options, loaded: Loaded, arch: Arch, step: Step) -> Ready:
    """Extract a subnet, calibrate its batch norm, and gather images."""
    step("extract")
    subnet = loaded.net.extract(arch)
    if options.data is None:
        return _without_data(context, options, loaded, arch, subnet)
    from ofa_plugins_core.nn.data import calibration_batches, images_of

    calibrated = _calibrated(context, options, subnet, arch.image_size, step)
    found = images_of(
        options.data,
        arch.image_size,
        split="val",
        limit=options.images,
        seed=context.seed,
        listener=context.listener,
    )
    checking = [b.numpy() for b, _ in found.batches(options.batch, options.workers)]
    calibrating: list[Images] = []
    if options.dtype == "int8":
        batches = calibration_batches(
            options.data,
            arch.image_size,
            options.images,
            options.batch,
            context.seed + 1,
            workers=options.workers,
        )
        calibrating = [b.numpy() for b in batches]
    names = found.classes if len(found.classes) == loaded.classes else None
    return Ready(subnet, arch, loaded, names, calibrating, checking, calibrated)


def _calibrated(context: JobContext, options: Options, subnet: Any, size: int, step: Step) -> int:
    """Measure batch norm on training images; how many."""
    if not options.calibrate or options.data is None:
        return 0
    from ofa_plugins_core.nn import calibrate
    from ofa_plugins_core.nn.data import calibration_batches

    step("calibrate")
    seen = 0

    def counted() -> Iterator[Any]:
        nonlocal seen
        for batch in calibration_batches(
            str(options.data),
            size,
            options.calibrate,
            options.batch,
            context.seed,
            workers=options.workers,
            listener=context.listener,
        ):
            seen += len(batch)
            yield batch

    calibrate.apply(subnet, calibrate.statistics_of(subnet, counted()))
    return seen


def _without_data(
    context: JobContext, options: Options, loaded: Loaded, arch: Arch, subnet: Any
) -> Ready:
    """Random images are all there is: enough to compare two runtimes, not for real ranges."""
    calibrating: list[Images] = []
    if options.dtype == "int8":
        import numpy as np

        from ofa_plugins_core.nn.checking import random_images

        generator = np.random.Generator(np.random.PCG64(context.seed))
        calibrating = [random_images(8, arch.image_size, generator) for _ in range(RANDOM_BATCHES)]
    if options.calibrate and not loaded.synthetic:
        said = "batch norm keeps the supernet's statistics, which are of no subnet in particular"
        context.listener(Notice(f"{said}: --data FOLDER measures this network's"))
    return Ready(subnet, arch, loaded, None, calibrating, ())


# ------------------------------------------------------------------------------- the file


@frozen(eq=False)
class Written:
    """The files that were made of a network.

    Attributes:
        final: the file that was asked for.
        plain: the float file before quantisation, which is not kept; None without one.
    """

    final: Exported
    plain: Exported | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know of both."""
        return (*(self.plain.notes if self.plain else ()), *self.final.notes)


def write_file(
    context: JobContext, options: Options, network: Ready, path: Path, step: Step
) -> Written:
    """Export, quantise and check; the file has its name only when it passed.

    Raises:
        InputError: it cannot be written, or is not the network; nothing is left then.
    """
    make = _onnx if options.format == "onnx" else _executorch
    return make(context, options, network, path, step)


def _onnx(context: JobContext, options: Options, network: Ready, path: Path, step: Step) -> Written:
    from ofa_plugins_core.nn.onnx_export import to_onnx
    from ofa_plugins_core.nn.quantise import int8_onnx

    subnet, size = network.subnet, network.arch.image_size
    shared: dict[str, Any] = {
        "dynamic_batch": not options.fixed_batch,
        "images": network.checking,
        "seed": context.seed,
    }
    judged = judged_by(options, network)
    step("export")
    card = card_of(network, "fp32")
    if options.dtype == "fp32":
        return Written(to_onnx(subnet, size, path, card=card, **judged, **shared))
    with TemporaryDirectory() as folder:
        float_path = Path(folder) / path.name
        with told_as(float_path, path):
            plain = to_onnx(subnet, size, float_path, card=card, **judged, **shared)
        step("quantise")
        final = int8_onnx(
            plain.path,
            network.calibrating,
            path,
            module=subnet,
            size=size,
            method=options.calibration,
            card=card_of(network, "int8"),
            least_sqnr=least_sqnr(options, network),
            **shared,
        )
    return Written(final, plain)


def _executorch(
    context: JobContext, options: Options, network: Ready, path: Path, step: Step
) -> Written:
    from ofa_plugins_core.nn.executorch_export import int8_executorch, to_executorch

    shared: dict[str, Any] = {
        "images": network.checking,
        "card": card_of(network, options.dtype),
        "seed": context.seed,
    }
    if options.dtype == "fp32":
        step("export")
        return Written(
            to_executorch(
                network.subnet,
                network.arch.image_size,
                path,
                backend=options.backend,
                **judged_by(options, network),
                **shared,
            )
        )
    step("quantise")
    return Written(
        int8_executorch(
            network.subnet,
            network.arch.image_size,
            network.calibrating,
            path,
            least_sqnr=least_sqnr(options, network),
            **shared,
        )
    )


def judged_by(options: Options, network: Ready) -> dict[str, Any]:
    """When a float file is refused: synthetic weights may blow up rounding, and it is only told."""
    return {"tolerance": options.tolerance, "strict": not network.loaded.synthetic}


def least_sqnr(options: Options, network: Ready) -> float | None:
    """The least signal to noise that is taken, in dB; synthetic weights have nothing to lose."""
    if options.least_sqnr is not None:
        return options.least_sqnr
    untrained = network.loaded.synthetic or network.loaded.new_head
    return None if untrained else LEAST_SQNR


def card_of(network: Ready, dtype: str) -> Any:
    """What the file will say about itself."""
    from ofa_plugins_core.nn.card import Card

    loaded = network.loaded
    weights = loaded.source if loaded.synthetic else Path(loaded.source).name
    return Card(
        supernet=loaded.supernet.name,
        arch=network.arch.as_dict(),
        image_size=network.arch.image_size,
        class_names=network.classes,
        weights=weights,
        more={"dtype": dtype, "batch_norm_images": network.calibrated},
    )


# ------------------------------------------------------------------------------- its place


def place_of(context: JobContext, options: Options, job: str) -> tuple[Path, str]:
    """The folder or file for the result, and the network's name in a folder.

    Raises:
        UsageError: there is no place, or it is named like another kind of file.
    """
    ending = ENDINGS[options.format]
    if context.out is None:
        raise UsageError(f"{job} needs a place for its file", advice="--out FOLDER")
    if context.out.suffix in {*ENDINGS.values(), ".json", ".jsonl", ".csv", ".npz"} - {ending}:
        raise UsageError(
            f"{context.out}: --format {options.format} writes {ending}",
            advice=f"--out FOLDER, or a file that ends in {ending}",
        )
    return context.out, f"network{ending}"


@contextmanager
def filled(folder: Path) -> Iterator[Path]:
    """A run's folder to fill: beside its place, and renamed as a whole; itself if it is there."""
    if folder.exists():
        yield folder
        return
    with runs.placed(folder) as beside:
        beside.mkdir(parents=True)
        yield beside


@contextmanager
def told_as(making: Path, asked: Path) -> Iterator[None]:
    """Errors name the file that the user asked for, not the place where it is made.

    Raises:
        InputError: the block's own, so told.
    """
    try:
        yield
    except InputError as error:
        told = error.message.replace(str(making), str(asked))
        raise InputError(told, advice=error.advice) from error


def renamed(written: Written, path: Path) -> Written:
    """With the name that the file has in the end."""
    return evolve(written, final=evolve(written.final, path=path))
