"""How the host hands out what plugins offer: calls guarded, options by default, results checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
from attrs import field, frozen

from ofa_plugins_core.blame import BUILTIN, Plugin, accuse, attempt, culprit
from ofa_plugins_core.claims import Checked
from ofa_plugins_core.entries import (
    ActuatorEntry,
    ClaimEntry,
    CostModelEntry,
    DeviceEntry,
    FittedPredictorEntry,
    JobContext,
    JobEntry,
    LatencyPredictorEntry,
    MonitorEntry,
    NoOptions,
    PredictorEntry,
    ReductionEntry,
    RuntimePolicyEntry,
    SamplerEntry,
    SearcherEntry,
    SupernetEntry,
    SupernetFamilyEntry,
    TrainingPlanEntry,
    WeightsEntry,
)
from ofa_plugins_core.errors import OfaError, PluginError, UsageError
from ofa_plugins_core.fit_flaws import fit_flaw, latency_flaw
from ofa_plugins_core.interfaces import (
    Actuator,
    CostModel,
    Device,
    Monitor,
    Predictor,
    RuntimePolicy,
    Sampler,
    Searcher,
    Supernet,
    TrainingPlan,
)
from ofa_plugins_core.latency_fits import LatencyFit, LatencyPredictor
from ofa_plugins_core.measured import FittedFile
from ofa_plugins_core.plans import flaw_of


@frozen
class Seam:
    """How a kind of record is called.

    Attributes:
        call: the field with the callable.
        before: arguments before the options, or None where it takes no options.
        due: Protocol of what it returns, or None.
        flaw: (what it returned, the first argument) -> why it is of no use, or None.
    """

    call: str
    before: int | None
    due: type | None
    flaw: Callable[[Any, Any], str | None] | None = None


def _unjudged(checked: Checked, _: Any) -> str | None:
    """A claim that judges nothing could not fail."""
    judged = any(c.relation != "shown" for c in checked.comparisons)
    return None if judged else "none of its comparisons is judged"


SEAMS: Final[dict[type, Seam]] = {
    SupernetEntry: Seam("build", None, Supernet),
    SupernetFamilyEntry: Seam("build", None, Supernet),
    SamplerEntry: Seam("build", 1, Sampler),
    CostModelEntry: Seam("build", 1, CostModel),
    PredictorEntry: Seam("load", None, Predictor),
    LatencyPredictorEntry: Seam("load", None, LatencyPredictor),
    SearcherEntry: Seam("build", 0, Searcher),
    RuntimePolicyEntry: Seam("build", 0, RuntimePolicy),
    MonitorEntry: Seam("build", 0, Monitor),
    ActuatorEntry: Seam("build", 0, Actuator),
    DeviceEntry: Seam("build", 0, Device),
    TrainingPlanEntry: Seam("build", 1, TrainingPlan, flaw_of),
    ClaimEntry: Seam("check", None, Checked, _unjudged),
    JobEntry: Seam("run", 1, None),
}

FIT: Final = Seam("fit", None, FittedFile, fit_flaw)
"""How a predictor that can be fitted is fitted."""

LATENCY_FIT: Final = Seam("fit", 1, LatencyFit, latency_flaw)
"""How a latency predictor is fitted."""

MEASURED: Final = Seam("measured", 1, CostModel)
"""How a cost that can be measured is measured."""


def handed_out(record: Any, label: str, plugin: Plugin, plugins: Sequence[Plugin]) -> Any:
    """The record as callers get it: its callable guarded, its options by default.

    Args:
        label: what messages call the kind, for example ``cost``.
        plugin: that offers it.
        plugins: all of the host, to find who is to blame for a job that fails.
    """
    if isinstance(record, FittedPredictorEntry | WeightsEntry | ReductionEntry):
        return record
    seam = SEAMS[type(record)]
    if isinstance(record, SupernetEntry) and record.options is not NoOptions:
        seam = attrs.evolve(seam, before=0)
    if isinstance(record, JobEntry):
        return attrs.evolve(record, run=GuardedJob(record, plugin, plugins))
    seams = [seam]
    if isinstance(record, PredictorEntry) and record.fit:
        seams.append(FIT)
    if isinstance(record, LatencyPredictorEntry):
        seams.append(LATENCY_FIT)
    if isinstance(record, CostModelEntry) and record.measured:
        seams.append(MEASURED)
    return attrs.evolve(record, **{s.call: Guarded(label, record, plugin, s) for s in seams})


@frozen(eq=False)
class Guarded:
    """A plugin's callable: what it raises comes back with blame, what it returns is checked.

    Attributes:
        label: what messages call the kind.
        record: as the plugin yielded it.
        plugin: that offers it.
        seam: how the record is called.
    """

    label: str
    record: Any
    plugin: Plugin
    seam: Seam

    def __call__(self, *given: Any) -> Any:
        """Call it; the options may be left out or None, and are then made by default.

        Raises:
            UsageError: options that have no default are missing.
            PluginError: with blame, whatever the plugin raised or wrongly returned.
        """
        what = f"{self.label} {self.record.name!r}"
        arguments: Sequence[Any] = given
        if self.seam.before is not None:
            arguments = _with_options(what, self.record, given, self.seam.before)
        call = getattr(self.record, self.seam.call)
        result = attempt(self.plugin, what, call, *arguments)
        due = self.seam.due
        lacking = due and attempt(self.plugin, what, absent_members, result, due)
        if due is not None and lacking:
            raise PluginError(
                f"{self.plugin.label}: {what} is a {type(result).__name__}, "
                f"not a {due.__name__}: it has no {', '.join(lacking)}"
            )
        flaw = self.seam.flaw and attempt(self.plugin, what, self.seam.flaw, result, arguments[0])
        if flaw:
            raise PluginError(f"{self.plugin.label}: {what}: {flaw}")
        return result


@frozen(eq=False)
class GuardedJob:
    """A job: what a plugin raises while it runs comes back with blame, files' errors as they are.

    A bug in a job of the core's own is nobody else's, and is raised unchanged.
    """

    record: JobEntry
    plugin: Plugin
    plugins: Sequence[Plugin] = field(repr=False)

    def __call__(self, context: JobContext, options: Any = None) -> Any:
        """Run it.

        Raises:
            OfaError, OSError: as they come.
            MissingExtraError: what it imports comes with an extra that is not installed.
            PluginError: with the plugin in whose code the error was raised.
        """
        what = f"job {self.record.name!r}"
        arguments = _with_options(what, self.record, [context, options], 1)
        try:
            return self.record.run(*arguments)
        except (OfaError, OSError, MemoryError):
            raise
        except Exception as error:
            guilty = culprit(error, self.plugins) or self.plugin
            if guilty.name == BUILTIN and not guilty.lacks_extra(error):
                raise
            accuse(guilty, what, error)


def _with_options(what: str, record: Any, given: Sequence[Any], before: int) -> list[Any]:
    """The arguments with the options' defaults where none are given."""
    if len(given) > before and given[before] is not None:
        return list(given)
    fields = attrs.fields(record.options)
    required = [a.name for a in fields if a.init and a.default is attrs.NOTHING]
    if required:
        flag = required[0].replace("_", "-")
        how = f"--{flag} VALUE" if isinstance(record, JobEntry) else _setting(record, required[0])
        raise UsageError(f"{what} needs {', '.join(required)}", advice=how)
    return [*given[:before], record.options()]


def _setting(record: Any, key: str) -> str:
    return f"--set {record.name}.{key}=VALUE"


def absent_members(value: object, protocol: type) -> list[str]:
    """Public members of a Protocol that a value does not have."""
    members = (n for c in protocol.__mro__[:-1] for n in vars(c) if not n.startswith("_"))
    return [name for name in dict.fromkeys(members) if not hasattr(value, name)]
