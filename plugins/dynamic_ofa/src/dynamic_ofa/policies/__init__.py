"""Policies: observation -> level, as pure functions of a state."""
