"""What is offered without being loaded."""

from __future__ import annotations

import sys
from subprocess import run


def test_offering_claims_loads_nothing_that_checks_them():
    code = "import sys, dynamic_ofa.plugin as p; list(p.ofa_claims()); print(*sys.modules)"
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert not [name for name in loaded if name.startswith("dynamic_ofa.claims.")]
    assert "torch" not in loaded
