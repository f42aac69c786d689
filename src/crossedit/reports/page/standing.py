"""How an experiment stands and what it has taken so far, as the report's page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crossedit.runs.page import Shown
    from crossedit.runs.status import Status

# What a configuration has with all its defaults, and nothing less.
_WHOLE = frozenset(
    {
        *("facts", "backbones", "editors", "languages", "evaluation_languages", "protocols"),
        *("include", "exclude", "tasks", "sweeps", "results", "seed"),
    }
)


def standing(entry: Mapping[str, Any], results: Path | None, configfiles: Sequence[str] = ()) -> "Shown | None":
    """Return how the experiment in a results folder stands; None where the entry is no whole configuration.

    configfiles: the files that the commands shown are to name.
    """
    if results is None or not entry.keys() >= _WHOLE:
        return None
    from crossedit.runs.experiment import Experiment
    from crossedit.runs.status import Status

    return of(Status.of(Experiment({**entry, "results": str(results)}, tuple(configfiles), (), None)))


def of(status: "Status") -> "Shown":
    """Return how an experiment stands; the job that makes the page is none of its own news."""
    from crossedit.runs.page import shown

    return shown(
        replace(
            status,
            running=[running for running in status.running if running.found.job.rule != "page"],
            failed=[failure for failure in status.failed if any(found.job.rule != "page" for found in failure.jobs)],
        )
    )


def used(results: Path) -> str:
    """Return in a sentence what the jobs that left a record below the results folder took."""
    from crossedit.runs.words import used as in_words
    from crossedit.usage import Used, records_below

    return in_words(Used.over(record for _, record in records_below(results)))
