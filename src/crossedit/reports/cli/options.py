"""What the commands share: their options, and reading what these name."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crossedit.claims import Job
from crossedit.options import Lists, parse_json

if TYPE_CHECKING:
    from crossedit.reports.grid import Grid
    from crossedit.reports.scores import Scores
    from crossedit.reports.sweeps import Sweeps


class ListsJob(Lists, Job):
    """Such a command that a rule calls."""


def files(name: str, help: str) -> Any:
    """Return an option that takes any number of files."""
    return click.option(f"--{name}", multiple=True, type=click.Path(path_type=Path, dir_okay=False), help=help)


SCORES = files("scores", "Scores tables: those of all cells, or the collected one; none where there is else to show.")
TABLE_1 = files("table-1", "What `crossedit translation statistics` wrote, in a folder with the facts' name.")


def parse_entry(context: click.Context, option: click.Parameter, value: str) -> dict[str, Any]:
    """Return the option's JSON object. Raises UserError where it is none, or what the report reads of it is wrong."""
    from crossedit.config import check_report

    found = parse_json(context, option, value)
    check_report(found)
    return found


ENTRY = click.option(
    "--entry",
    default="{}",
    callback=parse_entry,
    help="JSON: the configuration, or some of facts, backbones, editors, languages, evaluation_languages, protocols, "
    "include, exclude, reports, tasks, sweeps, capability: what is shown, in its order. Default: whatever has scores.",
)
CORRECTED = files("corrected", "summary.json of `crossedit translation correct`, each in translation/FACTS/.")
TASK_SCORES = files("task-scores", "Task scores of all sweeps.")
FACT_SCORES = files("fact-scores", "Scores of the facts that sweeps edited.")
COMPARISONS = files("comparisons", "Paired comparisons of cells, as `crossedit reports compare` wrote them.")
OUTCOMES = files("outcomes", "What came of the edits, as `crossedit reports compare` counted it.")
PREDICTIONS = files("predictions", "Predictions of all cells, each in FACTS/BACKBONE/EDITOR/LANGUAGE/.")
WEIGHT_CHANGES = files("weight-changes", "What sweeps changed in the weights.")
CAPABILITY = files("capability", "capability.json of `crossedit backbones capability`, each in backbones/BACKBONE/.")
FOLDER = click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder.")
FILE = click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File.")


def read(
    paths: Sequence[Path], entry: dict[str, Any], sweeps: "Sweeps", others: Sequence[Path] = ()
) -> "tuple[Scores, Grid]":
    """Return the scores of all cells, of which there need be none where there are sweeps or others, and their grid."""
    from crossedit.reports.grid import Grid
    from crossedit.reports.scores import Scores, collect

    scores = Scores(collect(paths)) if paths or not (sweeps.all or others) else Scores.none()
    return scores, Grid.of(entry, scores, sweeps)


def read_sweeps(
    entry: dict[str, Any], tasks: Sequence[Path], facts: Sequence[Path] = (), weights: Sequence[Path] = ()
) -> "Sweeps":
    from crossedit.reports.sweeps import Sweeps

    return Sweeps.read(entry, tasks, facts, weights)
