"""The page of a run: self-contained, escaped, whole."""

import re
from html.parser import HTMLParser

import pytest

from ofa_plugins_core.report.drawing import draw_run
from ofa_plugins_core.report.embedded import Drawable
from ofa_plugins_core.report.networks import networks_of
from ofa_plugins_core.report.page import Chapter, page
from ofa_plugins_core.report.points import points_of
from ofa_plugins_core.report.results import read_run
from ofa_plugins_core.report.summary import summary

VOID = {"meta", "br", "input"}


class Balance(HTMLParser):
    """Every element that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data.strip())


def read(text: str) -> list[str]:
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    return [t for t in parser.text if t]


def page_of(run, figures=(), networks=(), notes=()) -> str:
    return page([Chapter(Drawable(run, points_of(run)), figures, networks)], notes)


def test_the_tables_hold_the_result(make_run, result):
    run = read_run(make_run(result))
    found = read(page_of(run))
    assert found.count("71.75") == 1
    assert "70.75 to 72.75" in found
    assert "items, computed" in found
    assert f"{run.search.points[1].costs['peak_memory'].value:,}" in found
    assert "extrapolated" in found
    assert "17" in found
    assert any("proven optimal" in t for t in found)


def test_it_says_how_it_was_made(make_run, result):
    folder = make_run(result)
    found = "\n".join(read(page_of(read_run(folder))))
    assert "ofa run search --constraint 'peak_memory<=9k'" in found
    assert f"ofa run search --config {folder}/config.yaml --out NEW-FOLDER" in found
    assert "seed: 7" in found
    assert "1.26" in found


def test_a_sweep_lists_what_nothing_meets(make_run, sweep):
    found = read(page_of(read_run(make_run(sweep))))
    assert "Bounds that no network meets" in found
    assert {"1,000", "4,321", "stage 1 block 1"} <= set(found)


def test_a_sweep_that_met_nothing(make_run, sweep):
    run = read_run(make_run({**sweep, "front": sweep["front"][:1]}))
    assert "4,321" in read(page_of(run))
    assert summary(run)[0][2] == ()
    assert draw_run(run) == []


def test_a_thinned_front_says_by_how_much_in_units(make_run, result):
    epsilon = {"accuracy": 0.48131, "peak_memory": 15_000_000.0, "params": 165_800.0}
    run = read_run(make_run({**result, "optimal": False, "thinned": {"epsilon": epsilon}}))
    said = (
        "Each network left out is within 0.481 points of top-1 accuracy, 15M items of peak memory, "
        "165.8k of parameters of one that is shown."
    )
    assert said in page_of(run)
    assert said in summary(run)[0][0]
    assert "Searched by exact: thinned, so not the whole front." in page_of(run)
    assert "not proven optimal" not in page_of(run)


def test_an_interrupted_search_is_proven_nothing(make_run, result):
    thinned = {"optimal": False, "interrupted": True, "thinned": {"epsilon": {"accuracy": 1.0}}}
    assert "not proven optimal" in page_of(read_run(make_run({**result, **thinned})))


def test_other_jobs_have_a_plain_page(make_run):
    run = read_run(make_run({"records": 1234, "held_out": {"tau": 0.95}, "ok": True}, job="fit"))
    assert {"records", "1,234", "held_out.tau", "0.95", "yes"} <= set(read(page_of(run)))
    assert summary(run)[0][2] == [("records", "1234"), ("ok", "True")]


def test_a_list_is_a_result_too(make_run):
    assert "Result" in read(page_of(read_run(make_run([{"params": 1}], job="cost"))))


def test_nothing_of_the_run_becomes_markup(make_run, result):
    evil = "<script>alert(1)</script>"
    run = read_run(make_run({**result, "note": evil, "supernet": evil}, note=evil))
    text = page_of(run, notes=[evil])
    assert evil not in text
    assert text.count("<script") == 2  # the numbers, and the page's own code
    read(text)


def test_long_fronts_are_shortened(make_run, result, toy_entry):
    front = [toy_entry(n % 400, 50 + n / 100) for n in range(1000)]
    text = page_of(read_run(make_run({**result, "front": front})))
    assert "1,000 networks, 200 of them here; all in front.csv" in text
    assert text.count("<tr") < 300


def test_the_page_asks_nothing_of_the_network(make_run, result, toy_host):
    pytest.importorskip("matplotlib")
    run = read_run(make_run(result))
    networks = networks_of(toy_host, run, 2)
    figures = draw_run(run, networks)
    text = page_of(run, figures, networks)
    read(text)
    assert [f.network for f in figures] == [None, 1, 1, 2, 2]
    assert all(f.file.is_file() for f in figures)
    assert text.count('xmlns="http://www.w3.org/2000/svg"') == 5
    rest = re.sub(r'xmlns(:\w+)?="[^"]*"|"http://www.w3.org/2000/svg"', "", text)
    assert not re.search(r"https?://|<link|<img|<iframe|@import|src=", rest)
    assert "default-src 'none'; script-src 'sha256-" in text
    assert "color-scheme: light dark" in text


def test_both_suffixes_are_drawn(make_run, result):
    pytest.importorskip("matplotlib")
    run = read_run(make_run(result))
    draw_run(run, suffixes=(".svg", ".png"))
    assert sorted(p.name for p in (run.folder / "plots").iterdir()) == ["front.png", "front.svg"]


def test_the_networks_are_the_best_ones(make_run, result, toy_host):
    run = read_run(make_run(result))
    (network,) = networks_of(toy_host, run, 1)
    assert network.point.accuracy.value == 71.75
    peak = max(items for *_, items in network.history)
    assert peak == network.point.costs["peak_memory"].value
    assert networks_of(toy_host, run, 0) == []
