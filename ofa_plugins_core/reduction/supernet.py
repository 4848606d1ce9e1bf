"""A supernet with a smaller space: everything else is the whole supernet's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from attrs import frozen

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.geometry import Geometry
from ofa_plugins_core.interfaces import ClassedSupernet, Supernet
from ofa_plugins_core.reduction.choices import left_by
from ofa_plugins_core.reduction.data import Reduction
from ofa_plugins_core.reduction.spaces import ReducedSpace
from ofa_plugins_core.values import SearchSpace


@frozen(eq=False, slots=False)
class ReducedSupernet:
    """A supernet of which only some networks are taken.

    What only the whole supernet can do (build its network, name its training plan) it is asked for
    by itself; its networks are exchanged as dicts, which are the same in both spaces.

    Attributes:
        whole: the supernet.
        reduction: what is left of its space.
        reduced: the space and the way back to the whole one's.
    """

    whole: Supernet
    reduction: Reduction
    reduced: ReducedSpace

    @property
    def name(self) -> str:
        """``ofa_mbv3_w1.2+note10``."""
        return self.reduced.name

    @property
    def space(self) -> SearchSpace:
        """What is left of the search space."""
        return self.reduced.space

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Image sizes of its space, in pixels."""
        return self.whole.resolutions

    def geometry(self) -> Geometry:
        """Its sites, blocks and ops."""
        return self._geometry

    @cached_property
    def _geometry(self) -> Geometry:
        return self.reduced.geometry(self.whole.geometry())

    def at(self, resolutions: Sequence[int]) -> ReducedSupernet:
        """The same over other image sizes (pixels)."""
        return self._on(self.whole.at(resolutions))

    def as_built(self) -> ReducedSupernet:
        """With the geometry of what is really extracted."""
        return self._on(self.whole.as_built())

    def priced_as(self, other: Supernet) -> ReducedSupernet:
        """This space on the other's network.

        Raises:
            UsageError: the two do not have the same slots and options.
        """
        return self._on(self.whole.priced_as(whole(other)))

    def with_classes(self, classes: int) -> ReducedSupernet:
        """The same with a classifier for so many classes.

        Raises:
            UsageError: the whole supernet cannot be priced for other classes.
        """
        if not isinstance(self.whole, ClassedSupernet):
            raise UsageError(f"{self.name} cannot be priced for another number of classes")
        return self._on(self.whole.with_classes(classes))

    def _on(self, other: Supernet) -> ReducedSupernet:
        return ReducedSupernet(other, self.reduction, self.reduced.at(other.space))

    def __getattr__(self, name: str) -> Any:
        """What else the whole supernet has: ``build``, ``plan``."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.whole, name)


def reduced(supernet: Supernet, reduction: Reduction) -> ReducedSupernet:
    """The supernet with the smaller space.

    Raises:
        UsageError: the reduction names what the space does not have, or leaves nothing.
    """
    geometry = supernet.geometry()
    name = f"{supernet.name}+{reduction.name}"
    space = ReducedSpace.of(supernet.space, name, left_by(geometry, reduction))
    return ReducedSupernet(supernet, reduction, space)


def whole(supernet: Supernet) -> Supernet:
    """The supernet whose weights and predictors a reduced one has; any other is its own."""
    while isinstance(supernet, ReducedSupernet):
        supernet = supernet.whole
    return supernet
