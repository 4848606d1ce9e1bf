"""Monitors and actuators: what a policy sees beside latency, and sets beside the level."""
