"""The status of an experiment as a document of JSON values."""

from typing import Any

from crossedit.runs.states import Found
from crossedit.runs.status import Standing, Status


def document(status: Status) -> dict[str, Any]:
    """Return all that the terminal shows; times are seconds since 1970, memory is in bytes."""
    return {
        "counts": status.counts(),
        "cells": [{**cell._asdict(), **_standing(standing)} for cell, standing in status.cells.items()],
        "stops": [
            {**sweep._asdict(), "stop": stop, **_standing(standing)}
            for sweep, stops in status.stops.items()
            for stop, standing in stops.items()
        ],
        "sweeps": [{**sweep._asdict(), **_standing(standing)} for sweep, standing in status.sweeps.items()],
        "running": [{"name": name, **_job(found)} for name, found in status.running],
        "failed": [
            {"name": name, "command": command, "jobs": [_job(found) for found in jobs]}
            for name, jobs, command in status.failed
        ],
        "used": status.used._asdict(),
    }


def _standing(standing: Standing) -> dict[str, Any]:
    return {"name": standing.chain.name, "state": standing.state, "done": standing.done, "of": standing.of}


def _job(found: Found) -> dict[str, Any]:
    job, record = found.job, found.record
    told: dict[str, Any] = {
        "rule": job.rule,
        "wildcards": dict(job.wildcards),
        "output": job.output,
        "state": found.state,
    }
    if record is not None:
        told |= {"host": record.host, "pid": record.pid, "slurm": record.slurm, "begun": record.begun}
    if found.state == "failed":
        told |= {"reason": found.reason, "log": found.log, "said": list(found.said)}
    return told
