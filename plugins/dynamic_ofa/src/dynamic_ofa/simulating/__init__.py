"""Simulation: a policy on a trace, against what was possible."""
