"""The whole report of what is done so far."""

from pathlib import Path

import click

from crossedit.errors import UserError
from crossedit.options import Lists
from crossedit.reports.cli.compare import compare
from crossedit.reports.cli.figures import figures
from crossedit.reports.cli.options import read, read_sweeps
from crossedit.reports.cli.tables import collect, write_tables
from crossedit.runs.cli import experiment_options


@click.command(cls=Lists)
@experiment_options
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Folder; by default reports/partial in the results."
)
@click.pass_context
def partial(
    ctx: click.Context, configfile: tuple[str, ...], overrides: tuple[str, ...], profile: str | None, out: Path | None
) -> None:
    """Make tables, figures and the page of what is done, while the rest still runs or after it has failed.

    It takes what is there and starts no job; a cell counts when all its jobs are done, none has failed since, and its
    scores are of the predictions beside them. A folder that holds anything but an earlier report isn't touched.
    """
    import time

    from crossedit.files import whole
    from crossedit.reports.page import Sources, page, write
    from crossedit.reports.page.standing import of
    from crossedit.reports.partial import Done, check_folder
    from crossedit.runs.experiment import Experiment
    from crossedit.runs.status import Status

    experiment = Experiment.of(configfile, overrides, profile)
    entry = experiment.config
    results = Path(entry["results"])
    out = out or results / "reports" / "partial"
    check_folder(out, results)
    done = Done.of(Status.of(experiment))
    swept = {
        "task_scores": done.task_scores,
        "fact_scores": done.fact_scores,
        "weight_changes": done.weight_changes,
    }
    others = [*done.table_1, *done.summaries, *done.capability]
    inputs = [*done.scores, *done.values, *others, *(path for paths in swept.values() for path in paths)]
    if not inputs:
        raise UserError(f"{results}: nothing is done yet that a report could show; `crossedit status` says what runs.")
    for each in done.left_out:
        click.echo(f"{each.name} is left out: {each.reason}.", err=True)
    with whole(out.resolve()) as folder:
        folder.mkdir()
        compared: dict[str, list[Path]] = {"comparisons": [], "outcomes": []}
        scores = []
        if done.scores:
            scores = [folder / "scores.parquet"]
            ctx.invoke(collect, scores=done.scores, out=scores[0])
            compared = {name: [folder / f"{name}.parquet"] for name in compared}
            ctx.invoke(
                compare,
                values=done.values,
                entry=entry,
                seed=entry["seed"],
                out=compared["comparisons"][0],
                outcomes=compared["outcomes"][0],
            )
        ctx.invoke(
            write_tables,
            scores=scores,
            **compared,
            **{name: swept[name] for name in ("task_scores", "fact_scores")},
            table_1=done.table_1,
            corrected=done.corrected,
            capability=done.capability,
            entry=entry,
            out=folder / "tables",
        )
        if done.scores or done.task_scores:
            ctx.invoke(
                figures,
                scores=scores,
                comparisons=compared["comparisons"],
                predictions=done.predictions,
                **swept,
                entry=entry,
                out=folder / "figures",
            )
        sources = Sources(
            **compared,
            table_1=done.table_1,
            capability=done.capability,
            figures=sorted(folder.glob("figures/*.svg")),
            predictions=done.predictions,
            backbones=[path / "recipe.json" for path in done.backbones],
            summaries=done.summaries,
            results=results,
        )
        sweeps = read_sweeps(entry, *swept.values())
        known, _ = read(scores, entry, sweeps, others)
        as_of = "" if done.status.is_done and not done.left_out else time.strftime("%Y-%m-%d %H:%M")
        shown = page(entry, known, sweeps, sources, inputs, of(done.status), as_of, done.left_out)
        write(shown, folder / "index.html")
    click.echo(f"The page of what is done: {(out / 'index.html').resolve()}")
