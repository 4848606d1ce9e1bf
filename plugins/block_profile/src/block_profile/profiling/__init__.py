"""``ofa run profile``: what each block choice at each place does to every metric."""
