"""MIT Once-for-All: its supernets as data on two builders, its predictors and its search."""

from ofa_mit.mobile import MobileRow, mobile_recipe, mobile_sites, mobile_space
from ofa_mit.networks import MBV3_W1_0, mobile_supernet, residual_supernet
from ofa_mit.residual import ResidualRow
from ofa_mit.supernet import RowSupernet

__all__ = [
    "MBV3_W1_0",
    "MobileRow",
    "ResidualRow",
    "RowSupernet",
    "mobile_recipe",
    "mobile_sites",
    "mobile_space",
    "mobile_supernet",
    "residual_supernet",
]
