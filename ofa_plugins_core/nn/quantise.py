"""Post-training quantisation to int8: weights per channel, activations calibrated on images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

from torch import nn

from ofa_plugins_core import runs
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.nn.card import Card
from ofa_plugins_core.nn.checking import Checks, eager
from ofa_plugins_core.nn.exported import Exported, Images
from ofa_plugins_core.nn.integer_graph import after_quantisation, before_quantisation
from ofa_plugins_core.nn.onnx_export import BATCHES, INPUT, inscribe, needed, onnx_run, onnx_runtime
from ofa_plugins_core.nn.quiet import quietly

Calibration = Literal["minmax", "entropy", "percentile"]
METHODS: Final = {"minmax": "MinMax", "entropy": "Entropy", "percentile": "Percentile"}


def int8_onnx(
    float_onnx: Path,
    batches: Iterable[Images],
    path: Path,
    *,
    module: nn.Module,
    size: int,
    method: Calibration = "minmax",
    images: Iterable[Images] = (),
    card: Card | None = None,
    least_sqnr: float | None = None,
    dynamic_batch: bool = True,
    seed: int = 0,
) -> Exported:
    """Quantise an ONNX file statically (QDQ): bytes from the first layer to the last.

    Args:
        float_onnx: as ``to_onnx`` writes it.
        batches: images to find the ranges of activations with, normalised.
        path: of the int8 file.
        module: the eager network that the result is compared with.
        size: side of the images, in pixels.
        method: how ranges are found: all that occurs, least information lost, or 99.999 %.
        images: to compare on, beside random ones.
        card: goes into the file's metadata.
        least_sqnr: refuse a file with more noise, in dB; None: any that runs is taken.
        dynamic_batch: as the float file was written.

    Raises:
        MissingExtraError: onnx, onnxscript or onnxruntime is not installed.
        UsageError: there is no image to calibrate with.
        InputError: it cannot be written, does not run, or is too far from the network; nothing
            is left then.
    """
    needed()
    calibrating = list(batches)
    if not calibrating:
        raise UsageError("int8 needs images to calibrate with", advice="--data FOLDER")
    network = eager(module)
    checks = Checks(size, list(images), BATCHES[dynamic_batch], path.name, seed)
    with runs.placed(path) as beside:
        model = quantised_model(float_onnx, calibrating, method)
        inscribe(model, card or Card(image_size=size))
        beside.write_bytes(model.SerializeToString())
        found = checks.int8_file(network, onnx_run(beside), least_sqnr)
        size_now = beside.stat().st_size
    return Exported(path, "onnx", "int8", size_now, found, onnx_runtime(), checks.images)


def quantised_model(float_onnx: Path, batches: Sequence[Images], method: Calibration) -> Any:
    """A float file as a quantised ``ModelProto``.

    Weights are symmetric, as ONNX Runtime makes all that have a scale a channel, and lie around
    128 as unsigned bytes: on processors with AVX2 alone the kernels for signed weights clip sums at
    16 bits, which costs up to 12 dB. Calibration goes a batch at a time, so that memory does not
    grow with the number of images.
    """
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with TemporaryDirectory() as folder, quietly():
        plain, ready, done = (Path(folder) / f"{n}.onnx" for n in ("plain", "ready", "done"))
        model = onnx.load(float_onnx)
        before_quantisation(model)
        onnx.save(model, plain)
        quant_pre_process(plain, ready, skip_symbolic_shape=True)
        quantization.quantize_static(
            ready,
            done,
            _reader(batches),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QUInt8,
            calibrate_method=quantization.CalibrationMethod[METHODS[method]],
            extra_options={"CalibStridedMinMax": 1},
        )
        found = onnx.load(done)
    after_quantisation(found)
    return found


def _reader(batches: Sequence[Images]) -> Any:
    """Images as ONNX Runtime's calibration asks for them."""
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Batches from one number to another."""

        def __init__(self) -> None:
            self._rest = iter(batches)

        def __len__(self) -> int:
            return len(batches)

        def set_range(self, start_index: int, end_index: int) -> None:
            """Which batches come next."""
            self._rest = iter(batches[start_index:end_index])

        def get_next(self) -> dict[str, Images] | None:
            """The next batch."""
            batch = next(self._rest, None)
            return None if batch is None else {INPUT: batch}

    return Reader()
