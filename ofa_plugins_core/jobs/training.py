"""One phase made ready: its network, its teacher, its images; then the loop.

What it imports loads torch: it is imported when a job trains, not when jobs are listed.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Notice, each_once
from ofa_plugins_core.interfaces import BuildableSupernet, Subnet
from ofa_plugins_core.jobs.archfiles import read_archs
from ofa_plugins_core.jobs.networks import OneSubnet, buildable, own_arch
from ofa_plugins_core.jobs.planning import Chosen
from ofa_plugins_core.jobs.supplying import fingerprint
from ofa_plugins_core.jobs.train_options import TrainOptions
from ofa_plugins_core.jobs.trained import Trained, read_done
from ofa_plugins_core.jobs.training_files import Files
from ofa_plugins_core.network_blame import asked, asked_for, built
from ofa_plugins_core.nn.checkpoints import read_state
from ofa_plugins_core.nn.data import ImageSet, calibration_set, images_of
from ofa_plugins_core.nn.engines import Engine
from ofa_plugins_core.nn.evaluating import Supply
from ofa_plugins_core.nn.running import Runner
from ofa_plugins_core.nn.training import loop
from ofa_plugins_core.nn.training.augmenting import usual_augment
from ofa_plugins_core.nn.training.held import held
from ofa_plugins_core.nn.training.losses import Loss
from ofa_plugins_core.nn.training.samples import TrainingImages, check_learnable
from ofa_plugins_core.nn.training.sharing import same_folder, share_start, shared
from ofa_plugins_core.nn.training.steps import (
    Stepper,
    compiled,
    optimiser_of,
    seed_of,
    seeded,
)
from ofa_plugins_core.nn.training.tracking import Tracker, trackers
from ofa_plugins_core.nn.training.validating import Validation, named_archs
from ofa_plugins_core.phases import Phase, continuous
from ofa_plugins_core.values import ArchLike
from ofa_plugins_core.weights.cache import digest

PHASES: Final = "phases"


@frozen(eq=False)
class Subject:
    """What a phase trains.

    Attributes:
        network: placed, in training mode.
        space: of its subnets; None for a network that stands alone.
        activate: makes a subnet the active one, or None.
        published: () -> its tensors under their published names.
        validate: Validation -> what it found.
    """

    network: Any
    space: Any
    activate: Callable[[ArchLike], None] | None
    published: Callable[[], Mapping[str, Any]]
    validate: Callable[[Validation], Mapping[str, Any]]


@frozen(eq=False)
class Training:
    """What all phases of a run share.

    Attributes:
        context, options, found, engine: of the job.
        out: the run's folder.
        supernet: that is trained, over the sizes that it is trained on.
        images, held_out: to train on, and to validate on.
        calibration: training images for batch norm.
        runner: how networks run.
    """

    context: JobContext
    options: TrainOptions
    found: Chosen
    engine: Engine
    out: Path
    supernet: BuildableSupernet
    images: ImageSet
    held_out: ImageSet
    calibration: Supply
    runner: Runner

    @classmethod
    def of(
        cls, context: JobContext, options: TrainOptions, found: Chosen, engine: Engine, out: Path
    ) -> Training:
        """Read the data set and check that it can be learnt from.

        Raises:
            InputError, UsageError: it cannot.
        """
        context = evolve(context, listener=each_once(context.listener))
        size = max(found.supernet.resolutions)
        tell, seed = context.listener, context.seed
        images = images_of(
            options.data, size, split="train", limit=options.images, seed=seed, listener=tell
        )
        most = options.validate_images
        held_out = images_of(options.data, size, split="val", limit=most, seed=seed, listener=tell)
        check_learnable(images)
        if images.classes != held_out.classes:
            odd = sorted(set(images.classes) ^ set(held_out.classes))
            raise InputError(
                f"{options.data}: its splits have other classes, {', '.join(odd[:3])} for example",
                advice="a folder a class, of the same names, in train/ and in val/",
            )
        calibrated = calibration_set(options.data, size, options.calibrate, seed, tell)
        images = held(images)
        supply = Supply(calibrated, 100, options.workers, engine.share)
        runner = Runner(engine, options.channels_last, options.precision)
        supernet = buildable(found.supernet)
        return cls(context, options, found, engine, out, supernet, images, held_out, supply, runner)

    # ------------------------------------------------------------------------ a phase

    def phase(self, number: int, before: Sequence[Trained]) -> Trained:
        """Train one phase, or go on with it; what is done already is read.

        Args:
            number: its place in the plan; -1: finetune.
            before: the phases of this run that came before it.
        """
        phase, folder = self.found.phase(number), self._folder(number)
        origin = before[-1].steps if before else 0
        if (kept := self._kept(phase, folder, origin)) is not None:
            return kept
        started = time.monotonic()
        outcome = loop.Loop(self._course(number, phase, folder, before, origin)).run()
        seconds = time.monotonic() - started
        return Trained(phase, folder, outcome, origin + outcome.steps, seconds)

    def _folder(self, number: int) -> Path:
        phase = self.found.phase(number)
        place = f"{number + 1}-" if number >= 0 else ""
        return self.out / PHASES / f"{place}{phase.label.replace(' ', '-')}"

    def _kept(self, phase: Phase, folder: Path, origin: int) -> Trained | None:
        """What a phase came to that an earlier run has finished."""
        done = loop.finished(folder) if self.engine.leads else False
        said = read_done(folder, self.context.listener) if done else None
        said = shared(said, self.engine, f"done.{folder.name}")
        if said is None:
            return None
        outcome = loop.Outcome(said["best"], said["history"], said["steps"])
        found = Trained(phase, folder, outcome, origin + outcome.steps, said["seconds"])
        self.context.listener(Notice(f"{phase.label} is done already"))
        return found

    def _files(self) -> Files:
        return Files(self.context, self.options, self.found, self.engine.leads)

    def _course(
        self, number: int, phase: Phase, folder: Path, before: Sequence[Trained], origin: int
    ) -> loop.Course:
        start = self._files().start(number, before)
        teacher, of_teacher = self._teacher(phase, before, start)
        seeded(seed_of(self.context.seed, number + 1))
        subject = self._subject(number, phase, start)
        hyper, images = self.found.plan.hyper, self._training_images(number)
        stepper = Stepper(
            subject.network,
            optimiser_of(subject.network, hyper.momentum, hyper.weight_decay),
            Loss(hyper.label_smoothing, hyper.kd_ratio),
            self.runner,
            subject.activate,
            teacher,
            in_place=phase.sandwich,
            synchronised=self.options.sync_bn,
            forward=self._compiled(subject, phase),
        )
        of = self._of(phase, images, start, of_teacher)
        self._tell_rate(images)
        validation = self._validation()
        return loop.Course(
            phase=phase,
            number=number + 1,
            seed=self.context.seed,
            stepper=stepper,
            images=images,
            sizes=continuous(self.supernet.resolutions),
            space=subject.space,
            rate=self._rate(images),
            validate=lambda: subject.validate(validation),
            published=subject.published,
            about=self._about(phase),
            of=of,
            folder=folder,
            pace=self._pace(),
            tracker=partial(self._tracker, origin),
            listener=self.context.listener,
            origin=origin,
        )

    def _about(self, phase: Phase) -> dict[str, Any]:
        """What a file of weights says of itself."""
        said = {"supernet": self.supernet.name, **_step(phase), "data": self.images.name}
        return said if phase.step != "finetune" else {**said, "arch": self._arch().as_dict()}

    def _pace(self) -> loop.Pace:
        given = self.options
        return loop.Pace(given.steps, given.save_every, given.validate_every, given.keep)

    def _tracker(self, origin: int, done: int) -> Tracker:
        """Rows of steps after those that are done are made again."""
        names = self.options.track if self.engine.leads else ()
        about = {"supernet": self.supernet.name, "plan": self.found.name}
        return trackers(names, self.out, origin + done, about, self.context.listener)

    def _training_images(self, number: int) -> TrainingImages:
        options, engine = self.options, self.engine
        hyper = self.found.plan.hyper
        first = engine.rank * options.accumulate
        return TrainingImages(
            images=self.images,
            augment=usual_augment(self.images, hyper.min_scale),
            seed=self.context.seed,
            phase=number + 1,
            batch=options.batch or hyper.batch,
            blocks=engine.count * options.accumulate,
            mine=range(first, first + options.accumulate),
            workers=options.workers,
        )

    def _rate(self, images: TrainingImages) -> float:
        """The plan's rates are for a batch of one worker; they grow with the images of a step."""
        together, batch = images.batch * images.blocks, self.found.plan.hyper.batch
        return self.options.lr_scale * together / batch

    def _tell_rate(self, images: TrainingImages) -> None:
        """How much faster than announced it learns, where it does."""
        rate, scale = self._rate(images), self.options.lr_scale
        if rate != 1:
            together, batch = images.batch * images.blocks, self.found.plan.hyper.batch
            said = f"rates are times {rate:g}: a step takes {together} images, the plan's {batch}"
            scaled = f"; --lr-scale is {scale:g}" if scale != 1 else ""
            self.context.listener(Notice(said + scaled))

    def _validation(self) -> Validation:
        options, engine = self.options, self.engine
        sizes = options.validate_sizes
        if sizes is None:
            least, most = min(self.supernet.resolutions), max(self.supernet.resolutions)
            sizes = (least, most) if least < most else (most,)
        supply = Supply(self.held_out, 100, options.workers, engine.share)
        return Validation(supply, self.calibration, self.runner, sizes, self.context.listener)

    def _of(
        self, phase: Phase, images: TrainingImages, start: Path | None, teacher: Path | None
    ) -> dict[str, Any]:
        """What a checkpoint is of: one of something else is not gone on with."""
        said = {
            "supernet": self.supernet.name,
            "phase": plain(phase),
            "hyper": plain(self.found.plan.hyper),
            "images": fingerprint(images.images),
            "sizes": list(continuous(self.supernet.resolutions)),
            "batch": images.batch,
            "blocks (workers × --accumulate)": images.blocks,
            "seed": self.context.seed,
            "rate": self._rate(images),
            "steps": self.options.steps,
            "precision": self.options.precision,
            "sync_bn": self.options.sync_bn,
        }
        if self.engine.leads:
            said["start"] = None if start is None else digest(start)
            said["teacher"] = None if teacher is None else digest(teacher)
        return dict(shared(said, self.engine, f"of.{phase.step}.{phase.number}"))

    # ------------------------------------------------------------------------ networks

    def _subject(self, number: int, phase: Phase, start: Path | None) -> Subject:
        """The network of a phase, with the weights that it starts from."""
        host, classes = self.context.host, len(self.images.classes)
        teaches = phase.step == "teacher"
        supernet = self._teaching() if teaches else self.supernet
        net: Any = built(host, supernet, classes)
        if start is not None and self.engine.leads:
            net = self._loaded(net, supernet, phase, start)
        if phase.alone:
            arch = net.largest if teaches else self._arch()
            network = asked_for(Subnet, host, supernet, "extract()", net.extract, arch)
            return self._alone(network)
        if phase.sort is not None:
            asked(host, supernet, "sort_channels()", net.sort_channels, phase.sort)
        return self._elastic(net, phase)

    def _loaded(self, net: Any, supernet: BuildableSupernet, phase: Phase, start: Path) -> Any:
        """The elastic network with the weights of a file, be they of one subnet only."""
        state = read_state(start)
        if phase.step == "finetune" and (arch := own_arch(start, supernet)) is not None:
            return OneSubnet(net, arch, state, start)
        what = f"{start} cannot be what {phase.label} of {supernet.name} starts from"
        host = self.context.host
        _fitted(what, lambda: asked(host, supernet, "load", net.load_published, state))
        return net

    def _alone(self, network: Any) -> Subject:
        network = self.runner.placed(network).train()
        share_start(network, self.engine)
        return Subject(network, None, None, network.published, lambda v: v.of_network(network))

    def _elastic(self, net: Any, phase: Phase) -> Subject:
        net = self.runner.placed(net).train()
        share_start(net, self.engine)
        archs = named_archs(self.supernet.space, phase)
        return Subject(
            net,
            self.supernet.space,
            net.activate,
            net.published,
            lambda v: v.of_supernet(net, archs),
        )

    def _compiled(self, subject: Subject, phase: Phase) -> Any:
        if not self.options.compile:
            return None
        if not phase.alone:
            said = "--compile is for teacher and finetune: each subnet would be compiled anew"
            self.context.listener(Notice(said))
            return None
        return compiled(subject.network)

    def _teaching(self) -> BuildableSupernet:
        """The supernet whose largest network teaches, over the sizes that are trained on."""
        teacher = self.found.plan.teacher
        return buildable(teacher.at(self.supernet.resolutions))

    def _arch(self) -> Any:
        assert self.options.arch is not None
        found = read_archs(self.options.arch, self.supernet)
        if len(found.genes) != 1:
            raise UsageError(
                f"--arch: one architecture is fine-tuned, {self.options.arch} has "
                f"{len(found.genes)}"
            )
        return found.supernet.space.decode(found.genes)[0]

    # ------------------------------------------------------------------------ teacher and files

    def _teacher(
        self, phase: Phase, before: Sequence[Trained], start: Path | None
    ) -> tuple[Any, Path | None]:
        """The network that teaches, and its file; (None, None) where none does."""
        if phase.step == "teacher" or phase.sandwich or not self.found.plan.hyper.kd_ratio:
            return None, None
        path = self._files().teacher(phase, before, start)
        if path is None:
            return None, None
        host, supernet = self.context.host, self._teaching()
        net: Any = built(host, supernet, len(self.images.classes))
        network = asked_for(Subnet, host, supernet, "extract()", net.extract, net.largest)
        if self.engine.leads:
            state = read_state(path)
            what = f"{path} is no teacher of {self.supernet.name}"
            _fitted(what, partial(network.load_published, state))
        network = self.runner.placed(network)
        share_start(network, self.engine)
        return loop.frozen_teacher(network), path

    def close(self, trained: Trained) -> None:
        """Mark a phase as done; its last checkpoint is needed no more."""
        if self.engine.leads:
            text = json.dumps(trained.as_dict(), ensure_ascii=False, indent=1) + "\n"
            loop.finish(trained.folder, text)
        self.engine.meet()

    def place_weights(self, last: Trained, path: Path) -> None:
        """The result, where it is looked for.

        Raises:
            InputError: it is missing or broken by now, or cannot be written.
        """
        read_state(last.folder / loop.BEST)
        with runs.placed(path) as beside:
            shutil.copyfile(last.folder / loop.BEST, beside)

    def about(self) -> dict[str, Any]:
        """What all phases share, for the result."""
        return {
            "supernet": self.supernet.name,
            "data": self.images.name,
            "classes": len(self.images.classes),
            "images": len(self.images),
            "skipped": self.images.skipped,
            "validated_on": len(self.held_out),
            "image_sizes": list(continuous(self.supernet.resolutions)),
            "engine": self.engine.name,
            "workers": self.engine.count,
            "precision": self.options.precision,
        }


def _step(phase: Phase) -> dict[str, Any]:
    return {"label": phase.label, "step": phase.step, "phase": phase.number}


def _fitted(what: str, load: Callable[[], object]) -> None:
    try:
        load()
    except InputError as error:
        raise InputError(f"{what}: {error.message}", advice=error.advice) from error


def place_of(context: JobContext, engine: Engine) -> Path:
    """The run's folder, the same for all workers.

    Raises:
        InputError: there is none to write to.
    """
    if context.out is None:
        raise UsageError("training is kept in a folder: give --out DIR")
    return same_folder(context.out, engine)
