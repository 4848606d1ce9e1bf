"""The device ``cpu``."""

from __future__ import annotations

import os

import pytest

pytest.importorskip("torch", reason="needs the extra [torch]")

import torch

from ofa_plugins_core.errors import MissingExtraError, UsageError
from ofa_plugins_core.interfaces import Work
from ofa_plugins_core.nn.devices import cpu, machine
from ofa_plugins_core.nn.devices.options import CpuOptions
from ofa_plugins_core.testing import DeviceSuite, everything, toy_supernet

TOY = toy_supernet()
BLOCKS = TOY.geometry().blocks(TOY.space.decode(everything(TOY.space)[-1:])[0])
CORE = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


class TestCpu(DeviceSuite):
    @pytest.fixture(params=[{}, {"channels_last": True}, {"pin": (CORE,)}], ids=str)
    def device(self, request):
        return cpu.Cpu(CpuOptions(**request.param))


def test_it_says_what_it_is():
    found = cpu.Cpu(CpuOptions(threads=2, pin=(0, 1), channels_last=True)).describe()
    assert (found["device"], found["threads"], found["pinned"]) == ("cpu", "2", "0,1")
    assert found["layout"] == "channels last"
    assert found["torch"] == torch.__version__.partition("+")[0] or found["torch"]
    bare = cpu.Cpu(CpuOptions()).describe()
    assert "pinned" not in bare and "layout" not in bare
    assert bare != found
    assert bare.get("memory") == ("kept" if machine.can_keep_memory() else None)
    assert "memory" not in cpu.Cpu(CpuOptions(keep_memory=False)).describe()


@pytest.mark.parametrize("keep", [True, False])
def test_memory_is_kept_unless_it_is_not_wanted(monkeypatch, keep):
    kept = []
    monkeypatch.setattr(machine, "keep_memory", lambda: kept.append(True))
    with cpu.Cpu(CpuOptions(keep_memory=keep)).session():
        pass
    assert kept == [True] * keep


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_are_as_asked_and_as_before_afterwards(threads):
    before = torch.get_num_threads()
    with cpu.Cpu(CpuOptions(threads=threads)).session():
        assert torch.get_num_threads() == threads
    assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="oh"), cpu.Cpu(CpuOptions(threads=threads)).session():
        raise ValueError("oh")
    assert torch.get_num_threads() == before


def test_more_threads_than_cores_to_stay_on_are_refused():
    device = cpu.Cpu(CpuOptions(threads=2, pin=(CORE,)))
    with pytest.raises(UsageError, match="2 threads on 1 pinned cores"), device.session():
        pass


def test_what_is_not_there_is_refused_and_leaves_all_as_before():
    before = torch.get_num_threads()
    device = cpu.Cpu(CpuOptions(pin=(4097,)))
    with pytest.raises(UsageError, match="cannot pin"), device.session():
        pass
    assert torch.get_num_threads() == before


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(machine, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="the device cpu"), cpu.Cpu(CpuOptions()).session():
        pass


def test_a_batch_that_does_not_fit_is_told(monkeypatch):
    from ofa_plugins_core.nn.devices import torch_work

    def full(blocks):
        raise MemoryError

    monkeypatch.setattr(torch_work, "fresh_network", full)
    said = "no memory for a batch of 64 at 64 px"
    with cpu.Cpu(CpuOptions()).session() as session, pytest.raises(UsageError, match=said) as e:
        session.load(Work(BLOCKS, 64))
    assert "--batch" in e.value.advice


def test_more_work_takes_longer():
    """A batch of 32 against one image: milliseconds that mean something."""
    with cpu.Cpu(CpuOptions()).session() as session:
        one, many = (session.load(Work(BLOCKS, batch)) for batch in (1, 32))
        assert min(many.times(5)) > min(one.times(5))


def test_nothing_remembers_gradients():
    with cpu.Cpu(CpuOptions()).session() as session:
        loaded = session.load(Work(BLOCKS))
        loaded.times(2)
        assert not loaded.images.requires_grad
        assert loaded.images.dtype == torch.float32
