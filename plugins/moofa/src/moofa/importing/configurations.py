"""``ofa run import-config``: MOOFA's config.yaml as files for our jobs.

Memory-Constant OFA's config.yaml takes the same keys. Every key goes into a file or is named with
the reason why it does not; what a job of ours would refuse is refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from moofa.importing.imported import Imported
from moofa.importing.jobs import evaluating, searching
from moofa.importing.models import own_rows
from moofa.importing.options import ImportOptions
from moofa.importing.training import training
from ofa_plugins_core import runs
from ofa_plugins_core.config import as_yaml, read_yaml
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import OfaError, UnknownNameError, UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.jobs import evaluate, train

MODELS: Final = {
    "OFA": "ofa_mbv3_w1.0",
    "CompOFA": "compofa_elastic",
    "MOOFA_V1": "moofa_v1",
    "MOOFA_V2": "moofa_v2",
    "MOOFA_V3": "moofa_v3",
}
"""What ``args.model`` may be -> our name."""

SECTIONS: Final = (
    "args",
    "args_per_task",
    "tasks_phases",
    "subnet_config",
    "search_config",
    "wandb",
)

CHECKS: Final[Mapping[str, Callable[[Any], None]]] = {
    "train": train.check,
    "evaluate": evaluate.check,
}
"""Job -> what it refuses before it loads anything."""

OUTSIDE: Final = ("job", "seed", "set")
"""Keys of a configuration that are no options of its job."""


def run_import(context: JobContext, options: ImportOptions) -> Imported:
    """Read a published configuration and write ours into the run's folder.

    Raises:
        InputError: a file cannot be read, or one cannot be written.
        UsageError: an unknown model, or values that our jobs would refuse; nothing is written.
    """
    if context.out is None:
        raise UsageError("import-config needs --out: the folder for the files")
    found = Imported(options.file)
    sections = _sections(read_yaml(options.file, UsageError), found)
    supernets = _own(context, options, context.out, found)
    args = sections["args"]
    name = _supernet(args.pop("model", None), found)
    supernet = supernets[name] if name in supernets else context.host.supernet(name)
    weights = found.taken(args, "checkpoint", str, "args")
    shared = {"supernet": name, **({} if weights is None else {"weights": weights})}
    dataset = found.taken(args, "dataset", str, "args")
    trained = training(context, supernet, sections, found)
    evaluated = evaluating(context.out, supernet, sections["subnet_config"], found)
    jobs = {
        "train": {"supernet": name, **trained},
        "evaluate": {**shared, **evaluated},
        "dataset": shared,
        **searching(name, dataset, sections["search_config"], found),
    }
    for job, configuration in jobs.items():
        _check(context, job, configuration, found)
        found.keep(job, context.out / f"{job}.yaml", {"job": job, **configuration})
    if dataset is not None:
        found.notes.append(f"the images of {dataset}: give train, evaluate, dataset --data FOLDER")
    found.write()
    return found


def _check(
    context: JobContext, job: str, configuration: Mapping[str, Any], found: Imported
) -> None:
    """Structure a configuration as its job does, and let the job look at it."""
    entry = next((e for e in context.host.entries("jobs") if e.name == job), None)
    if entry is None:  # its plugin is not installed: the file is for when it is
        return
    given = {key: value for key, value in configuration.items() if key not in OUTSIDE}
    read = found.read(given, entry.options, job)
    with found.refusing(job):
        CHECKS.get(job, lambda options: None)(read)


def _sections(data: dict[str, Any], found: Imported) -> dict[str, dict[str, Any]]:
    """Every section as a mapping of its own; ``tasks`` becomes one, too."""
    sections = {}
    for name in SECTIONS:
        given = data.pop(name, None)
        if given is not None and not isinstance(given, Mapping):
            raise UsageError(f"{found.at(name)}: expected a mapping, found {given!r:.60}")
        sections[name] = dict(given or {})
    tasks = data.pop("tasks", None)
    sections["tasks"] = {"tasks": tasks} if tasks is not None else {}
    for key in data:
        found.drop(key, "no section of a published configuration")
    return sections


def _own(
    context: JobContext, options: ImportOptions, out: Path, found: Imported
) -> dict[str, Supernet]:
    """Supernets of the user's own by the path of the row's file, which is written later.

    Raises:
        UsageError: what describes no supernet is refused now, not in hours.
    """
    rows = {} if options.model_config is None else own_rows(options.model_config)
    supernets = {}
    for name, row in rows.items():
        path = out / "supernets" / f"{name}.yaml"
        supernets[str(path)] = _tried(context, f"{options.model_config}: {name}", row)
        found.keep(f"supernet {name}", path, row)
    return supernets


def _tried(context: JobContext, where: str, row: Mapping[str, Any]) -> Supernet:
    """The supernet of a row, read from a file as our jobs read it."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "row.yaml"
        runs.write(file, as_yaml(row))
        try:
            return context.host.supernet(str(file))
        except OfaError as error:
            error.message = error.message.replace(str(file), where)
            error.args = (error.message,)
            raise


def _supernet(model: object, found: Imported) -> str:
    """The supernet's name, or the file of the user's own row."""
    own = found.files.get(f"supernet {model}")
    if own is not None:
        return str(own)
    if not isinstance(model, str) or model not in MODELS:
        names = [*MODELS, *(n.removeprefix("supernet ") for n in found.files)]
        raise UnknownNameError(f"model (args.model in {found.source})", str(model), names)
    return MODELS[model]
