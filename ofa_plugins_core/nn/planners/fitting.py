"""Whether a planned network fits into the memory of a device."""

from __future__ import annotations

from ofa_plugins_core.errors import InfeasibleError
from ofa_plugins_core.nn.planners.record import Plan


def refuse_beyond(plan: Plan, ram: int) -> None:
    """End here where a network's planned activations are larger than the memory for them.

    Args:
        plan: of the network as it is deployed.
        ram: bytes for activations.

    Raises:
        InfeasibleError: they are; says what the planner needs, and where.
    """
    if plan.activations <= ram:
        return
    where = "its largest op" if plan.peak is None else plan.peak.op
    raise InfeasibleError(
        f"{plan.planner} {plan.version} plans {plan.activations:,} bytes for activations in "
        f"{plan.dtype}, and {ram:,} are allowed; the peak: {where}",
        smallest={"ram": plan.activations},
        binds=where,
        advice="search under a bound that holds for this planner: a cost peak_memory_planned_…",
    )
