"""The command line: parses, calls a job, renders. The only room that knows typer and rich."""
