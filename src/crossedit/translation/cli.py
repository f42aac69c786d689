"""`crossedit translation`: facts in one language become facts in several, corrected by people."""

import json
from pathlib import Path
from typing import Any

import click

from crossedit.claims import Job
from crossedit.errors import UserError

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def commands() -> None:
    """Translate facts through a chat model, merge corrections, count tokens."""


@commands.command(cls=Job, outputs=("out", "summary"))
@click.option("--facts", type=FILE, required=True, help="Facts table that holds the source language.")
@click.option("--entry", required=True, help="The config's facts.NAME.translation as JSON.")
@click.option("--out", type=FILE, required=True, help="Facts table in all languages.")
@click.option("--summary", type=FILE, required=True, help="JSON: counts, tokens, corrections, failures.")
@click.option("--offline", is_flag=True, help="Replay stored answers; never ask, even where a key is set.")
def translate(facts: Path, entry: str, out: Path, summary: Path, offline: bool) -> None:
    """Translate a facts table; every answer is stored, so a second run asks nothing."""
    from dataclasses import replace

    from crossedit import files, tables
    from crossedit.translation import VERSION, corrections
    from crossedit.translation.summary import summarise
    from crossedit.translation.translate import assemble
    from crossedit.translation.translate import translate as run

    settings = _settings(entry)
    settings = replace(settings, offline=offline or settings.offline)
    frame = tables.read(facts, tables.FACTS)
    changes = corrections.read(settings.corrections) if settings.corrections else []
    translated = run(frame, settings)
    merged = corrections.merge(translated.rows, changes)
    said = summarise(settings, translated, merged)
    inputs = [path for path in (facts, settings.corrections) if path]
    tables.write(
        assemble(frame, merged.rows, translated.failures),
        tables.FACTS,
        out,
        provenance={
            "stage": "translation",
            "version": VERSION,
            "entry": files.digest(json.loads(entry)),
            "inputs": {str(path): files.digest(path) for path in inputs},
            "requests": said["requests"],
        },
    )
    with files.whole(summary) as temporary:
        temporary.write_text(json.dumps(said, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    click.echo(_sentence(said), err=True)


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
@click.option("--facts", type=FILE, required=True, help="Facts table that holds the source language.")
@click.option("--translations", type=FILE, required=True, help="Facts table that holds the target languages.")
@click.option("--entry", required=True, help="The config's facts.NAME.translation as JSON.")
@click.option("--origin", required=True, help="Where the translations come from, e.g. resources/demo/facts.")
@click.option("--name", required=True, help="The store's file is NAME.jsonl; it is written anew.")
def record(facts: Path, translations: Path, entry: str, origin: str, name: str) -> None:
    """Store existing translations as answers, to be replayed; corrections are undone in them."""
    from crossedit import tables
    from crossedit.translation.recording import record as run

    settings = _settings(entry)
    count = run(
        tables.read(facts, tables.FACTS),
        tables.read(translations, tables.FACTS),
        settings,
        origin=origin,
        name=name,
    )
    click.echo(f"{settings.store / name}.jsonl: {count} answers recorded from {origin}.", err=True)


def _settings(entry: str) -> Any:
    from crossedit.translation.settings import from_entry

    try:
        return from_entry(json.loads(entry))
    except (json.JSONDecodeError, AttributeError):
        raise UserError(
            f"--entry: '{entry[:60]}' is no JSON object; give the config's facts.NAME.translation."
        ) from None


def _sentence(said: dict[str, Any]) -> str:
    requests, failed = said["requests"], said["failed"]
    share = f" ({said['corrected_share']:.1%})" if said["corrected_share"] is not None else ""
    text = (
        f"{said['translated']} of {said['records']} translated, {said['corrected']} corrected{share}; "
        f"{requests['asked']} requests asked, {requests['stored']} answers from the store."
    )
    if failed:
        text += f" {failed} failed: their cases are left out in all languages; the summary says why."
    if elsewhere := len(said["corrections"]["of_cases_not_drawn"]):
        text += f" Corrections of cases that are not drawn: {elsewhere}."
    return text
