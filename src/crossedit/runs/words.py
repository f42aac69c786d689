"""Times, amounts and jobs in words, as the terminal and the page say them."""

import time

from crossedit.runs.states import Found
from crossedit.runs.status import Status
from crossedit.usage import Used

_UNITS = (("day", 86400), ("h", 3600), ("min", 60))


def lasting(seconds: float) -> str:
    """Return a span of time by its two largest units, such as `2 h 10 min`."""
    for place, (unit, size) in enumerate(_UNITS):
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            smaller = _UNITS[place + 1 :][:1]
            below = f" {rest // smaller[0][1]} {smaller[0][0]}" if smaller and rest >= smaller[0][1] else ""
            return f"{many(whole, unit) if unit == 'day' else f'{whole} {unit}'}{below}"
    return f"{seconds:.0f} s"


def hours(number: float) -> str:
    """Return hours with as many digits as say something."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.1f}" if number >= 0.05 else "< 0.1"


def size(number: float) -> str:
    """Return bytes in the unit that leaves the fewest digits, such as `71.3 GiB`."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if number >= 100 or unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:,.1f} TiB"


def many(number: int, what: str) -> str:
    """Return a number of things."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def part(found: Found) -> str:
    """Return which job of its chain it is: its rule, and the shard."""
    said = found.job.wildcards
    if "shard" in said:
        return found.job.rule if said["shards"] == "1" else f"{found.job.rule} {said['shard']} of {said['shards']}"
    return found.job.rule


def since(found: Found) -> str:
    """Return since when, and where, a job has been running."""
    record = found.record
    if record is None:
        return ""
    return f"since {record.since} ({lasting(time.time() - record.begun)}) on {record.host}, {record.holder}"


def counted(status: Status) -> list[str]:
    """Return a sentence for the cells, the stops and the tables of sweeps: how many stand how."""
    names = {"cells": "Cells", "stops": "Stops of sweeps", "sweeps": "Tables of sweeps"}
    lines = []
    for what, states in status.counts().items():
        done = f"{states['done']} of {sum(states.values())} done"
        rest = [f"{number} {state}" for state, number in states.items() if number and state != "done"]
        lines.append(f"{names[what]}: {', '.join([done, *rest])}.")
    if others := sum(failure.name.startswith(status.experiment.config["results"]) for failure in status.failed):
        lines.append(f"Shared by several of them: {others} failed.")
    return lines


def used(what: Used) -> str:
    """Return in a sentence what the recorded jobs took."""
    if not what.jobs:
        return "No job has left a record yet."
    said = f"Recorded: {many(what.jobs, 'job')} done in {hours(what.host_hours)} host hours"
    if not what.gpu_jobs:
        return f"{said}, none on a GPU."
    load = "" if what.utilisation is None else f", busy {what.utilisation:.0%} of the time"
    peak = size(what.gpu_memory_peak or 0)
    return (
        f"{said}; {many(what.gpu_jobs, 'job')} on GPUs in {hours(what.gpu_hours)} GPU hours, at most {peak} each{load}."
    )
