"""The page in a real browser, used as a reader uses it: by pointer, by keyboard, on paper."""

from __future__ import annotations

import re

import pytest

from ofa_plugins_core.report.anatomy import anatomy_of
from ofa_plugins_core.report.embedded import Drawable
from ofa_plugins_core.report.page import Chapter, page
from ofa_plugins_core.report.points import points_of
from ofa_plugins_core.report.results import read_run

EVIL = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


@pytest.fixture
def written(make_run, toy_host, tmp_path):
    """Results by name of their run -> a page of them."""

    def made(**results):
        chapters = []
        for name, result in results.items():
            run = read_run(make_run(result, name))
            points = points_of(run)
            chapters.append(Chapter(Drawable(run, points, anatomy_of(toy_host, run, points))))
        file = tmp_path / "page.html"
        file.write_text(page(chapters), encoding="utf-8")
        return file

    return made


@pytest.fixture
def two(written, result, toy_entry):
    """A front of three networks, and one of two: 60.25, 66.5 and 71.75 %; 63 and 69 %."""
    other = {**result, "front": [toy_entry(80, 63.0), toy_entry(250, 69.0)]}
    return written(first=result, second=other)


@pytest.fixture
def tab(open_page, two):
    return open_page(two)


def marks(tab, kind):
    """Places in the window of the marks of the first run: circles."""
    tab.middle("#chart")
    path = tab.value(
        f"document.querySelector('#chart .run-0 .mark.{kind}')?.getAttribute('d') ?? ''"
    )
    frame = tab.value("(r => [r.x, r.y])(document.getElementById('chart').getBoundingClientRect())")
    found = re.findall(r"M(\S+) (\S+?)a(\S+)", path)
    return [(frame[0] + float(x) + float(r), frame[1] + float(y)) for x, y, r in found]


def test_it_complains_of_nothing_and_asks_the_network_for_nothing(tab, two):
    assert tab.complaints() == []
    assert tab.requests() == [two.absolute().as_uri()]
    assert tab.value("document.querySelectorAll('#chart .mark').length") == 3


def test_hovering_shows_the_network(tab):
    x, y = marks(tab, "solid")[0]
    tab.move(x + 3, y - 3)
    tab.until("!document.getElementById('tip').hidden")
    said = tab.text("#tip")
    assert "60.25 %" in said
    assert "predicted; 80 %: 59.25 to 61.25" in said
    assert "computed" in said
    assert "toy at " in said
    assert tab.value("document.querySelectorAll('#tip svg rect').length") > 0
    tab.move(5, 5)
    tab.until("document.getElementById('tip').hidden")


def test_a_click_keeps_a_network_with_its_memory_its_sources_and_its_commands(tab):
    tab.click(*marks(tab, "solid")[1])
    tab.until("document.getElementById('selected').textContent.includes('66.50')")
    tab.move(5, 5)
    said = tab.text("#selected")
    assert "17 measured records behind" in said
    assert "MOOFA" in said  # the source of the definition
    assert "additive · a test" in said  # of the prediction
    assert "ofa run cost --supernet toy --archs network.jsonl" in said
    assert "ofa run search --constraint 'peak_memory<=9k'" in said
    assert '"image_size":' in said
    assert re.search(r"peak [\d,]+ items: ", said)
    assert tab.value("document.querySelectorAll('#selected .picture rect.peak').length") == 1
    assert tab.value("document.querySelectorAll('#selected .history rect.peak').length") == 1


def test_copying_says_what_it_did(tab):
    tab.click_on("#selected .copy")
    tab.until("/copied|selected/.test(document.getElementById('said').textContent)")
    assert tab.complaints() == []


def test_a_slider_dims_what_does_not_meet_it_and_says_how_many_are_left(tab):
    assert "5 of 5 networks" in tab.text("#left")
    tab.value("document.getElementById('bound-0').focus()")
    tab.press("End")  # the most accurate alone
    tab.until("document.getElementById('left').textContent.startsWith('1 of 5')")
    assert "71.75 %" in tab.text("#left")
    assert len(marks(tab, "dim")) == 2
    assert tab.value("document.getElementById('bound-0-number').value") == "71.75"
    tab.until("document.getElementById('said').textContent.startsWith('1 of 5')")
    tab.click_on("#reset")
    tab.until("document.getElementById('left').textContent.startsWith('5 of 5')")


def test_a_bound_as_a_number_and_the_best_that_meets_it(tab):
    tab.value("document.getElementById('bound-1-number').focus()")
    numbers = "JSON.parse(document.getElementById('data').textContent)"
    most = tab.value(f"{numbers}.runs[0].points[0][1][1][1]")
    tab.call("Input.insertText", text=str(most))
    tab.until("!document.getElementById('left').textContent.startsWith('5 of 5')")
    tab.click_on("#take")
    (best,) = re.findall(r"best of them: .*?accuracy ([\d.]+ %)", tab.text("#left"))
    tab.until(f"document.getElementById('selected').textContent.includes('{best}')")
    assert best != "71.75 %"


@pytest.fixture
def apart(open_page, written, result, toy_entry):
    """Two on imagenet, of one of which nothing measured is behind; and one on digits."""
    bare = {**result, "front": [toy_entry(80, 83.0, support=0)]}
    digits = {**result, "dataset": "digits", "front": [toy_entry(250, 92.0)]}
    return open_page(written(measured=result, bare=bare, digits=digits))


def test_each_data_set_has_a_best_of_its_own(apart):
    said = apart.text("#left")
    assert "The best on imagenet: bare: top-1 accuracy on imagenet 83.00 %" in said
    assert "The best on imagenet with measured accuracies behind it: measured: " in said
    assert "The best on digits: digits: top-1 accuracy on digits 92.00 %" in said
    assert "no measured accuracy behind it" in apart.text("#count-1")
    assert "no value on these axes" in apart.text("#count-2")
    assert "no value on these axes" not in apart.text("#count-0")
    assert apart.complaints() == []


def test_a_bound_on_one_accuracy_leaves_that_of_other_data_alone(apart):
    apart.value("document.getElementById('bound-0-number').focus()")
    apart.call("Input.insertText", text="70")
    apart.until("document.getElementById('left').textContent.startsWith('2 of 5')")
    assert "The best on digits: digits: top-1 accuracy on digits 92.00 %" in apart.text("#left")
    assert apart.text("label[for='bound-0']") == "top-1 accuracy on imagenet at least"


def test_a_bound_that_nothing_meets(tab):
    tab.value("document.getElementById('bound-0-number').focus()")
    tab.call("Input.insertText", text="99")
    tab.until("document.getElementById('left').textContent.startsWith('0 of 5')")
    assert tab.value("document.getElementById('take').disabled")
    assert tab.complaints() == []


def test_other_axes(tab):
    before = tab.value("document.querySelector('#chart .run-0 .mark').getAttribute('d')")
    size = tab.value(
        "[...document.querySelectorAll('#axis-x option')]"
        ".find(o => o.textContent.startsWith('image size')).value"
    )
    tab.value(
        f"(c => {{ c.value = '{size}'; c.dispatchEvent(new Event('change')) }})"
        "(document.getElementById('axis-x'))"
    )
    tab.until("document.querySelector('#chart').textContent.includes('image size (pixels)')")
    assert tab.value("document.querySelector('#chart .run-0 .mark').getAttribute('d')") != before
    assert tab.complaints() == []


def test_a_run_is_left_out_and_comes_back(tab):
    assert tab.value("document.querySelectorAll('#chart [data-run]').length") == 2
    tab.click_on("#runs label:nth-of-type(2) input")
    tab.until("document.querySelectorAll('#chart [data-run]').length === 1")
    assert "3 of 3 networks" in tab.text("#left")
    tab.click_on("#runs label:nth-of-type(2) input")
    tab.until("document.querySelectorAll('#chart [data-run]').length === 2")


def test_runs_differ_by_shape_not_by_colour_alone(tab):
    shapes = tab.value("[...document.querySelectorAll('#runs path')].map(p => p.getAttribute('d'))")
    assert len(set(shapes)) == 2


def test_the_keyboard_goes_along_the_front_keeps_and_leaves(tab):
    tab.value("document.getElementById('fit').focus()")
    for _ in range(3):  # the two runs of the legend, then the chart
        tab.press("Tab")
    assert tab.value("document.activeElement.id") == "chart"
    tab.press("Home")
    tab.until("document.getElementById('said').textContent.includes('60.25')")
    tab.press("ArrowRight")
    tab.until("document.getElementById('said').textContent.includes('66.50')")
    tab.press("ArrowDown")
    tab.until("document.getElementById('said').textContent.startsWith('second')")
    tab.press("Enter")
    tab.until("document.getElementById('said').textContent.startsWith('Kept: second')")
    assert "second" in tab.text("#selected")
    tab.press("Escape")
    tab.until("document.getElementById('tip').hidden")


def test_every_control_has_a_name_and_shows_where_the_focus_is(tab):
    nameless = tab.value(
        "[...document.querySelectorAll('input, select, button')]"
        ".filter(e => !e.labels?.length && !e.ariaLabel && !e.textContent).map(e => e.id)"
    )
    assert nameless == []
    tab.value("document.getElementById('axis-x').focus()")
    tab.press("Tab")
    assert tab.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_light_and_dark_by_the_system_and_by_the_button(open_page, two):
    light, dark = open_page(two), open_page(two, dark=True)
    grounds = [t.value("getComputedStyle(document.body).backgroundColor") for t in (light, dark)]
    assert grounds == ["rgb(246, 248, 250)", "rgb(13, 17, 23)"]
    pictures = [t.screenshot() for t in (light, dark)]
    assert all(len(p) > 20_000 for p in pictures)
    assert pictures[0] != pictures[1]
    light.click_on("#theme")
    light.click_on("#theme")
    assert light.text("#theme") == "Colours: dark"
    assert light.value("getComputedStyle(document.body).backgroundColor") == grounds[1]


def test_a_narrow_window_scrolls_one_way_only(open_page, two):
    tab = open_page(two, size=(400, 800))
    assert tab.value("document.documentElement.scrollWidth") <= 400
    assert len(marks(tab, "solid")) == 2


@pytest.mark.parametrize("kind", ["solid", "hollow"])
def test_in_a_narrow_window_the_network_is_shown_below_the_chart_and_all_of_it(
    open_page, written, result, toy_entry, kind
):
    entry = toy_entry(150, 66.5, support=17)
    entry["costs"]["latency@a_phone_with_a_long_name"] = {
        "value": 123456.789,
        "unit": "ms",
        "kind": "predicted",
        "low": 123000.5,
        "high": 124000.5,
    }
    long = {**result, "front": [entry, toy_entry(399, 71.75, extrapolated=True)]}
    tab = open_page(written(first=long, digits={**long, "dataset": "digits"}), size=(400, 800))
    tab.move(*marks(tab, kind)[0])
    tab.until("!document.getElementById('tip').hidden")
    sides = (
        "(e => [e.left, e.right, e.top])(document.getElementById('tip').getBoundingClientRect())"
    )
    left, right, top = tab.value(sides)
    foot = tab.value("document.getElementById('frame').getBoundingClientRect().bottom")
    assert 0 <= left < right <= 400
    assert top >= foot - 2  # the marks stay in sight
    beyond = (
        "[...document.querySelectorAll('#tip *')]"
        f".filter(e => e.getBoundingClientRect().right > {right}).length"
    )
    assert tab.value(beyond) == 0
    assert tab.value("document.documentElement.scrollWidth") <= 400


def test_the_names_of_the_axes_fit_into_a_narrow_chart(open_page, written, result):
    digits = {**result, "dataset": "a set of many digits"}
    tab = open_page(written(first=digits, second=result), size=(400, 800))
    tab.until("document.querySelectorAll('#chart .axis').length === 2")
    outside = (
        "(c => [...document.querySelectorAll('#chart .axis')].filter(t => "
        "{ const r = t.getBoundingClientRect(); return r.top < c.top || r.left < c.left "
        "|| r.bottom > c.bottom || r.right > c.right; }).length)"
        "(document.getElementById('chart').getBoundingClientRect())"
    )
    assert tab.value(outside) == 0


def test_a_long_name_stays_in_its_card(open_page, written, result, toy_entry):
    entry = toy_entry(0)
    entry["costs"] = {"energy" * 30: {"value": 1, "unit": "mJ", "kind": "computed"}}
    tab = open_page(written(only={**result, "front": [entry]}))
    over = "[...document.querySelectorAll('.card *')].filter(e => e.scrollWidth > e.clientWidth)"
    assert tab.value(f"{over}.length") == 0


def test_paper_has_everything_open_and_no_controls(tab):
    assert tab.pdf().startswith(b"%PDF")
    tab.call("Emulation.setEmulatedMedia", media="print")
    shown = "getComputedStyle(document.querySelector('{}')).display"
    assert tab.value(shown.format("#bounds")) == "none"
    assert tab.value(shown.format("#theme")) == "none"
    assert tab.value(shown.format("#chart")) != "none"
    tab.value("window.dispatchEvent(new Event('beforeprint'))")
    assert tab.value("document.querySelectorAll('details:not([open])').length") == 0


def test_nothing_of_a_result_becomes_markup(open_page, written, result, toy_entry):
    entry = toy_entry(3, 61.0)
    entry["costs"] = {EVIL: {"value": 1, "unit": EVIL, "kind": "computed", "source": EVIL}}
    entry["arch"] = {**entry["arch"], "note": EVIL}
    broken = {**result, "predictor": EVIL, "note": EVIL, "front": [entry]}
    tab = open_page(written(first=result, evil=broken))
    tab.value("document.getElementById('chart').focus()")
    tab.press("ArrowDown")
    tab.press("Enter")
    assert tab.value("typeof window.hacked") == "undefined"
    assert tab.value("document.querySelectorAll('img').length") == 0
    assert tab.complaints() == []


def test_without_its_script_the_tables_are_there(open_page, two):
    tab = open_page(two)
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    tab.call("Page.reload")
    tab.until("document.readyState === 'complete' && !document.documentElement.className")
    assert tab.value("document.getElementById('explorer').hidden")
    assert "71.75" in tab.text("main")
