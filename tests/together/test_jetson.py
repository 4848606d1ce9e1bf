"""The board's script with torch: it builds from JSON what the core builds, for every supernet."""

from __future__ import annotations

import json
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("devices_jetson", reason="devices_jetson is not installed")
torch = pytest.importorskip("torch", reason="the board's networks are built in torch")

from devices_jetson.boards import NAMED  # noqa: E402
from devices_jetson.constructed import xavier_nx  # noqa: E402
from devices_jetson.device import Jetson  # noqa: E402
from devices_jetson.options import JetsonOptions  # noqa: E402
from devices_jetson.transport import script  # noqa: E402
from ofa_plugins_core.interfaces import Work  # noqa: E402
from ofa_plugins_core.nn.plain.fresh import fresh_network  # noqa: E402

SUPERNETS = (
    *("ofa_mbv3_w1.0", "ofa_mbv3_w1.2", "ofa_proxyless_w1.3", "ofa_resnet50"),
    *("compofa", "compofa_elastic", "moofa_v1", "moofa_v2", "moofa_v3"),
)


@pytest.fixture(scope="module")
def board_builder():
    """(nn) -> what the board's script builds networks with, from this torch's layers or others."""
    room = {"__name__": "ofa_board"}
    exec(compile(script(), "ofa_board.py", "exec"), room)

    def made(nn=torch.nn):
        return room["builder"](SimpleNamespace(nn=nn, no_grad=torch.no_grad))

    return made


def as_sent(blocks):
    """What of the blocks reaches a board."""
    return json.loads(json.dumps([block.as_dict() for block in blocks]))


def drawn(host, name, count=2):
    """Networks of a supernet at one of its image sizes; the blocks of each."""
    supernet = host.supernet(name).as_built()
    genes = supernet.space.sample(count, np.random.default_rng(3))
    genes = supernet.space.canonical(genes)
    return [supernet.geometry().blocks(arch) for arch in supernet.space.decode(genes)]


def with_the_others_tensors(made, other):
    """A network with the tensors of another, in their order: the names differ."""
    theirs, ours = other.state_dict(), made.state_dict()
    assert [tuple(t.shape) for t in ours.values()] == [tuple(t.shape) for t in theirs.values()]
    made.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))
    return made


@pytest.mark.parametrize("name", SUPERNETS)
def test_a_board_builds_the_network_that_the_core_builds(host, board_builder, name):
    for blocks in drawn(host, name):
        ours = fresh_network(blocks)
        built = board_builder()(as_sent(blocks))
        params = sum(p.numel() for p in built.parameters())
        assert params == sum(op.params for block in blocks for op in block.ops)
        board = with_the_others_tensors(built, ours)
        x = torch.rand(Work(blocks, 2).input_shape, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            assert torch.equal(board(x.clone()), ours(x.clone()))


@pytest.mark.parametrize("name", ["moofa_v3", "ofa_resnet50"])
def test_so_does_each_block_alone(host, board_builder, name):
    (blocks,) = drawn(host, name, 1)
    for block in blocks:
        ours = fresh_network([block])
        board = with_the_others_tensors(board_builder()(as_sent([block])), ours)
        x = torch.rand(Work((block,)).input_shape)
        with torch.no_grad():
            assert torch.equal(board(x.clone()), ours(x.clone()))


def test_its_numbers_are_finite_and_none_is_denormal(host, board_builder):
    for name in SUPERNETS:
        (blocks,) = drawn(host, name, 1)
        net, x = board_builder()(as_sent(blocks)), torch.rand(Work(blocks).input_shape)
        with torch.no_grad():
            for block in net:
                x = block(x)
                peak = float(x.abs().max())
                assert 1e-6 < peak < 1e6, name


def test_an_old_torch_without_hard_swish_computes_the_same(host, board_builder):
    (blocks,) = drawn(host, "moofa_v3", 1)
    kept = {k: v for k, v in vars(torch.nn).items() if k not in ("Hardswish", "Hardsigmoid")}
    new = board_builder()(as_sent(blocks))
    old = with_the_others_tensors(board_builder(SimpleNamespace(**kept))(as_sent(blocks)), new)
    x = torch.rand(Work(blocks).input_shape)
    with torch.no_grad():
        torch.testing.assert_close(old(x.clone()), new(x.clone()))


@pytest.fixture
def here(tmp_path):
    """Settings of a constructed Xavier NX whose Python is this one."""
    root = xavier_nx(tmp_path / "board")
    return {"root": root, "python": sys.executable, "processor": "cpu"}


def test_a_whole_network_is_timed_by_the_script(host, here):
    (blocks,) = drawn(host, "ofa_mbv3_w1.0", 1)
    with Jetson(NAMED["jetson_xavier_nx"], JetsonOptions(**here)).session() as session:
        loaded = session.load(Work(blocks, 2))
        found = loaded.times(3)
        assert len(found) == 3 and all(0.01 < ms < 60_000 for ms in found)
        loaded.release()
    assert not (here["root"] / "locked").exists()


def test_a_table_over_ssh(ofa, here, tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    text = '#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done; shift 2; exec sh -c "$1"\n'
    (folder / "ssh").write_text(text)
    (folder / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    sets = [w for k, v in here.items() for w in ("--set", f"jetson_xavier_nx.{k}={v}")]
    words = ("--device", "jetson_xavier_nx", "--host", "me@nx", "--mode", "15W 6core")
    quick = ("--resolutions", "32", "--least", "2", "--most", "2", "--networks", "0")
    ofa("run", "lut", "--supernet", "compofa", *words, *quick, *sets, "--out", "t", "--json")
    table = json.loads((tmp_path / "t" / "table.json").read_text())
    assert table["device"]["torch"] == torch.__version__
    assert "constructed" in table["device"]["model"]
    assert all(row["mean"] > 0 for row in table["rows"]["32"].values())
    calls = (here["root"] / "calls.log").read_text()
    assert calls.rstrip().splitlines()[-1].startswith("jetson_clocks --restore")
