"""One combination, tried: the questions that a user asks, by the path of ``ofa run search``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from ofa_plugins_core.blame import culprit, shown
from ofa_plugins_core.composing.axes import NO_PREDICTOR, Combination
from ofa_plugins_core.composing.bench import Bench, Reference, Setting
from ofa_plugins_core.composing.cells import GIVEN, Answer, Cell
from ofa_plugins_core.composing.checking import WrongResultError, check_items
from ofa_plugins_core.composing.policies import drive, levels_of
from ofa_plugins_core.errors import InfeasibleError, OfaError, PeerLostError, PluginError
from ofa_plugins_core.interfaces import Level
from ofa_plugins_core.jobs.options import SearchOptions
from ofa_plugins_core.jobs.results import Item
from ofa_plugins_core.values import Constraint

NO_LEVELS: Final = "no level without a network of known accuracy"


def tried(bench: Bench, combination: Combination, policies: Sequence[str]) -> Cell:
    """What a combination comes to.

    Raises:
        KeyboardInterrupt: the user's; nothing is said about this combination.
    """
    started = time.perf_counter()
    cell = Cell(
        supernet=combination.supernet,
        cost=combination.cost,
        predictor=combination.predictor,
        searcher=combination.searcher,
    )
    found: dict[str, list[Item]] = {}

    def given() -> Setting:
        setting = bench.setting(combination)
        bench.reference(setting)
        return setting

    setting, refusal = outcome_of(bench, given)
    if setting is None:
        answers = {GIVEN: refusal}
    else:
        answers = {
            name: _answered(bench, setting, options, found.setdefault(name, []))
            for name, options in questions(setting, bench.reference(setting)).items()
        }
    return evolve(
        cell,
        answers=answers,
        needs={} if setting is None else dict(setting.needs),
        policies=_driven(bench, combination, policies, found),
        seconds=round(time.perf_counter() - started, 4),
    )


def questions(setting: Setting, reference: Reference) -> Mapping[str, SearchOptions]:
    """What is asked, by name."""
    options = evolve(setting.options, resolutions=reference.sizes)
    if options.predictor is None:
        return {"least": options}
    (cost,) = options.cost
    bound = str(Constraint(cost, "<=", reference.middle))
    return {"front": options, "best": evolve(options, constraint=(bound,))}


def _answered(bench: Bench, setting: Setting, options: SearchOptions, found: list[Item]) -> Answer:
    """What a question comes to; ``found`` takes its networks."""

    def search() -> Answer:
        reference = bench.reference(setting)
        result = setting.context.host.job("search").run(setting.context, options)  # type: ignore[attr-defined]
        if result.interrupted:
            raise KeyboardInterrupt
        bounds = [Constraint(options.cost[0], "<=", reference.middle)] * bool(options.constraint)
        check_items(result.front, reference.cost, reference.space, bounds, reference.predictor)
        found.extend(result.front)
        return Answer(
            outcome="works",
            searcher=result.searcher,
            networks=len(result.front),
            optimal=result.optimal,
            value=_best(result.front, options.cost[0]),
        )

    answer, failure = outcome_of(bench, search)
    return failure if answer is None else answer


def _best(items: Sequence[Item], cost: str) -> float:
    """The highest accuracy, or the least cost where there is none."""
    accuracies = [float(i.accuracy.value) for i in items if i.accuracy is not None]
    return max(accuracies) if accuracies else min(float(i.costs[cost].value) for i in items)


def _driven(
    bench: Bench,
    combination: Combination,
    policies: Sequence[str],
    found: Mapping[str, Sequence[Item]],
) -> dict[str, Answer]:
    """Every policy on the levels of the front, or of the best network where there is none."""
    items = next((found[name] for name in ("front", "best") if found.get(name)), [])
    levels = levels_of(items, combination.cost)
    if not levels:
        if combination.predictor != NO_PREDICTOR:
            return {}  # the search has said why
        refused = Answer(outcome="refused", reason=NO_LEVELS, advice="take a predictor")
        return dict.fromkeys(policies, refused)
    return {name: _policy(bench, name, levels) for name in policies}


def _policy(bench: Bench, name: str, levels: Sequence[Level]) -> Answer:
    def run() -> Answer:
        drive(bench.host.runtime_policy(name).build(), levels)
        return Answer(outcome="works", networks=len(levels))

    answer, failure = outcome_of(bench, run)
    return failure if answer is None else answer


def outcome_of(bench: Bench, call: Callable[[], Any]) -> tuple[Any, Answer]:
    """What a call gives, or what its error means for a user."""
    try:
        return call(), Answer(outcome="works")
    except (KeyboardInterrupt, MemoryError, PeerLostError):
        raise
    except PluginError as error:
        return None, Answer(outcome="broken", reason=error.message)
    except InfeasibleError as error:
        return None, Answer(
            outcome="broken", reason=f"half of the networks fit, but: {error.message}"
        )
    except OfaError as error:
        return None, Answer(outcome="refused", reason=error.message, advice=error.advice)
    except WrongResultError as error:
        return None, Answer(outcome="broken", reason=str(error))
    except BaseException as error:  # plugins raise anything
        plugin = culprit(error, getattr(bench.host, "plugins", ()))
        said = shown(error) if plugin is None else plugin.blames("a call", error)
        return None, Answer(outcome="broken", reason=said)
