"""Elastic networks in torch, built from the geometry that costs are computed from."""

from ofa_mit.elastic.network import ElasticNetwork
from ofa_mit.elastic.static import StaticNetwork

__all__ = ["ElasticNetwork", "StaticNetwork"]
