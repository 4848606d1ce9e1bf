"""Every line of ours in docs/published_commands.md is one that the command line takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.cli import main
from ofa_plugins_core.cli import run as cli
from ofa_plugins_core.cli.session import Session

pytest.importorskip("moofa", reason="the page is about all four plugins")

PAGE = Path(__file__).parents[2] / "docs" / "published_commands.md"
HOST = Host.discover()
JOBS = {entry.name for entry in HOST.entries("jobs")}

CONFIG = """
args: {model: MOOFA_V3, dataset: imagenet, checkpoint: last.pt, kd_ratio: 0.5}
args_per_task: {depth_1: {n_epochs: 10}}
tasks_phases: {kernel: 1, depth: 2, expand: 2}
search_config: {max_constraint: 800000, min_constraint: 300000, acc_dataset_path: parts}
"""
MODELS = """
MY_NET: {model_class: MOOFA_V3, expand_list: [2, 3], ks_list: [3, 5], depth_list: [1, 2]}
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


LINES = [line for block in blocks("sh") for line in block.splitlines() if not line.startswith("#")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder where the page's own first command has been run."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "model_configs.yaml").write_text(MODELS)
    words = ("--file", "config.yaml", "--model-config", "model_configs.yaml", "--out", "ours")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main.run(["run", "import-config", *words]) == 0
    return folder


@pytest.mark.parametrize("line", LINES)
def test_the_command_line_takes_it(place, monkeypatch, line):
    """Flags, files and settings are structured as for a run; the job itself is not run."""
    words = shlex.split(line)
    words = words[words.index("ofa") + 1 :]
    assert words[0] == "run"
    if words[1] not in JOBS:
        pytest.skip(f"no job {words[1]} yet")
    asked = []

    def instead(entry, session: Session, given) -> int:
        request = cli.requested(entry, session.host(), given)
        host = session.host().configured(request.supernets)
        named = getattr(request.options, "supernet", None) or "moofa_v3"
        asked.append((request, host.supernet(named)))
        return 0

    monkeypatch.chdir(place)
    monkeypatch.setattr(cli, "run_job", instead)
    assert main.run(words) == 0
    assert len(asked) == 1


def test_the_page_has_lines_of_every_job_that_it_is_about():
    named = {re.search(r"ofa run (\S+)", line)[1] for line in LINES}
    assert {"train", "evaluate", "search", "dataset", "fit", "import-config"} <= named


def test_the_file_of_a_variant_is_one(tmp_path):
    (text,) = blocks("yaml")
    file = tmp_path / "small.yaml"
    file.write_text(text)
    supernet = HOST.supernet(str(file))
    assert (supernet.name, supernet.resolutions) == ("moofa_v3+stem_stride1", (32, 40, 48))
