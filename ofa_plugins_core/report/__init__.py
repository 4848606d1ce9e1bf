"""Pictures, plots and the page of a run, from its results alone.

Nothing here imports matplotlib before something is drawn.
"""

from ofa_plugins_core.report.memory import history_chart, peak_of
from ofa_plugins_core.report.picture import subnet_picture

__all__ = ["history_chart", "peak_of", "subnet_picture"]
