"""``ofa run reduce`` and ``ofa run contest``: from a profile to a smaller space, and its worth."""
