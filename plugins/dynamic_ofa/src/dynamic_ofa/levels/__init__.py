"""Level tables: made offline, read at run time."""
