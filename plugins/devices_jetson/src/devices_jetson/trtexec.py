"""TensorRT's ``trtexec`` on a board: its command line, and what it says of a network's latency."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

from attrs import frozen

from devices_jetson.reading import shown
from devices_jetson.transport import Answer, Channel
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.timing import Timed, summary

Dtype: TypeAlias = Literal["fp32", "fp16", "int8"]

PART: Final = 512 * 1024
"""Bytes of a file that are sent in one request."""

_MS: Final = re.compile(
    r"(min|max|mean|median)\s*[:=]\s*([0-9]{1,12}(?:\.[0-9]{1,12})?)\s*ms", re.ASCII
)


@frozen
class TrtOptions:
    """How trtexec runs.

    Attributes:
        dtype: fp32, or what it may use besides: fp16, int8.
        warmup_ms: before it measures.
        seconds: for which it measures, at least.
    """

    dtype: Dtype = "fp32"
    warmup_ms: int = 200
    seconds: int = 10


def arguments(name: str, options: TrtOptions) -> list[str]:
    """The command line after ``trtexec``; ``{files}`` is where the board keeps files it got."""
    return [
        f"--onnx={{files}}/{name}",
        *([f"--{options.dtype}"] if options.dtype != "fp32" else []),
        f"--warmUp={options.warmup_ms}",
        f"--duration={options.seconds}",
        "--exportTimes={files}/times.json",
    ]


def parse_summary(text: str) -> dict[str, float]:
    """``GPU Compute Time`` in what trtexec prints: min, max, mean, median, in ms.

    TensorRT 8 and later say it in one line; 7 has a heading, and a line each.

    Raises:
        InputError: it says no such thing; with its last error.
    """
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if re.search(r"GPU Compute(?: Time)?\s*(?::|$)", line):
            found = {k: float(v) for k, v in _MS.findall(line)}
            found = found or _below(lines[number + 1 :])
            if found:
                return found
    errors = [line for line in lines if re.search(r"\[E\]|error", line, re.IGNORECASE)]
    last = (errors or [line for line in lines if line.strip()] or ["nothing"])[-1]
    raise InputError(f"trtexec says no 'GPU Compute Time'; it says {shown(last.strip())}")


def _below(lines: list[str]) -> dict[str, float]:
    """The lines under a heading, up to the next one."""
    found: dict[str, float] = {}
    for line in lines:
        pairs = _MS.findall(line)
        if not pairs and found:
            break
        found.update({k: float(v) for k, v in pairs})
    return found


def parse_times(text: str) -> list[float]:
    """``computeMs`` of each pass in the file of ``--exportTimes``.

    Raises:
        InputError: it is no such file, or empty.
    """
    try:
        found = [entry["computeMs"] for entry in json.loads(text)]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            f"the times that trtexec exported are not understood: {error!r}"
        ) from error
    sound = all(
        isinstance(x, int | float) and not isinstance(x, bool) and 0 <= x < 1e9 for x in found
    )
    if not found or not sound:
        raise InputError(f"the times that trtexec exported are no times: {found!r:.80}")
    return [float(x) for x in found]


@frozen
class TrtLatency:
    """What trtexec measured.

    Attributes:
        timed: of the GPU's compute time, from the exported times; None where there are none.
        said: min, max, mean, median as printed, ms.
    """

    timed: Timed | None
    said: Mapping[str, float]

    @property
    def median(self) -> float:
        """ms."""
        return self.said["median"] if self.timed is None else self.timed.median


def understood(answer: Answer) -> TrtLatency:
    """A board's answer to ``trtexec``.

    Raises:
        InputError: it failed, with its last error; or what it says is not understood.
    """
    text = f"{answer.get('out', '')}\n{answer.get('err', '')}"
    if answer.get("code") != 0:
        errors = [x for x in text.splitlines() if "[E]" in x] or [
            x for x in text.splitlines() if x.strip()
        ]
        last = errors[-1].strip() if errors else "nothing"
        raise InputError(f"trtexec ended with code {answer.get('code')}: {shown(last)}")
    said, times = parse_summary(text), answer.get("times")
    if "median" not in said and not isinstance(times, str):
        raise InputError("trtexec says no median of the GPU's compute time")
    return TrtLatency(summary(parse_times(times)) if isinstance(times, str) else None, said)


def measure_onnx(channel: Channel, file: Path, options: TrtOptions) -> TrtLatency:
    """Send an ONNX file to a board and have trtexec time it.

    Raises:
        InputError: the file cannot be read, or trtexec failed.
        UsageError: the board has no trtexec.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    for start in range(0, max(len(content), 1), PART):
        part = base64.b64encode(content[start : start + PART]).decode("ascii")
        channel.ask("file", name="network.onnx", base64=part, first=start == 0)
    words = arguments("network.onnx", options)
    patience = 1800 + 2 * options.seconds  # building an engine takes minutes on a small board
    return understood(channel.ask("trtexec", arguments=words, timeout_s=patience))
