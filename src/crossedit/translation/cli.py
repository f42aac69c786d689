"""`crossedit translation`: facts in one language become facts in several, corrected by people."""

from pathlib import Path
from typing import Any

import click
import yaml

from crossedit.claims import Job
from crossedit.errors import UserError, nearest
from crossedit.files import read_yaml
from crossedit.options import FILE, FOLDER, Lists, all_of, parse_json


def _entry(context: click.Context, option: click.Parameter, value: str) -> dict[str, Any]:
    """Return the `translation` section that stands in the option itself, or under a name in a configuration."""
    if value.lstrip().startswith("{"):
        return parse_json(context, option, value)
    file, _, name = value.rpartition(":")
    if not file:
        raise UserError(f"--entry: '{value[:60]}' is neither a JSON object nor FILE.yaml:NAME; give one of them.")
    from crossedit import config

    try:
        raw = read_yaml(Path(file))
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"--entry: {file}: no configuration can be read there ({error}).") from None
    whole = config.checked(raw)
    translated = [known for known, entry in whole["facts"].items() if "translation" in entry]
    if name not in translated:
        raise UserError(f"--entry: {file}: no facts called '{name}' are translated there; {nearest(name, translated)}")
    return whole["facts"][name]["translation"] | ({"offline": True} if whole["offline"] else {})


_ENTRY = click.option(
    "--entry",
    required=True,
    callback=_entry,
    help="The config's facts.NAME.translation as JSON; or my.yaml:NAME, to be looked up there.",
)
_SOURCE_OPTIONS = all_of(
    click.option("--facts", type=FILE, required=True, help="Facts table that holds the source language."),
    _ENTRY,
)


@click.group()
def commands() -> None:
    """Translate facts through a chat model, let people correct them, merge what they say, count tokens."""


class TranslateJob(Job):
    """With `--dry-run` nothing is written, so no output is claimed either."""

    def invoke(self, ctx: click.Context) -> Any:
        if ctx.params["dry_run"]:
            return click.Command.invoke(self, ctx)
        for option in self.params:
            if option.name in self.outputs and ctx.params[option.name] is None:
                raise click.MissingParameter(ctx=ctx, param=option)
        return super().invoke(ctx)


@commands.command(cls=TranslateJob, outputs=("out", "summary"))
@_SOURCE_OPTIONS
@click.option("--asking", default="{}", callback=parse_json, help="JSON: keys of it that only say how answers are got.")
@click.option("--out", type=FILE, help="Facts table in all languages, as the model translates.")
@click.option("--summary", type=FILE, help="JSON: counts, tokens, cost, failures.")
@click.option("--dry-run", is_flag=True, help="Only say what would be asked, and about what it would cost.")
def translate(
    facts: Path, entry: dict[str, Any], asking: dict[str, Any], out: Path, summary: Path, dry_run: bool
) -> None:
    """Translate a facts table; every answer is stored, so a second run asks nothing."""
    from crossedit import files, tables
    from crossedit.translation import VERSION
    from crossedit.translation.settings import from_entry

    settings = from_entry(entry | asking)
    frame = tables.read(facts, tables.FACTS)
    if dry_run:
        from crossedit.translation.asking.estimate import estimate, text

        click.echo(text(estimate(frame, settings), settings))
        return

    from crossedit.translation.summary import of_translation, sentence_of_translation
    from crossedit.translation.translate import assemble
    from crossedit.translation.translate import translate as run

    translated = run(frame, settings)
    said = of_translation(settings, translated)
    tables.write(
        assemble(frame, translated.rows, translated.failures),
        tables.FACTS,
        out,
        provenance={
            "stage": "translation",
            "version": VERSION,
            "entry": files.digest(entry),
            "source": settings.source,
            "targets": settings.targets,
            "inputs": {str(facts): files.digest(facts)},
        },
    )
    files.write_json(said, summary)
    click.echo(sentence_of_translation(said), err=True)


@commands.command(cls=Job, outputs=("out", "corrections", "summary"))
@click.option("--facts", type=FILE, required=True, help="Facts table as the model translated it.")
@_ENTRY
@click.option("--out", type=FILE, required=True, help="Facts table with the corrections merged.")
@click.option("--corrections", type=FILE, required=True, help="Table of who changed what and why, and what stands.")
@click.option("--summary", type=FILE, required=True, help="JSON: shares, agreement, conflicts, typical changes.")
def correct(facts: Path, entry: dict[str, Any], out: Path, corrections: Path, summary: Path) -> None:
    """Merge what annotators and an expert say of the translations."""
    import polars as pl

    from crossedit import files, tables
    from crossedit.translation import VERSION
    from crossedit.translation.reviews.merge import merge, rows_of
    from crossedit.translation.reviews.reading import read_all
    from crossedit.translation.settings import from_entry
    from crossedit.translation.summary import of_people, sentence_of_people

    settings = from_entry(entry)
    frame = tables.read(facts, tables.FACTS)
    annotators = read_all(settings.corrections)
    expert = read_all(settings.expert, expert=True)
    rows, sources = rows_of(frame, settings.source)
    merged = merge(rows, sources, annotators, expert)
    said = of_people(settings, rows, sources, merged)
    inputs = {str(path): files.digest(path) for path in (facts, *settings.corrections, *settings.expert)}
    provenance = {"stage": "translation", "version": VERSION, "entry": files.digest(entry), "inputs": inputs}
    table = pl.concat([frame.filter(origin="source"), pl.DataFrame(merged.rows, schema=tables.FACTS.columns)])
    tables.write(table, tables.FACTS, out, provenance)
    tables.write(merged.corrections, tables.CORRECTIONS, corrections, provenance)
    files.write_json(said, summary)
    click.echo(sentence_of_people(said, facts, corrections), err=True)


@commands.command(cls=Lists)
@click.option("--facts", type=FILE, required=True, help="Facts table as the model translated it (machine.parquet).")
@click.option("--out", type=FOLDER, required=True, help="Folder for the files.")
@click.option("--language", "langs", multiple=True, help="Only these languages (default: all that were translated).")
@click.option("--split", "splits", multiple=True, help="Only these splits.")
@click.option("--by", multiple=True, help="A file for each of these people, with the name filled in.")
@click.option("--flagged", is_flag=True, help="Only records in which a check has found something.")
@click.option(
    "--conflicts",
    type=FILE,
    help="corrections.parquet: the expert's file, of the fields on which the annotators disagree.",
)
def review(
    facts: Path,
    out: Path,
    langs: tuple[str, ...],
    splits: tuple[str, ...],
    by: tuple[str, ...],
    flagged: bool,
    conflicts: Path | None,
) -> None:
    """Make what people correct: a spreadsheet (XLSX, CSV), Label Studio tasks, and a page for the browser."""
    from crossedit import tables
    from crossedit.translation.reviews import rows, writing

    frame = tables.read(facts, tables.FACTS)
    source = tables.provenance(facts).get("source")
    if conflicts:
        wanted = rows.conflicts(frame, tables.read(conflicts, tables.CORRECTIONS), langs, splits, source)
    else:
        wanted = rows.rows(frame, langs, splits, flagged, source)
    for path in writing.write_each(wanted, out, list(by)):
        click.echo(str(path), err=True)


@commands.command(cls=Job)
@click.option("--facts", type=FILE, required=True, help="Facts table, in any languages.")
@click.option("--out", type=FILE, required=True, help="Table 1: records and mean token lengths.")
@click.option(
    "--tokenizer",
    default="words",
    show_default=True,
    help="`words`, or a transformers tokenizer's path or id.",
)
def statistics(facts: Path, out: Path, tokenizer: str) -> None:
    """Count records and tokens, as Table 1 of Bi-ZsRE does."""
    from crossedit import files, tables
    from crossedit.translation import VERSION
    from crossedit.translation.statistics import table_1

    table = table_1(tables.read(facts, tables.FACTS), tokenizer)
    provenance = {"stage": "translation", "version": VERSION, "inputs": {str(facts): files.digest(facts)}}
    tables.write(table, tables.TABLE_1, out, provenance)


@commands.command()
@_SOURCE_OPTIONS
@click.option("--translations", type=FILE, required=True, help="Facts table that holds the target languages.")
@click.option("--origin", required=True, help="Where the translations come from, e.g. resources/demo/facts.")
@click.option("--name", required=True, help="The store's file is NAME.jsonl; it is written anew.")
def record(facts: Path, translations: Path, entry: dict[str, Any], origin: str, name: str) -> None:
    """Store existing translations as answers, to be replayed; corrections are undone in them."""
    from crossedit import tables
    from crossedit.translation.recording import record as run
    from crossedit.translation.settings import from_entry

    settings = from_entry(entry)
    count = run(
        tables.read(facts, tables.FACTS),
        tables.read(translations, tables.FACTS),
        settings,
        origin=origin,
        name=name,
    )
    click.echo(f"{settings.store / name}.jsonl: {count} answers recorded from {origin}.", err=True)
