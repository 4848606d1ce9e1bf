"""The job fit is the core's own; what is drawn of a fit lies beside it."""

from __future__ import annotations

import pytest


def test_fit_is_offered_by_the_core_alone(toy_host):
    assert [e.name for e in toy_host.entries("jobs")].count("fit") == 1


def test_a_plot_without_a_place_is_wrong_use(toy_host):
    pytest.importorskip("matplotlib")
    from ofa_plugins_core.builtin.fit_job import _check_plot
    from ofa_plugins_core.entries import JobContext
    from ofa_plugins_core.errors import UsageError
    from ofa_plugins_core.jobs.fit_options import FitOptions

    with pytest.raises(UsageError, match="give --out FOLDER"):
        _check_plot(JobContext(toy_host), FitOptions("toy", plot=True))
