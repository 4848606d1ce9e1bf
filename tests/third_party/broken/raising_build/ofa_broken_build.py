"""Loads well, and raises when it is used: in build, in evaluate, in a job."""

from ofa_plugins_core import CostModelEntry, JobEntry, hookimpl

OFA_API = 1


class Moody:
    """A cost that cannot be evaluated."""

    name, unit, kind, source = "moody", "units", "computed", None

    def evaluate(self, archs):
        raise ZeroDivisionError("not today")


def build(supernet, options):
    raise KeyError("width")


def run(context, options):
    raise IndexError("nothing there")


@hookimpl
def ofa_cost_models():
    yield CostModelEntry("unbuildable", "raises in build", "units", build)
    yield CostModelEntry("moody", "raises in evaluate", "units", lambda supernet, options: Moody())


@hookimpl
def ofa_jobs():
    yield JobEntry("stumble", "raises when it runs", run=run, example="ofa run stumble")
