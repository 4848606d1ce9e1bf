"""Two populations of measured networks, compared at equal latency."""
