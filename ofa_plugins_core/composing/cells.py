"""What a trial came to, as plain data: kept in matrix.json, sent between processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from ofa_plugins_core.composing.axes import Combination

GIVEN: Final = "given"
"""In place of a question, where the cost or the predictor cannot be had."""

Outcome: TypeAlias = Literal["works", "refused", "broken"]


@frozen(kw_only=True)
class Answer:
    """What one question to one searcher came to.

    Attributes:
        outcome: works; refused: in words, as a user reads them; broken: an internal error, a
            plugin's, or a result that cannot be.
        reason: one line, where it does not work. advice: of the program, what to do about it.
        searcher: which one answered.
        networks: found. optimal: proven.
        value: of the best: accuracy in percent, or the least cost.
    """

    outcome: Outcome
    reason: str | None = None
    advice: str | None = None
    searcher: str | None = None
    networks: int = 0
    optimal: bool = False
    value: float | None = None


@frozen(kw_only=True)
class Cell:
    """What a combination came to.

    Attributes:
        supernet, cost, predictor, searcher: by name.
        seconds: that it took.
        needs: ``cost`` or ``predictor`` -> what a user has to bring for it, in the program's words;
            the trial made it up.
        answers: question -> what it came to: ``front`` of accuracy against the cost, ``best``
            accuracy under a bound, ``least`` cost where there is no predictor; ``given`` alone
            where it did not come to a question.
        policies: runtime policy -> what it came to on the levels that were found.
    """

    supernet: str
    cost: str
    predictor: str
    searcher: str
    seconds: float = 0.0
    needs: dict[str, str] = field(factory=dict)
    answers: dict[str, Answer] = field(factory=dict)
    policies: dict[str, Answer] = field(factory=dict)

    @property
    def combination(self) -> Combination:
        """What was tried."""
        return Combination(self.supernet, self.cost, self.predictor, self.searcher)

    @property
    def outcome(self) -> Outcome:
        """Broken where anything is, refused where every question is, else it works."""
        outcomes = {a.outcome for a in (*self.answers.values(), *self.policies.values())}
        if "broken" in outcomes:
            return "broken"
        asked = {a.outcome for a in self.answers.values()}
        return "works" if "works" in asked else "refused"

    @property
    def reasons(self) -> Mapping[str, str]:
        """Question or policy -> why it does not work."""
        both = {**self.answers, **self.policies}
        return {name: a.reason for name, a in both.items() if a.reason is not None}
