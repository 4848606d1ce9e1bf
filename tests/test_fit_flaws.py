"""What a predictor's ``fit`` returns is looked at before anything of it is written."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core import Host, LatencyPredictorEntry, PredictorEntry
from ofa_plugins_core.errors import PluginError
from ofa_plugins_core.fit_flaws import fit_flaw, latency_flaw
from ofa_plugins_core.latency_fits import LatencyFit
from ofa_plugins_core.measured import FittedFile, HeldOut, Quality, SizeSummary
from ofa_plugins_core.testing import in_process
from ofa_plugins_core.testing.toys import toy_supernet

TASK = SimpleNamespace(supernet=toy_supernet())
SMALL, LARGE = TASK.supernet.resolutions
ONES = np.ones(5)
QUALITY = Quality(5, 0.5, 1.0, 0.8, 0.0)
SIZE = SizeSummary(SMALL, 30, 1.0, 70.0)
GOOD = FittedFile(
    content=b"mean",
    ending=".txt",
    held_out=HeldOut(ONES, ONES, ONES),
    sizes=(SIZE, evolve(SIZE, image_size=LARGE)),
    judged={"tail": QUALITY},
    details={"settings": {"weight": 0.5, "names": ["a"]}},
)


def test_a_good_one_has_no_flaw():
    assert fit_flaw(GOOD, TASK) is None
    assert fit_flaw(evolve(GOOD, sizes=(SIZE,), judged={}, details={}), TASK) is None
    numpys = evolve(SIZE, half_width=np.float64(1.0), best=np.float64(70.0))
    assert fit_flaw(evolve(GOOD, sizes=(numpys,)), TASK) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"content": 5}, "content is a int, not bytes"),
        ({"content": "text"}, "content is a str, not bytes"),
        ({"ending": "/../../evil"}, "ending is '/../../evil', not a dot and a word"),
        ({"ending": ".json/x"}, "not a dot and a word"),
        ({"ending": ""}, "not a dot and a word"),
        ({"ending": ".json\n"}, "not a dot and a word"),
        ({"ending": ".part"}, "not a dot and a word"),
        ({"ending": None}, "ending is None"),
        ({"held_out": None}, "held_out is a NoneType, not a HeldOut"),
        ({"held_out": HeldOut([1.0], ONES, ONES)}, "held_out.predicted is no array of numbers"),
        ({"held_out": HeldOut(ONES * np.nan, ONES, ONES)}, "held_out.predicted holds no finite"),
        ({"held_out": HeldOut(ONES, ONES, ONES * np.inf)}, "held_out.half_width holds no finite"),
        ({"held_out": HeldOut(ONES[:0], ONES[:0], ONES[:0])}, "holds no finite number"),
        ({"held_out": HeldOut(ONES, ONES[:4], ONES)}, "not the same number of networks"),
        ({"sizes": None}, "sizes is None, not one SizeSummary an image size"),
        ({"sizes": ()}, "not one SizeSummary an image size"),
        ({"sizes": (3,)}, "sizes holds a int, not a SizeSummary"),
        ({"sizes": (evolve(SIZE, image_size=32.0),)}, "image_size is 32.0, no whole number"),
        ({"sizes": (evolve(SIZE, records=np.int64(30)),)}, "records is .*30.*, no whole number"),
        ({"sizes": (evolve(SIZE, best=np.float32(1.0)),)}, "best is .*, no finite number"),
        ({"sizes": (evolve(SIZE, records=None),)}, "records is None, no whole number"),
        ({"sizes": (evolve(SIZE, half_width=float("nan")),)}, "half_width is nan"),
        ({"sizes": (evolve(SIZE, best="much"),)}, "best is 'much'"),
        ({"sizes": (evolve(SIZE, image_size=7),)}, r"sizes are of \[7\], where the records' are"),
        ({"sizes": (SIZE, SIZE)}, "sizes are of"),
        ({"judged": None}, "judged is a NoneType"),
        ({"judged": {"tail": 3}}, "judged: 'tail' is a int, not a Quality"),
        ({"judged": {"tail": evolve(QUALITY, tau=float("nan"))}}, "holds what is no finite number"),
        ({"judged": {"files": QUALITY}}, "'files' is an entry of the result already"),
        ({"details": None}, "details is a NoneType"),
        ({"details": {"a": object()}}, "details are no JSON"),
        ({"details": {"a": float("nan")}}, "details are no JSON"),
        ({"details": {3: 1}}, "go by names, not by 3"),
        ({"details": {"supernet": "x"}}, "'supernet' is an entry of the result already"),
        ({"details": {"tail": 1}}, "'tail' is an entry of the result already"),
    ],
)
def test_what_cannot_be_kept(changes, said):
    assert re.search(said, str(fit_flaw(evolve(GOOD, **changes), TASK)))


def test_the_plugin_whose_form_it_is_is_named():
    def load(supernet, file, fitted):
        raise NotImplementedError

    bad = PredictorEntry("bad", "one", load, fit=lambda task: evolve(GOOD, content=5))
    good = PredictorEntry("good", "one", load, fit=lambda task: GOOD)
    plugin = in_process("third", ofa_predictors=[bad, good])
    host = Host.discover(extra={"third": plugin})
    assert host.predictor("good").fit(TASK) is GOOD
    with pytest.raises(PluginError, match=r"^plugin 'third' .*: predictor 'bad': its file"):
        host.predictor("bad").fit(TASK)


FITTED = LatencyFit({"weights": ONES}, {"trees": 3})


def test_a_good_latency_fit_has_no_flaw():
    assert latency_flaw(FITTED, TASK) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"arrays": {}}, "not some by name"),
        ({"arrays": {"a/b": ONES}}, "names of letters, digits and _"),
        ({"arrays": {"a": [1.0]}}, "'a' is no array of numbers"),
        ({"arrays": {"a": np.array(["x"])}}, "'a' is no array of numbers"),
        ({"arrays": {"a": np.array([{}])}}, "'a' is no array of numbers"),
        ({"arrays": {"a": np.array([np.nan])}}, "no finite number"),
        ({"settings": {"a": {1}}}, "settings are no JSON"),
        ({"settings": {"a": float("inf")}}, "settings are no JSON"),
    ],
)
def test_a_latency_fit_that_cannot_be_kept_is_told(change, said):
    assert said in str(latency_flaw(evolve(FITTED, **change), TASK))


def test_who_offers_a_broken_latency_fit_is_blamed():
    broken = evolve(FITTED, arrays={})
    entry = LatencyPredictorEntry("mine", "", fit=lambda task, o: broken, load=lambda s, f: None)
    host = Host.discover(extra={"other": in_process("other", ofa_latency_predictors=[entry])})
    with pytest.raises(PluginError, match=r"other.*latency predictor 'mine'.*not some by"):
        host.latency_predictor("mine").fit(TASK)
    with pytest.raises(PluginError, match="is a NoneType, not a LatencyPredictor"):
        host.latency_predictor("mine").load(TASK.supernet, FITTED)
