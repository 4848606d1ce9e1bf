"""How good a few named subnets are: extracted, calibrated, evaluated, at several image sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import frozen
from torch import nn

from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import ElasticModule
from ofa_plugins_core.nn.calibrate import apply, statistics_of
from ofa_plugins_core.nn.evaluating import Supply, score
from ofa_plugins_core.nn.running import Runner
from ofa_plugins_core.phases import Phase, at
from ofa_plugins_core.values import Arch, SearchSpace

PLACES: Final = {"smallest": 0.0, "middle": 0.5, "largest": 1.0}
"""Name -> place among the open options, of the subnets that are validated."""


def named_archs(space: SearchSpace, phase: Phase) -> dict[str, Arch]:
    """Smallest, middle and largest of what a phase has opened; equal ones once."""
    found: dict[str, Arch] = {}
    for name, place in PLACES.items():
        arch = space.decode(at(space, phase, place)[None])[0]
        if arch not in found.values():
            found[name] = arch
    return found if len(found) > 1 else {"largest": next(iter(found.values()))}


@frozen(eq=False)
class Validation:
    """What networks are validated on.

    Attributes:
        images: held out.
        calibration: training images for batch norm.
        runner: how networks run.
        sizes: of images, pixels.
        listener: takes progress.
    """

    images: Supply
    calibration: Supply
    runner: Runner
    sizes: Sequence[int]
    listener: Listener = silent

    def of_supernet(self, net: ElasticModule, archs: Mapping[str, Arch]) -> dict[str, Any]:
        """Top-1 of named subnets and their mean; the network stays as it is.

        Returns:
            ``{"top1": {"smallest@128": percent, …}, "mean": percent}``.
        """
        found: dict[str, float] = {}
        for done, (name, arch) in enumerate(archs.items()):
            self.listener(Progress("validate", done, len(archs), name))
            subnet: Any = net.extract(arch)
            for size in self.sizes:
                found[f"{name}@{size}"] = self._calibrated(subnet, size)
        return _summed(found)

    def of_network(self, network: nn.Module) -> dict[str, Any]:
        """Top-1 of a network that stands alone, with the statistics that training left."""
        training = network.training
        found = {f"alone@{size}": self._top1(network, size) for size in self.sizes}
        network.train(training)
        return _summed(found)

    def _calibrated(self, subnet: nn.Module, size: int) -> float:
        subnet = self.runner.placed(subnet)
        batches = (self.runner.images(images) for images, _ in self.calibration.at(size))
        apply(subnet, statistics_of(subnet, batches, self.runner.engine.total))
        return self._top1(subnet, size)

    def _top1(self, network: nn.Module, size: int) -> float:
        found = score(network, self.images.at(size), self.runner)
        return 100.0 * found.top1 / max(1, found.images)


def _summed(found: Mapping[str, float]) -> dict[str, Any]:
    return {"top1": dict(found), "mean": sum(found.values()) / len(found)}
