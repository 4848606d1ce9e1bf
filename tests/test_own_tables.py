"""Our latency tables: written, read again as they were, and refused where they are broken."""

from __future__ import annotations

import json
import math

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ofa_plugins_core import InputError
from ofa_plugins_core.config import plain
from ofa_plugins_core.own_tables import (
    OwnNetwork,
    OwnRow,
    OwnTable,
    best_form,
    device_words,
    installed,
    read_own,
    user_folder,
)
from ofa_plugins_core.table_model import Correction, FormFit, TableError
from ofa_plugins_core.timing import Effort, Timed, summary

finite = st.floats(1e-6, 1e6)
texts = st.text(max_size=12)
rows = st.builds(
    OwnRow,
    mean=finite,
    std=st.floats(0, 1e6),
    count=st.integers(1, 10**6),
    half_width=st.none() | finite,
    disturbed=st.integers(0, 99),
    conditions=st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False)),
    reference=st.none() | finite,
)
corrections = st.builds(Correction, scale=finite, per_block=finite, offset=finite)
correlations = st.none() | st.floats(-1, 1)
errors = st.builds(
    TableError,
    networks=st.integers(1, 999),
    mape=finite,
    spearman=correlations,
    pearson=correlations,
    low=finite,
    high=finite,
)
sized = st.dictionaries(
    st.integers(32, 1024).map(str),
    st.dictionaries(texts, rows, min_size=1, max_size=2),
    min_size=1,
    max_size=2,
)
tables = st.builds(
    OwnTable,
    supernet=texts,
    device=st.dictionaries(texts, texts),
    batch=st.integers(1, 64),
    effort=st.builds(Effort, precision=finite, most=st.integers(2, 99)),
    made=texts,
    reference=st.none() | finite,
    swing=st.tuples(finite, finite),
    correction=corrections,
    error=st.none() | errors,
    forms=st.lists(
        st.builds(FormFit, form=texts, correction=corrections, error=errors), max_size=2
    ),
    rows=sized,
    parts=st.just({}) | sized,
    networks=st.lists(
        st.builds(
            OwnNetwork,
            arch=st.just({"ks": [3], "e": [4], "d": [1], "image_size": 64}),
            sum=finite,
            blocks=st.integers(1, 99),
            measured=rows,
            seen=finite,
            split_sum=st.none() | finite,
        ),
        max_size=2,
    ),
)

on_disk = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def written(folder, table):
    path = folder / "table.json"
    text = table if isinstance(table, str) else json.dumps(plain(table), ensure_ascii=False)
    path.write_text(text, encoding="utf-8")
    return path


class TestRoundTrip:
    """What is written is what is read."""

    def test_a_table(self, tmp_path, own_table):
        table = own_table()
        assert read_own(written(tmp_path, table)) == table

    @settings(on_disk, max_examples=50)
    @given(tables)
    def test_any_table(self, tmp_path, table):
        assert read_own(written(tmp_path, table)) == table

    def test_a_measurement_as_a_row(self):
        timed = evolve(summary([1.0, 1.1, 0.9, 40.0], {"celsius": 40.0}), reference=3.0)
        row = OwnRow.of(timed)
        assert (row.mean, row.std, row.count) == (timed.mean, timed.std, 3)
        assert (row.half_width, row.disturbed) == (timed.half_width, 1)
        assert (row.conditions, row.reference) == ({"celsius": 40.0}, 3.0)
        assert row.reference_half_width is None
        beside = evolve(timed, reference_half_width=0.1)
        assert OwnRow.of(beside).reference_half_width == 0.1
        assert row.variation == pytest.approx(timed.variation)

    def test_an_interval_that_is_not_known_is_none(self):
        assert OwnRow.of(Timed(1.0, 0.0, 1.0, math.inf, 1.0, 1.0, 1)).half_width is None

    def test_the_published_form_of_one_size(self, own_table):
        table = own_table()
        found = table.published(64)
        assert set(found) == set(table.rows["64"])
        for key, row in table.rows["64"].items():
            assert found[key] == {"count": row.count, "mean": row.mean, "std": row.std}


class TestLevels:
    """A row as it would be at another speed of the device."""

    ROW = OwnRow(mean=2.0, std=0.1, count=9, half_width=0.05, reference=5.0)

    def test_what_slowed_the_reference_too_is_taken_out(self):
        row = self.ROW.levelled(4.0)
        assert (row.mean, row.std, row.half_width) == pytest.approx((1.6, 0.08, 0.04))
        assert row.variation == pytest.approx(self.ROW.variation)
        assert row.count == 9

    def test_it_is_known_no_better_than_the_reference(self):
        """3 % of the row and 4 % of the reference are 5 % of their ratio."""
        row = evolve(self.ROW, half_width=0.03 * 2.0, reference_half_width=0.04 * 5.0)
        assert row.levelled(4.0).half_width == pytest.approx(0.05 * 1.6)

    def test_at_its_own_speed_it_is_itself(self):
        assert self.ROW.levelled(5.0) == self.ROW

    @pytest.mark.parametrize("level", [None, 4.0])
    def test_without_a_reference_it_stays(self, level):
        row = evolve(self.ROW, reference=None)
        assert row.levelled(level) == row
        assert self.ROW.levelled(None) == self.ROW


def places(value, path=()):
    """Every place in a tree of JSON."""
    yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, part in inner:
        yield from places(part, (*path, key))


def with_change(value, path, change):
    if not path:
        return change(value)
    key, *rest = path
    copy = value.copy()
    copy[key] = with_change(value[key], rest, change)
    return copy


junk = st.sampled_from(
    [None, True, -1, 0, 1.5, -0.5, 1e300, 10**400, "", "x", "1", [], [1], {}, {"a": 1}, "\ud800"]
)


def read_or_refused(path):
    """The table, or None where an InputError names the file."""
    try:
        return read_own(path)
    except InputError as error:
        if str(path) not in error.message or len(error.message) > 3000:
            raise AssertionError(error.message) from error
        return None


class TestBroken:
    """Whatever is wrong with a file is an InputError that names it."""

    @pytest.fixture
    def small(self, own_table):
        return plain(own_table((32,)))

    @settings(on_disk, max_examples=400)
    @given(data=st.data())
    def test_any_change_is_read_or_refused(self, tmp_path, small, data):
        path = data.draw(st.sampled_from(list(places(small))))
        new = data.draw(junk)
        changed = with_change(small, path, lambda old: new)
        found = read_or_refused(written(tmp_path, json.dumps(changed)))
        assert found is None or isinstance(found, OwnTable)

    @settings(on_disk, max_examples=200)
    @given(data=st.data())
    def test_what_is_left_out_has_a_default_or_is_asked_for(self, tmp_path, small, data):
        path = data.draw(
            st.sampled_from([p for p in places(small) if p and isinstance(p[-1], str)])
        )
        *parent, last = path
        changed = with_change(
            small, parent, lambda old: {k: v for k, v in old.items() if k != last}
        )
        read_or_refused(written(tmp_path, json.dumps(changed)))

    @settings(on_disk)
    @given(data=st.data())
    def test_any_cut_is_refused(self, tmp_path, small, data):
        text = json.dumps(small)
        end = data.draw(st.integers(0, len(text) - 1))
        with pytest.raises(InputError, match=r"table\.json"):
            read_own(written(tmp_path, text[:end]))

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"format": "mine"}, "no latency table of ours: its format is 'mine'"),
            ({"version": 2}, "version"),
            ({"batch": 0}, "batch"),
            ({"rows": {}}, "a table needs some at each image size"),
            ({"rows": {"32": {}}}, "a table needs some at each image size"),
            ({"rows": {"12": {"a": {"mean": 1, "std": 0, "count": 1}}}}, "'12' is no image size"),
            ({"rows": {"x": {"a": {"mean": 1, "std": 0, "count": 1}}}}, "'x' is no image size"),
            ({"rows": {"32": {"a": {"mean": 0, "std": 0, "count": 1}}}}, "mean"),
            ({"rows": {"32": {"a": {"mean": 1, "std": -1, "count": 1}}}}, "std"),
            ({"rows": {"32": {"a": {"mean": 1, "std": 0, "count": 0}}}}, "count"),
            ({"rows": {"32": {"a": {"mean": 1, "std": 0}}}}, "count"),
            ({"rows": {"32": {"a": {"mean": 1, "std": 0, "count": 1, "max": 2}}}}, "max"),
            ({"correction": {"scale": 0}}, "scale"),
            ({"colour": "blue"}, "colour"),
            ({"device": {"cores": 4}}, "cores"),
        ],
    )
    def test_what_is_wrong_is_named(self, tmp_path, small, changes, said):
        with pytest.raises(InputError, match=said) as caught:
            read_own(written(tmp_path, json.dumps({**small, **changes})))
        assert caught.value.exit_code == 5

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
    @pytest.mark.parametrize("place", ["mean", "std", "half_width", "reference"])
    def test_rows_hold_numbers(self, tmp_path, small, place, number):
        text = json.dumps(with_change(small, ("rows", "32"), lambda rows: {**rows, "a": "ROW"}))
        row = json.dumps({"mean": 1.0, "std": 0.1, "count": 3, place: 0}).replace(
            ": 0}", f": {number}}}"
        )
        row = row if number in row else row.replace(f'"{place}": 0', f'"{place}": {number}')
        with pytest.raises(InputError):
            read_own(written(tmp_path, text.replace('"ROW"', row)))

    def test_a_published_file_is_not_ours(self, tmp_path):
        with pytest.raises(InputError, match="its format is None") as caught:
            read_own(written(tmp_path, '{"Conv-input": {"count": 1, "mean": 1}}'))
        assert "published tables lie one a size in a folder" in caught.value.advice

    def test_no_file(self, tmp_path):
        with pytest.raises(InputError, match="cannot read"):
            read_own(tmp_path / "table.json")


class TestWords:
    """How a table is told of."""

    def test_where(self, own_table):
        assert own_table().where == "bench, Toy 1, 2 threads, batch 1"

    @pytest.mark.parametrize(
        ("device", "words"),
        [
            ({}, "batch 4"),
            ({"device": "jetson", "mode": "15W", "cores": "6"}, "jetson, 15W, batch 4"),
            ({"device": "cpu", "threads": "1"}, "cpu, 1 thread, batch 4"),
        ],
    )
    def test_a_device(self, device, words):
        assert device_words(device, 4) == words

    def test_the_best_form_is_the_tables(self, own_table):
        table, error = own_table(), own_table().error
        forms = [
            FormFit(form=f, correction=Correction(s), error=error) for f, s in (("a", 2), ("b", 3))
        ]
        found = best_form(table, forms)
        assert (found.correction, found.forms) == (Correction(2), forms)
        assert best_form(table, []) is table


class TestInstalled:
    """Tables that the user keeps under a name."""

    def test_they_lie_where_the_user_says(self, monkeypatch, tmp_path):
        monkeypatch.setenv("OFA_TABLES", str(tmp_path))
        assert user_folder() == tmp_path
        assert installed() == {}
        for name in ("phone", "board", "empty"):
            (tmp_path / name).mkdir()
        for name in ("phone", "board"):
            written(tmp_path / name, "{}")
        (tmp_path / "file").write_text("x")
        assert installed() == {n: tmp_path / n for n in ("board", "phone")}

    def test_else_among_the_users_data(self, monkeypatch, tmp_path):
        monkeypatch.delenv("OFA_TABLES", raising=False)
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
        assert user_folder() == tmp_path / "ofa-plugins" / "tables"
        assert installed() == {}
