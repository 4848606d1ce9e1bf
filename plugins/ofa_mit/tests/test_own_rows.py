"""Supernets of users' own: rows in YAML, checked, usable wherever a name is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ofa_plugins_core import Host, InputError, OfaError

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
HOST = Host.discover()


def changed(tmp_path, family, *changes):
    """The example of a family with other lines; ``-key`` leaves a line out."""
    keys = [c.lstrip("-").partition(":")[0] for c in changes]
    text = (EXAMPLES / f"{family}.yaml").read_text()
    kept = [line for line in text.splitlines() if line.partition(":")[0] not in keys]
    path = tmp_path / "mine.yaml"
    path.write_text("\n".join([*kept, *(c for c in changes if not c.startswith("-"))]))
    return path


@pytest.mark.parametrize("family", ["mbconv", "bottleneck"])
class TestExamples:
    """The examples work everywhere."""

    def test_space_and_costs(self, family):
        supernet = HOST.supernet(str(EXAMPLES / f"{family}.yaml"))
        assert supernet.name == f"small_{family}"
        genes = supernet.space.sample(20, np.random.default_rng(0))
        for entry in HOST.entries("cost_models"):
            if not entry.qualified and entry.name != "outside":
                assert (entry.build(supernet).evaluate(genes) > 0).all()

    def test_other_image_sizes(self, family):
        supernet = HOST.supernet(str(EXAMPLES / f"{family}.yaml"))
        assert supernet.at([64, 96]).resolutions == (64, 96)

    def test_it_is_named_by_its_file(self, family, tmp_path):
        path = changed(tmp_path, family, "-name")
        odd = path.rename(tmp_path / "a net (2).yml")
        assert HOST.supernet(str(odd)).name == "a_net__2_"


def test_equal_widths_count_once(tmp_path):
    """Equal canonical rows are equal blocks, and the other way round, where widths coincide."""
    path = changed(
        tmp_path,
        "bottleneck",
        "stem_mid: [16, 16]",
        "widths: [[32, 32], [64, 72]]",
        "strides: [1, 2]",
        "base_depths: [1, 1]",
        "e: [0.2, 0.22]",
        "resolutions: [64]",
    )
    supernet = HOST.supernet(str(path))
    assert distinct_block_lists(supernet) == supernet.space.count()


def test_equal_ratios_count_once(tmp_path):
    lists = ["widths: [8, 16]", "strides: [2, 1]", "activations: [relu, relu]", "se: [true, false]"]
    path = changed(
        tmp_path,
        "mbconv",
        *lists,
        "first: 8",
        "e: [1.5, 2, 3]",
        "d: [1, 2]",
        "ks: [3]",
        "resolutions: [64]",
    )
    supernet = HOST.supernet(str(path))
    assert distinct_block_lists(supernet) == supernet.space.count()


def distinct_block_lists(supernet):
    sizes = tuple(supernet.space.sizes)
    every = np.indices(sizes).reshape(len(sizes), -1).T.astype(np.uint8)
    rows = np.unique(supernet.space.canonical(every), axis=0)
    geometry = supernet.geometry()
    lists = {tuple(b.ops for b in geometry.blocks(a)) for a in supernet.space.decode(rows)}
    assert len(lists) == len(rows)
    return len(lists)


@pytest.mark.parametrize(
    ("family", "change", "said"),
    [
        ("mbconv", "-family", "family: is required; known: bottleneck, .*mbconv"),
        ("mbconv", "family: mbcon", "unknown family of supernets 'mbcon'; nearest known: mbconv"),
        ("mbconv", "family: [mbconv]", "family: expected text, found"),
        ("mbconv", "name: ''", "name: expected a word, found ''"),
        ("mbconv", "name: ../../x", "name: expected a word, found"),
        ("mbconv", "name: 3", "name: expected a word, found 3"),
        ("mbconv", "name: moofa_v3x/", "name: expected a word"),
        ("mbconv", "name: ofa_mbv3_w1.0", "'ofa_mbv3_w1.0' is another supernet's"),
        ("mbconv", "name: OFA", "'OFA' is another supernet's"),
        ("mbconv", "colour: red", "unknown key 'colour'"),
        ("mbconv", "width: [8]", "unknown key 'width'; nearest known: .*widths"),
        ("mbconv", "-stem", "stem: is required"),
        ("mbconv", "stem: 16.0", "stem: expected a whole number, found 16.0"),
        ("mbconv", "stem: '16'", "stem: expected a whole number, found '16'"),
        ("mbconv", "stem: true", "stem: expected a whole number, found True"),
        ("mbconv", "stem: 0", "stem: must be 1 to 65536, found 0"),
        ("mbconv", f"stem: {10**30}", "stem: must be 1 to 65536, found a huge number"),
        ("mbconv", "widths: 24", "widths: expected a list .* found 24"),
        ("mbconv", "widths: [24, 40, x, 112]", r"widths\[2\]: expected a whole number, found 'x'"),
        ("mbconv", "widths: [24, 0, 80, 112]", "widths: must be 1 to 65536, found 0"),
        ("mbconv", "widths: []", "widths: must have 1 to 64 stages, found 0"),
        ("mbconv", f"widths: {[8] * 1000}", "widths: must have 1 to 64 stages, found 1000"),
        ("mbconv", "strides: [2, 2]", "strides: has 2 entries, but there are 4 stages"),
        ("mbconv", "strides: [2, 2, 2, 0]", "strides: must be 1 to 8, found 0"),
        ("mbconv", "activations: [relu, relu, swish, relu]", "activations.*found 'swish'"),
        ("mbconv", "se: [0, 1, 0, 1]", r"se\[0\]: expected true or false, found 0"),
        ("mbconv", "ks: [3, 4]", "ks: kernel sizes are odd, found 4"),
        ("mbconv", "ks: []", "ks: must list 1 to 255 options, found 0"),
        ("mbconv", "ks: [3, 3]", "ks: lists 3 twice"),
        ("mbconv", "ks: [65]", "ks: must be 1 to 63, found 65"),
        ("mbconv", "e: [3, 3.0]", "e: lists 3.0 twice"),
        ("mbconv", "e: [-1]", "e: must be 0.01 to 64, found -1"),
        ("mbconv", "e: [.inf]", "e: must be 0.01 to 64, found inf"),
        ("mbconv", "e: [.nan]", r"e\[0\]: expected a (whole )?number.*found nan"),
        ("mbconv", "d: [0, 1]", "d: must be 1 to 64, found 0"),
        (
            "mbconv",
            f"resolutions: {list(range(32, 300))}",
            "resolutions: must list 1 to 255 options",
        ),
        ("mbconv", "resolutions: [16]", "resolutions: must be 32 to 65536, found 16"),
        ("mbconv", "classes: 0", "classes: must be 1 to 10000000, found 0"),
        ("mbconv", "dropout: 1.5", "dropout: must be 0 to 0.99, found 1.5"),
        ("bottleneck", "stem: [32]", "must list as many widths, found 2 and 1"),
        ("bottleneck", "stem_mid: []", "stem_mid: .* must list as many widths"),
        ("bottleneck", "widths: [[128, 160], [256], [512, 640]]", r"widths\[1\]: .* found 1 and 2"),
        ("bottleneck", "widths: [128, 160, 256]", r"widths\[0\]: expected a list"),
        ("bottleneck", "base_depths: [0, 1, 1]", "base_depths: must be 1 to 64, found 0"),
        ("bottleneck", "d: [-1, 0]", "d: must be 0 to 64, found -1"),
        ("bottleneck", "d: [0, 0]", "d: lists 0 twice"),
        ("bottleneck", "e: []", "e: must list 1 to 255 options, found 0"),
    ],
)
def test_bad_rows(tmp_path, family, change, said):
    path = changed(tmp_path, family, change)
    with pytest.raises(OfaError, match=said) as caught:
        HOST.supernet(str(path))
    assert caught.value.exit_code == 2
    assert str(path) in caught.value.message


def test_options_multiplied(tmp_path):
    many = [1 + i / 100 for i in range(255)]
    path = changed(tmp_path, "mbconv", f"e: {many}", f"d: {list(range(1, 65))}")
    with pytest.raises(OfaError, match="ks × e × d: 32640 different blocks in one place"):
        HOST.supernet(str(path))
    path = changed(
        tmp_path,
        "mbconv",
        "d: [64]",
        f"widths: {[8] * 9}",
        f"strides: {[1] * 9}",
        f"activations: {['relu'] * 9}",
        f"se: {[True] * 9}",
    )
    with pytest.raises(OfaError, match="d: makes 576 places for blocks, at most 512"):
        HOST.supernet(str(path))


@pytest.mark.parametrize(
    "text",
    ["[", "a: &a [*a]", "- 1", "!!python/name:os.system ''", "\x00", "a: 1\na: 2", "[" * 9999],
)
def test_broken_files(tmp_path, text):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=r"mine\.yaml") as caught:
        HOST.supernet(str(path))
    assert caught.value.exit_code == 5


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        HOST.supernet(str(tmp_path / "none.yaml"))
