"""The options of ``ofa run levels``."""

from __future__ import annotations

from attrs import frozen

from ofa_plugins_core.jobs.options import SearchOptions


@frozen(kw_only=True, slots=False)
class LevelsOptions(SearchOptions):
    """Options of ``ofa run levels``: a search's, and how its networks are measured again."""
