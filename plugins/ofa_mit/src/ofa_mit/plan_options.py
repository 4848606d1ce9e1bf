"""Options of the training plans; alone, so that listing plans loads nothing else."""

from __future__ import annotations

from attrs import field, frozen

from ofa_plugins_core.plans import PlanOptions


@frozen(kw_only=True)
class ShrinkingOptions(PlanOptions):
    """Options of a plan whose extracted subnets may be continued."""

    finetune_epochs: int = field(
        default=25, metadata={"help": "of one extracted subnet, continued; the paper: 25 or 75"}
    )

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where there is nothing to do."""
        if self.finetune_epochs < 1:
            raise ValueError(f"finetune_epochs: must be 1 or more, found {self.finetune_epochs}")


@frozen(kw_only=True)
class SandwichOptions(ShrinkingOptions):
    """Options of ``sandwich``."""

    epochs: int = field(default=290, metadata={"help": "of the one phase"})
    subnets: int = field(
        default=4, metadata={"help": "a step: the largest, the smallest, and drawn ones"}
    )

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where it would be no sandwich, or end in the warm-up."""
        super().__attrs_post_init__()
        if self.epochs < 1:
            raise ValueError(f"epochs: must be 1 or more, found {self.epochs}")
        if self.subnets < 3:
            raise ValueError(f"subnets: must be 3 or more, found {self.subnets}")
