"""The whole supernet's costs, asked about networks of a smaller space."""

from __future__ import annotations

from typing import Any, cast

from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.interfaces import Archs, CostModel, SeparableCost
from ofa_plugins_core.pricing import encoded
from ofa_plugins_core.reduction.supernet import ReducedSupernet
from ofa_plugins_core.separable import Separable


@frozen(eq=False)
class WholeCost:
    """A cost of the whole supernet for its reduced one; what else it has is the cost's.

    Attributes:
        model: built for the whole supernet, at the same image sizes.
        supernet: the reduced one.
    """

    model: CostModel
    supernet: ReducedSupernet

    def evaluate(self, archs: Archs) -> NDArray[Any]:
        """(n,) costs of n architectures of the reduced space, in the cost's unit.

        Raises:
            InputError: an architecture is not of the reduced space.
        """
        space, genes = encoded(self.supernet.space, archs)
        if space.resolutions != self.supernet.resolutions:  # dicts of other image sizes
            return self.model.evaluate(space.decode(genes))
        return self.model.evaluate(self.supernet.reduced.to_whole(genes))

    def __getattr__(self, name: str) -> Any:
        """Name, unit, kind, source."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.model, name)


@frozen(eq=False)
class WholeSeparableCost(WholeCost):
    """The same where the cost is a sum or a maximum of tables: it can be searched exactly."""

    def separable(self, size: int) -> Separable:
        """Its tables at one image size (pixels), over the reduced space's genes."""
        return self.supernet.reduced.separable(cast(SeparableCost, self.model).separable(size))


def whole_cost(model: CostModel, supernet: ReducedSupernet) -> CostModel:
    """A cost of the whole supernet, for the reduced one."""
    if isinstance(model, SeparableCost):
        return WholeSeparableCost(model, supernet)
    return WholeCost(model, supernet)
