"""What jobs took of hosts and GPUs, summed up over their records.

Used.over(read_record(out) for out in outputs)      jobs, hours, the most memory of a GPU, how busy it was
    records_below(Path("results"))                    every record of an experiment, by the output that it lies beside
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from crossedit.jobs import SUFFIX, Record, load_record


class Used(NamedTuple):
    """What the jobs that are done took. Memory is in bytes, the load a share of the GPUs' time."""

    jobs: int
    host_hours: float
    gpu_jobs: int
    gpu_hours: float
    gpu_memory_peak: int | None
    utilisation: float | None  # None where no driver told

    @classmethod
    def over(cls, records: Iterable[Record | None]) -> "Used":
        """Return the sums; the load is the mean over the seconds of the jobs whose load is known."""
        done = [record for record in records if record is not None and record.state == "done"]
        gpus = [record.gpu for record in done if record.gpu]
        loads = [(gpu["utilisation"], gpu["seconds"]) for gpu in gpus if gpu["utilisation"] is not None]
        measured = sum(seconds for _, seconds in loads)
        return cls(
            jobs=len(done),
            host_hours=sum(record.ended - record.begun for record in done if record.ended) / 3600,
            gpu_jobs=len(gpus),
            gpu_hours=sum(gpu["seconds"] for gpu in gpus) / 3600,
            gpu_memory_peak=max((gpu["memory_peak"] for gpu in gpus), default=None),
            utilisation=sum(load * seconds for load, seconds in loads) / measured if measured else None,
        )


def records_below(results: Path) -> Iterator[tuple[str, Record]]:
    """Yield (output, record) of every job that has left one below a results folder."""
    for folder, folders, files in os.walk(results):
        # Neither logs nor what is written half: those folders' names begin with a dot.
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if Path(folder) == results:
            folders[:] = [name for name in folders if name not in ("logs", "benchmarks")]
        for name in sorted(files):
            if name.startswith(".") and name.endswith(SUFFIX):
                record = load_record(Path(folder, name))
                if record is not None:
                    yield f"{folder}/{name[1 : -len(SUFFIX)]}", record
