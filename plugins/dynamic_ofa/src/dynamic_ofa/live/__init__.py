"""Live runs: a switcher under a policy on this machine, watched and recorded."""
