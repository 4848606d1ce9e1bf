"""The sections on training of a published configuration, as options of ``ofa run train``."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from moofa.importing.imported import EMPTY, WHERE, Imported
from ofa_plugins_core.config import structure
from ofa_plugins_core.entries import JobContext, TrainingPlanEntry
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import PlannedSupernet, Supernet, TrainingPlan
from ofa_plugins_core.jobs.train import check
from ofa_plugins_core.jobs.train_options import TrainOptions
from ofa_plugins_core.phases import Hyperparameters
from ofa_plugins_core.plans import Change, hyper_flaw
from ofa_plugins_core.values import Number

HYPER: Final = ("momentum", "weight_decay", "label_smoothing", "kd_ratio")
"""Hyper-parameters that a plan says for all of its phases."""

TRAIN_ARGS: Final = {
    "base_batch_size": "batch",
    "batch_size": "batch",
    "n_worker": "workers",
    "manual_seed": "seed",
    "image_size": "image_sizes",
    "fp16_allreduce": "fp16_compression",
    "validation_frequency": "validate_every",
}
"""Key of ``args`` -> option of ``ofa run train``."""

PHASE_ARGS: Final = {
    "n_epochs": "epochs",
    "base_lr": "base_lr",
    "warmup_epochs": "warmup_epochs",
    "warmup_lr": "warmup_lr",
    "dynamic_batch_size": "subnets",
}
"""Key of a task -> field of a phase's change."""

Sections = Mapping[str, dict[str, Any]]


def training(
    context: JobContext, supernet: Supernet, sections: Sections, found: Imported
) -> dict[str, Any]:
    """Options of ``ofa run train``, for --all of the plan as for one --step of it.

    Raises:
        UsageError: a value that training would refuse; names file and key.
    """
    name = (supernet.plan if isinstance(supernet, PlannedSupernet) else None) or "ofa"
    entry = context.host.training_plan(name)
    args = sections["args"]
    out: dict[str, Any] = {"plan": name} | _teacher(args, found)
    changes: dict[str, Any] = {}
    if phases := dict(_phases(sections["args_per_task"], found)):
        changes["phases"] = phases
    plan = _built(entry, supernet, changes, found, "args_per_task")
    if hyper := _hyper(args, entry, plan, found):
        changes["hyper"] = hyper
        plan = _built(entry, supernet, changes, found, "args")
    out |= _options(args, supernet, found)
    for key in args:
        found.drop(f"args.{key}", _why_not(key, args[key], plan))
    out |= _rate(out.get("batch"), plan, found)
    _check_phases(plan, sections, found)
    if changes:
        out["set"] = {name: changes}
    return out | _tracking(sections["wandb"], found)


def _built(
    entry: TrainingPlanEntry,
    supernet: Supernet,
    changes: Mapping[str, Any],
    found: Imported,
    section: str,
) -> TrainingPlan:
    with found.refusing(section):
        return entry.build(supernet, structure(dict(changes), entry.options, entry.name))


def _options(args: dict[str, Any], supernet: Supernet, found: Imported) -> dict[str, Any]:
    """What has an option of ours; taken out of ``args``."""
    kinds = {**typing.get_type_hints(TrainOptions), "seed": int}
    out: dict[str, Any] = {}
    for key, option in TRAIN_ARGS.items():
        if key not in args:
            continue
        plain = args[key]
        if option == "image_sizes" and isinstance(plain, int):
            args[key] = plain = [plain]
        if option in out:  # batch_size beside base_batch_size
            found.drop(f"args.{key}", f"another key says it: {option} is {out[option]}")
            del args[key]
            continue
        value = found.taken(args, key, kinds[option], "args")
        if value is not None:
            _check(option, value, supernet, found, f"args.{key}")
            out[option] = plain
    return out


def _check(option: str, value: Any, supernet: Supernet, found: Imported, key: str) -> None:
    """Whether training would take an option's value."""
    if option == "seed":
        if value < 0:
            said = f"expected a whole number from 0 up, found {value}"
            raise UsageError(f"{found.at(key)}: {said}")
        return
    with found.refusing(key):
        check(TrainOptions(**{option: value}))
        if option == "image_sizes":
            supernet.at(value)


def _hyper(
    args: dict[str, Any], entry: TrainingPlanEntry, plan: TrainingPlan, found: Imported
) -> dict[str, Number]:
    """Hyper-parameters that differ from the plan's; those are taken out of ``args``."""
    hyper: dict[str, Number] = {}
    takes = any(f.name == "hyper" for f in attrs.fields(entry.options))
    for key in HYPER:
        if args.get(key) is None:
            continue
        value = found.read(args[key], float, f"args.{key}")
        changed: dict[str, Any] = {key: value}
        if flaw := hyper_flaw(attrs.evolve(Hyperparameters(), **changed)):
            raise UsageError(f"{found.at(f'args.{key}')}: {flaw}")
        own = getattr(plan.hyper, key)
        if takes and value != own:
            hyper[key] = args.pop(key)
            found.notes.append(f"train: {key} is {hyper[key]}, not the plan's {own}: taken over")
    return hyper


def _rate(batch: int | None, plan: TrainingPlan, found: Imported) -> dict[str, Any]:
    """Theirs are for a worker whatever its batch, ours for the plan's batch: made equal."""
    usual = plan.hyper.batch
    if batch is None or batch == usual:
        return {}
    found.notes.append(f"train: the learning rates are for {batch} images a worker: lr_scale")
    return {"lr_scale": usual / batch}


def _teacher(args: dict[str, Any], found: Imported) -> dict[str, Any]:
    """The teacher's file where it is there already: --all then leaves its training out."""
    file = found.taken(args, "teacher_path", Path, "args")
    if file is None or file.is_file():
        return {} if file is None else {"teacher": str(file)}
    why = f"{file} is no file: --all trains the teacher, one --step needs --teacher FILE"
    found.drop("args.teacher_path", why)
    return {}


def _why_not(key: str, value: object, plan: TrainingPlan) -> str:
    if value is None:
        return EMPTY
    if key == "path":
        return WHERE
    if key in HYPER:
        own = getattr(plan.hyper, key)
        return f"the plan has it: {own}" + ("" if own == value else f", not {value}")
    if key in PHASE_ARGS:
        return "a phase's own: write it under args_per_task"
    return "no option of ours; see ofa run train --help"


# ------------------------------------------------------------------------------- phases


def _phases(tasks: Mapping[str, Any], found: Imported) -> Iterator[tuple[str, dict[str, Number]]]:
    """(phase, its changes) of ``args_per_task``."""
    for task, given in tasks.items():
        section = f"args_per_task.{task}"
        if not isinstance(given, Mapping):
            raise UsageError(f"{found.at(section)}: expected a mapping, found {given!r:.60}")
        changes = {
            PHASE_ARGS[key]: value
            for key, value in given.items()
            if key in PHASE_ARGS and _is_change(section, key, value, found)
        }
        for key in given:
            if key not in PHASE_ARGS:
                found.drop(f"{section}.{key}", "no number of a phase of ours")
        if task == "teacher" and changes.get("subnets") == 1:
            del changes["subnets"]
        yield str(task), changes


def _is_change(section: str, key: str, value: object, found: Imported) -> bool:
    """Whether a phase's number says anything.

    Raises:
        UsageError: no phase can have it; names file and key.
    """
    if value is None:
        found.drop(f"{section}.{key}", EMPTY)
        return False
    option = PHASE_ARGS[key]
    read = found.read(value, typing.get_type_hints(Change)[option], f"{section}.{key}")
    with found.refusing(f"{section}.{key}"):
        Change(**{option: read})
    return True


def _check_phases(plan: TrainingPlan, sections: Sections, found: Imported) -> None:
    """A step has as many phases as its dimension has options, less one.

    Raises:
        UsageError: more phases are asked for.
    """
    for step, given in sections["tasks_phases"].items():
        own = sum(phase.step == step for phase in plan.phases)
        count = found.read(given, int, f"tasks_phases.{step}")
        if not 0 <= count <= own:
            raise UsageError(
                f"{found.at(f'tasks_phases.{step}')}: {count}, but the supernet has {own} phases "
                "of it",
                advice="a phase number must be smaller than the number of options of its step",
            )
        if count < own:
            found.drop(f"tasks_phases.{step}", f"{count} of {own}: our plan trains all of them")
    tasks = sections["tasks"].get("tasks")
    steps = list(dict.fromkeys(phase.step for phase in plan.phases))
    if tasks is not None and found.read(tasks, list[str], "tasks") != steps:
        found.drop("tasks", f"our plan has {', '.join(steps)}; --step NAME runs one of them")


def _tracking(wandb: dict[str, Any], found: Imported) -> dict[str, Any]:
    used = found.taken(wandb, "use_wandb", bool, "wandb")
    for key in wandb:
        found.drop(f"wandb.{key}", "set it in the environment, as wandb reads it")
    return {"track": ["csv", "tensorboard", "wandb"]} if used else {}
