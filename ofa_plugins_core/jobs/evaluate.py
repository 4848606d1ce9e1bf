"""The job ``ofa run evaluate``: top-1, top-5, forward time and costs of architectures."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from ofa_plugins_core import runs
from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, PeerLostError, UsageError
from ofa_plugins_core.events import Notice, Progress, silent
from ofa_plugins_core.interfaces import ClassedSupernet, CostModel, Supernet
from ofa_plugins_core.jobs.choosing import entry_options
from ofa_plugins_core.jobs.cost import Details, HistoryCost
from ofa_plugins_core.jobs.evaluate_options import EvaluateOptions
from ofa_plugins_core.jobs.evaluated import ACCURACY, EvaluateResult
from ofa_plugins_core.jobs.frontfiles import Candidate, read_front
from ofa_plugins_core.jobs.networks import chosen_archs, largest, needs_torch
from ofa_plugins_core.jobs.torch_options import CHANGEABLE
from ofa_plugins_core.values import Arch, Measurement

if TYPE_CHECKING:
    from pathlib import Path

    from ofa_plugins_core.jobs.measuring import Bench
    from ofa_plugins_core.nn.engines import Engine

COSTS: Final = ("params", "flops", "peak_memory")
PICTURED: Final = 8
"""So many of the first networks are drawn."""

PARTS: Final = ("arch", "calibrated", "top1", "top5", "images", "skipped", "infinite", "forward")
"""What is measured of a network; the rest of its row is computed, or of another run."""

STORE_SECONDS: Final = 1.0
FOLDER: Final = "archs"
INFO: Final = "info.json"


def run_evaluate(context: JobContext, options: EvaluateOptions) -> EvaluateResult | None:
    """Evaluate architectures; None in a process that only helps the first.

    Raises:
        UsageError: options that do not fit together, or classes that do not fit the data.
        InputError: weights, data or architectures are missing or broken, or nothing can be written.
        MissingExtraError: torch is not installed.
        PeerLostError: another process is gone; what is measured is kept.
    """
    check(options)
    needs_torch("ofa run evaluate")
    from ofa_plugins_core.nn import engines, evaluating

    with engines.joined(options.device) as group, evaluating.threads(options.threads):
        told = context if group.leads else evolve(context, listener=silent)
        found = _evaluated(told, options, group)
    return found if group.leads else None


def check(options: EvaluateOptions) -> None:
    """Refuse numbers that make no sense, before anything is loaded.

    Raises:
        UsageError: names the flag and what was found.
    """
    least = {"batch": 1, "calibrate_batch": 2, "time_batch": 1, "images": 1, "threads": 1}
    least |= {"workers": 0, "calibrate": 0, "repeats": 0, "warmup": 0}
    for name, bound in least.items():
        value = getattr(options, name)
        if value is not None and value < bound:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag}: expected a whole number from {bound} up, found {value}")
    others = [options.archs, options.run, options.random]
    if options.model == "teacher" and any(o is not None for o in others):
        raise UsageError("a teacher is the largest network: it takes no --archs, --run or --random")


def _evaluated(context: JobContext, options: EvaluateOptions, group: Engine) -> EvaluateResult:
    from ofa_plugins_core.jobs.measuring import about, bench_of

    supernet = context.host.supernet(options.supernet)
    candidates = _candidates(context, options, supernet)
    archs = [c.arch for c in candidates]
    bench = bench_of(context, options, group, archs[0].image_size)
    bench.check_room(archs)
    _mention(bench)
    parts = _measured(bench, archs)
    if isinstance(supernet, ClassedSupernet):
        supernet = supernet.with_classes(bench.loaded.classes)
    networks = _networks(context, supernet, candidates, parts)
    result = EvaluateResult(
        context.out,
        about(bench),
        networks,
        len(archs),
        _against(candidates),
        _details(context, supernet, archs[: min(len(networks), PICTURED)]),
    )
    if group.leads:
        _kept(context, lambda: _write_infos(result))
    return result


def _candidates(
    context: JobContext, options: EvaluateOptions, supernet: Supernet
) -> list[Candidate]:
    """The architectures, with what a run predicted of them."""
    if options.model == "teacher":
        return [Candidate(largest(supernet), None, {})]
    archs = chosen_archs(context, options, supernet)
    if options.run is not None:
        return read_front(options.run, supernet)
    return [Candidate(arch, None, {}) for arch in archs]


def _mention(bench: Bench) -> None:
    if bench.loaded.synthetic and bench.images is not None:
        bench.context.listener(Notice("synthetic weights: top-1 and top-5 mean nothing"))


# ------------------------------------------------------------------------------- measuring


def _measured(bench: Bench, archs: Sequence[Arch]) -> list[dict[str, Any]]:
    """A part an architecture; an interrupt keeps those that are there, for --resume too.

    Raises:
        PeerLostError: another process is gone; those that are there are kept.
    """
    context = bench.context
    options = {k: v for k, v in plain(bench.options).items() if k not in CHANGEABLE}
    request = {**options, "seed": context.seed, "set": plain(context.settings)}
    request |= bench.of
    kept = _kept_parts(bench, request) if context.resume else {}
    parts: list[dict[str, Any]] = []
    latest = time.monotonic()
    try:
        for done, arch in enumerate(archs, 1):
            key, label = json.dumps(arch.as_dict()), f"network {done} of {len(archs)}"
            part = kept[key] if key in kept else bench.measure(arch, label)
            parts.append(part)
            kept[key] = part
            context.listener(Progress("network", done, len(archs), _reading(part)))
            if time.monotonic() - latest > STORE_SECONDS and done < len(archs):
                _store(bench, request, kept)
                latest = time.monotonic()
    except PeerLostError:
        _store(bench, request, kept)
        raise
    except KeyboardInterrupt:
        if not parts:
            raise
        _store(bench, request, kept)
    return parts


def _kept_parts(bench: Bench, request: Mapping[str, Any]) -> dict[str, Any]:
    """What the run's folder holds of the same weights and images: architecture -> its part.

    Raises:
        UsageError: it is of others.
        InputError: what an interrupted run stored is broken.
    """
    out = bench.context.out
    before, parts = _finished(out)
    if parts:
        runs.refuse_another(out, before, bench.of)
    return {**parts, **runs.stored(out, request)}


def _finished(folder: Path | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the result in a folder was measured of, and its parts; its options were checked."""
    try:
        assert folder is not None
        result = json.loads((folder / runs.RESULT).read_bytes())
        parts = {json.dumps(n["arch"]): _part(n) for n in result["networks"]}
        return dict(result.get("of", {})), parts
    except (AssertionError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, {}  # nothing is finished


def _part(network: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in network.items() if name in PARTS}


def _store(bench: Bench, request: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    """A full disk ends no measuring: what is there is shown at the end, whatever was kept."""
    out = bench.context.out
    if bench.group.leads and out is not None:
        _kept(bench.context, lambda: runs.store(out, request, kept))


def _kept(context: JobContext, write: Callable[[], None]) -> None:
    try:
        write()
    except InputError as error:
        context.listener(Notice(error.message))


def _reading(part: Mapping[str, Any]) -> str:
    words = [f"top-1 {part['top1']['value']:.2f} %"] if part["top1"] else []
    words += [f"{part['forward']['value']:.3g} ms"] if part["forward"] else []
    return ", ".join(words)


# ------------------------------------------------------------------------------- result


def _networks(
    context: JobContext,
    supernet: Supernet,
    candidates: Sequence[Candidate],
    parts: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """The parts, with their costs and with what was predicted."""
    costs = _costs(context, supernet, [c.arch for c in candidates[: len(parts)]])
    found = []
    for number, (candidate, part, row) in enumerate(zip(candidates, parts, costs, strict=False), 1):
        network = {"number": number, **part, "costs": row}
        if predicted := _predicted(candidate):
            network["predicted"] = predicted
        found.append(network)
    return found


def _predicted(candidate: Candidate) -> dict[str, Any]:
    """A run's columns that can be held against what is measured here."""
    found = {n: dict(m) for n, m in candidate.costs.items() if m["unit"] == "ms"}
    return {ACCURACY: dict(candidate.accuracy), **found} if candidate.accuracy else found


def _against(candidates: Sequence[Candidate]) -> str:
    """The cost of the measured front: the first of the run, or the forward time."""
    return next((name for c in candidates for name in c.costs), "forward")


def _models(context: JobContext, supernet: Supernet) -> dict[str, CostModel]:
    entries = {name: context.host.cost_model(name) for name in COSTS}
    return {n: e.build(supernet, entry_options(context, e)) for n, e in entries.items()}


def _costs(context: JobContext, supernet: Supernet, archs: Sequence[Arch]) -> list[dict[str, Any]]:
    """Computed costs of the networks as they are extracted."""
    if not archs:
        return []
    built = supernet.at(sorted({a.image_size for a in archs})).as_built()
    models = _models(context, built)
    columns = {n: m.evaluate(built.space.encode(archs)).tolist() for n, m in models.items()}
    return [
        {
            n: Measurement(c[i], models[n].unit, models[n].kind, models[n].source).as_dict()
            for n, c in columns.items()
        }
        for i in range(len(archs))
    ]


def _details(context: JobContext, supernet: Supernet, archs: Sequence[Arch]) -> list[Details]:
    found = []
    for arch in archs:
        built = supernet.at([arch.image_size]).as_built()
        models = _models(context, built)
        histories = {n: m.history(arch) for n, m in models.items() if isinstance(m, HistoryCost)}
        found.append(Details(arch, built.geometry().blocks(arch), histories))
    return found


def _write_infos(result: EvaluateResult) -> None:
    """``archs/N/info.json`` of each network: all that is known of it in one file."""
    if result.run is None:
        return
    for network in result.networks:
        text = json.dumps({**result.about, **network}, ensure_ascii=False, indent=1)
        runs.write(result.run / FOLDER / str(network["number"]) / INFO, text + "\n")
