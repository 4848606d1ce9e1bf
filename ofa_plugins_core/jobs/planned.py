"""What the runtime's own planner allots for the activations of a written network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ofa_plugins_core.jobs.exporting import Ready
from ofa_plugins_core.nn.exported import Exported
from ofa_plugins_core.values import Measurement

if TYPE_CHECKING:
    from ofa_plugins_core.nn.planners.record import Plan


@frozen(eq=False)
class Planned:
    """A planner's numbers, at batch 1.

    Attributes:
        activations: bytes planned ahead for activations.
        scratch: bytes that kernels take on top, or None where they are part of it.
        weights: bytes of constants, or None where they are not counted apart.
        runtime: whose plan it is, with its version.
        binds: where the most is alive.
        notes: what the number holds and does not hold.
    """

    activations: int
    scratch: int | None
    weights: int | None
    runtime: str
    binds: str
    notes: tuple[str, ...]

    def measurements(self) -> dict[str, Measurement]:
        """Name -> number; all are bytes that the runtime gave."""
        values = {
            "planned_activations": self.activations,
            "planned_scratch": self.scratch,
            "planned_weights": self.weights,
        }
        return {
            name: Measurement(value, "bytes", "measured", f"plan of {self.runtime}")
            for name, value in values.items()
            if value is not None
        }


def plan_of(file: Exported, network: Ready) -> Planned:
    """The plan for a file; of ExecuTorch for the network, since XNNPACK plans when it loads.

    Raises:
        MissingExtraError: what the planner needs is not installed.
        InputError, UsageError: the runtime cannot run or plan it.
    """
    if file.format == "onnx":
        from ofa_plugins_core.nn.planners.onnx_runtime import onnx_runtime_plan

        return _planned(onnx_runtime_plan(file.path))
    from ofa_plugins_core.nn.planners.executorch import executorch_plan

    return _planned(executorch_plan(network.subnet, network.arch.image_size, file.dtype))


def _planned(plan: Plan) -> Planned:
    return Planned(
        plan.activations,
        plan.scratch,
        plan.weights,
        f"{plan.planner} {plan.version}",
        "unknown" if plan.peak is None else plan.peak.op,
        (f"planned activations: {plan.note}",),
    )
