"""What training costs: the published figures among themselves, and beside the plans here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from ofa_plugins_core import Checked, Comparison, JobContext
from ofa_plugins_core.phases import Phase

HOURS: Final = (493.5, 978.3)
"""GPU hours: CompOFA's, Once-for-All's."""
DOLLARS: Final = (1_200, 2_400)
"""Rounded to hundreds."""
POUNDS: Final = (128, 277)
"""Of CO2, rounded to one."""

ROUNDED: Final = 0.005
"""Half the last digit of a ratio that is given as 2, or as half: two digits are granted."""


def hours(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Half by the published hours, which lie between what the two plans' epochs bound."""
    plan = context.host.training_plan("compofa").build(context.host.supernet("compofa"))
    ours, full = plan.phases[1:], plan.full[1:]
    share = round(HOURS[0] / HOURS[1], 4)
    epochs, subnets = _ratio(ours, full, "epochs"), _ratio(ours, full, "subnet_epochs")
    whole = _ratio(plan.phases, plan.full, "subnet_epochs")
    return Checked(
        [
            Comparison(
                "hours, CompOFA's share",
                share,
                0.5,
                kind="published",
                within=ROUNDED,
            ),
            Comparison(
                "epochs, CompOFA's share",
                round(epochs, 4),
                None,
                relation="at most",
                against=share,
                beside="the published hours' share",
            ),
            Comparison(
                "epochs times subnets, CompOFA's share",
                round(subnets, 4),
                None,
                relation="at least",
                against=share,
                beside="the published hours' share",
            ),
            Comparison(
                "the same with the teacher's epochs", round(whole, 4), None, relation="shown"
            ),
        ],
        "An epoch costs something that is the same for any number of subnets a step (images, the "
        "teacher), and something for each: so the share of the hours has to lie between the shares "
        "of epochs and of epochs times subnets. Both as planned here, without the teacher's, "
        "which the two works share. No hours were measured.",
        "no hours were measured: that they lie between these shares is our model of an epoch",
    )


def _ratio(few: Sequence[Phase], many: Sequence[Phase], what: str) -> float:
    first, second = (sum(getattr(phase, what) for phase in phases) for phases in (few, many))
    return float(first / second)


def dollars(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """One price an hour gives both amounts."""
    return _at_one_rate(DOLLARS, 50, "$", "dollars")


def co2(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """One emission an hour would have to give both weights."""
    return _at_one_rate(POUNDS, 0.5, "lb", "CO2")


def _at_one_rate(amounts: tuple[int, int], rounded: float, unit: str, what: str) -> Checked:
    """CompOFA's amount from Once-for-All's, by the hours.

    Args:
        rounded: half the last published digit, of either amount.
    """
    share = HOURS[0] / HOURS[1]
    ours, theirs = amounts
    rates = [amount / hours for amount, hours in zip(amounts, HOURS, strict=True)]
    return Checked(
        [
            Comparison(
                f"CompOFA's {what}, from Once-for-All's by GPU hours",
                round(share * theirs, 1),
                ours,
                unit,
                "published",
                within=round(rounded * (1 + share), 2),
                why=f"the published figures are of two rates, {rates[0]:.3f} and {rates[1]:.3f} "
                f"{unit} a GPU hour; why is not published",
            ),
            Comparison(
                "a GPU hour of CompOFA's", round(rates[0], 3), None, unit, "published", "shown"
            ),
            Comparison(
                "a GPU hour of Once-for-All's", round(rates[1], 3), None, unit, "published", "shown"
            ),
        ],
        "Arithmetic on published figures, within what rounding them allows: 493.5 and 978.3 GPU "
        f"hours, {ours:,} and {theirs:,} {unit}. Nothing was measured.",
    )
