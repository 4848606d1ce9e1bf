"""The job ``ofa run lut``: a latency table of one's own device, or a look at one that is there."""
