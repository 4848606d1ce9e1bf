"""The job ``ofa run export``: one architecture as a file that was checked in its runtime."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from ofa_plugins_core import runs
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Notice, Progress
from ofa_plugins_core.jobs import exporting
from ofa_plugins_core.jobs.bounded import sums
from ofa_plugins_core.jobs.export_options import ExportOptions
from ofa_plugins_core.jobs.exporting import Ready, Written
from ofa_plugins_core.jobs.networks import chosen_archs
from ofa_plugins_core.jobs.results import Row, number
from ofa_plugins_core.values import Arch, Measurement

COLUMNS: Final = ("", "value", "unit", "kind", "source")
INFO: Final = "info.json"
ARCH: Final = "arch.json"


@frozen(eq=False)
class ExportResult:
    """What was written.

    Attributes:
        run: its folder, or None where --out names the file.
        file: the file.
        facts: what it is: supernet, arch, format, data type, weights, runtime, …
        numbers: name -> measurement.
    """

    run: Path | None
    file: Path
    facts: Mapping[str, Any]
    numbers: Mapping[str, Measurement]

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {
            "run": None if self.run is None else str(self.run),
            "file": str(self.file),
            **self.facts,
            "numbers": {name: m.as_dict() for name, m in self.numbers.items()},
        }

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        said = ("supernet", "format", "dtype", "image_size", "weights", "runtime")
        title = f"{self.file} · " + " · ".join(str(self.facts[k]) for k in said)
        return [(title, COLUMNS, [cells(n, m) for n, m in self.numbers.items()])]


def run_export(context: JobContext, options: ExportOptions) -> ExportResult:
    """Export one architecture.

    Raises:
        UsageError, MissingExtraError: the options do not fit together; an extra is missing.
        InputError: a file is missing or broken, cannot be written, or is not the network.
    """
    exporting.check_options(options)
    place, name = exporting.place_of(context, options, "export")
    arch = _one(chosen_archs(context, options, context.host.supernet(options.supernet)))
    step = steps(context, ("load", "extract", "calibrate", "export", "quantise", "done"))
    step("load")
    loaded = exporting.loaded_network(context, options)
    network = exporting.ready(context, options, loaded, arch, step)
    numbers = sums(network.subnet.blocks, options.dtype)
    if place.suffix in exporting.ENDINGS.values():
        written = _written(context, options, network, place, step)
        return _result(None, written, network, numbers)
    with exporting.filled(place) as folder, exporting.told_as(folder, place):
        written = _written(context, options, network, folder / name, step)
        result = _result(place, exporting.renamed(written, place / name), network, numbers)
        describe(folder, arch, result.as_json())
    step("done")
    return result


def _written(
    context: JobContext, options: ExportOptions, network: Ready, path: Path, step: exporting.Step
) -> Written:
    """The file; what a user should know of it is told."""
    found = exporting.write_file(context, options, network, path, step)
    for note in found.notes:
        context.listener(Notice(note))
    return found


def _one(archs: Sequence[Arch]) -> Arch:
    if len(archs) != 1:
        raise UsageError(
            f"one architecture makes one file; here are {len(archs)}",
            advice="give a file with one line: --archs FILE; or --largest",
        )
    return archs[0]


def steps(context: JobContext, names: Sequence[str]) -> exporting.Step:
    """A teller of progress from step to step."""

    def step(name: str) -> None:
        context.listener(Progress("step", names.index(name) + 1, len(names), name))

    return step


def _result(
    run: Path | None, written: Written, network: Ready, numbers: Mapping[str, Measurement]
) -> ExportResult:
    measured = measurements(written)
    return ExportResult(run, written.final.path, facts(network, written), {**numbers, **measured})


def facts(network: Ready, written: Written) -> dict[str, Any]:
    """What a file is."""
    found = written.final
    return {
        "supernet": network.loaded.supernet.name,
        "arch": network.arch.as_dict(),
        "image_size": network.arch.image_size,
        "format": found.format,
        "dtype": found.dtype,
        "runtime": found.runtime,
        "weights": network.loaded.source,
        "synthetic_weights": network.loaded.synthetic,
        "batch_norm_images": network.calibrated,
        "int8_images": sum(map(len, network.calibrating)),
        "compared_on": {"given": found.given, "random": found.inputs_checked - found.given},
    }


def measurements(written: Written) -> dict[str, Measurement]:
    """What was measured in the runtime; of the float file before quantisation, too."""
    found = written.final.measurements()
    if written.plain is not None:
        before = written.plain.measurements()
        kept = ("file_bytes", "max_difference", "relative_difference", "top1_agreement")
        found |= {f"float_{name}": before[name] for name in kept}
    return found


def describe(folder: Path, arch: Arch, info: Mapping[str, Any]) -> None:
    """Write what the file is, and its architecture as ``--archs`` reads it."""
    runs.write(folder / ARCH, json.dumps(arch.as_dict()) + "\n")
    runs.write(folder / INFO, json.dumps(info, ensure_ascii=False, indent=1) + "\n")


def cells(name: str, found: Measurement) -> list[str]:
    """A row for the terminal."""
    return [name, number(found.value), found.unit, found.kind, found.source or ""]
