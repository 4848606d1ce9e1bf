"""The job ``ofa run specialised``: published specialised networks as architectures.

Their names say device, latency and top-1 accuracy (after fine-tuning); their configurations say
the network, and not its image size. Source: Once-for-All's published specialised networks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from ofa_mit.configurations import (
    Configuration,
    NoMatchError,
    arch_in,
    is_mobile,
    read_configuration,
)
from ofa_mit.mobile import MobileRow
from ofa_mit.specialised_options import SpecialisedOptions
from ofa_mit.supernet import RowSupernet
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.values import Arch, Measurement
from ofa_plugins_core.weights.cache import INDEX

OURS: Final = ("ofa_mbv3_w1.0", "ofa_mbv3_w1.2", "ofa_proxyless_w1.3")
USUAL_SIZE: Final = 224
SIZES: Final = tuple(range(128, 257, 4))
"""Image sizes among which a name's MACs decide, pixels."""
FILE: Final = "net.config"
SOURCE: Final = "the OFA authors' specialised networks"
NAME: Final = re.compile(
    r"(?:flops-(?P<macs>\d+)M|(?P<device>.+)_(?:lat|gpu(?P<batch>\d+))-(?P<ms>\d+(?:\.\d+)?)ms)"
    r"_top1-(?P<top1>\d+(?:\.\d+)?)(?:_finetune-(?P<epochs>\d+))?"
)


@frozen
class Label:
    """What the name of a specialised network says; all published, after fine-tuning.

    Attributes:
        device: for which it was made; None where it was made for a number of MACs.
        latency: on it, ms.
        flops: multiply-accumulates, where the name gives them.
        top1: ImageNet, percent.
        batch: images at once when the latency was taken, where the name says.
        epochs: of fine-tuning.
    """

    device: str | None = None
    latency: Measurement | None = None
    flops: Measurement | None = None
    top1: Measurement | None = None
    batch: int | None = None
    epochs: int | None = None


@frozen
class Specialised:
    """One specialised network, as an architecture.

    Attributes:
        arch: of the supernet.
        size_from: what said the image size: ``configuration``, ``name`` (by its MACs), ``option``,
            ``assumed``.
    """

    name: str
    supernet: str
    arch: Arch
    size_from: str
    label: Label

    def as_json(self) -> dict[str, Any]:
        """A line that ``--archs`` reads."""
        label = self.label
        found = {"latency": label.latency, "flops": label.flops, "top1": label.top1}
        return {
            "arch": self.arch.as_dict(),
            "name": self.name,
            "supernet": self.supernet,
            "device": label.device,
            **{key: None if m is None else m.as_dict() for key, m in found.items()},
            "batch": label.batch,
            "finetune_epochs": label.epochs,
            "image_size_from": self.size_from,
        }


@frozen
class SpecialisedResult:
    """What ``ofa run specialised`` prints."""

    networks: Sequence[Specialised]
    most_rows: int = field(default=100, init=False)

    def as_json(self) -> list[dict[str, Any]]:
        """A network each."""
        return [network.as_json() for network in self.networks]

    def as_tables(self) -> list[tuple[str, Sequence[str], list[list[str]]]]:
        """For the terminal."""
        columns = ["name", "supernet", "device", "ms", "top-1 %", "px", "depths"]
        title = "published, after fine-tuning; --json prints what --archs reads"
        return [(title, columns, [_row(network) for network in self.networks])]


def _row(network: Specialised) -> list[str]:
    label, depths = network.label, dict(network.arch.choices)["d"] or ()
    size = f"{network.arch.image_size}{'?' if network.size_from == 'assumed' else ''}"
    numbers = ["" if m is None else f"{m.value:g}" for m in (label.latency, label.top1)]
    shown = " ".join(map(str, depths))
    return [network.name, network.supernet, label.device or "-", *numbers, size, shown]


def run_specialised(context: JobContext, options: SpecialisedOptions) -> SpecialisedResult:
    """Read a folder of published configurations.

    Raises:
        UsageError: the supernet is not made of MBConv stages.
        InputError: nothing is there, a configuration is broken, or none is of the supernets.
    """
    supernets = _supernets(context, options.supernet)
    networks: list[Specialised] = []
    reasons: dict[str, str] = {}
    for name, path in found_in(options.folder).items():
        try:
            networks.append(_network(context, options, name, read_configuration(path), supernets))
        except NoMatchError as error:
            reasons[name] = str(error)
    _tell(context, options, networks, reasons)
    return SpecialisedResult(networks)


def found_in(folder: Path) -> dict[str, Path]:
    """Name -> configuration, of a folder of either form, or of one file.

    Raises:
        InputError: there is none.
    """
    if folder.is_file():
        return {_name(folder): folder}
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror or error}") from error
    files = [p for p in inside if p.suffix == ".json" or p.name == FILE]
    files = [p for p in files if p.name != INDEX]  # of the cache, which is such a folder too
    files += [p / FILE for p in inside if (p / FILE).is_file()]
    if not files:
        raise InputError(
            f"{folder} holds no configuration",
            advice="NAME.json files, or folders NAME with a net.config each",
        )
    return {_name(file): file for file in files}


def _name(file: Path) -> str:
    whole = file.absolute()
    return whole.parent.name if file.name == FILE else file.stem


def _supernets(context: JobContext, name: str | None) -> list[RowSupernet[MobileRow]]:
    if name is None:
        found = (context.host.supernet(ours) for ours in OURS)
        return [supernet for supernet in found if is_mobile(supernet)]
    supernet = context.host.supernet(name)
    if not is_mobile(supernet):
        raise UsageError(
            f"{supernet.name} is not made of MBConv stages, as specialised networks are",
            advice=f"one of {', '.join(OURS)}",
        )
    return [supernet]


def _network(
    context: JobContext,
    options: SpecialisedOptions,
    name: str,
    found: Configuration,
    supernets: Sequence[RowSupernet[MobileRow]],
) -> Specialised:
    """A configuration as a network of the first supernet that has it."""
    label = label_of(name)
    reasons: list[str] = []
    for supernet in supernets:
        try:
            arch = arch_in(found, supernet, USUAL_SIZE)
        except NoMatchError as error:
            reasons.append(f"{supernet.name}: {error}")
            continue
        size, said = _size(context, options, found, label, supernet, arch)
        return Specialised(name, supernet.name, arch_in(found, supernet, size), said, label)
    raise NoMatchError(f"{'; '.join(reasons)} (its widths: {found.widths})")


def label_of(name: str) -> Label:
    """What a name says; empty where it is none of the published form."""
    found = NAME.fullmatch(name)
    if found is None:
        return Label()
    device, batch, epochs = found["device"], found["batch"], found["epochs"]
    where = SOURCE if device is None else f"{SOURCE}, on {device}"
    where += f", batch {batch}" if batch else ""
    return Label(
        device,
        Measurement(_number(found["ms"]), "ms", "published", where) if found["ms"] else None,
        Measurement(int(found["macs"]) * 10**6, "MACs", "published", SOURCE)
        if found["macs"]
        else None,
        Measurement(_number(found["top1"]), "%", "published", SOURCE),
        int(batch) if batch else None,
        int(epochs) if epochs else None,
    )


def _number(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)


def _size(
    context: JobContext,
    options: SpecialisedOptions,
    found: Configuration,
    label: Label,
    supernet: RowSupernet[MobileRow],
    arch: Arch,
) -> tuple[int, str]:
    """The image size in pixels, and what said it."""
    if found.image_size is not None:
        return found.image_size, "configuration"
    if label.flops is not None:
        cost = context.host.cost_model("flops").build(supernet.at(SIZES))
        archs = [{**arch.as_dict(), "image_size": size} for size in SIZES]
        off = abs(cost.evaluate(archs) - label.flops.value)
        fits = [size for size, far in zip(SIZES, off, strict=True) if far <= 5e5]
        if len(fits) == 1:
            return fits[0], "name"
    if options.image_size is not None:
        return options.image_size, "option"
    return USUAL_SIZE, "assumed"


def _tell(
    context: JobContext,
    options: SpecialisedOptions,
    networks: Sequence[Specialised],
    reasons: dict[str, str],
) -> None:
    """What was left out and why, and what was assumed."""
    if not networks:
        name, why = next(iter(reasons.items()))
        raise InputError(f"{options.folder}: no network is of {_asked(options)}; {name}: {why}")
    if options.supernet is None:
        for name, why in reasons.items():
            context.listener(Notice(f"{name} is left out: {why}"))
    elif reasons:
        counted = Counter(why.split(" (")[0] for why in reasons.values())
        why = "; ".join(f"{count}: {what}" for what, count in counted.most_common())
        context.listener(Notice(f"{len(reasons)} left out: {why}"))
    assumed = sum(network.size_from == "assumed" for network in networks)
    if assumed:
        context.listener(
            Notice(
                f"the configurations do not say the image size: {USUAL_SIZE} is assumed for "
                f"{assumed} of {len(networks)}; --image-size says another"
            )
        )


def _asked(options: SpecialisedOptions) -> str:
    return options.supernet or " or ".join(OURS)
