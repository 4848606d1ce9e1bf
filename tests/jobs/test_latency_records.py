"""Latencies come as the published CSV; a broken line is named."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.jobs.latency_records import latency_csv, read_latencies
from ofa_plugins_core.testing.toys import everything, toy_supernet

HEAD = "net_id,net_str,device,resolution,lat unit,end-to-end lat"
NET = "MBConv2_3x3->MBConv3_5x5|MBConv3_5x5"
TOY = toy_supernet()


@pytest.fixture
def read(tmp_path):
    """(lines) -> what a file of them holds."""

    def call(*lines, head=HEAD):
        file = tmp_path / "bench.csv"
        file.write_text("\n".join([head, *lines]) + "\n")
        return read_latencies([file], TOY)

    return call


def test_what_is_written_is_read_back(tmp_path):
    genes = everything(TOY.space)[::7]
    latency = np.random.default_rng(0).uniform(1, 9, len(genes))
    file = tmp_path / "x.csv"
    file.write_text(latency_csv(TOY, genes, latency, "my phone, new"))
    found = read_latencies([file], TOY)
    assert found.device == "my phone, new"
    order = np.lexsort(genes.T[::-1])
    assert np.array_equal(found.found.genes, genes[order])
    assert np.array_equal(found.found.latency, latency[order])


def test_the_columns_are_the_published_ones():
    text = latency_csv(TOY, everything(TOY.space)[:1], np.ones(1), "bench")
    head, line = csv.reader(text.splitlines())
    assert ",".join(head) == HEAD
    assert line[2:] == ["bench", "32", "ms", "1.0"]


def test_other_units_are_taken_as_milliseconds(read):
    found = read(f"0,{NET},bench,32,s,0.004", f"1,{NET},bench,64,us,7000")
    assert found.found.latency.tolist() == pytest.approx([4.0, 7.0])
    assert found.supernet.resolutions == (32, 64)


def test_a_network_that_is_there_twice_counts_once(read):
    found = read(f"0,{NET},bench,32,ms,4", f"1,{NET},bench,32,ms,6")
    assert (found.found.latency.tolist(), found.repeated) == ([5.0], 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"0,{NET},bench,32,ms", "line 2: 5 fields, expected 6"),
        ("0,MBConv9_3x3|MBConv3_5x5,bench,32,ms,4", "line 2: Unit 0 Layer 0: 'MBConv9_3x3'"),
        (f"0,{NET},,32,ms,4", "line 2: no device is named"),
        (f"0,{NET},bench,16,ms,4", "line 2: resolution: expected pixels, found '16'"),
        (f"0,{NET},bench,large,ms,4", "line 2: resolution: expected pixels"),
        (f"0,{NET},bench,32,h,4", "line 2: lat unit: expected ms, s, us, found 'h'"),
        (f"0,{NET},bench,32,ms,nan", "line 2: end-to-end lat: expected a number above 0"),
        (f"0,{NET},bench,32,ms,-4", "line 2: end-to-end lat"),
        (f"0,{NET},bench,32,ms,fast", "line 2: end-to-end lat"),
        (f"0,{NET},bench,32,ms,1e308", "line 2: end-to-end lat: 1e+308 ms is no network's"),
        (f"0,{NET},bench,32,s,1e6", "line 2: end-to-end lat: 1e+09 ms is no network's"),
        (f"0,{NET},bench,32,ms,1e-300", "line 2: end-to-end lat: 1e-300 ms is no network's"),
        ('0,"x', "is no CSV"),
        ("", "holds no latencies"),
    ],
)
def test_a_broken_line_is_named(read, line, said):
    with pytest.raises(InputError) as caught:
        read(line)
    assert said in caught.value.message


def test_another_first_line_is_refused_with_the_right_one(read):
    with pytest.raises(InputError, match="its first line is 'arch,latency'") as caught:
        read("x,1", head="arch,latency")
    assert HEAD in (caught.value.advice or "")
