"""``ofa run import-config``: MOOFA's config.yaml as files for our jobs.

Memory-Constant OFA's config.yaml takes the same keys. Every key goes into a file or is named with
the reason why it does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from moofa.importing_options import ImportOptions
from moofa.model_configs import own_rows
from ofa_plugins_core import runs
from ofa_plugins_core.config import as_yaml, read_yaml, structure
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.interfaces import PlannedSupernet, Supernet, TrainingPlan
from ofa_plugins_core.values import Number

MODELS: Final = {
    "OFA": "ofa_mbv3_w1.0",
    "CompOFA": "compofa_elastic",
    "MOOFA_V1": "moofa_v1",
    "MOOFA_V2": "moofa_v2",
    "MOOFA_V3": "moofa_v3",
}
"""What ``args.model`` may be -> our name."""

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

WHERE: Final = "where results go: give --out, or find them in ./runs"


@frozen
class Dropped:
    """A key that no file of ours has, and why."""

    key: str
    why: str


@frozen
class Imported:
    """What was made of a published configuration.

    Attributes:
        files: job -> its configuration's file; supernets' rows go by ``supernet NAME``.
        dropped: keys without a counterpart.
        notes: what was mended, and what is still to be given.
    """

    files: dict[str, Path] = field(factory=dict)
    dropped: list[Dropped] = field(factory=list)
    notes: list[str] = field(factory=list)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "files": {name: str(path) for name, path in self.files.items()},
            "dropped": [{"key": d.key, "why": d.why} for d in self.dropped],
            "notes": list(self.notes),
        }

    def as_tables(self) -> list[tuple[str, Sequence[str], list[Sequence[str]]]]:
        """For the terminal."""
        files = [(name, str(path)) for name, path in self.files.items()]
        dropped = [(d.key, d.why) for d in self.dropped]
        tables: list[tuple[str, Sequence[str], list[Sequence[str]]]] = [
            ("written", ("for", "file"), list(files)),
        ]
        if dropped:
            tables.append(("not taken over", ("key", "why"), list(dropped)))
        if self.notes:
            tables.append(("to know", ("",), [(note,) for note in self.notes]))
        return tables

    def drop(self, key: str, why: str) -> None:
        """Name a key that is not taken over."""
        self.dropped.append(Dropped(key, why))


def run_import(context: JobContext, options: ImportOptions) -> Imported:
    """Read a published configuration and write ours into the run's folder.

    Raises:
        InputError: a file cannot be read.
        UsageError: an unknown model, or values that our jobs would refuse.
    """
    if context.out is None:
        raise UsageError("import-config needs --out: the folder for the files")
    found = Imported()
    sections = _sections(options.file, read_yaml(options.file, UsageError), found)
    rows = {} if options.model_config is None else own_rows(options.model_config)
    for name, row in rows.items():
        found.files[f"supernet {name}"] = _write(context.out / "supernets" / f"{name}.yaml", row)
    model = sections["args"].pop("model", None)
    name = _supernet(options.file, model, found)
    supernet = context.host.supernet(name)
    for own in rows:  # what does not describe a supernet is refused now, not in hours
        context.host.supernet(str(found.files[f"supernet {own}"]))
    weights = sections["args"].pop("checkpoint", None)
    shared = {"supernet": name, **({} if weights is None else {"weights": weights})}
    dataset = sections["args"].pop("dataset", None)
    jobs = {
        "train": {"supernet": name, **_training(context, supernet, sections, found)},
        "evaluate": {**shared, **_subnet(context.out, supernet, sections["subnet_config"], found)},
        "dataset": shared,
        **_searching(name, dataset, sections["search_config"], found),
    }
    for job, configuration in jobs.items():
        found.files[job] = _write(context.out / f"{job}.yaml", {"job": job, **configuration})
    if dataset is not None:
        found.notes.append(f"the images of {dataset}: give train, evaluate, dataset --data FOLDER")
    return found


SECTIONS: Final = (
    "args",
    "args_per_task",
    "tasks_phases",
    "subnet_config",
    "search_config",
    "wandb",
)


def _sections(file: Path, data: dict[str, Any], found: Imported) -> dict[str, dict[str, Any]]:
    """Every section as a mapping of its own; ``tasks`` becomes one, too."""
    sections = {}
    for name in SECTIONS:
        given = data.pop(name, None)
        if given is not None and not isinstance(given, Mapping):
            raise UsageError(f"{file}: {name}: expected a mapping, found {given!r:.60}")
        sections[name] = dict(given or {})
    tasks = data.pop("tasks", None)
    sections["tasks"] = {"tasks": tasks} if tasks is not None else {}
    for key in data:
        found.drop(key, "no section of a published configuration")
    return sections


def _supernet(file: Path, model: object, found: Imported) -> str:
    """The supernet's name, or the file of the user's own row."""
    own = found.files.get(f"supernet {model}")
    if own is not None:
        return str(own)
    if not isinstance(model, str) or model not in MODELS:
        names = [*MODELS, *(n.removeprefix("supernet ") for n in found.files)]
        raise UnknownNameError(f"model (args.model in {file})", str(model), names)
    return MODELS[model]


def _write(path: Path, data: Mapping[str, Any]) -> Path:
    runs.write(path, as_yaml(data))
    return path


# ------------------------------------------------------------------------------- training


def _training(
    context: JobContext, supernet: Supernet, sections: dict[str, dict[str, Any]], found: Imported
) -> dict[str, Any]:
    """Options of ``ofa run train``, for --all of the plan as for one --step of it."""
    plan = (supernet.plan if isinstance(supernet, PlannedSupernet) else None) or "ofa"
    out: dict[str, Any] = {"plan": plan} | _teacher(sections["args"], found)
    entry = context.host.training_plan(plan)
    phases = dict(_phases(sections["args_per_task"], found))
    options: Any = structure({"phases": phases}, entry.options, plan)
    made = entry.build(supernet, options)
    for key, value in sections["args"].items():
        if key in TRAIN_ARGS:
            listed = key == "image_size" and not isinstance(value, list)
            out[TRAIN_ARGS[key]] = [value] if listed else value
        else:
            found.drop(f"args.{key}", _why_not(key, value, made))
    out |= _rate(out.get("batch"), made, found)
    _check_phases(made, sections, found)
    if phases:
        out["set"] = {plan: {"phases": phases}}
    out |= _tracking(sections["wandb"], found)
    return out


def _rate(batch: object, plan: TrainingPlan, found: Imported) -> dict[str, Any]:
    """Theirs are for a worker whatever its batch, ours for the plan's batch: made equal."""
    usual = plan.hyper.batch
    if not isinstance(batch, int) or batch < 1 or batch == usual:
        return {}
    found.notes.append(f"train: the learning rates are for {batch} images a worker: lr_scale")
    return {"lr_scale": usual / batch}


def _teacher(args: dict[str, Any], found: Imported) -> dict[str, Any]:
    """The teacher's file where it is there already: --all then leaves its training out."""
    file = args.pop("teacher_path", None)
    if file is None or Path(str(file)).is_file():
        return {} if file is None else {"teacher": file}
    why = f"{file} is no file: --all trains the teacher, one --step needs --teacher FILE"
    found.drop("args.teacher_path", why)
    return {}


def _why_not(key: str, value: object, plan: TrainingPlan) -> str:
    if key == "path":
        return WHERE
    if key in HYPER:
        own = getattr(plan.hyper, key)
        return f"the plan has it: {own}" + ("" if own == value else f", not {value}")
    if key in PHASE_ARGS:
        return "a phase's own: write it under args_per_task"
    return "no option of ours; see ofa run train --help"


def _phases(tasks: Mapping[str, Any], found: Imported) -> Iterator[tuple[str, dict[str, Number]]]:
    """(phase, its changes) of ``args_per_task``."""
    for task, given in tasks.items():
        if not isinstance(given, Mapping):
            raise UsageError(f"args_per_task.{task}: expected a mapping, found {given!r:.60}")
        for key in given:
            if key not in PHASE_ARGS:
                found.drop(f"args_per_task.{task}.{key}", "no number of a phase of ours")
        changes = {PHASE_ARGS[k]: v for k, v in given.items() if k in PHASE_ARGS}
        if task == "teacher" and changes.get("subnets") == 1:
            del changes["subnets"]
        yield task, changes


def _check_phases(
    plan: TrainingPlan, sections: Mapping[str, Mapping[str, Any]], found: Imported
) -> None:
    """A step has as many phases as its dimension has options, less one.

    Raises:
        UsageError: more phases are asked for.
    """
    for step, count in sections["tasks_phases"].items():
        own = sum(phase.step == step for phase in plan.phases)
        if not isinstance(count, int) or count > own:
            raise UsageError(
                f"tasks_phases.{step}: {count}, but the supernet has {own} phases of it",
                advice="a phase number must be smaller than the number of options of its step",
            )
        if count < own:
            found.drop(f"tasks_phases.{step}", f"{count} of {own}: our plan trains all of them")
    tasks = sections["tasks"].get("tasks")
    steps = list(dict.fromkeys(phase.step for phase in plan.phases))
    if tasks is not None and list(tasks) != steps:
        found.drop("tasks", f"our plan has {', '.join(steps)}; --step NAME runs one of them")


def _tracking(wandb: Mapping[str, Any], found: Imported) -> dict[str, Any]:
    for key in wandb:
        if key != "use_wandb":
            found.drop(f"wandb.{key}", "set it in the environment, as wandb reads it")
    return {"track": ["csv", "tensorboard", "wandb"]} if wandb.get("use_wandb") else {}


# ------------------------------------------------------------------------ evaluation, search


def _subnet(
    out: Path, supernet: Supernet, given: dict[str, Any], found: Imported
) -> dict[str, Any]:
    """Options of ``ofa run evaluate`` for the one subnet."""
    for key in ("res_dir", "name"):
        if given.pop(key, None) is not None:
            found.drop(f"subnet_config.{key}", WHERE)
    options: dict[str, Any] = {"plot": True} if given.pop("draw_graphs", False) else {}
    drawn = given.pop("random_sample", False)
    arch: dict[str, Any] = {}
    for key in ("ks", "e", "d", "image_size"):
        if key in given:
            arch[key] = given.pop(key)
    for key in given:
        found.drop(f"subnet_config.{key}", "no entry of an architecture")
    if drawn or "d" not in arch:
        for key in arch:
            found.drop(f"subnet_config.{key}", "one network is drawn: random_sample")
        return {**options, "random": int(drawn) or 1}
    file = out / "archs.jsonl"
    (checked,) = supernet.space.decode(supernet.space.encode([_whole(supernet, arch)]))
    runs.write(file, json.dumps(checked.as_dict()) + "\n")
    return {**options, "archs": str(file)}


def _whole(supernet: Supernet, arch: Mapping[str, Any]) -> dict[str, Any]:
    """An exchange dict: one number stands for every entry, and the largest size for none."""
    out: dict[str, Any] = {}
    for dimension in supernet.space.dimensions:
        value = arch.get(dimension.key)
        single = isinstance(value, int | float)
        out[dimension.key] = [value] * len(dimension.entries) if single else value
    size = arch.get("image_size", max(supernet.resolutions))
    out["image_size"] = size[0] if isinstance(size, list) and size else size
    return out


def _searching(
    name: str, dataset: object, given: dict[str, Any], found: Imported
) -> dict[str, dict[str, Any]]:
    """Options of ``ofa run search``, and of ``fit`` where there is a data set for it."""
    search: dict[str, Any] = {"supernet": name, "cost": ["peak_memory", "flops"]}
    if dataset is not None:
        search["dataset"] = dataset
    bounds = [given.pop(k, None) for k in ("min_constraint", "max_constraint")]
    ends = sorted(b for b in bounds if isinstance(b, int | float))
    if len(ends) == 2 and ends != bounds:
        found.notes.append(f"search: the bounds were swapped; mended: {ends[0]} to {ends[1]}")
    if ends:
        search["constraint"] = [f"peak_memory<={':'.join(str(e) for e in dict.fromkeys(ends))}"]
    count = given.pop("N_constraint", None)
    if count is not None and len(set(ends)) == 2:
        search["points"] = count
    elif count is not None:
        found.drop("search_config.N_constraint", "there is no range of bounds to divide")
    checkpoint = given.pop("acc_predictor_checkpoint", None)
    if checkpoint is not None and Path(checkpoint).is_file():
        search |= {"predictor": "mlp", "predictor_weights": checkpoint}
    elif checkpoint is not None:
        why = f"{checkpoint} is no file: ours predicts with what ships, or what ofa run fit makes"
        found.drop("search_config.acc_predictor_checkpoint", why)
    data = given.pop("acc_dataset_path", None)
    for key in given:
        why = WHERE if key == "res_dir" else "no option of ours; see ofa run search --help"
        found.drop(f"search_config.{key}", why)
    return {"search": search} | ({} if data is None else {"fit": {"supernet": name, "data": data}})
