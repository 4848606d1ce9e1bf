"""``ofa run NAME``: a job of any plugin, with flags from its options class."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import typer
from attrs import frozen
from typer.core import TyperCommand, TyperGroup

from ofa_plugins_core import runs
from ofa_plugins_core.blame import attempt
from ofa_plugins_core.cli import flags, output
from ofa_plugins_core.cli.session import Session
from ofa_plugins_core.cli.written import Written, as_written
from ofa_plugins_core.config import Words, plain, structure
from ofa_plugins_core.entries import JobContext, JobEntry, SupernetEntry
from ofa_plugins_core.errors import InfeasibleError, OfaError, UnknownNameError, UsageError
from ofa_plugins_core.events import Listener, Notice
from ofa_plugins_core.hookspecs import KINDS
from ofa_plugins_core.host import Host
from ofa_plugins_core.values import whole


class JobGroup(Written, TyperGroup):
    """The jobs of all plugins as commands."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of jobs."""
        return [entry.name for entry in _session(ctx).host().entries("jobs")]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a job.

        Raises:
            UnknownNameError, PluginError: nobody offers it; the nearest known ones are named.
        """
        return command_of(_session(ctx).host().job(cmd_name), _session(ctx))


class JobCommand(Written, TyperCommand):
    """One job."""


app = typer.Typer(
    cls=JobGroup,
    help="Run a job: search, cost, predict and what else the plugins offer.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)


@app.callback()
def _jobs() -> None:
    """Jobs come from plugins."""


def _session(context: Any) -> Session:
    session: Session = context.obj
    return session


def command_of(entry: JobEntry, session: Session) -> Any:
    """A job as a command."""
    single = typer.Typer(add_completion=False, rich_markup_mode=None)

    def call(**given: Any) -> int:
        return run_job(entry, session, given)

    owner = session.host().owner("jobs", entry.name)
    what = f"job {entry.name!r}: its options"
    parameters = attempt(owner, what, flags.parameters, entry.options)
    single.command(
        entry.name,
        cls=JobCommand,
        help=_sentence(entry.summary),
        epilog=f"Example: {entry.example}" if entry.example else None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )(flags.signed(call, parameters))
    return as_written(typer.main.get_command(single))


def _sentence(text: str) -> str:
    """With a capital and a full stop, as the other commands' lines have them."""
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "…", "!", "?")) else ".")


@frozen(eq=False)
class Request:
    """What the user asked of a job: flags over YAML over defaults.

    Attributes:
        options: an instance of the job's options class.
        settings: options of entries, by name.
        supernets: those of them that supernets have.
        seed: of every random choice.
        out: where results go, or None.
        resume: go on with what is there.
        json: print JSON.
    """

    options: Any
    settings: Mapping[str, Mapping[str, Any]]
    supernets: Mapping[str, Mapping[str, Any]]
    seed: int
    out: Path | None
    resume: bool
    json: bool

    def configuration(self, job: str) -> dict[str, Any]:
        """As ``config.yaml`` keeps it."""
        found = {"job": job, **plain(self.options), "seed": self.seed}
        names = [*self.settings, *(n for n in self.supernets if n not in self.settings)]
        both = {n: {**self.supernets.get(n, {}), **self.settings.get(n, {})} for n in names}
        return {**found, "set": plain(both)} if both else found


def requested(entry: JobEntry, host: Host, given: Mapping[str, Any]) -> Request:
    """Read flags and YAML strictly.

    Raises:
        UsageError: something is missing, unknown or of another type.
        InputError: the YAML file cannot be read.
    """
    data = _file_data(entry, given)
    shared: dict[str, Any] = {k: data.pop(k) for k in ("seed", "out", "set") if k in data}
    data.update(flags.from_flags(entry.options, given))
    for name in flags.missing(entry.options, data):
        raise UsageError(
            f"ofa run {entry.name} needs --{name.replace('_', '-')}",
            advice=f"for example: {entry.example}" if entry.example else None,
        )
    for name in ("seed", "out"):
        if given.get(name) is not None:
            shared[name] = Words(given[name])
    settings = flags.settings(given.get("set") or [], shared.get("set") or {})
    supernets, settings = _typed(host, settings)
    seed = structure(shared.get("seed", 0), int, "seed")
    if seed < 0:
        raise UsageError(f"seed: expected a whole number from 0 up, found {seed}")
    out = shared.get("out")
    return Request(
        structure(data, entry.options, entry.name),
        settings,
        supernets,
        seed,
        None if out is None else structure(out, Path, "out"),
        bool(given.get("resume")),
        bool(given.get("json")),
    )


def _file_data(entry: JobEntry, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options in --config, or in the folder that is to be resumed."""
    if given.get("config"):
        return flags.from_file(Path(given["config"]), entry.name)
    if given.get("resume"):
        if not given.get("out"):
            raise UsageError("--resume needs --out: the folder to go on with")
        kept = Path(given["out"]) / runs.CONFIG
        if kept.is_file():
            return flags.from_file(kept, entry.name)
    return {}


Settings: TypeAlias = dict[str, dict[str, Any]]


def _typed(host: Host, settings: Mapping[str, Mapping[str, Any]]) -> tuple[Settings, Settings]:
    """The settings as plain values of the types that the entries' options ask for.

    Returns:
        Those of supernets, which the host takes, and those of other entries, which the job takes; a
        name may be that of both (a supernet's and its training plan's).

    Raises:
        UsageError: no entry has the name, or its options have no such key or another type.
    """
    entries = _with_options(host)
    supernets: Settings = {}
    others: Settings = {}
    for name, values in settings.items():
        if name not in entries:
            raise UnknownNameError("name in --set", name, entries)
        for key, value in values.items():
            typed = plain(flags.option_value(name, entries[name], key, value))
            for entry in entries[name]:
                if flags.has_option(entry, key):
                    place = supernets if isinstance(entry, SupernetEntry) else others
                    place.setdefault(name, {})[key] = typed
        if not values:
            others[name] = {}
    return supernets, others


def _with_options(host: Host) -> dict[str, list[Any]]:
    """Name or alias -> the entries of every kind that go by it and take options."""
    found: dict[str, list[Any]] = {}
    entries = [entry for kind in KINDS for entry in host.entries(kind) if hasattr(entry, "options")]
    for entry in entries:
        found.setdefault(entry.name, []).append(entry)
    names = {entry.name for entry in host.entries("supernets")}
    for entry in host.entries("supernets"):  # a supernet's name comes before an alias
        for alias in set(entry.aliases) - names:
            found.setdefault(alias, []).append(entry)
    return found


def run_job(entry: JobEntry, session: Session, given: Mapping[str, Any]) -> int:
    """Run a job and show, and keep, what it returns; the exit code."""
    request = requested(entry, session.host(), given)
    host = session.host().configured(request.supernets)
    out = request.out
    if out is not None:
        runs.check_out(out, request.resume)
    elif entry.keeps_run:
        out = runs.default_folder(entry.name, getattr(request.options, "supernet", None))
    teller = output.Teller()
    configuration = request.configuration(entry.name)
    resumed = out if request.resume and request.out is not None else None
    if resumed is not None and resumed.suffix not in runs.FILES:
        found = runs.check_resumed(resumed, configuration, entry.changeable)
        if not found:
            teller(Notice(f"nothing to go on with in {out}: it starts anew"))
    context = JobContext(
        host, teller, request.seed, out, request.resume, request.settings, configuration
    )
    started = time.monotonic()
    try:
        result = entry.run(context, request.options)
    except InfeasibleError as error:
        if request.json:
            output.write_json(_infeasible(error))
        raise
    finally:
        teller.close()
    for name in host.unused_settings():
        teller(Notice(f"the options of {name} had no effect: it takes no part here"))
    if result is None:  # a process that only helps another: nothing to show or to keep
        return 0
    about = runs.about(host, session.command, request.seed, time.monotonic() - started)
    kept = _kept(result, configuration, about, out, teller)
    show(result, request.json, kept=kept is True)
    if isinstance(kept, OfaError):
        raise kept
    if kept and not request.json:
        output.console().print(f"kept in {out}", soft_wrap=True)
    return int(getattr(result, "exit_code", 0))


def _infeasible(error: InfeasibleError) -> dict[str, Any]:
    return {
        "infeasible": True,
        "message": error.message,
        "smallest": {k: whole(v) for k, v in error.smallest.items()},
        "binds": error.binds,
    }


def _kept(
    result: Any,
    configuration: Mapping[str, Any],
    about: Mapping[str, Any],
    out: Path | None,
    listener: Listener,
) -> OfaError | bool:
    """Whether the result was written; a failure is returned, so that it is shown all the same.

    Where --out names a file, a job may have written it itself; else the result goes there.
    """
    if out is None or not getattr(result, "worth_keeping", True):
        return False
    rows = result.as_rows() if hasattr(result, "as_rows") else None
    try:
        if out.suffix not in runs.FILES:
            record = runs.Record(configuration, about, as_json(result), rows)
            if (reason := runs.worth_more(out, record.result)) is not None:
                listener(Notice(f"{out} keeps the result that it has: {reason}"))
                return False
            runs.save(out, record, unfinished=bool(getattr(result, "exit_code", 0)))
        elif not out.exists():
            runs.write(out, runs.as_csv(rows) if out.suffix == ".csv" and rows else _text(result))
    except OfaError as failure:
        return failure
    return True


def _text(result: Any) -> str:
    """A result as JSON, a list as JSON lines."""
    return "".join(f"{line}\n" for line in output.json_lines(as_json(result)))


def as_json(result: Any) -> Any:
    """A job's result as JSON: as it says itself, or as it is."""
    return result.as_json() if hasattr(result, "as_json") else plain(result)


def show(result: Any, json: bool, kept: bool = True) -> None:
    """Print a job's result: JSON on stdout, or tables on stderr.

    Args:
        kept: its run could be written; if not, the JSON does not name it.
    """
    if json:
        value = as_json(result)
        if not kept and isinstance(value, dict) and "run" in value:
            value = {**value, "run": None}
        output.write_json(value)
    elif hasattr(result, "as_tables"):
        look = {n: getattr(result, n, None) for n in ("most_rows", "styles")}
        output.write_tables(result.as_tables(), **look, wrapped=getattr(result, "wrapped", False))
    elif result is not None:
        output.write_tables(_plain_tables(as_json(result)))


def _plain_tables(value: Any) -> list[output.Rows]:
    """Any JSON as a table: a dict's keys and values, or a list of dicts a row each."""
    rows = value if isinstance(value, list) else [value]
    if not rows:
        return [("nothing", (), ())]
    if len(rows) == 1 and isinstance(rows[0], Mapping):
        return [("", ("", ""), [(str(k), _cell(v)) for k, v in rows[0].items()])]
    mappings = [r if isinstance(r, Mapping) else {"": r} for r in rows]
    columns = list(dict.fromkeys(str(k) for row in mappings for k in row))
    return [("", columns, [[_cell(row.get(c, "")) for c in columns] for row in mappings])]


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
