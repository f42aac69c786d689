"""`crossedit facts`: read dataset files, check them, make the facts table."""

from typing import Any

import click

from crossedit.claims import Job
from crossedit.options import parse_json


@click.group()
def commands() -> None:
    """Dataset files -> the facts table."""


@commands.command(cls=Job, outputs=("facts_path", "oddities", "summary"))
@click.option("--entry", required=True, callback=parse_json, help="The entry of `facts` in the configuration, as JSON.")
@click.option("--languages", required=True, help="Codes that every case must have, as in en,zh.")
@click.option("--seed", default=0, show_default=True)
@click.option("--facts", "facts_path", required=True, type=click.Path(dir_okay=False), help="Parquet to write.")
@click.option("--oddities", required=True, type=click.Path(dir_okay=False), help="Parquet to write.")
@click.option("--summary", required=True, type=click.Path(dir_okay=False), help="JSON to write: counts and rules.")
def build(entry: dict[str, Any], languages: str, seed: int, facts_path: str, oddities: str, summary: str) -> None:
    """Make the facts table of one entry, with what is odd in its files."""
    from crossedit import files, tables
    from crossedit.facts import build as building
    from crossedit.facts import printing

    built = building.build(entry, [name.strip() for name in languages.split(",") if name.strip()], seed)
    tables.write(built.oddities, tables.ODDITIES, oddities, built.provenance)
    files.write_json(built.summary, summary)
    tables.write(built.facts, tables.FACTS, facts_path, built.provenance)
    printing.say_built(built)


@commands.command()
@click.argument("file", type=click.Path())
@click.option("--language", help="The language of a file that doesn't say it.")
@click.option("--oddities", type=click.Path(dir_okay=False), help="Parquet to write, with every row concerned.")
def check(file: str, language: str | None, oddities: str | None) -> None:
    """Say everything about one data file: its layout, its languages, what is odd, what would be left out."""
    from crossedit import tables
    from crossedit.facts import VERSION, printing
    from crossedit.facts.checking import check as check_file

    checked = check_file(file, language)
    if oddities:
        tables.write(checked.oddities, tables.ODDITIES, oddities, {"version": VERSION, "file": file})
    printing.say_checked(checked)
