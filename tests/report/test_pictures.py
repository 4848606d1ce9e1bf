"""Charts and pictures: the right numbers, whole files, the same bytes."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ofa_plugins_core.errors import InputError, MissingExtraError, UsageError, installable
from ofa_plugins_core.report import (
    front_plot,
    history_chart,
    peak_of,
    read_published,
    search_result,
    subnet_picture,
    sweep_plot,
)
from ofa_plugins_core.report.canvas import inlined

HISTORY = [
    ("stem", "conv", 1200),
    ("block 0", "depthwise", 900),
    ("block 0", "project", 800),
    ("stage 1 block 1", "expand", 4100),
    ("stage 1 block 1", "depthwise", 5123),
    ("stage 1 block 1", "project", 2000),
    ("final expand", "conv", 700),
]


def texts(path: Path) -> list[str]:
    """All text of an SVG file, titles on hovering included; fails where it is not XML."""
    return [t for e in ElementTree.parse(path).iter() if (t := (e.text or "").strip())]


@pytest.fixture
def _drawable():
    pytest.importorskip("matplotlib")


@pytest.mark.usefixtures("_drawable")
class TestHistory:
    def test_every_value_is_in_the_chart(self, tmp_path):
        history_chart(HISTORY, "A title", tmp_path / "h.svg")
        found = texts(tmp_path / "h.svg")
        for block, op, value in HISTORY:
            assert f"{block}, {op}: {value:,} items" in found
        assert "A title" in found
        assert "stage 1" in found
        assert "memory of the op (items)" in found

    def test_the_peak_is_marked(self, tmp_path):
        history_chart(HISTORY, "t", tmp_path / "h.svg")
        assert "peak 5,123 items: stage 1 block 1, depthwise" in texts(tmp_path / "h.svg")
        assert peak_of(HISTORY) == HISTORY[4]

    def test_the_first_of_equal_peaks_is_taken(self):
        assert peak_of([("a", "x", 5), ("b", "y", 5)]) == ("a", "x", 5)

    def test_it_is_the_same_each_time(self, tmp_path):
        for suffix in (".svg", ".png"):
            for folder in ("a", "b"):
                history_chart(HISTORY, "t", tmp_path / folder / f"h{suffix}")
            files = [tmp_path / f / f"h{suffix}" for f in ("a", "b")]
            assert files[0].read_bytes() == files[1].read_bytes()

    def test_png(self, tmp_path):
        history_chart(HISTORY, "t", tmp_path / "h.png")
        assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")

    def test_text_is_escaped(self, tmp_path):
        history_chart([("<a> & b", "conv", 5)], "x < y & $z$", tmp_path / "h.svg")
        assert "<a> & b, conv: 5 items" in texts(tmp_path / "h.svg")

    def test_one_op_is_enough_and_none_is_an_error(self, tmp_path):
        history_chart(HISTORY[:1], "t", tmp_path / "h.svg")
        with pytest.raises(UsageError, match="no op"):
            history_chart([], "t", tmp_path / "n.svg")


@pytest.mark.usefixtures("_drawable")
class TestWriting:
    def test_a_failing_drawing_leaves_the_old_file(self, tmp_path, monkeypatch):
        history_chart(HISTORY, "t", tmp_path / "h.svg")
        before = (tmp_path / "h.svg").read_bytes()

        def full(*_: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(InputError, match="No space left"):
            history_chart(HISTORY[:2], "other", tmp_path / "h.svg")
        assert (tmp_path / "h.svg").read_bytes() == before
        assert [p.name for p in tmp_path.iterdir()] == ["h.svg"]

    def test_an_interruption_leaves_nothing(self, tmp_path, monkeypatch):
        def stopped(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(Path, "replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            history_chart(HISTORY, "t", tmp_path / "h.svg")
        assert list(tmp_path.iterdir()) == []

    def test_a_place_that_is_no_folder(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(InputError, match="cannot write"):
            history_chart(HISTORY, "t", tmp_path / "file" / "h.svg")

    @pytest.mark.parametrize("name", ["h.pdf", "h", "h.svg.txt"])
    def test_other_suffixes_are_refused(self, tmp_path, name):
        with pytest.raises(UsageError, match=r"\.svg or \.png"):
            history_chart(HISTORY, "t", tmp_path / name)


def test_without_matplotlib_the_install_line_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError) as caught:
        history_chart(HISTORY, "t", tmp_path / "h.svg")
    assert caught.value.exit_code == 2
    assert f"pip install {installable('ofa-plugins-core', 'plot')}" in caught.value.advice
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_drawable")
class TestSubnet:
    def test_every_block_and_choice_is_in_it(self, tmp_path, toy_host, toy_entry):
        supernet = toy_host.supernet("toy")
        arch = toy_entry(399)["arch"]
        blocks = supernet.geometry().blocks(arch)
        subnet_picture(
            blocks, arch, tmp_path / "p.svg", ("stage 1 block 2", "project", 999), title="toy"
        )
        found = texts(tmp_path / "p.svg")
        assert f"toy: input {arch['image_size']}×{arch['image_size']}" in found
        assert [t for t in found if t.startswith("stage 1 block 2: ")]
        assert {"stage 1", "stage 2", "shortcut", "peak memory", "5×5", "e 3"} <= set(found)
        assert "peak: 999 items (project)" in found
        out = blocks[-2].ops[-1]
        assert f"{out.channels_out} channels" in found
        assert f"{out.size_out}×{out.size_out} pixels" in found
        assert sum(bool(re.match(r"mid \d+$", t)) for t in found) == 4

    def test_without_a_peak(self, tmp_path, toy_host, toy_entry):
        arch = toy_entry(0)["arch"]
        subnet_picture(toy_host.supernet("toy").geometry().blocks(arch), arch, tmp_path / "p.png")
        assert (tmp_path / "p.png").stat().st_size > 10_000


@pytest.mark.usefixtures("_drawable")
class TestFronts:
    def test_accuracy_against_cost(self, tmp_path, result):
        front_plot(search_result(result), tmp_path / "f.svg")
        found = texts(tmp_path / "f.svg")
        assert "toy: top-1 accuracy against peak memory" in found
        assert "peak memory (items, computed)" in found
        assert "top-1 accuracy (%, predicted, 80 % interval)" in found
        assert "extrapolated" in found
        cost = result["front"][1]["costs"]["peak_memory"]["value"]
        assert f"66.50 % at {cost:,} items" in found

    def test_a_sweep_is_drawn_over_its_bounds(self, tmp_path, sweep):
        front_plot(search_result(sweep), tmp_path / "f.svg")
        found = texts(tmp_path / "f.svg")
        assert "bound on peak memory (items, computed)" in found
        assert "no network fits" in found

    def test_costs_alone(self, tmp_path, toy_entry, result):
        front = [toy_entry(n, None) for n in (0, 9)]
        for entry in front:
            entry["costs"]["flops"] = {"value": 5, "unit": "MACs", "kind": "computed"}
        front_plot(search_result({**result, "front": front}), tmp_path / "f.svg")
        assert "toy: multiply–accumulates against peak memory" in texts(tmp_path / "f.svg")

    def test_a_second_cost_is_a_colour(self, tmp_path, toy_entry, result):
        front = [toy_entry(n, 60.0 + n) for n in (0, 9)]
        for entry in front:
            entry["costs"]["flops"] = {"value": 5e6, "unit": "MACs", "kind": "computed"}
        front_plot(search_result({**result, "front": front}), tmp_path / "f.svg")
        assert "multiply–accumulates (MACs, computed)" in texts(tmp_path / "f.svg")

    def test_a_thousand_networks(self, tmp_path, toy_entry, result):
        front = [toy_entry(n % 400, 50 + n / 100) for n in range(1000)]
        front_plot(search_result({**result, "front": front}), tmp_path / "f.svg")
        assert (tmp_path / "f.svg").stat().st_size < 400_000

    def test_nothing_found_is_nothing_to_draw(self, tmp_path, result):
        with pytest.raises(UsageError, match="nothing to draw"):
            front_plot(search_result({**result, "front": []}), tmp_path / "f.svg")


PUBLISHED = """
{"source": "A paper", "series": [{"supernet": "toy", "label": "Toy", "points": [
  {"bound": 90000, "top1": 70.5}, {"bound": 9000, "top1": 60}
]}]}
"""


@pytest.mark.usefixtures("_drawable")
class TestSweeps:
    def test_published_points_stand_beside(self, tmp_path, sweep):
        (tmp_path / "p.json").write_text(PUBLISHED)
        published = read_published(tmp_path / "p.json")
        assert published[0].points == ((9000, 60), (90000, 70.5))
        sweep_plot([search_result(sweep)], tmp_path / "s.svg", published=published)
        found = texts(tmp_path / "s.svg")
        assert {"toy, found", "Toy, published", "no network fits"} <= set(found)
        assert "Toy, published: 60.00 % under 9,000, 70.50 % under 90,000" in found

    def test_up_to_a_limit(self, tmp_path, sweep):
        (tmp_path / "p.json").write_text(PUBLISHED)
        published = read_published(tmp_path / "p.json")
        sweep_plot([search_result(sweep)], tmp_path / "s.svg", published=published, limit=10000)
        assert "Toy, published: 60.00 % under 9,000" in texts(tmp_path / "s.svg")

    def test_a_front_is_no_sweep(self, tmp_path, result):
        with pytest.raises(UsageError, match="no sweep"):
            sweep_plot([search_result(result)], tmp_path / "s.svg")

    def test_sweeps_of_different_costs_do_not_mix(self, tmp_path, sweep):
        other = search_result({**sweep, "swept": "flops"})
        with pytest.raises(UsageError, match="different costs: peak_memory, flops"):
            sweep_plot([search_result(sweep), other], tmp_path / "s.svg")


@pytest.mark.parametrize("text", ["", "[]", '{"source": 1}', '{"source": "", "series": [{}]}'])
def test_broken_published_points(tmp_path, text):
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(InputError, match="no published points"):
        read_published(tmp_path / "p.json")


@pytest.mark.usefixtures("_drawable")
def test_two_inlined_pictures_share_no_ids(tmp_path):
    history_chart(HISTORY, "t", tmp_path / "h.svg")
    one, two = (inlined(tmp_path / "h.svg", prefix) for prefix in ("a", "b"))
    ids = [set(re.findall(r' id="([^"]+)"', text)) for text in (one, two)]
    assert ids[0]
    assert not ids[0] & ids[1]
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', one))
    assert used <= ids[0]
    assert "var(--ink)" in one
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", one)
