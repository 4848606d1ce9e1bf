"""What memory is left: the machine's, or what a control group of either version allows."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from ofa_plugins_core.nn.room import disk_left, memory_left


@pytest.fixture
def system(tmp_path):
    """path -> content, as files of a system of its own; its root."""

    def make(**files):
        for path, text in files.items():
            place = tmp_path / path.replace("__", "/").replace("--", ".")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return tmp_path

    return make


MEMINFO = "MemTotal:  1000 kB\nMemFree: 10 kB\nMemAvailable:    500 kB\n"


def test_without_a_group_it_is_what_the_machine_has_available(system):
    assert memory_left(system(proc__meminfo=MEMINFO)) == 512_000


def test_the_tightest_group_above_counts_and_its_caches_are_free(system):
    root = system(
        proc__meminfo=MEMINFO,
        proc__self__cgroup="0::/batch/job\n",
        **{
            "sys__fs__cgroup__batch__job__memory--max": "max\n",
            "sys__fs__cgroup__batch__job__memory--current": "7\n",
            "sys__fs__cgroup__batch__memory--max": "100000\n",
            "sys__fs__cgroup__batch__memory--current": "60000\n",
            "sys__fs__cgroup__batch__memory--stat": "anon 9\ninactive_file 5000\n",
        },
    )
    assert memory_left(root) == 45_000


def test_groups_of_the_first_version_seen_from_inside_a_container(system):
    root = system(
        proc__meminfo=MEMINFO,
        proc__self__cgroup="9:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n0::/\n",
        **{
            "sys__fs__cgroup__memory__memory--limit_in_bytes": "300000\n",
            "sys__fs__cgroup__memory__memory--usage_in_bytes": "400000\n",
        },
    )
    assert memory_left(root) == 0
    (root / "sys/fs/cgroup/memory/memory.usage_in_bytes").write_text("100000")
    assert memory_left(root) == 200_000


def test_this_machine_has_some_and_a_folder_to_come_has_its_disk(tmp_path):
    assert (memory_left() or 1) > 0
    assert disk_left(tmp_path / "not" / "yet") > 0


def test_a_system_that_says_nothing_is_bounded_by_its_memory(tmp_path):
    found = memory_left(tmp_path)
    assert found is None or found > 2**20
