"""The core's own plugin: what every installation offers, through the same hooks as any other."""
