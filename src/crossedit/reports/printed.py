"""The published tables as the papers print them: `resources/published` as sheets."""

from collections.abc import Iterator, Mapping, Sequence

from crossedit.reports.bizsre import LABELS, LENGTHS, MEASURES, places
from crossedit.reports.naming import language
from crossedit.reports.published import SOURCES, edits, languages, rows
from crossedit.reports.scores import DASH
from crossedit.reports.sheets import Cell, Column, Number, Numbers, Sheet, Shown, tone

_NAMES = {"examples": "Records", "ceval": "C-Eval", "mmlu": "MMLU"}


def sheets() -> Iterator[Sheet]:
    """Yield Bi-ZsRE's Tables 1 to 4, then KnowEdit's Tables 3 to 6."""
    yield _plain("bizsre_table_1", "records and mean lengths in tokens", labels=2)
    yield _edits("Table 2")
    yield _plain("bizsre_table_3", "what the backbones are able to do, in percent", labels=1)
    yield _edits("Table 4")
    yield _plain("knowedit_table_3", "data sets and their records", labels=3)
    title = "edits, in percent but for fluency (n-gram entropy × 100) and the locality of ConvSent (KL divergence)"
    yield _crossed("knowedit_table_4", title, ("dataset", "metric"), "method")
    yield _crossed("knowedit_table_5", "general tasks after five edits, in percent", ("model",), "task")
    title = "trained on one data set, tested on another, in percent but for fluency (n-gram entropy × 100)"
    yield _crossed("knowedit_table_6", title, ("method", "metric"), "transfer")


def _plain(name: str, title: str, labels: int) -> Sheet:
    """Return the file as it stands, a line each."""
    found = rows(name)
    columns = [column for column in found[0] if column not in ("source", "table")]
    return _sheet(
        name,
        found[0],
        title,
        [LENGTHS.get(column, Column(_NAMES.get(column, column.capitalize()))) for column in columns],
        [tuple(_cell(column, row[column], place < labels) for place, column in enumerate(columns)) for row in found],
        labels,
    )


def _cell(column: str, text: str, label: bool) -> Cell:
    if label:
        return language(text) if column == "language" else text
    if not text:
        return DASH
    return Number.of(int(text)) if text.isdigit() else Number(text, float(text))


def _crossed(name: str, title: str, labels: Sequence[str], across: str) -> Sheet:
    """Return a file of single values with a column for each of what stands in `across`."""
    found = rows(name)
    values = {(*(row[label] for label in labels), row[across]): row["value"] for row in found}
    names = list(dict.fromkeys(row[across] for row in found))
    lines = dict.fromkeys(tuple(row[label] for label in labels) for row in found)
    return _sheet(
        name,
        found[0],
        title,
        [*(Column(label.capitalize()) for label in labels), *map(Column, names)],
        [(*line, *(_cell(across, values.get((*line, other), ""), label=False) for other in names)) for line in lines],
        len(labels),
    )


def _edits(table: str) -> Sheet:
    """Return Table 2 or 4 of Bi-ZsRE."""
    found = [row for row in rows("bizsre_tables_2_4") if row["table"] == table]
    shown = places(languages())
    keys = dict.fromkeys((row["backbone"], row["edit_language"], row["method"]) for row in found)
    lines: list[tuple[Cell, ...]] = []
    for backbone, lang, method in keys:
        printed = [edits()[backbone, method, lang, place.aspect, place.lang or lang] for place in shown]
        lines.append((backbone, language(lang), method, *map(_scores, printed)))
    columns = [*LABELS, *(place.column for place in shown)]
    return _sheet(f"bizsre_{table.lower().replace(' ', '_')}", found[0], "edits, F1 / EM", columns, lines, len(LABELS))


def _scores(printed: Sequence[str]) -> Numbers:
    named = zip(MEASURES, printed, strict=True)
    return Numbers(tuple(Shown(text, tone(float(text) / 100), name, float(text)) for name, text in named))


def _sheet(
    name: str,
    of: Mapping[str, str],
    title: str,
    columns: Sequence[Column],
    lines: Sequence[tuple[Cell, ...]],
    labels: int,
) -> Sheet:
    source = of["source"]
    return Sheet(name, f"{source}, {of['table']}: {title}", tuple(columns), tuple(lines), labels, SOURCES[source] + ".")
