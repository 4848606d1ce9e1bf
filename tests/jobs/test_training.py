"""What a phase is made of, as far as no training is needed to see it."""

from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("torch")

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.jobs.training import Training


@pytest.mark.parametrize("leads", [True, False])
def test_a_file_of_weights_has_to_be_where_the_first_process_runs(leads):
    """Workers on other machines need no common disk: they are told what it holds."""
    training = SimpleNamespace(engine=SimpleNamespace(leads=leads))
    if leads:
        with pytest.raises(InputError, match=r"no weights 'nowhere\.pth'"):
            Training._weights(training, "nowhere.pth")
    else:
        assert Training._weights(training, "nowhere.pth") == Path("nowhere.pth")
