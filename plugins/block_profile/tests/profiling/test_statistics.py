"""Statistics of drawn networks."""

from __future__ import annotations

import numpy as np
import pytest

from block_profile.profiling.statistics import bindings, sampled


def test_the_standard_deviation_divides_by_n_as_published() -> None:
    found = sampled(np.array([1.0, 3.0]))

    assert (found.mean, found.sd, found.min, found.max) == (2.0, 1.0, 1.0, 3.0)


def test_places_that_hold_a_maximum_most_often_come_first(catalogue) -> None:
    class Known:
        def holders(self):
            last = catalogue.places[-1].name
            return {"stem": (0.3, 0.1), last: (0.7, 0.6), "classifier": (0.0, 0.0)}

    last, stem = bindings(Known(), catalogue.places)

    assert (last.share, last.unit, last.layer) == (0.7, 1, 1)
    assert (stem.place, stem.unit, stem.layer) == ("stem", None, None)
    assert stem.alone == pytest.approx(0.1)
