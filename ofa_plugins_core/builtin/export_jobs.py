"""The jobs that write networks as files, as entries; what they run is imported when they run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ofa_plugins_core.entries import JobContext, JobEntry
from ofa_plugins_core.jobs.deploy_options import DeployOptions
from ofa_plugins_core.jobs.export_options import ExportOptions


def entries() -> Iterator[JobEntry]:
    """export, deploy."""
    yield JobEntry(
        "export",
        "one architecture as an ONNX or ExecuTorch file, float or int8, checked in its runtime",
        run=_export,
        options=ExportOptions,
        example="ofa run export --supernet moofa_v3 --weights synthetic --largest "
        "--out moofa_v3.onnx",
        keeps_run=True,
    )
    yield JobEntry(
        "deploy",
        "from bounds on RAM and flash (bytes) to a file that was checked, and fits as planned",
        run=_deploy,
        options=DeployOptions,
        example="ofa run deploy --supernet moofa_v3 --weights synthetic --data digits "
        "--ram 320KB --flash 8MB --calibrate 200 --images 100",
        keeps_run=True,
    )


def _export(context: JobContext, given: ExportOptions) -> Any:
    from ofa_plugins_core.jobs.export import run_export

    return run_export(context, given)


def _deploy(context: JobContext, given: DeployOptions) -> Any:
    from ofa_plugins_core.jobs.deploy import run_deploy

    return run_deploy(context, given)
