"""Where a run comes from: its names, its command, its versions, and commands that go on with it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from ofa_plugins_core import runs
from ofa_plugins_core.report.html import Markup, element, facts
from ofa_plugins_core.report.results import Run


def run_name(run: Run) -> str:
    """Its folder's name."""
    return run.folder.absolute().name


def supernet_name(run: Run) -> str:
    """As the result or the configuration names it."""
    if run.search is not None:
        return run.search.supernet
    result = run.result if isinstance(run.result, Mapping) else {}
    return str(result.get("supernet") or run.settings.get("supernet") or "")


def data_set(run: Run) -> str:
    """What its accuracies are of, where the result says so."""
    result = run.result if isinstance(run.result, Mapping) else {}
    found = result.get("dataset") or result.get("data")
    return found if isinstance(found, str) else ""


def data_sets(found: Iterable[Run]) -> dict[str, str]:
    """Data sets of runs, each once: in small letters, and as the first run writes it.

    Accuracies on different ones are different quantities.
    """
    names: dict[str, str] = {}
    for run in found:
        if name := data_set(run):
            names.setdefault(name.casefold(), name)
    return names


def said_command(run: Run) -> str:
    """The command that made the run, as a shell takes it."""
    command = run.about.get("command")
    return shlex.join(map(str, command)) if isinstance(command, list) else ""


def next_commands(run: Run) -> list[str]:
    """Commands that go on with one of its networks, in a file ``network.jsonl``."""
    settings = run.settings
    supernet = str(settings.get("supernet") or supernet_name(run))
    if not supernet:
        return []
    words = ["--supernet", supernet, "--archs", "network.jsonl"]
    built = ["--as-built"] if settings.get("as_built") else []
    return [
        shlex.join(["ofa", "run", "cost", *words, *built, *_costs(settings)]),
        shlex.join(["ofa", "run", "memory", *words]),
        shlex.join(["ofa", "run", "export", *words, "--out", "network.onnx"]),
    ]


def _costs(settings: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for flag in ("cost", "lut"):
        values = settings.get(flag)
        for value in values if isinstance(values, list) else ():
            found += [f"--{flag}", str(value)]
    return found


def origin(run: Run) -> list[Markup]:
    """How it was made, and how to make it again."""
    body = [element("h2", "How it was made")]
    if command := said_command(run):
        body.append(element("pre", command))
    config = shlex.quote(str(run.folder / runs.CONFIG))
    again = f"ofa run {run.job} --config {config} --out NEW-FOLDER"
    body += [element("p", "Again, into another folder:"), element("pre", again)]
    body += [element("h3", f"Configuration ({runs.CONFIG})"), element("pre", run.configuration)]
    if run.search is not None:
        body.append(_folded("All of the result but its networks", run.search.facts))
    return [*body, _folded("Versions", _versions(run.about))]


def _folded(title: str, found: Mapping[str, Any]) -> Markup:
    return element("details", [element("summary", title), facts(found)])


def _versions(about: Mapping[str, Any]) -> dict[str, Any]:
    found = {k: v for k, v in about.items() if k not in ("command", "plugins", "packages")}
    packages, plugins = about.get("packages"), about.get("plugins")
    if isinstance(packages, dict):
        found |= {str(k): v or "not installed" for k, v in packages.items()}
    for plugin in plugins if isinstance(plugins, list) else ():
        if isinstance(plugin, dict):
            name = f"plugin {plugin.get('name')}"
            found[name] = " ".join(
                str(plugin.get(k, "")) for k in ("distribution", "version", "state")
            )
    return found
