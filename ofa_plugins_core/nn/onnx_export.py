"""``torch.export`` -> ONNX, run in ONNX Runtime before the file gets its name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ofa_plugins_core import runs
from ofa_plugins_core.errors import InputError, MissingExtraError
from ofa_plugins_core.nn.card import Card
from ofa_plugins_core.nn.checking import Checks, Run, eager
from ofa_plugins_core.nn.exported import TOLERANCE, Exported, Images
from ofa_plugins_core.nn.folded import folded
from ofa_plugins_core.nn.quiet import quietly

INPUT: Final = "images"
OUTPUT: Final = "logits"
BATCHES: Final = {True: (1, 1, 3, 3), False: (1,) * 8}
"""Dynamic or not -> sizes of the random batches that a file is run on."""


def to_onnx(
    module: nn.Module,
    size: int,
    path: Path,
    *,
    dynamic_batch: bool = True,
    images: Iterable[Images] = (),
    card: Card | None = None,
    tolerance: float = TOLERANCE,
    strict: bool = True,
    seed: int = 0,
) -> Exported:
    """Write a network as ONNX, batch norm folded into the convolutions.

    Args:
        module: takes (n, 3, size, size) images and gives (n, classes) logits; stays as it is.
        size: side of the images, in pixels.
        dynamic_batch: any number of images at once; otherwise one.
        images: to check with, beside random ones: batches, normalised.
        card: goes into the file's metadata, keys ``ofa.…``.
        tolerance: most that a logit may differ, of the largest eager logit.
        strict: refuse a file that differs by more on the given images, or note it.

    Raises:
        MissingExtraError: onnx, onnxscript or onnxruntime is not installed.
        InputError: it cannot be written, or differs in the runtime; nothing is left then.
    """
    needed()
    network = eager(module)
    model = onnx_model(folded(module), size, dynamic_batch)
    inscribe(model, card or Card(image_size=size))
    checks = Checks(size, list(images), BATCHES[dynamic_batch], path.name, seed, strict)
    with runs.placed(path) as beside:
        beside.write_bytes(model.SerializeToString())
        found = checks.float_file(network, onnx_run(beside), tolerance)
        size_now = beside.stat().st_size
    notes = checks.notes(found, tolerance)
    return Exported(path, "onnx", "fp32", size_now, found, onnx_runtime(), checks.images, notes)


def needed() -> None:
    """Check that ONNX's packages are there.

    Raises:
        MissingExtraError: one is not.
    """
    from importlib.util import find_spec

    if any(find_spec(name) is None for name in ("onnx", "onnxscript", "onnxruntime")):
        raise MissingExtraError("a network as ONNX", "ofa-plugins-core", "export")


def onnx_model(network: nn.Module, size: int, dynamic_batch: bool) -> Any:
    """The network as an ``onnx.ModelProto``; what names places on this machine is left out."""
    example = torch.zeros(2 if dynamic_batch else 1, 3, size, size)
    shapes = ({0: torch.export.Dim("batch", min=1)},) if dynamic_batch else None
    with quietly(), torch.no_grad():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            verbose=False,
            dynamic_shapes=shapes,
            input_names=[INPUT],
            output_names=[OUTPUT],
            external_data=False,
        )
    assert program is not None
    model = program.model_proto
    _without_places(model)
    return model


def _without_places(model: Any) -> None:
    """Drop notes on nodes: they hold stack traces with folders of this machine."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for initializer in graph.initializer:
        initializer.ClearField("metadata_props")


def inscribe(model: Any, card: Card) -> None:
    """Write a card into a model's metadata."""
    model.producer_name = "ofa-plugins"
    kept = {p.key: p.value for p in model.metadata_props} | card.strings()
    model.ClearField("metadata_props")
    for key, value in kept.items():
        model.metadata_props.add(key=key, value=value)


def onnx_run(file: Path) -> Run:
    """An ONNX file in ONNX Runtime, on the CPU.

    Raises:
        InputError: ONNX Runtime does not take the file.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # its exceptions have no common class
        reason = str(error).splitlines()[0]
        raise InputError(f"ONNX Runtime does not take {file.name}: {reason:.200}") from error
    name = session.get_inputs()[0].name

    def run(images: Images) -> NDArray[Any]:
        return np.asarray(session.run(None, {name: images})[0])

    return run


def onnx_runtime() -> str:
    """Name and version."""
    import onnxruntime

    return f"onnxruntime {onnxruntime.__version__}"
