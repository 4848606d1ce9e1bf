"""Cannot be imported."""

raise RuntimeError("the stars are not right")
