"""The script ``ofa``: Ctrl-C is heard while the program is still being imported, too."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> int:
    """Run the process's own command line; the exit code."""
    try:
        from ofa_plugins_core.cli.main import run

        return run()
    except KeyboardInterrupt:
        sys.stderr.write("ofa: interrupted\n")
        return INTERRUPTED
