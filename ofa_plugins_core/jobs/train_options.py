"""The options of ``ofa run train``; alone, so that listing jobs loads no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import field, frozen

from ofa_plugins_core.jobs.options import SUPERNET
from ofa_plugins_core.jobs.torch_options import said
from ofa_plugins_core.phases import Step


@frozen(kw_only=True, slots=False)
class TrainOptions:
    """Options of ``ofa run train``."""

    supernet: str | None = field(
        default=None, metadata={**SUPERNET, "help": SUPERNET["help"] + "; --smoke: ofa_small"}
    )
    step: Step | None = field(
        default=None, metadata=said("one step of the plan, with --phase; or --all of it")
    )
    phase: int | None = field(
        default=None, metadata=said("which phase of the step, from 1", metavar="N")
    )
    all: bool = field(default=False, metadata=said("the whole plan, each phase from the last"))
    plan: str | None = field(
        default=None,
        metadata=said("training plan; default: the supernet's usual one", metavar="NAME"),
    )
    show: bool = field(default=False, metadata=said("print the plan and end"))
    smoke: bool = field(
        default=False,
        metadata=said("shrink the plan to minutes, to check that everything works together"),
    )
    finish: bool | None = field(
        default=None,
        metadata=said("after --all: predictor data, fit, search and export; default: with --smoke"),
    )
    data: str = field(
        default="digits",
        metadata=said(
            "digits (comes with scikit-learn), or a folder: ImageNet, Imagenette, CIFAR-10, or "
            "any with one folder a class",
            metavar="FOLDER|digits",
        ),
    )
    weights: str | None = field(
        default=None,
        metadata=said(
            "what a single step starts from: the result of the phase before; fresh: drawn anew",
            metavar="FILE|NAME|fresh",
        ),
    )
    teacher: Path | None = field(
        default=None,
        metadata=said(
            "the trained largest network, which teaches; --all then leaves that step out",
            metavar="FILE",
        ),
    )
    arch: Path | None = field(
        default=None,
        metadata=said("of --step finetune: the architecture, JSON lines", metavar="FILE"),
    )
    image_sizes: tuple[int, ...] | None = field(
        default=None,
        metadata=said(
            "train on sizes from the least to the most of these, in steps of 4 pixels; default: "
            "the supernet's",
            metavar="LIST",
            example="32,40,48",
        ),
    )
    shrink: float = field(
        default=1.0, metadata=said("this share of each phase's epochs, at least one", metavar="0-1")
    )
    epochs: int | None = field(
        default=None, metadata=said("of each phase that is trained, instead of the plan's")
    )
    batch: int | None = field(
        default=None, metadata=said("images a worker and block; default: the plan's, mostly 64")
    )
    accumulate: int = field(
        default=1, metadata=said("blocks a worker takes in each step before it updates")
    )
    lr_scale: float = field(
        default=1.0,
        metadata=said("times the plan's learning rates, which grow with the images of a step"),
    )
    images: int | None = field(
        default=None, metadata=said("train on so many, drawn with the seed; default: all")
    )
    steps: int | None = field(
        default=None, metadata=said("most steps of an epoch; default: as many as the images give")
    )
    validate_images: int | None = field(
        default=None, metadata=said("validate on so many; default: all", unit="images")
    )
    validate_every: int = field(default=1, metadata=said("validate after so many epochs"))
    validate_sizes: tuple[int, ...] | None = field(
        default=None,
        metadata=said("at these image sizes; default: the least and the most", metavar="LIST"),
    )
    calibrate: int = field(
        default=2000,
        metadata=said("training images for batch norm of validated subnets", unit="images"),
    )
    workers: int = field(default=0, metadata=said("processes that read images"))
    device: Literal["cpu", "cuda"] = field(default="cpu", metadata=said("where it trains"))
    engine: Literal["auto", "alone", "torchrun", "horovod"] = field(
        default="auto", metadata=said("who brings the workers together; auto: whoever started it")
    )
    fp16_compression: bool = field(
        default=False, metadata=said("gradients travel between workers as fp16")
    )
    sync_bn: bool = field(
        default=False, metadata=said("batch norm over the images of all workers; slower")
    )
    precision: Literal["fp32", "bf16", "fp16"] = field(
        default="fp32", metadata=said("of forward passes, by torch's autocast")
    )
    channels_last: bool = field(
        default=True,
        metadata=said("lay images out with the channels last: on CPUs a step takes two thirds"),
    )
    compile: bool = field(
        default=False,
        metadata=said("torch.compile networks that stand alone: teacher and finetune"),
    )
    keep: int = field(default=2, metadata=said("checkpoints that are kept, besides the best"))
    save_every: int = field(
        default=500, metadata=said("steps between checkpoints, besides those at ends of epochs")
    )
    threads: int | None = field(
        default=None, metadata=said("of torch inside an operation; default: torch's choice")
    )
    track: tuple[Literal["csv", "tensorboard", "wandb"], ...] = field(
        default=("csv", "tensorboard"),
        metadata=said("where curves go; wandb needs the extra [wandb]", metavar="LIST"),
    )
