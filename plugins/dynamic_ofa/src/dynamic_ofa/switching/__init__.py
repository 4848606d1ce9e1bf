"""Switching: one network that runs at the level that is on, while levels change."""
