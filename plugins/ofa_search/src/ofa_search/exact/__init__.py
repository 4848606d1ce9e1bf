"""Exact search on separable costs and predictors."""
