"""What a table holds: exactly the blocks that a supernet can be made of, each once."""

from __future__ import annotations

from itertools import chain

import pytest
from attrs import evolve

from ofa_plugins_core import UsageError
from ofa_plugins_core.jobs.lut.works import needed_parts, needed_rows, part_key, pieces_of
from ofa_plugins_core.tables import row_key
from ofa_plugins_core.testing import everything, toy_supernet

SUPERNETS = {
    "two stages": toy_supernet(),
    "one image size": toy_supernet(resolutions=(48,)),
    "one stage, odd sizes": toy_supernet("small", (33, 50, 97), stages=1),
}
each = pytest.mark.parametrize("supernet", SUPERNETS.values(), ids=SUPERNETS.keys())


def blocks_of_all(supernet):
    """Image size -> the blocks of every network that there is."""
    found = {size: [] for size in supernet.resolutions}
    genes = everything(supernet.space)
    for arch in supernet.space.decode(genes):
        found[arch.image_size] += supernet.geometry().blocks(arch)
    return found


@each
def test_rows_are_the_blocks_of_all_networks(supernet):
    needed = needed_rows(supernet)
    for size, blocks in blocks_of_all(supernet).items():
        assert set(needed.sizes[size]) == {row_key(b) for b in blocks}
        assert len(needed.sizes[size]) == len(set(needed.sizes[size]))
        for block in blocks:
            assert needed.blocks[row_key(block)].as_dict() == block.as_dict()


@each
def test_parts_are_the_pieces_of_all_networks(supernet):
    needed = needed_parts(supernet)
    for size, blocks in blocks_of_all(supernet).items():
        pieces = list(chain.from_iterable(map(pieces_of, blocks)))
        assert set(needed.sizes[size]) == {part_key(p) for p in pieces}
        for piece in pieces:
            assert needed.blocks[part_key(piece)].as_dict() == piece.as_dict()


@each
@pytest.mark.parametrize("list_them", [needed_rows, needed_parts])
def test_each_is_measured_once_at_the_first_image_size_that_has_it(supernet, list_them):
    needed = list_them(supernet)
    assert list(chain.from_iterable(needed.new.values())) == list(needed.blocks)
    before = set()
    for size, new in needed.new.items():
        assert set(new) == set(needed.sizes[size]) - before
        before |= set(new)


def test_a_block_that_does_not_depend_on_the_size_stands_at_each_and_is_measured_once():
    """The toy's pooling shrinks any feature map to one pixel: the linear layer alone is shared."""
    needed = needed_parts(toy_supernet())
    shared = set(needed.sizes[32]) & set(needed.sizes[64])
    assert [k for k in shared if k.startswith("linear")]
    assert not shared & set(needed.new[64])


class Crowded:
    """A supernet two of whose blocks go by one key: no key tells their activations."""

    name, resolutions = "crowded", (32,)

    def geometry(self):
        class Geometry:
            def catalogue(self, size):
                stem = toy_supernet().geometry().catalogue(size).blocks[0]
                other = evolve(stem, ops=tuple(evolve(op, activation="relu6") for op in stem.ops))
                return type("Catalogue", (), {"blocks": (stem, stem, other)})

        return Geometry()


def test_two_blocks_of_one_key_are_refused():
    with pytest.raises(UsageError, match="crowded: two different blocks go by the key Conv-") as e:
        needed_rows(Crowded())
    assert "--measure" in e.value.advice


class TestPieces:
    """A block's parts, each as a block of its own."""

    BLOCKS = toy_supernet("deep", (64,), stages=3).geometry().catalogue(64).blocks

    @pytest.mark.parametrize("block", BLOCKS, ids=row_key)
    def test_every_op_is_in_one(self, block):
        pieces = list(pieces_of(block))
        assert [op for p in pieces for op in p.ops] == list(block.ops)
        assert sum(op.macs for p in pieces for op in p.ops) == sum(op.macs for op in block.ops)
        assert not any(p.shortcut for p in pieces)

    def test_of_an_mbconv_block(self):
        block = next(b for b in self.BLOCKS if b.kind == "mbconv")
        names = [[op.name for op in p.ops] for p in pieces_of(block)]
        assert names == [["expand"], ["depthwise"], ["project"]]

    def test_squeeze_excite_stays_with_what_it_scales(self):
        block = next(b for b in self.BLOCKS if b.kind == "mbconv")
        expand, depthwise, project = block.ops
        squeeze = [
            evolve(project, name=n, role="se", size_in=1, size_out=1, channels_out=c)
            for n, c in (("se.reduce", 8), ("se.expand", depthwise.channels_out))
        ]
        whole = evolve(block, ops=(expand, depthwise, *squeeze, project))
        names = [[op.name for op in p.ops] for p in pieces_of(whole)]
        assert names == [["expand"], ["depthwise", "se.reduce", "se.expand"], ["project"]]

    def test_keys_tell_apart_what_differs(self):
        pieces = list(chain.from_iterable(map(pieces_of, self.BLOCKS)))
        assert len(pieces) > 20
        by_key = {}
        for piece in pieces:
            made_of = [evolve(op, name="") for op in piece.ops]
            assert by_key.setdefault(part_key(piece), made_of) == made_of
        assert len({str(m) for m in by_key.values()}) == len(by_key)
