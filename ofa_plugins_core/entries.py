"""The frozen records that plugins' hooks yield: what is offered, under which name, built how.

``options`` is an attrs class; its fields are what the user can set with ``--set NAME.key=value``
or in YAML, structured strictly. ``build`` gets an instance of it. Records that the host hands out
may be built without it (its defaults are taken then), and raise what a plugin raises with blame.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, Protocol

from attrs import field, frozen

from ofa_plugins_core.claims import Checked, Material
from ofa_plugins_core.events import Listener, silent
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
from ofa_plugins_core.measured import Fitting
from ofa_plugins_core.reduction.data import Reduction


class Plugins(Protocol):
    """What a job may ask the host for, by name; unknown names end with the nearest known ones."""

    def supernet(self, name: str) -> Supernet:
        """A supernet by name, alias or path of a YAML row."""

    def cost_model(self, name: str) -> CostModelEntry:
        """A cost model's entry; its ``build(supernet)`` makes it."""

    def searcher(self, name: str) -> SearcherEntry:
        """A searcher's entry."""

    def predictor(self, name: str) -> PredictorEntry:
        """A form of predictor."""

    def reduction(self, name: str) -> Reduction:
        """A smaller space, of a plugin's or installed by the user."""

    def latency_predictor(self, name: str) -> LatencyPredictorEntry:
        """A form of latency predictor."""

    def sampler(self, name: str) -> SamplerEntry:
        """A sampler's entry."""

    def training_plan(self, name: str) -> TrainingPlanEntry:
        """A training plan's entry."""

    def device(self, name: str) -> DeviceEntry:
        """A device's entry."""

    def runtime_policy(self, name: str) -> RuntimePolicyEntry:
        """A runtime policy's entry."""

    def monitor(self, name: str) -> MonitorEntry:
        """A monitor's entry."""

    def actuator(self, name: str) -> ActuatorEntry:
        """An actuator's entry."""

    def claim(self, name: str) -> ClaimEntry:
        """A paper's claim."""

    def states(self) -> Sequence[Any]:
        """Every plugin (``blame.Plugin``), with its state."""

    def fitted(self, predictor: str, supernet: str) -> list[FittedPredictorEntry]:
        """What ships fitted for a supernet, one entry a data set."""

    def entries(self, kind: str) -> list[Any]:
        """Every record of a kind: ``cost_models``, ``searchers``, …"""


@frozen(eq=False)
class JobContext:
    """What a job runs in.

    Attributes:
        host: the plugins, by name.
        listener: takes progress and notices.
        seed: of every random choice.
        out: folder for results, made when first written to; None for none.
        resume: go on with what ``out`` holds.
        settings: options of entries that the job uses, by name, as the user gave them
            (``--set NAME.KEY=VALUE``); not structured yet.
        configuration: all options as ``config.yaml`` keeps them; a job that takes hours writes it
            at its start, so that ``--resume`` needs no flag repeated.
    """

    host: Plugins
    listener: Listener = silent
    seed: int = 0
    out: Path | None = None
    resume: bool = False
    settings: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    configuration: Mapping[str, Any] = field(factory=dict)


@frozen
class NoOptions:
    """The options of an entry that has none."""


@frozen
class SupernetEntry:
    """A supernet.

    Attributes:
        name: for example ``moofa_v3``.
        summary: one line.
        build: () -> the supernet, torch-free; (options) -> it, where there are options.
        aliases: other names, the papers' own among them.
        options: of variants, for example other strides for small images. A variant whose network
            differs needs a name of its own: fits and weights go by it.
    """

    name: str
    summary: str
    build: Callable[..., Supernet]
    aliases: tuple[str, ...] = ()
    options: type = NoOptions


@frozen
class SupernetFamilyEntry:
    """A kind of supernet that a user describes by a row of their own, in a YAML file.

    Attributes:
        name: what ``family:`` says in the file, for example ``mbconv``.
        row: attrs class of the row; the file's other keys are its fields.
        build: (name, row) -> the supernet.
    """

    name: str
    summary: str
    row: type
    build: Callable[[str, Any], Supernet]


@frozen
class ReductionEntry:
    """A smaller space, for every supernet that has what it drops: ``SUPERNET+NAME``.

    Attributes:
        reduction: what is dropped; its name is the entry's.
        summary: one line.
    """

    reduction: Reduction
    summary: str

    @property
    def name(self) -> str:
        """Of the reduction."""
        return self.reduction.name


@frozen
class SamplerEntry:
    """A way to draw architectures; build: (supernet, options) -> Sampler.

    Attributes:
        cost: the option that names a cost: where a job draws, ``build`` gets that cost's model as
            its third argument, so that any plugin's cost may be named.
    """

    name: str
    summary: str
    build: Callable[..., Sampler]
    options: type = NoOptions
    cost: str | None = None


@frozen
class CostModelEntry:
    """A cost; build: (supernet, options) -> CostModel.

    Attributes:
        unit: of its values.
        qualified: is asked for as NAME@QUALIFIER (a table or a device); the qualifier reaches
            ``build`` as the option ``qualifier``.
        measured: (supernet, options, device, listener) -> CostModel that runs networks on the
            device, for ``--measure``; None where it cannot be measured.
    """

    name: str
    summary: str
    unit: str
    build: Callable[..., CostModel]
    options: type = NoOptions
    qualified: bool = False
    measured: Callable[..., CostModel] | None = None


@frozen
class FittedPredictorEntry:
    """A predictor that was fitted for one supernet on one data set, and ships as a file.

    Its key is the triple (predictor, supernet, dataset).

    Attributes:
        predictor: name of its form, for example ``additive``.
        supernet: name of the supernet whose networks it is for.
        dataset: whose top-1 accuracy it predicts, for example ``imagenet``.
        file: the coefficients.
        origin: where the data came from, and the command that makes the file again.
        extrapolation: as a whole outside of what it was fitted on (another supernet's records).
        own: fitted and installed by the user: it comes before what ships.
    """

    predictor: str
    supernet: str
    dataset: str
    file: Path | Traversable
    origin: str
    extrapolation: bool = False
    own: bool = False

    @property
    def name(self) -> str:
        """The key as one word."""
        return f"{self.predictor}:{self.supernet}:{self.dataset}"

    @property
    def summary(self) -> str:
        """One line."""
        return self.origin


@frozen
class PredictorEntry:
    """A form of accuracy predictor.

    Attributes:
        load: (supernet, file or None, fitted entry or None) -> Predictor. A file that the user
            names comes first; otherwise the entry found for the supernet and data set.
        fit: (task) -> a file that ``load`` reads, for ``ofa run fit --predictor NAME``; None where
            the form cannot be fitted.
    """

    name: str
    summary: str
    load: Callable[[Supernet, Path | None, FittedPredictorEntry | None], Predictor]
    options: type = NoOptions
    fit: Fitting | None = None


@frozen
class LatencyPredictorEntry:
    """A form of latency predictor, fitted by ``ofa run fit --kind latency --predictor NAME``.

    Attributes:
        fit: (task, options) -> its arrays and settings.
        load: (supernet, what ``fit`` returned) -> LatencyPredictor. The supernet is as it is
            built, at the image sizes of the data.
        baseline: a simple one: it is fitted, too, where another form is asked for, so that a user
            sees whether that one earns its weight.
        trial: options with which it is fitted in about a second, however well:
            `ofa plugins matrix` tries it with them.
    """

    name: str
    summary: str
    fit: Callable[..., LatencyFit]
    load: Callable[[Supernet, LatencyFit], LatencyPredictor]
    options: type = NoOptions
    baseline: bool = False
    trial: Mapping[str, Any] = field(factory=dict)


@frozen
class SearcherEntry:
    """A searcher; build: (options) -> Searcher.

    Attributes:
        exact: what it returns is proven optimal, where it takes the problem at all.
        trial: options with which it answers in about a second, however well:
            `ofa plugins matrix` tries it with them.
    """

    name: str
    summary: str
    build: Callable[..., Searcher]
    options: type = NoOptions
    exact: bool = False
    trial: Mapping[str, Any] = field(factory=dict)


@frozen
class RuntimePolicyEntry:
    """A runtime policy; build: (options) -> RuntimePolicy."""

    name: str
    summary: str
    build: Callable[..., RuntimePolicy]
    options: type = NoOptions


@frozen
class MonitorEntry:
    """A monitor; build: (options) -> Monitor, with a UsageError where there is nothing to read.

    Attributes:
        automatic: taken also where nobody names it, if it can be built.
    """

    name: str
    summary: str
    build: Callable[..., Monitor]
    options: type = NoOptions
    automatic: bool = True


@frozen
class ActuatorEntry:
    """An actuator; build: (options) -> Actuator, with a UsageError where it cannot be set."""

    name: str
    summary: str
    build: Callable[..., Actuator]
    options: type = NoOptions


@frozen
class DeviceEntry:
    """A device; build: (options) -> Device."""

    name: str
    summary: str
    build: Callable[..., Device]
    options: type = NoOptions


@frozen
class TrainingPlanEntry:
    """A training plan; build: (supernet, options) -> TrainingPlan."""

    name: str
    summary: str
    build: Callable[..., TrainingPlan]
    options: type = NoOptions


@frozen
class WeightsEntry:
    """A published file of weights: where it is, and what is known of it.

    Attributes:
        name: of the file, for example ``ofa_mbv3_d234_e346_k357_w1.0``.
        supernet: by name, whose weights they are.
        layout: ``new``, ``old``, ``static`` (a teacher or a specialised network), or ``other``.
        addresses: to try in this order.
        page: an address for a browser, where no program can fetch the file.
        size: bytes, where known.
        sha256: hexadecimal, where known; else kept from the first download.
        source: publication, and what the file holds.
    """

    name: str
    supernet: str
    layout: Literal["new", "old", "static", "other"]
    addresses: tuple[str, ...] = ()
    page: str | None = None
    size: int | None = None
    sha256: str | None = None
    source: str = ""

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where nobody could get the file, or check it."""
        for address in self.addresses:
            if not address.startswith(("https://", "http://", "file:///")):
                raise ValueError(f"addresses: http(s) or file, found {address!r:.80}")
        if not (self.addresses or self.page):
            raise ValueError("needs an address or a page")
        if self.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"sha256: 64 hexadecimal digits, found {self.sha256!r:.80}")

    @property
    def summary(self) -> str:
        """One line."""
        return self.source


@frozen
class ClaimEntry:
    """A claim of a paper that ``ofa reproduce NAME`` checks; check: (context, files) -> Checked.

    Attributes:
        name: for example ``compofa_networks``.
        summary: the claim, in one sentence.
        work: whose it is, as readers name it: ``CompOFA``.
        source: where it is published: paper, table, figure or section.
        check: (context, files) -> what came out beside what was published. ``files`` holds the
            place of each of ``needs`` by its name. What it asks the host for and is not there, or
            an extra that is not installed, ends the claim as one that needs it.
        needs: published files of the user's own copy, without which it cannot be checked.
        seconds: about how long it takes on two slow cores.
    """

    name: str
    summary: str
    work: str
    source: str
    check: Callable[[JobContext, Mapping[str, Path]], Checked]
    needs: tuple[Material, ...] = ()
    seconds: float = 1.0


@frozen
class JobEntry:
    """A job: what ``ofa run NAME`` runs; its flags come from the fields of ``options``.

    Attributes:
        run: (context, options) -> a result that the command line can print: a
            dict or a list of dicts (JSON), or an object with ``as_json()`` and, where it has them,
            ``as_tables()`` for the terminal: (title, column names, rows of text) each,
            ``most_rows`` shown of one, ``styles`` of words and ``wrapped`` titles (see
            ``cli.output.write_tables``), ``as_rows()`` for front.csv, ``exit_code`` (130: it was
            interrupted), ``worth_keeping`` (False: it gets no run's folder). None: nothing is
            shown or kept, as in a process that only helps another.
        example: a command line that works, for the help text.
        keeps_run: has a run folder of its own also where no --out is given.
        changeable: options that --resume may change, since they do not change the result.
        draw: (folder of a finished run) -> draws into it, for ``ofa report``; yields of each
            picture its file in the folder, an SVG, and its caption. None: it draws nothing.
    """

    name: str
    summary: str
    run: Callable[[JobContext, Any], Any]
    options: type = NoOptions
    example: str = ""
    keeps_run: bool = False
    changeable: tuple[str, ...] = ()
    draw: Callable[[Path], Iterable[tuple[str, str]]] | None = None
