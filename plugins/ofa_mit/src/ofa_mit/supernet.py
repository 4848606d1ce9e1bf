"""A supernet that comes from a row of data: one class for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import evolve, frozen

from ofa_mit.recipe import Recipe
from ofa_plugins_core.errors import MissingExtraError, UsageError
from ofa_plugins_core.geometry import Geometry, Site
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.values import Number, SearchSpace

if TYPE_CHECKING:
    from ofa_mit.elastic import ElasticNetwork

Row = TypeVar("Row")


@frozen(eq=False, slots=False)
class RowSupernet(Generic[Row]):
    """A search space on a network that a row describes.

    Attributes:
        name: of the supernet.
        row: the network: widths, strides, activations, options.
        space: the choices; CompOFA's couples some of the row's options.
        sites: (row, space) -> the places for blocks.
        built: the row of what is really extracted, where the published costs are another's.
        recipe: row -> what its network in torch has beyond the geometry; None: has no network.
        plan: name of the training plan that is its usual one, or None.
    """

    name: str
    row: Row
    space: SearchSpace
    sites: Callable[[Row, SearchSpace], Iterable[Site]]
    built: Row | None = None
    recipe: Callable[[Row], Recipe] | None = None
    plan: str | None = None

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Image sizes of its space, in pixels."""
        return self.space.resolutions

    def geometry(self) -> Geometry:
        """Its sites, blocks and ops."""
        return self._geometry

    @cached_property
    def _geometry(self) -> Geometry:
        return Geometry(self.space, tuple(self.sites(self.row, self.space)))

    def at(self, resolutions: Sequence[int]) -> RowSupernet[Row]:
        """The same supernet over other image sizes (pixels, 32 or more)."""
        return evolve(self, space=self.space.with_resolutions(resolutions))

    def as_built(self) -> RowSupernet[Row]:
        """With the geometry of the network that is really extracted (differs for MOOFA V2)."""
        return self if self.built is None else evolve(self, row=self.built)

    def with_classes(self, classes: int) -> RowSupernet[Row]:
        """The same supernet with a classifier for so many classes.

        Raises:
            UsageError: there is no class.
        """
        if classes < 1:
            raise UsageError(f"a network has at least one class, not {classes}")
        row: Any = self.row
        built: Any = self.built
        wider = None if built is None else evolve(built, classes=classes)
        return evolve(self, row=evolve(row, classes=classes), built=wider)

    def build(self, num_classes: int | None = None) -> ElasticNetwork:
        """The elastic network with fresh weights from torch's generator, its largest arch active.

        Args:
            num_classes: of the classifier; None: as the row says.

        Raises:
            MissingExtraError: torch is not installed.
            UsageError: the number of classes is none, or there is no network in torch.
        """
        if self.recipe is None:
            raise UsageError(f"{self.name} has no network in torch")
        if num_classes is not None:
            return self.with_classes(num_classes).build()
        try:
            import torch  # noqa: F401 - asked for by name: another missing module is a defect
        except ModuleNotFoundError as error:
            raise MissingExtraError(f"building {self.name}", "ofa-plugins-mit", "torch") from error
        from ofa_mit.elastic import ElasticNetwork

        built = self.as_built()
        return ElasticNetwork(built.geometry(), self.recipe(built.row))

    def priced_as(self, other: Supernet) -> RowSupernet[Row]:
        """This space on another supernet's network.

        Raises:
            UsageError: the other is of another family, or has other slots or options.
        """
        if not isinstance(other, RowSupernet) or other.sites is not self.sites:
            raise UsageError(f"{self.name} cannot be priced as {other.name}: another family")
        mine, theirs = _choices(self.space), _choices(other.space)
        if mine.keys() != theirs.keys() or any(not mine[k] <= theirs[k] for k in mine):
            raise UsageError(
                f"{self.name} cannot be priced as {other.name}: other slots or options"
            )
        return evolve(self, row=other.row)


def _choices(space: SearchSpace) -> dict[str, frozenset[Number]]:
    """Entry of the exchange dict -> the values that it can have."""
    found = {}
    for dimension in space.dimensions:
        for slot, entry in enumerate(dimension.entries):
            values = space.genes[entry].options if isinstance(entry, int) else entry.values
            found[f"{dimension.key}[{slot}]"] = frozenset(values)
    return found
