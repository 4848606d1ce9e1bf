"""Smaller spaces of a supernet: fewer blocks, depths or widths to choose from, the same weights.

A reduction is data. Applied to a supernet it gives a supernet whose space has only what is left,
so that every searcher, sampler and cost model takes it as it takes any other; predictors and
elastic networks stay the whole supernet's.
"""
