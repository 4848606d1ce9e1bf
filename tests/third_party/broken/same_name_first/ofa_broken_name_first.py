"""Has the name of another plugin."""

raise RuntimeError("neither of the two should be imported")
