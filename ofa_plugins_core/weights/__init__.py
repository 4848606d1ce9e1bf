"""Published files of weights: what is known, what is cached, how it is fetched. Knows no torch."""
