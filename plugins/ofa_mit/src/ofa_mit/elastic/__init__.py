"""Elastic networks in torch, built from the geometry that costs are computed from."""
