"""Training: a phase's loop, its steps, its images, its checkpoints; knows no layer class."""
