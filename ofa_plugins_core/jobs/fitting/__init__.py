"""``ofa run fit``: measurements -> a fitted model as a file."""
