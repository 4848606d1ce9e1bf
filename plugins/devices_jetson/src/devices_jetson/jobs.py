"""The plugin's jobs: what a board is, a table by hand, TensorRT's latency."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from attrs import frozen

from devices_jetson import sysfs
from devices_jetson.by_hand import ANSWERS, Packed, pack
from devices_jetson.device import Jetson, limits
from devices_jetson.facts import Facts
from devices_jetson.job_options import BoardOptions, ByHandOptions, TrtexecOptions
from devices_jetson.nvpmodel import Mode
from devices_jetson.profiles import profile_of, source
from devices_jetson.trtexec import TrtLatency, TrtOptions, measure_onnx
from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Progress
from ofa_plugins_core.jobs.choosing import device_of
from ofa_plugins_core.jobs.lut.run import plan_of
from ofa_plugins_core.jobs.lut_options import LutOptions
from ofa_plugins_core.own_tables import device_words

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
LIMITS: Final = ("cores_on", "cpu_limit_mhz", "gpu_limit_mhz", "emc_limit_mhz")


def jetson_of(context: JobContext, name: str, given: Mapping[str, Any]) -> Jetson:
    """The board of a name.

    Raises:
        UsageError: the device is no Jetson.
    """
    device = device_of(context, name, given)
    if not isinstance(device, Jetson):
        raise UsageError(f"{name} is no Jetson", advice="ofa list devices shows them: jetson_…")
    return device


# ------------------------------------------------------------------ what a board is


@frozen(eq=False)
class BoardResult:
    """What ``ofa run jetson`` prints: all that a board says of itself."""

    device: Jetson
    facts: Facts
    described: Mapping[str, str]
    conditions: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        """Description, power modes, rails, conditions."""
        return {
            "description": dict(self.described),
            "programs": list(self.facts.programs),
            "modes": [self._mode(mode) for mode in self._modes],
            "profiles": source(),
            "rails": [
                {"rail": rail, "scope": scope, "readable": rail in self.facts.rails}
                for rail, scope in self.device.board.rails.items()
            ],
            "conditions": dict(self.conditions),
            "leftover": list(self.facts.leftover),
            "not_understood": list(self.facts.flaws),
        }

    @property
    def _modes(self) -> Sequence[Mode]:
        return self.facts.modes.modes if self.facts.modes else ()

    def _mode(self, mode: Mode) -> dict[str, Any]:
        profile = profile_of(self.device.board.name, mode.name)
        return {
            "name": mode.name,
            "id": mode.id,
            "present": mode == self.facts.present,
            "limits": limits(mode),
            "published": None if profile is None else plain(profile),
            "differs": [] if profile is None else profile.differences(mode),
        }

    def as_tables(self) -> list[Table]:
        """For the terminal."""
        about = [[k.replace("_", " "), v] for k, v in self.described.items()]
        about.append(["programs", ", ".join(self.facts.programs) or "none"])
        about += [["not understood", flaw] for flaw in self.facts.flaws]
        if self.facts.leftover:
            said = f"{', '.join(self.facts.leftover)} of a session that was killed"
            about.append(["put back now", said])
        now = [[name.replace("_", " "), f"{v:g}"] for name, v in self.conditions.items()]
        rails = [
            [r["rail"], r["scope"], "yes" if r["readable"] else "by tegrastats"]
            for r in self.as_json()["rails"]
        ]
        return [
            (self.device.board.title, ["", ""], about),
            ("power modes, of the board's own nvpmodel.conf", _COLUMNS, self._mode_rows()),
            ("now", ["", ""], now),
            ("power rails", ["rail", "measures", "in files"], rails),
        ]

    def _mode_rows(self) -> list[list[str]]:
        rows = []
        for mode in self._modes:
            found = self._mode(mode)
            own = [found["limits"].get(name, "") for name in LIMITS]
            present = "present" if found["present"] else ""
            rows.append([mode.name, *own, "; ".join(found["differs"]) or present])
        return rows


_COLUMNS: Final = (
    "mode",
    "cores",
    "CPU\nat most\nMHz",
    "GPU\nat most\nMHz",
    "EMC\nat most\nMHz",
    "",
)


def run_board(context: JobContext, options: BoardOptions) -> BoardResult:
    """Ask a board what it is; nothing is changed.

    Raises:
        UsageError, InputError: it is not there, or another one.
    """
    device = jetson_of(context, options.device, {"host": options.host})
    facts = device.facts()
    return BoardResult(device, facts, device.describe(), sysfs.conditions(facts.files))


# ------------------------------------------------------------------ by hand


def run_by_hand(context: JobContext, options: ByHandOptions) -> Packed:
    """Write what has to be copied to a board.

    Raises:
        UsageError: no --out, or a power mode: it has to be set on the board.
    """
    if context.out is None:
        raise UsageError("where are the files to go?", advice="--out FOLDER")
    device = jetson_of(context, options.device, {})
    if device.options.mode is not None:
        raise UsageError(
            "by hand a board measures in the power mode that it is in",
            advice="leave it out: the steps say how to set it; its name goes with the answers",
        )
    asked = LutOptions(
        supernet=options.supernet,
        resolutions=options.resolutions,
        batch=options.batch,
        least=options.passes,  # as many rounds as are recorded: turns stay in step
        most=options.passes,
        networks=options.networks,
    )
    plan = plan_of(context, asked)
    generator = np.random.Generator(np.random.PCG64([context.seed, 2]))
    play = _play(context, options, asked)
    return pack(context.out, plan, device.options, generator, options.device, play)


def _play(context: JobContext, options: ByHandOptions, asked: LutOptions) -> str:
    """The command that makes the table of the answers."""
    words = ["ofa run lut", f"--supernet {options.supernet}", f"--device {options.device}"]
    if options.resolutions is not None:
        words.append(f"--resolutions {','.join(map(str, options.resolutions))}")
    words += [f"--batch {options.batch}"] * (options.batch != 1)
    words += [f"--least {asked.least} --most {asked.most}", f"--networks {options.networks}"]
    words += [f"--seed {context.seed}"] * (context.seed != 0)
    for key, value in context.settings.get(options.device, {}).items():
        words.append(f"--set {options.device}.{key}={value}")
    words.append(f"--set {options.device}.recording={ANSWERS}")
    return " ".join([*words, f"--out {shlex.quote(f'{context.out}_table')}"])


# ------------------------------------------------------------------ TensorRT


@frozen(eq=False)
class TrtResult:
    """What ``ofa run trtexec`` prints: a row a file, as measured."""

    options: TrtexecOptions
    described: Mapping[str, str]
    found: Sequence[tuple[str, TrtLatency]]

    def as_json(self) -> list[dict[str, Any]]:
        """An object a file."""
        return [
            {
                "onnx": name,
                "latency": {
                    "value": latency.median,
                    "unit": "ms",
                    "kind": "measured",
                    "source": f"median GPU compute time by trtexec, {self.options.dtype}; "
                    f"{device_words(self.described, 1)}",
                },
                "std": None if latency.timed is None else latency.timed.std,
                "count": None if latency.timed is None else latency.timed.count,
                "said": dict(latency.said),
                "device": dict(self.described),
            }
            for name, latency in self.found
        ]

    def as_tables(self) -> list[Table]:
        """For the terminal."""
        where = device_words(self.described, 1).removesuffix(", batch 1")
        rows = [
            [
                name,
                f"{latency.median:.3f}",
                "" if latency.timed is None else f"{latency.timed.variation:.3f}",
                "" if latency.timed is None else f"{latency.timed.count:,}",
            ]
            for name, latency in self.found
        ]
        title = f"TensorRT {self.options.dtype}, GPU compute time, {where}"
        return [(title, ["network", "median\nms\nmeasured", "std / mean", "passes"], rows)]


def run_trtexec(context: JobContext, options: TrtexecOptions) -> TrtResult:
    """Have TensorRT time exported networks on a board, in its power mode with clocks locked.

    Raises:
        UsageError: no board, or no trtexec there.
        InputError: a file that is not there, that cannot be read, or that trtexec does not take.
    """
    given = {"host": options.host, "mode": options.mode}
    device = jetson_of(context, options.device, given)
    for file in options.onnx:
        if not file.is_file():
            raise InputError(f"there is no file {file}", advice="ofa run export makes one")
    how = TrtOptions(options.dtype, options.warmup_ms, options.seconds)
    found = []
    with device.session() as session:
        for done, file in enumerate(options.onnx, 1):
            found.append((file.name, measure_onnx(session.channel, file, how)))
            context.listener(Progress("networks", done, len(options.onnx), file.name))
    described = {k: v for k, v in device.describe().items() if k not in ("processor", "dtype")}
    return TrtResult(options, described, found)
