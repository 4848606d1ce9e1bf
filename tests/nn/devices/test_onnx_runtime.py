"""The device ``onnxruntime``."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("onnx", reason="needs the extra [export]")
pytest.importorskip("onnxruntime", reason="needs the extra [export]")

import onnxruntime

from ofa_plugins_core.errors import MissingExtraError, UsageError
from ofa_plugins_core.interfaces import Work
from ofa_plugins_core.nn.devices import machine
from ofa_plugins_core.nn.devices.onnx_runtime import OnnxRuntime
from ofa_plugins_core.nn.devices.options import OnnxRuntimeOptions
from ofa_plugins_core.testing import DeviceSuite, everything, toy_supernet

TOY = toy_supernet()
BLOCKS = TOY.geometry().blocks(TOY.space.decode(everything(TOY.space)[-1:])[0])
CORE = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


class TestOnnxRuntime(DeviceSuite):
    @pytest.fixture(params=[{}, {"pin": (CORE,)}], ids=str)
    def device(self, request):
        return OnnxRuntime(OnnxRuntimeOptions(**request.param))


def test_it_says_what_it_is():
    found = OnnxRuntime(OnnxRuntimeOptions(threads=2, pin=(0, 1))).describe()
    assert (found["device"], found["threads"], found["pinned"]) == ("onnxruntime", "2", "0,1")
    assert found["onnxruntime"] == onnxruntime.__version__


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_the_runtimes(threads):
    with OnnxRuntime(OnnxRuntimeOptions(threads=threads)).session() as session:
        loaded = session.load(Work(BLOCKS))
        settings = loaded.session.get_session_options()
        assert (settings.intra_op_num_threads, settings.inter_op_num_threads) == (threads, 1)


def test_more_threads_than_cores_to_stay_on_are_refused():
    device = OnnxRuntime(OnnxRuntimeOptions(threads=2, pin=(CORE,)))
    with pytest.raises(UsageError, match="2 threads on 1 pinned cores"), device.session():
        pass


def test_without_it_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(machine, "find_spec", lambda name: None)
    device = OnnxRuntime(OnnxRuntimeOptions())
    with pytest.raises(MissingExtraError, match="the device onnxruntime"), device.session():
        pass


def test_a_batch_is_run_as_one():
    with OnnxRuntime(OnnxRuntimeOptions()).session() as session:
        loaded = session.load(Work(BLOCKS, 4))
        assert loaded.images.shape == (4, 3, 64, 64)
        assert len(loaded.times(3)) == 3
