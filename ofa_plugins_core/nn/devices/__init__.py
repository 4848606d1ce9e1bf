"""The core's own devices: what each runs on is imported when its session opens."""
