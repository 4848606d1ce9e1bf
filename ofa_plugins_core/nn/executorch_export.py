"""``torch.export`` -> ExecuTorch, float or int8, run in its runtime before the file gets its name.

Lowered to XNNPACK, or left to the portable kernels, whose buffers ExecuTorch plans itself. Int8 is
post-training quantisation on the exported graph (PT2E), weights per channel, for XNNPACK.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

import torch
from attrs import evolve
from numpy.typing import NDArray
from torch import nn

from ofa_plugins_core import runs
from ofa_plugins_core.errors import InputError, MissingExtraError, UsageError
from ofa_plugins_core.nn.card import Card
from ofa_plugins_core.nn.checking import Checks, Run, eager
from ofa_plugins_core.nn.exported import TOLERANCE, Difference, DType, Exported, Images
from ofa_plugins_core.nn.folded import folded
from ofa_plugins_core.nn.quiet import quietly

Backend = Literal["xnnpack", "portable"]
MOST_AT_ONCE: Final = 8
"""Images, where the batch is dynamic: the runtime plans its buffers for so many."""
CARD: Final = "ofa_card"
"""Name of the method of a file that gives its card, as JSON."""


def to_executorch(
    module: nn.Module,
    size: int,
    path: Path,
    *,
    backend: Backend = "xnnpack",
    dynamic_batch: bool = False,
    images: Iterable[Images] = (),
    card: Card | None = None,
    tolerance: float = TOLERANCE,
    strict: bool = True,
    seed: int = 0,
) -> Exported:
    """Write a network for ExecuTorch (``.pte``), in float32.

    Args:
        module: takes (n, 3, size, size) images and gives (n, classes) logits; stays as it is.
        size: side of the images, in pixels.
        backend: ``xnnpack``, or ``portable`` kernels alone.
        dynamic_batch: up to 8 images at once; otherwise one.
        images: to check with, beside random ones: batches, normalised.
        card: is what the file's method ``ofa_card`` gives, as JSON.
        tolerance: most that a logit may differ, of the largest eager logit.
        strict: refuse a file that differs by more on the given images, or note it.

    Raises:
        MissingExtraError: executorch is not installed.
        InputError: it cannot be written, or differs in the runtime; nothing is left then.
    """
    needed()
    network = eager(module)
    checks = evolve(_checks(size, images, dynamic_batch, path, seed), strict=strict)
    with quietly(), torch.no_grad():
        buffer = _lowered(
            _program(folded(module), size, dynamic_batch), backend, card or Card(), size
        )

    def judged(run: Run) -> Difference:
        return checks.float_file(network, run, tolerance)

    made = _written(buffer, path, "fp32", judged, backend, checks.images)
    return evolve(made, notes=checks.notes(made.difference, tolerance))


def int8_executorch(
    module: nn.Module,
    size: int,
    batches: Iterable[Images],
    path: Path,
    *,
    dynamic_batch: bool = False,
    images: Iterable[Images] = (),
    card: Card | None = None,
    least_sqnr: float | None = None,
    seed: int = 0,
) -> Exported:
    """Write a network for ExecuTorch in int8: XNNPACK, weights per channel.

    Args:
        batches: images to find the ranges of activations with, normalised.
        least_sqnr: refuse a file with more noise, in dB; None: any that runs is taken.

    The others are those of ``to_executorch``.

    Raises:
        MissingExtraError: executorch or torchao is not installed.
        UsageError: there is no image to calibrate with.
        InputError: it cannot be written, does not run, or is too far from the network.
    """
    needed()
    calibrating = list(batches)
    if not calibrating:
        raise UsageError("int8 needs images to calibrate with", advice="--data FOLDER")
    network = eager(module)
    checks = _checks(size, images, dynamic_batch, path, seed)
    with quietly(), torch.no_grad():
        found = _quantised(_program(folded(module), size, dynamic_batch).module(), calibrating)
        program = _program(found, size, dynamic_batch)
        buffer = _lowered(program, "xnnpack", card or Card(), size)

    def judged(run: Run) -> Difference:
        return checks.int8_file(network, run, least_sqnr)

    return _written(buffer, path, "int8", judged, "xnnpack", checks.images)


def needed() -> None:
    """Check that ExecuTorch is there.

    Raises:
        MissingExtraError: it, or torchao, is not.
    """
    if any(find_spec(name) is None for name in ("executorch", "torchao")):
        raise MissingExtraError("a network for ExecuTorch", "ofa-plugins-core", "executorch")


def _checks(size: int, images: Iterable[Images], dynamic: bool, path: Path, seed: int) -> Checks:
    """With batches that fit into the planned buffers."""
    most = MOST_AT_ONCE if dynamic else 1
    given = [batch[i : i + most] for batch in images for i in range(0, len(batch), most)]
    return Checks(size, given, (1, 1, 3) if dynamic else (1,) * 5, path.name, seed)


def _program(network: Any, size: int, dynamic: bool) -> Any:
    example = torch.zeros(2 if dynamic else 1, 3, size, size)
    shapes = ({0: torch.export.Dim("batch", min=1, max=MOST_AT_ONCE)},) if dynamic else None
    return torch.export.export(network, (example,), dynamic_shapes=shapes)


def _quantised(graph: Any, batches: Sequence[Images]) -> Any:
    from executorch.backends.xnnpack.quantizer.xnnpack_quantizer import (
        XNNPACKQuantizer,
        get_symmetric_quantization_config,
    )
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    quantizer = XNNPACKQuantizer()
    quantizer.set_global(get_symmetric_quantization_config(is_per_channel=True))
    prepared = prepare_pt2e(graph, quantizer)
    for batch in batches:
        for image in torch.from_numpy(batch):
            prepared(image[None])
    return convert_pt2e(prepared)


def _lowered(program: Any, backend: Backend, card: Card, size: int) -> bytes:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    facts = {"image_size": size, **card.facts()}
    lowered = to_edge_transform_and_lower(
        program,
        partitioner=[XnnpackPartitioner()] if backend == "xnnpack" else [],
        constant_methods={CARD: json.dumps(facts, ensure_ascii=True)},
    )
    return bytes(lowered.to_executorch().buffer)


def _written(
    buffer: bytes,
    path: Path,
    dtype: DType,
    judged: Callable[[Run], Difference],
    backend: Backend,
    given: int,
) -> Exported:
    with runs.placed(path) as beside:
        beside.write_bytes(buffer)
        found = judged(executorch_run(beside))
    runtime = f"executorch {version('executorch')}, {backend}"
    return Exported(path, "executorch", dtype, len(buffer), found, runtime, given)


def executorch_run(file: Path) -> Run:
    """A ``.pte`` file in ExecuTorch's runtime.

    Raises:
        InputError: the runtime does not take the file.
    """
    from executorch.runtime import Runtime

    try:
        program = Runtime.get().load_program(file)
        method = program.load_method("forward")
    except Exception as error:  # its exceptions have no common class
        raise InputError(f"ExecuTorch does not take {file.name}: {error!s:.200}") from error

    def run(images: Images, program: Any = program) -> NDArray[Any]:  # the program stays alive
        found: torch.Tensor = method.execute([torch.from_numpy(images).contiguous()])[0]
        return found.clone().numpy()

    return run


def card_of(file: Path) -> dict[str, Any]:
    """What a ``.pte`` file of ours says about itself."""
    from executorch.runtime import Runtime

    program = Runtime.get().load_program(file)
    found: dict[str, Any] = json.loads(program.load_method(CARD).execute([])[0])
    return found
