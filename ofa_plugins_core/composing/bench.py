"""The plugins as a trial sees them: everything is built once, and what is missing is made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import evolve, field, frozen

from ofa_plugins_core.composing.axes import (
    AUTO,
    LATENCY,
    NO_PREDICTOR,
    TABLE,
    Combination,
)
from ofa_plugins_core.composing.checking import Checked
from ofa_plugins_core.composing.supplies import Supplies
from ofa_plugins_core.entries import (
    CostModelEntry,
    FittedPredictorEntry,
    JobContext,
    Plugins,
    PredictorEntry,
    SearcherEntry,
)
from ofa_plugins_core.errors import OfaError, PluginError, UsageError
from ofa_plugins_core.interfaces import CostModel, Predictor, Supernet
from ofa_plugins_core.jobs.asking import question_of
from ofa_plugins_core.jobs.choosing import cost_models, predictor_needed
from ofa_plugins_core.jobs.options import SearchOptions
from ofa_plugins_core.reduction.supernet import whole
from ofa_plugins_core.testing.laws.searcher import middle
from ofa_plugins_core.values import SearchSpace


@frozen(eq=False, slots=False)
class TrialHost:
    """The host with a memory, and with the fits that a trial brings along.

    Attributes:
        host: the plugins.
        fits: (form, supernet) -> what is fitted; None: nothing is, for any.
    """

    host: Plugins
    fits: Mapping[tuple[str, str], list[FittedPredictorEntry]] | None = None
    _made: dict[Any, Any] = field(factory=dict, repr=False)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.host, name)

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def supernet(self, name: str) -> Supernet:
        """A supernet; the same one whenever it is asked for."""
        found: Supernet = self._once(("supernet", name), lambda: self.host.supernet(name))
        return found

    def cost_model(self, name: str) -> CostModelEntry:
        """A cost's entry; a cost of the same network and options is built once."""
        entry = self.host.cost_model(name)

        def build(supernet: Supernet, options: Any = None) -> CostModel:
            key = (name, supernet.name, supernet.resolutions, repr(options))
            found: CostModel = self._once(key, lambda: entry.build(supernet, options))
            return found

        return evolve(entry, build=build)

    def predictor(self, name: str) -> PredictorEntry:
        """A form's entry; what is fitted for a supernet is loaded once."""
        entry = self.host.predictor(name)

        def load(supernet: Supernet, file: Any, fit: FittedPredictorEntry | None) -> Any:
            key = (name, supernet.name, supernet.resolutions, file, fit)
            return self._once(key, lambda: entry.load(supernet, file, fit))

        return evolve(entry, load=load)

    def searcher(self, name: str) -> SearcherEntry:
        """A searcher's entry; what it finds is looked at."""
        entry = self.host.searcher(name)
        return evolve(entry, build=lambda options=None: Checked(entry.build(options)))

    def fitted(self, predictor: str, supernet: str) -> list[FittedPredictorEntry]:
        """What is fitted for a supernet, what the trial brings along among it."""
        if self.fits is None:
            return []
        return self.fits.get((predictor, supernet)) or self.host.fitted(predictor, supernet)


@frozen(eq=False)
class Setting:
    """What one combination is tried with.

    Attributes:
        context: of the search. options: of the search, without a question yet.
        needs: ``cost`` or ``predictor`` -> what a user has to bring for it, in the program's own
            words; it was made up here.
    """

    context: JobContext
    options: SearchOptions
    needs: Mapping[str, str] = field(factory=dict)


@frozen(eq=False)
class Reference:
    """What results are held against.

    Attributes:
        middle: a value of the cost that half of the networks stay below.
        cost: the same cost, over all image sizes that may occur. space: of these networks.
        sizes: to search over, pixels: the ends of what a search takes by itself.
        predictor: of accuracy, or None.
    """

    middle: float
    cost: CostModel
    space: SearchSpace
    sizes: tuple[int, ...]
    predictor: Predictor | None = None


@frozen(eq=False, slots=False)
class Bench:
    """Makes combinations ready to be tried.

    Attributes:
        host: the plugins.
        supplies: makes up what a user brings.
        seed: of every random choice.
    """

    host: Plugins
    supplies: Supplies
    seed: int = 0
    _made: dict[Any, Any] = field(factory=dict, repr=False)
    _known: dict[Any, Any] = field(factory=dict, repr=False)

    def setting(self, combination: Combination) -> Setting:
        """What a combination is tried with.

        Raises:
            OfaError: the cost, or the predictor, cannot be had for the supernet at all.
        """
        fits, unfitted = self._fits(combination)
        host = TrialHost(self.host, fits, self._made)
        predictor = None if combination.predictor == NO_PREDICTOR else combination.predictor
        options = SearchOptions(
            supernet=combination.supernet,
            cost=(combination.cost,),
            searcher=combination.searcher,
            predictor=predictor,
        )
        context = JobContext(host, seed=self.seed, settings=self._settings(combination))
        lut, unmeasured = self._lut(context, options, combination)
        needs = {"cost": unmeasured, "predictor": unfitted}
        given = {axis: said for axis, said in needs.items() if said}
        return Setting(context, evolve(options, lut=lut), given)

    def _settings(self, combination: Combination) -> dict[str, Any]:
        """Every searcher's quick options, where the program may choose it; else its own."""
        auto = combination.searcher == AUTO
        offered = self.host.entries("searchers")
        return {
            e.name: dict(e.trial)
            for e in offered
            if e.trial and (auto or e.name == combination.searcher)
        }

    # --------------------------------------------------------------------------- predictor

    def _fits(self, combination: Combination) -> tuple[Any, str | None]:
        """What is fitted for a trial (see ``TrialHost``), and what the program says it lacks."""
        if combination.predictor == NO_PREDICTOR:
            return None, None
        key = ("fits", combination.supernet, combination.predictor)
        found: tuple[Any, str | None] = self._recalled(key, lambda: self._fitted(combination))
        return found

    def _fitted(self, combination: Combination) -> tuple[Any, str | None]:
        form, host = combination.predictor, TrialHost(self.host, {}, self._made)
        supernet = host.supernet(combination.supernet)
        options = SearchOptions(supernet=combination.supernet, predictor=form)
        try:
            predictor_needed(JobContext(host), options, supernet)
        except PluginError:
            raise
        except OfaError as lacking:
            return self._made_up(form, whole(supernet), lacking), lacking.message
        return {}, None

    def _made_up(self, form: str, supernet: Supernet, lacking: OfaError) -> Any:
        """A fit for the trial; where none can be made, what the program said stands."""
        try:
            return {(form, supernet.name): [self.supplies.accuracy_fit(form, supernet)]}
        except PluginError:
            raise
        except OfaError as error:
            raise UsageError(f"{lacking.message}; {error.message}") from error

    # --------------------------------------------------------------------------- latency

    def _lut(
        self, context: JobContext, options: SearchOptions, combination: Combination
    ) -> tuple[tuple[str, ...], str | None]:
        """What --lut names in a trial, and what the program says where it is not there."""
        name, _, qualifier = combination.cost.partition("@")
        if not qualifier:
            return (), None
        found: tuple[tuple[str, ...], str | None] = self._recalled(
            ("lut", combination.supernet, combination.cost),
            lambda: self._brought(context, options, name, qualifier),
        )
        return found

    def _brought(
        self, context: JobContext, options: SearchOptions, name: str, qualifier: str
    ) -> tuple[tuple[str, ...], str]:
        supernet = context.host.supernet(options.supernet)
        try:
            cost_models(context, options, supernet, [f"{name}@{qualifier}"])
        except PluginError:
            raise
        except OfaError as lacking:
            place = self._place(name, qualifier, supernet)
            lut = (f"{qualifier}={place}",)
            cost_models(context, evolve(options, lut=lut), supernet, [f"{name}@{qualifier}"])
            return lut, lacking.message
        return (), ""

    def _place(self, name: str, qualifier: str, supernet: Supernet) -> Any:
        if name == LATENCY and qualifier != TABLE:
            return self.supplies.latency_fit(qualifier, whole(supernet))
        sizes = sorted({*supernet.resolutions, *self._predicted_sizes(supernet)})
        return self.supplies.table(supernet, tuple(sizes))

    def _predicted_sizes(self, supernet: Supernet) -> Iterator[int]:
        """Image sizes of fits, which a search takes where they are not the supernet's own."""
        for entry in self.host.entries("predictors"):
            try:
                chosen = predictor_needed(
                    JobContext(TrialHost(self.host, {}, self._made)),
                    SearchOptions(supernet=supernet.name, predictor=entry.name),
                    supernet,
                )
            except OfaError:
                continue
            yield from chosen.predictor.resolutions

    def _recalled(self, key: Any, make: Callable[[], Any]) -> Any:
        """What was made, or the error that it ended with: it would end with it again."""
        if key not in self._known:
            try:
                self._known[key] = make()
            except OfaError as error:
                self._known[key] = error
        found = self._known[key]
        if isinstance(found, OfaError):
            raise found
        return found

    # --------------------------------------------------------------------------- reference

    def reference(self, setting: Setting) -> Reference:
        """What results of a combination are held against; the same for every searcher.

        Raises:
            OfaError: as the search itself would end.
        """
        options = setting.options
        key = ("reference", options.supernet, options.cost, options.predictor)
        found: Reference = self._recalled(key, lambda: self._reference(setting))
        return found

    def _reference(self, setting: Setting) -> Reference:
        context, (name,) = setting.context, setting.options.cost
        usual = question_of(context, setting.options).problem.supernet.resolutions
        sizes = tuple(sorted({usual[0], usual[-1]}))
        problem = question_of(context, evolve(setting.options, resolutions=sizes)).problem
        own = context.host.supernet(setting.options.supernet)
        place = own.at(sorted({*own.resolutions, *problem.supernet.resolutions}))
        (cost,) = cost_models(context, setting.options, place, [name]).values()
        return Reference(middle(problem, name), cost, place.space, sizes, problem.predictor)
