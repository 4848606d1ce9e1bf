"""``ofa reproduce [NAME …]``: the job of that name, with the claims as plain words."""

from __future__ import annotations

import inspect
from typing import Annotated, Any, Final

import typer

from ofa_plugins_core.cli import flags
from ofa_plugins_core.cli.run import JobCommand, run_job
from ofa_plugins_core.cli.session import Session
from ofa_plugins_core.jobs.reproduce_options import ReproduceOptions

JOB: Final = "reproduce"

app: Final = typer.Typer(add_completion=False, rich_markup_mode=None)


def _reproduce(context: typer.Context, **given: Any) -> int:
    session: Session = context.obj
    given["claims"] = list(given.pop("names") or ())
    return run_job(session.host().job(JOB), session, given)


def _command() -> Any:
    words = Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Claims, or works; default: all."),
    ]
    kept = [p for p in flags.parameters(ReproduceOptions) if p.name != "claims"]
    keyword = inspect.Parameter.KEYWORD_ONLY
    own = [
        inspect.Parameter("context", keyword, annotation=typer.Context),
        inspect.Parameter("names", keyword, default=None, annotation=words),
    ]
    return flags.signed(_reproduce, [*own, *kept])


app.command(
    JOB,
    cls=JobCommand,
    help="Check what the papers claim: ours beside the published figures, with a verdict each.",
    epilog="Example: ofa reproduce CompOFA --material FOLDER",
)(_command())
