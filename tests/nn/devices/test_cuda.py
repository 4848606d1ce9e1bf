"""The device ``cuda``; without a GPU only that it says so."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs the extra [torch]")

import torch

from ofa_plugins_core.errors import MissingExtraError, UsageError
from ofa_plugins_core.interfaces import Work
from ofa_plugins_core.nn.devices import machine
from ofa_plugins_core.nn.devices.cuda import Cuda
from ofa_plugins_core.nn.devices.options import CudaOptions
from ofa_plugins_core.testing import DeviceSuite, everything, toy_supernet

TOY = toy_supernet()
BLOCKS = TOY.geometry().blocks(TOY.space.decode(everything(TOY.space)[-1:])[0])
HAS_GPU = torch.cuda.is_available()
needs_gpu = pytest.mark.skipif(not HAS_GPU, reason="this machine has no GPU that torch can use")


@needs_gpu
class TestCuda(DeviceSuite):
    @pytest.fixture(params=[{}, {"dtype": "fp16", "channels_last": True}], ids=str)
    def device(self, request):
        return Cuda(CudaOptions(**request.param))


@needs_gpu
class TestHere:
    """What a GPU alone can show."""

    def test_it_says_what_it_is(self):
        found = Cuda(CudaOptions(dtype="fp16", channels_last=True)).describe()
        assert found["model"] == torch.cuda.get_device_name(0)
        assert (found["device"], found["dtype"], found["layout"]) == (
            "cuda",
            "fp16",
            "channels last",
        )
        assert int(found["multiprocessors"]) > 0

    def test_kernels_are_chosen_by_trying_only_meanwhile(self):
        before = torch.backends.cudnn.benchmark
        with Cuda(CudaOptions()).session():
            assert torch.backends.cudnn.benchmark
        assert torch.backends.cudnn.benchmark == before
        with pytest.raises(ValueError, match="oh"), Cuda(CudaOptions()).session():
            raise ValueError("oh")
        assert torch.backends.cudnn.benchmark == before

    def test_one_that_is_not_there(self):
        with pytest.raises(UsageError, match="no GPU 99; torch sees"):
            Cuda(CudaOptions(index=99)).describe()

    def test_it_waits_for_the_kernels(self):
        """Sixty-four times the images take longer than one: a pass is not only started."""
        with Cuda(CudaOptions()).session() as session:
            one, many = (session.load(Work(BLOCKS, batch)) for batch in (1, 4096))
            assert min(many.times(5)) > 2 * min(one.times(5))

    def test_a_batch_that_does_not_fit_is_told(self):
        said = "no memory for a batch"
        with Cuda(CudaOptions()).session() as session, pytest.raises(UsageError, match=said):
            session.load(Work(BLOCKS, 10_000_000))


@pytest.mark.skipif(HAS_GPU, reason="this machine has a GPU")
def test_without_a_gpu_it_says_so():
    with pytest.raises(UsageError, match="no GPU that torch can use") as caught:
        Cuda(CudaOptions()).describe()
    assert "--device cpu" in caught.value.advice
    with pytest.raises(UsageError, match="no GPU"), Cuda(CudaOptions()).session():
        pass


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(machine, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="the device cuda"):
        Cuda(CudaOptions()).describe()
