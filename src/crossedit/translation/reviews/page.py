"""The rows to judge as a page in one file, to be corrected in the browser without any network.

The texts stand in the page as JSON and are shown as texts only. What the person does is kept in the browser, under a
key that stands for the content and the person, and saved as the same CSV file that a spreadsheet program would have
filled in.
"""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from crossedit.facts import languages
from crossedit.files import digest, whole
from crossedit.pages import allowed, environment, inert
from crossedit.translation.reviews.columns import MISTAKEN, UNWRITABLE, columns_of, findings
from crossedit.translation.reviews.names import FIELD_NAMES, MEANINGS
from crossedit.translation.reviews.rows import Row

_SCRIPTS = ("csv.js", "work.js", "make.js", "record.js", "review.js")


def write(rows: list[Row], path: Path, by: str = "") -> None:
    """Write the page; `by` is the name of the person who will judge, who is asked for it otherwise."""
    with whole(path) as temporary:
        temporary.write_text(page(rows, by), encoding="utf-8")


def page(rows: list[Row], by: str = "") -> str:
    """Return the page as HTML; the rows are of one language."""
    records = _records(rows)
    there = {row.field for row in rows} | {text.field for row in rows for text in row.beside}
    told = {
        "key": digest(records, by),
        "by": by,
        "lang": rows[0].lang,
        "language": languages.name(rows[0].lang),
        "source_lang": rows[0].source_lang,
        "expert": any(row.proposals for row in rows),
        "columns": columns_of(rows),
        "mistaken": MISTAKEN,
        "unwritable": UNWRITABLE,
        "names": FIELD_NAMES,
        "records": records,
    }
    script = "\n".join(_text(name) for name in _SCRIPTS)
    return (
        _environment()
        .get_template("review.html.j2")
        .render(
            review=told,
            fields={FIELD_NAMES[field]: MEANINGS[field] for field in FIELD_NAMES if field in there},
            data=inert(told),
            style=Markup(_text("review.css")),
            script=Markup(script),
            # Nothing but this script may run, and nothing may be fetched, whatever a text holds.
            script_source=allowed(script),
        )
    )


def _records(rows: list[Row]) -> list[dict[str, Any]]:
    records: dict[tuple[str, int, str], dict[str, Any]] = {}
    for row in rows:
        head = {"split": row.split, "case_id": row.case_id, "lang": row.lang, "record": row.record}
        beside = [text._asdict() for text in row.beside]
        record = records.setdefault(row.case, {**head, "texts": [], "beside": beside})
        record["texts"].append(
            {
                "field": row.field,
                "source": row.source,
                "machine": row.machine,
                "checks": findings(row),
                "proposals": [{**proposal._asdict(), "said": str(proposal)} for proposal in row.proposals],
            }
        )
    return list(records.values())


def _text(name: str) -> str:
    templates = _environment()
    assert templates.loader is not None
    return templates.loader.get_source(templates, name)[0]


@cache
def _environment() -> Environment:
    return environment("crossedit.translation.reviews")
