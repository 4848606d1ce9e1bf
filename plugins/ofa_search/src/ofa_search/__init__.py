"""Search: exact, exhaustive and NSGA-II searchers, and the additive predictor."""
