"""The laws run on what an installed plugin offers: ``ofa plugins check``. Needs no pytest."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal, TypeAlias

import numpy as np
from attrs import asdict, frozen

from ofa_plugins_core.blame import Plugin, shown
from ofa_plugins_core.errors import OfaError, PluginError, UsageError
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.host import Host
from ofa_plugins_core.testing import laws
from ofa_plugins_core.testing.fresh import HEAVY
from ofa_plugins_core.testing.laws import effects
from ofa_plugins_core.testing.laws.plugin import hooks_are_cheap
from ofa_plugins_core.testing.offered import FIRST, Tested, Trial, trials

Outcome: TypeAlias = Literal["holds", "broken", "does not apply"]

SEED: Final = 20
MADE: Final = "It can be built, without a number of a global generator."
ONCE: Final = "Its name is offered once."


@frozen
class Finding:
    """What one law says about one offer.

    Attributes:
        kind: of the offer, for example ``cost_models``.
        name: of the offer.
        law: as a sentence.
        outcome: holds, broken, or does not apply.
        message: what is wrong, or why it does not apply.
        advice: what to do, where it is broken.
    """

    kind: str
    name: str
    law: str
    outcome: Outcome
    message: str = ""
    advice: str = ""

    @property
    def in_words(self) -> str:
        """The offer, the law, what is wrong and what to do."""
        return f"{self.kind}: {self.name}: {self.outcome}: {self.law} {self.message}" + (
            f"; {self.advice}" if self.advice else ""
        )

    def as_dict(self) -> dict[str, str]:
        """JSON form."""
        return asdict(self)


def check(
    host: Host, name: str, listener: Listener = silent, *, law: str = "", offer: str = ""
) -> list[Finding]:
    """Try every law on everything that a plugin offers; arguments and errors as ``checked``."""
    return list(checked(host, name, listener, law=law, offer=offer))


def checked(
    host: Host, name: str, listener: Listener = silent, *, law: str = "", offer: str = ""
) -> Iterator[Finding]:
    """Try laws on what a plugin offers, and give each finding as it comes.

    Args:
        law: only laws with these words in their sentence, or of this function's name.
        offer: only offers of this name or kind.

    Raises:
        UnknownNameError: there is no such plugin.
        UsageError: it is blocked, or nothing has such a law or offer.
        PluginError: it takes no part, with blame, and breaks no law that would say why.
    """
    plugin = host.plugin(name)
    if plugin.state == "blocked":
        raise UsageError(f"the plugin {name!r} is blocked")
    if plugin.module is None:
        yield _not_loaded(plugin)
        return
    contested = [(k, n) for k, names in plugin.withdrawn.items() for n in names]
    planned = [t for t in trials(host, plugin) if offer in ("", t.kind, t.name)]
    planned = [t for t in planned if not law or any(_named(one, law) for one in t.laws)]
    if (law or offer) and not planned:
        what = " and ".join(f"{k} {v!r}" for k, v in (("law", law), ("offer", offer)) if v)
        raise UsageError(
            f"plugin {name!r} has nothing with the {what}",
            advice=f"ofa plugins check {name} --json lists its offers and their laws",
        )
    if not law:
        for kind, contest in contested:
            yield Finding(kind, contest, ONCE, "broken", str(plugin.error))
    for done, trial in enumerate(planned):
        listener(Progress("offer", done, len(planned), trial.name))
        yield from findings(trial, lambda one: not law or _named(one, law))


def _not_loaded(plugin: Plugin) -> Finding:
    """The law for which a plugin is not loaded: it imports what is heavy, and is not installed.

    Raises:
        PluginError: no law says why.
    """
    said = str(plugin.error)
    missing = re.search(r"No module named '(\w+)", said)
    if missing is None or missing[1] not in HEAVY:
        raise PluginError(said)
    law, advice = laws.title(hooks_are_cheap), laws.advice(hooks_are_cheap)
    return Finding("plugin", plugin.name, law, "broken", said, advice)


def _named(law: laws.Law, words: str) -> bool:
    return words == law.__name__ or words.lower() in laws.title(law).lower()


def findings(
    trial: Trial, wanted: Callable[[laws.Law], bool] = lambda law: True
) -> Iterator[Finding]:
    """Make an offer, and try its laws on it."""
    made, subjects = attempt(trial)
    yield made
    before: Finding | None = None
    for law in trial.laws if subjects else ():
        if not wanted(law):
            continue
        found = untried(trial, law, before) if before else tried(trial, law, subjects)
        yield found
        if law in FIRST and found.outcome == "broken":
            before = found


def untried(trial: Trial, law: laws.Law, broken: Finding) -> Finding:
    """A law that takes one for granted which is broken: what it says would mislead."""
    why = f"not tried before this holds: {broken.law}"
    return Finding(trial.kind, trial.name, laws.title(law), "does not apply", why)


def attempt(trial: Trial) -> tuple[Finding, list[Tested]]:
    """Whether an offer can be made, and what comes of it; nothing where it cannot."""
    try:
        subjects = effects.quietly(lambda: list(trial.subjects()))
    except laws.NotApplicableError as reason:
        return Finding(trial.kind, trial.name, MADE, "does not apply", str(reason)), []
    except (PluginError, laws.LawBrokenError) as error:
        return Finding(trial.kind, trial.name, MADE, "broken", str(error)), []
    except OfaError as error:  # it needs an option, a file or an extra of the user's
        return Finding(trial.kind, trial.name, MADE, "does not apply", error.message), []
    return Finding(trial.kind, trial.name, MADE, "holds"), subjects


def tried(trial: Trial, law: laws.Law, subjects: Sequence[Tested]) -> Finding:
    """A law on everything that an offer gives; it applies where it applies to any."""
    reasons = []
    for subject, ground in subjects:
        where = f"on {ground.name}: " if len(subjects) > 1 and hasattr(ground, "name") else ""
        try:
            law(subject, ground, np.random.default_rng(SEED))
        except laws.NotApplicableError as reason:
            reasons.append(str(reason))
        except laws.LawBrokenError as error:
            return _broken(trial, law, f"{where}{error}", laws.advice(law))
        except OfaError as error:
            return _broken(trial, law, f"{where}{error.message}", error.advice or "")
        except Exception as error:  # where it should answer: the law's advice is about answers
            return _broken(trial, law, f"{where}it raised {shown(error)}")
    if subjects and len(reasons) == len(subjects):
        return Finding(trial.kind, trial.name, laws.title(law), "does not apply", reasons[0])
    return Finding(trial.kind, trial.name, laws.title(law), "holds")


def _broken(trial: Trial, law: laws.Law, message: str, advice: str = "") -> Finding:
    return Finding(trial.kind, trial.name, laws.title(law), "broken", message, advice)
