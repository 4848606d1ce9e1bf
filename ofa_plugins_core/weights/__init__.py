"""Published files of weights: what is known, what is cached, how it is fetched. Knows no torch."""

from ofa_plugins_core.weights.cache import cached
from ofa_plugins_core.weights.registry import Known, for_supernet

__all__ = ["Known", "cached", "for_supernet"]
