"""Protocols of the seams: what a plugin's objects have to be able to do.

Everything here is structural: a plugin needs to inherit from nothing. Arrays are numpy's; n is the
number of architectures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.events import Listener, silent
from ofa_plugins_core.geometry import Block, Geometry
from ofa_plugins_core.phases import Hyperparameters, Phase
from ofa_plugins_core.runtime import Actuator as Actuator
from ofa_plugins_core.runtime import Decision as Decision
from ofa_plugins_core.runtime import Level as Level
from ofa_plugins_core.runtime import Monitor as Monitor
from ofa_plugins_core.runtime import Observation as Observation
from ofa_plugins_core.runtime import RuntimePolicy as RuntimePolicy
from ofa_plugins_core.runtime import StartingPolicy as StartingPolicy
from ofa_plugins_core.separable import Separable
from ofa_plugins_core.structural import Structural
from ofa_plugins_core.values import Arch, ArchLike, Constraint, Genes, Kind, SearchSpace

Archs: TypeAlias = Genes | Sequence[ArchLike]
"""Architectures: an encoded (n, genes) array of the supernet's space, or exchange dicts."""


@runtime_checkable
class Supernet(Protocol, metaclass=Structural):
    """A supernet as described: its space and its geometry. Knows no torch."""

    @property
    def name(self) -> str:
        """The name under which it was asked for."""

    @property
    def space(self) -> SearchSpace:
        """Its search space."""

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Image sizes of its space, in pixels."""

    def geometry(self) -> Geometry:
        """Its sites, blocks and ops."""

    def at(self, resolutions: Sequence[int]) -> Supernet:
        """The same supernet over other image sizes."""

    def as_built(self) -> Supernet:
        """With the geometry of what is really extracted, where the published costs differ."""

    def priced_as(self, other: Supernet) -> Supernet:
        """This space on the other's network: the same choices, the other's widths.

        Raises:
            UsageError: the two do not have the same slots and options.
        """


class Sampler(Protocol):
    """Draws architectures."""

    def sample(self, n: int, generator: np.random.Generator) -> Genes:
        """Draw n architectures: (n, genes), canonical."""


@runtime_checkable
class CostModel(Protocol, metaclass=Structural):
    """Architecture -> cost."""

    @property
    def name(self) -> str:
        """As the user writes it, for example ``latency@note10``."""

    @property
    def unit(self) -> str:
        """For example ``items``, ``MACs``, ``ms``."""

    @property
    def kind(self) -> Kind:
        """How its numbers are had."""

    @property
    def source(self) -> str | None:
        """Definition, table or device."""

    def evaluate(self, archs: Archs) -> NDArray[Any]:
        """(n,) costs of n architectures, in ``unit``."""


@runtime_checkable
class SeparableCost(CostModel, Protocol):
    """A cost that is a sum or a maximum of tables: it can be searched exactly."""

    def separable(self, size: int) -> Separable:
        """Its tables at one image size (pixels), over the genes of the supernet's space."""


@runtime_checkable
class IntervalCost(CostModel, Protocol):
    """A cost that knows how far off it may be."""

    def interval(
        self, archs: Archs, values: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """(n,) lower and upper ends of an 80 % interval of n costs, or None where unknown.

        Args:
            archs: as ``evaluate`` takes them. values: (n,) what it gave.
        """


@runtime_checkable
class Ranged(Sampler, Protocol, metaclass=Structural):
    """A sampler that fills ranges of a cost: each network of predictor data is told its range.

    Mostly one whose ``SamplerEntry.cost`` names an option: ``build`` then gets that cost's model
    as its third argument.
    """

    @property
    def cost(self) -> CostModel:
        """Whose ranges are filled."""

    @property
    def edges(self) -> NDArray[np.float64]:
        """(ranges + 1,) increasing ends of the ranges; the first range includes its start."""


@frozen(eq=False)
class Predictions:
    """Predicted top-1 accuracies in percent, each (n,).

    ``low`` and ``high`` are the ends of an 80 % interval; ``extrapolated`` is True outside the
    range on which the predictor was fitted.
    """

    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    extrapolated: NDArray[np.bool_]


@runtime_checkable
class Predictor(Protocol, metaclass=Structural):
    """Architecture -> accuracy."""

    @property
    def name(self) -> str:
        """Name of its kind, for example ``additive``."""

    @property
    def source(self) -> str:
        """What it was fitted on, for reports: data set, records, error."""

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Image sizes on which it was fitted, or () where it is an extrapolation as a whole."""

    def predict(self, archs: Archs) -> Predictions:
        """Predicted accuracies of n architectures."""


class Link(Protocol):
    """A strictly increasing map from a score to accuracy in percent."""

    def forward(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Score -> accuracy."""

    def inverse(self, accuracy: float) -> float:
        """Accuracy -> the score that reaches it; inf where none does, -inf where any does."""


@runtime_checkable
class SeparablePredictor(Predictor, Protocol):
    """A predictor whose score is a sum of tables, under a link per image size."""

    def separable(self, size: int) -> Separable:
        """The score's tables at one image size, over the genes of the supernet's space."""

    def link(self, size: int) -> Link:
        """From the score to accuracy at that size."""


@runtime_checkable
class RecordSupport(Protocol, metaclass=Structural):
    """A predictor that knows how many measured records stand behind a bound."""

    def support(self, size: int, constraints: Sequence[Constraint]) -> int | None:
        """Records at the image size that meet the bounds, or None where it cannot tell."""


@frozen(eq=False)
class Problem:
    """What a searcher is asked.

    Among networks that are equally good by the objective one rule decides. Where accuracy is the
    objective: the smaller first cost, then the next costs in their order. Where a cost is: the
    higher accuracy, if there is a predictor, then the other costs in their order.

    Attributes:
        supernet: with the image sizes to search over as its resolutions.
        costs: name -> cost model, in the order of the user; the front is sorted by the first.
        predictor: of accuracy, or None.
        constraints: bounds on costs, and on ``accuracy`` in percent.
        objective: ``accuracy`` (maximised) or the name of a cost (minimised).
        front: find every trade-off of the objective against the costs, not only the best.
        points: most points of a front of several costs; 0 for all.
    """

    supernet: Supernet
    costs: Mapping[str, CostModel]
    predictor: Predictor | None = None
    constraints: tuple[Constraint, ...] = ()
    objective: str = "accuracy"
    front: bool = False
    points: int = 1000

    def with_constraints(self, constraints: Sequence[Constraint]) -> Problem:
        """The same problem under other bounds."""
        return Problem(
            self.supernet,
            self.costs,
            self.predictor,
            tuple(constraints),
            self.objective,
            self.front,
            self.points,
        )


@frozen(eq=False)
class Found:
    """What a searcher found.

    Attributes:
        genes: (n, genes) of the problem's space: one row for the best, or the front.
        optimal: proven best for the predictor and the costs.
        evaluations: architectures that were scored one by one (0 where tables were optimised).
        epsilon: objective -> largest step to a kept point, where a front was thinned.
        note: a sentence for the user.
        interrupted: the user stopped the search; ``genes`` is what was found until then.
    """

    genes: Genes
    optimal: bool
    evaluations: int
    epsilon: Mapping[str, float] | None = None
    note: str | None = None
    interrupted: bool = False


class Searcher(Protocol):
    """Finds architectures."""

    def refuses(self, problem: Problem) -> str | None:
        """Why it cannot take the problem, or None where it can."""

    def search(
        self, problem: Problem, generator: np.random.Generator, listener: Listener = silent
    ) -> Found:
        """Search.

        Raises:
            InfeasibleError: no network meets the constraints, with the smallest reachable values.
        """


@frozen
class Work:
    """What a device runs in one pass: blocks one after another, on random input.

    A whole network is the blocks of an architecture; a row of a latency table is one block. What
    the weights are does not matter; that they are dense and finite does.

    Attributes:
        blocks: in the order in which they run, at their image size.
        batch: images a pass.
    """

    blocks: tuple[Block, ...]
    batch: int = 1

    @property
    def input_shape(self) -> tuple[int, int, int, int]:
        """(batch, channels, height, width) of the input; that of a linear layer is 1 × 1."""
        first = self.blocks[0].ops[0]
        return self.batch, first.channels_in, first.size_in, first.size_in


class LoadedWork(Protocol):
    """Work that is ready to run on a device, until its session ends."""

    def times(self, passes: int) -> Sequence[float]:
        """Milliseconds of each of so many passes, one after another.

        Each pass is waited for before its time is taken. Fewer come where there are no more: a
        recording has ended.
        """

    def release(self) -> None:
        """Let go of what it holds on the device; it is not run again."""


class DeviceSession(Protocol):
    """A device made ready to measure: clocks locked, threads set, a connection open."""

    def load(self, work: Work) -> LoadedWork:
        """Make work ready to run, with one pass or more behind it.

        Raises:
            UsageError: the device cannot run such blocks, or so large a batch.
            InputError: the device is gone.
        """

    def conditions(self) -> Mapping[str, float]:
        """What may change while it measures, by name with unit: ``clock_mhz``, ``cpu_celsius``."""


class Device(Protocol):
    """Something that networks run on."""

    def describe(self) -> Mapping[str, str]:
        """Model, cores, clocks, software versions: goes with every measurement.

        Two descriptions that differ are two devices: tables and memos are kept apart by it, so
        nothing that changes by itself belongs into it (see ``DeviceSession.conditions``).
        """

    def session(self) -> AbstractContextManager[DeviceSession]:
        """Make it ready to measure; however the block ends, all is as it was before.

        Raises:
            UsageError: it is not there, or cannot be set as its options say.
            InputError: it cannot be reached.
            MissingExtraError: what it runs on is not installed.
        """


class TrainingPlan(Protocol):
    """Phases of a supernet's training, as data; ``plans.Plan`` is the ready one."""

    @property
    def phases(self) -> tuple[Phase, ...]:
        """In order; the first is the teacher's, where it needs one."""

    @property
    def hyper(self) -> Hyperparameters:
        """What the phases share."""

    @property
    def teacher(self) -> Supernet:
        """The supernet whose largest network teaches; mostly the trained one itself."""

    @property
    def full(self) -> tuple[Phase, ...]:
        """The schedule to which the plan's cost is compared: progressive shrinking."""

    @property
    def finetune(self) -> Phase:
        """How one extracted subnet is continued."""

    @property
    def source(self) -> str:
        """Publication."""

    def shrunk(self, share: float) -> TrainingPlan:
        """Every phase with that share of its epochs; ``full`` stays as it is."""


@runtime_checkable
class PlannedSupernet(Protocol, metaclass=Structural):
    """A supernet that says which training plan is its usual one."""

    @property
    def plan(self) -> str | None:
        """Name of a training plan, or None."""


Statistics: TypeAlias = Mapping[str, tuple[Any, Any]]
"""Batch norm's statistics of one subnet: name of the norm within the extracted network ->
(mean, biased variance), tensors of its channels."""


@runtime_checkable
class Subnet(Protocol, metaclass=Structural):
    """An extracted network, a ``torch.nn.Module`` that stands alone: plain torch layers inside."""

    @property
    def arch(self) -> Arch:
        """What was extracted."""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What it is made of, at its architecture's image size."""

    def published(self, layout: str = "new") -> dict[str, Any]:
        """Its tensors under the published names of a static network, blocks numbered anew.

        Args:
            layout: ``new`` or ``old``.
        """

    def load_published(self, state: Mapping[str, Any], *, new_head: bool = False) -> None:
        """Load a static network of this architecture, in either layout, strictly."""


@runtime_checkable
class ElasticModule(Protocol, metaclass=Structural):
    """An elastic network, a ``torch.nn.Module`` whose weights serve every arch of a space.

    Its forward pass takes (n, 3, height, width) images of any size from 32 pixels up and gives
    (n, classes) logits of the active architecture, at first the largest.
    """

    @property
    def space(self) -> SearchSpace:
        """Of its architectures."""

    @property
    def active(self) -> Arch:
        """The architecture that runs."""

    @property
    def largest(self) -> Arch:
        """The architecture that uses every weight, at the largest image size."""

    def activate(self, arch: ArchLike) -> None:
        """Make a subnet the active one; touches no weights.

        Raises:
            InputError: it is not of the space.
        """

    def extract(self, arch: ArchLike) -> Subnet:
        """The subnet as a module of its own: the same function, no tie to this one.

        Raises:
            InputError: it is not of the space.
        """

    def load_published(self, state: Mapping[str, Any], *, new_head: bool = False) -> None:
        """Load a published checkpoint: either layout, a static teacher's too, strictly.

        Args:
            state: name -> tensor.
            new_head: keep this network's own classifier where the file's is for other classes.

        Raises:
            InputError: names what is missing, unexpected or of another shape.
        """

    def published(self, layout: str = "new") -> dict[str, Any]:
        """Its tensors under the published names.

        Args:
            layout: ``new`` or ``old``.
        """

    def apply_statistics(self, arch: ArchLike, statistics: Statistics) -> None:
        """Write a subnet's batch norm statistics into the slices that it uses."""

    def sort_channels(self, phase: int = 0) -> None:
        """Order the channels inside blocks by importance; the largest network stays the same.

        Args:
            phase: of the expand ratios: 0 sorts all, later ones only beyond the prefixes that
                are trained already.
        """


@runtime_checkable
class ClassedSupernet(Supernet, Protocol):
    """A supernet that can be priced for other numbers of classes than its own."""

    def with_classes(self, classes: int) -> Supernet:
        """The same supernet with a classifier for so many classes.

        Raises:
            UsageError: there is no class.
        """


@runtime_checkable
class BuildableSupernet(Supernet, Protocol):
    """A supernet with weights: it can be built in torch."""

    def build(self, num_classes: int | None = None) -> ElasticModule:
        """The elastic network with fresh weights, the largest architecture active.

        Args:
            num_classes: of the classifier; None: as described (1,000 unless said otherwise).

        Raises:
            MissingExtraError: torch is not installed.
        """
