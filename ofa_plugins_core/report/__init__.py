"""Pictures, plots and the page of a run, from its results alone.

Nothing here imports matplotlib before something is drawn.
"""

from ofa_plugins_core.report.fronts import front_plot
from ofa_plugins_core.report.memory import history_chart, peak_of
from ofa_plugins_core.report.picture import subnet_picture
from ofa_plugins_core.report.results import read_run, search_result
from ofa_plugins_core.report.sweeps import read_published, sweep_plot

__all__ = [
    "front_plot",
    "history_chart",
    "peak_of",
    "read_published",
    "read_run",
    "search_result",
    "subnet_picture",
    "sweep_plot",
]
