"""CompOFA's search: the best network under each latency of a list, for one device."""
