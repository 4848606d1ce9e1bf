"""A written network against the eager one: the same inputs, the differences between the logits."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from torch import Tensor, nn

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.nn.exported import Difference, Images

ROUNDINGS: Final = 10
"""So much of float32's own rounding may two float32 runtimes differ."""
Logits: TypeAlias = NDArray[np.float64]
"""(n, classes)."""
Run: TypeAlias = Callable[[Images], NDArray[Any]]
"""What a runtime makes of images: their logits."""


def eager(module: nn.Module) -> nn.Module:
    """A copy to export from: on the CPU, float32, in evaluation mode; the given one stays."""
    return copy.deepcopy(module).cpu().float().eval().requires_grad_(False)


def eager_run(network: nn.Module, dtype: torch.dtype = torch.float32) -> Run:
    """The eager network as a runtime; in float64 a copy of it runs."""
    if dtype != torch.float32:
        network = copy.deepcopy(network).to(dtype)

    def run(images: Images) -> NDArray[Any]:
        with torch.no_grad():
            found: Tensor = network(torch.from_numpy(np.ascontiguousarray(images)).to(dtype))
        return found.numpy()

    return run


def random_images(n: int, size: int, generator: np.random.Generator) -> Images:
    """Soft colour patterns with noise on them, normalised: nearer to photographs than noise is."""
    coarse = generator.standard_normal((n, 3, 4, 4))
    steps = np.arange(size) * 4 // size
    soft = coarse[:, :, steps][:, :, :, steps]
    noise = generator.standard_normal((n, 3, size, size))
    found: Images = (soft + 0.5 * noise).astype(np.float32)
    return found


def difference(reference: Run, found: Run, inputs: Sequence[Images], name: str) -> Difference:
    """Run both on the same inputs.

    Args:
        name: of the file, for messages.

    Raises:
        InputError: the file's logits have another shape, are not finite, or stay the same
            whatever the input.
    """
    wanted = [np.asarray(reference(batch), np.float64) for batch in inputs]
    got = [np.asarray(found(batch), np.float64) for batch in inputs]
    for a, b in zip(wanted, got, strict=True):
        if a.shape != b.shape:
            raise _refused(name, f"gives logits of shape {b.shape}, the network {a.shape}")
    return _compared(np.concatenate(wanted), np.concatenate(got), name)


@frozen(eq=False)
class Checks:
    """On what a file is compared: on the given images; without them on random ones.

    It has to run on random ones in any case, and give finite logits; how far those may be off is
    judged only where no images are given: batch norm that was measured on few images makes a
    network that blows up rounding on images unlike them.

    Attributes:
        size: of the images, in pixels.
        given: batches of images.
        batches: sizes of the random batches; of one image each, the given ones are cut so, too.
        name: of the file, for messages.
        seed: of the random ones.
        strict: refuse a float file that differs too much on given images; otherwise ``notes``
            says so.
    """

    size: int
    given: Sequence[Images]
    batches: Sequence[int]
    name: str
    seed: int = 0
    strict: bool = True

    @property
    def images(self) -> int:
        """How many are given."""
        return sum(map(len, self.given))

    def float_file(self, network: nn.Module, run: Run, tolerance: float) -> Difference:
        """Of a float file, which is to be the eager network but for rounding.

        Where float32 itself, eager, is further from float64 than the tolerance, so may the file be:
        networks that blow up differences are like that on images unlike their training images.

        Raises:
            InputError: it differs by more, or is no network.
        """
        reference = eager_run(network)
        found = self._difference(reference, run)
        if found.relative > tolerance and (self.strict or not self.given):
            precise = eager_run(network, torch.float64)
            rounding = difference(precise, reference, self._judging(), self.name).relative
            refuse_float(found, max(tolerance, ROUNDINGS * rounding), self.name)
        return found

    def notes(self, found: Difference, tolerance: float) -> tuple[str, ...]:
        """What a user should know of a float file that was taken."""
        if self.strict or not self.given or found.relative <= tolerance:
            return ()
        return (
            "the weights make a network that blows up rounding: in its runtime the float network "
            f"differs from the eager one by {found.relative:.2g} of its largest logit "
            f"(--tolerance {tolerance:g})",
        )

    def int8_file(self, network: nn.Module, run: Run, least_sqnr: float | None) -> Difference:
        """Of a quantised file, which knows the ranges of images like the given ones.

        Raises:
            InputError: there is too much noise, or it is no network.
        """
        found = self._difference(eager_run(network), run)
        refuse_int8(found, least_sqnr, self.name)
        return found

    def _difference(self, reference: Run, run: Run) -> Difference:
        """On what is judged; where that is not random, it runs on random images before."""
        if self.given:
            difference(reference, run, self._random(), self.name)
        return difference(reference, run, self._judging(), self.name)

    def _judging(self) -> Sequence[Images]:
        if not self.given:
            return self._random()
        one = max(self.batches) == 1
        return [i[None] for batch in self.given for i in batch] if one else self.given

    def _random(self) -> Sequence[Images]:
        generator = np.random.Generator(np.random.PCG64(self.seed))
        return [random_images(n, self.size, generator) for n in self.batches]


def _compared(wanted: Logits, got: Logits, name: str) -> Difference:
    if not np.isfinite(got).all():
        raise _refused(name, "gives logits that are no finite numbers")
    if not np.ptp(got, axis=0).any() and np.ptp(wanted, axis=0).any():
        raise _refused(name, "gives the same logits whatever the input")
    error = got - wanted
    largest = float(np.abs(error).max())
    scale = float(np.abs(wanted).max())
    return Difference(
        maximum=largest,
        relative=largest / scale if scale else largest,
        sqnr=_decibel(float((wanted**2).sum()), float((error**2).sum())),
        cosine=_cosine(wanted.ravel(), got.ravel()),
        top1=float((wanted.argmax(axis=1) == got.argmax(axis=1)).mean()),
        inputs=len(wanted),
    )


def _decibel(signal: float, noise: float) -> float:
    if not noise:
        return math.inf
    return 10 * math.log10(signal / noise) if signal else -math.inf


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else float(np.array_equal(a, b))


def refuse_float(found: Difference, tolerance: float, name: str) -> None:
    """Refuse a float file that is not the eager network.

    Raises:
        InputError: it differs by more than the tolerance.
    """
    if found.relative > tolerance:
        raise _refused(
            name,
            f"differs, in float, from the network by {found.relative:.2g} of its largest logit; "
            f"{tolerance:.2g} is allowed",
            "measure batch norm on more images (--calibrate), or allow more with --tolerance",
        )


def refuse_int8(found: Difference, least_sqnr: float | None, name: str) -> None:
    """Refuse an int8 file that is too far from the eager network.

    Args:
        least_sqnr: in dB; None: any that runs is taken.

    Raises:
        InputError: there is more noise than that.
    """
    if least_sqnr is not None and found.sqnr < least_sqnr:
        raise InputError(
            f"{name} is not kept: its logits are {found.sqnr:.1f} dB above the error of "
            f"quantisation; {least_sqnr:g} dB are asked for",
            advice="calibrate on more images, try --calibration percentile, or allow less "
            "with --least-sqnr",
        )


def _refused(name: str, why: str, advice: str | None = None) -> InputError:
    return InputError(f"{name} is not kept: in its runtime it {why}", advice=advice)
