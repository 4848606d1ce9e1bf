"""The whole supernet's predictor, asked about networks of a smaller space."""

from __future__ import annotations

from typing import Any, cast

from attrs import frozen

from ofa_plugins_core.interfaces import Archs, Link, Predictions, Predictor, SeparablePredictor
from ofa_plugins_core.pricing import encoded
from ofa_plugins_core.reduction.supernet import ReducedSupernet
from ofa_plugins_core.separable import Separable


@frozen(eq=False)
class WholePredictor:
    """A predictor of the whole supernet for its reduced one; what else it has is the predictor's.

    Attributes:
        predictor: loaded for the whole supernet, at the same image sizes.
        supernet: the reduced one.
    """

    predictor: Predictor
    supernet: ReducedSupernet

    def predict(self, archs: Archs) -> Predictions:
        """Predicted accuracies of n architectures.

        Raises:
            InputError: an architecture is not of the reduced space.
        """
        space, genes = encoded(self.supernet.space, archs)
        if space.resolutions != self.supernet.resolutions:  # dicts of other image sizes
            return self.predictor.predict(space.decode(genes))
        return self.predictor.predict(self.supernet.reduced.to_whole(genes))

    def __getattr__(self, name: str) -> Any:
        """Name, source, resolutions, data set, support."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.predictor, name)


@frozen(eq=False)
class WholeSeparablePredictor(WholePredictor):
    """The same where the score is a sum of tables: it can be searched exactly."""

    def separable(self, size: int) -> Separable:
        """The score's tables at one image size (pixels), over the reduced space's genes."""
        return self.supernet.reduced.separable(self._tables.separable(size))

    @property
    def _tables(self) -> SeparablePredictor:
        return cast(SeparablePredictor, self.predictor)

    def link(self, size: int) -> Link:
        """From the score to accuracy at that size."""
        return self._tables.link(size)


def whole_predictor(predictor: Predictor, supernet: ReducedSupernet) -> Predictor:
    """A predictor of the whole supernet, for the reduced one."""
    if isinstance(predictor, SeparablePredictor):
        return WholeSeparablePredictor(predictor, supernet)
    return WholePredictor(predictor, supernet)
