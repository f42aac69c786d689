"""Sheets made for tests: texts that would like to be something else, and one of every kind that there is."""

from collections.abc import Iterator
from dataclasses import replace

import made
import made_sweeps

from crossedit.reports import bizsre, translation
from crossedit.reports.beside import Beside
from crossedit.reports.grid import Grid
from crossedit.reports.scores import Estimate, Scores
from crossedit.reports.sheets import Column, Measured, Number, Sheet

# What pdfLaTeX has letters for, and what it has not.
LATIN = (
    made.NASTY,
    "",
    "NaN",
    "=HYPERLINK(1)",
    "+1-2",
    "-2",
    "@SUM(A1)",
    "a | b || c",
    "two\nlines\tand\r\nmore",
    "bell \x07, nul \0, zero\u200bwidth, turned \u202eround, half \ud800, none \ufffe",
    r"\end{tabular} ^^M $$ \\ [1ex] {{ }} % &",
    "<!-- --> &lt;b&gt; </td></table> {{ 7 * 7 }} {% x %}",
    "**bold** _x_ `y` # [a](b) ![c](d) ~~e~~",
    "fiancé Łódź ½ – — “q” ‘r’ … a--b ''s'' ,,t,, ?` !`",
    "α, κ ≤ 3 × 10 − 2 → ∞ †",
    "x" * 300,
    "many words " * 120,
)
OTHERS = (
    "مرحبا بالعالم",
    "שלום עולם 12.5",
    "埃及的官方语言属于哪个语族？" * 6,
    "می‌خواهم",
    "Ελλάδα, Україна",
    "Việt Nam, ŧħe ſ",
    "so 😀",
)


def sheet(texts: tuple[str, ...], name: str = "hostile") -> Sheet:
    """Return a sheet that holds the texts as labels and as cells, in its title and in its header."""
    scores = Measured(("F1", "EM"), (Estimate(0.7765, 0.7512, 0.8001, 1037), Estimate(0.0, 0.0, 0.0, 1037)))
    numbers = (scores, Measured(("F1", "EM"), (None, None)), replace(scores, parts=(scores.parts[1], None)))
    rows = [
        (f"Row {place // 3}", text, numbers[place % 3], Number(f"{place - 3:+}", place - 3, "beside"), text)
        for place, text in enumerate(texts)
    ]
    short = texts[0]
    return Sheet(
        name=name,
        title=f"A title: {short}",
        columns=(Column("Of"), Column("Text"), Column("Scores", short), Column("Change", short), Column("Said")),
        rows=tuple(rows),
        labels=2,
        note=f"A note: {short}",
    )


def published(table: str) -> Sheet:
    """Return the table with the numbers that the paper prints."""
    known = Scores(made.published_scores(table))
    found = bizsre.table_2(known, Grid.of({"protocols": ["upstream"]}, known), "bizsre", "upstream")
    return replace(found, name=f"published_{table}")


def long() -> Sheet:
    """Return Table 2 of more editors than a page holds rows."""
    table = published("Table 2")
    rows = [
        (backbone, lang, f"{row[2]}-{size}", *row[3:])
        for backbone, lang in dict.fromkeys(row[:2] for row in table.rows)
        for size in range(6)
        for row in table.rows
        if row[:2] == (backbone, lang)
    ]
    return replace(table, name="long", rows=tuple(rows))


def wide(langs: int = 53, editors: int = 22) -> Sheet:
    """Return Table 2 of more languages than a page is wide, of two backbones."""
    score = Measured(("F1", "EM"), (Estimate(0.7765, 0.7512, 0.8001, 1037), Estimate(0.4, 0.37, 0.43, 1037)))
    places = [
        Column(aspect, f"Language {lang}")
        for lang in range(langs)
        for aspect in ("Generality", "Locality", "Portability")
    ]
    columns = (Column("Backbone"), Column("Edited in"), Column("Method"), Column("Reliability"), *places)
    rows = [
        (backbone, "English", f"Method {editor}", *[score] * (1 + len(places)))
        for backbone in ("one", "two")
        for editor in range(editors)
    ]
    return Sheet("wide", "Edits", columns, tuple(rows), labels=3, note="A note.")


def every() -> Iterator[Sheet]:
    """Yield a sheet of each kind, none of whose letters pdfLaTeX lacks."""
    yield sheet(LATIN)
    yield from (published("Table 2"), published("Table 4"), long())
    known = Scores(made.published_scores("Table 2"))
    yield Beside.of({}, known, Grid.of({"protocols": ["upstream"]}, known)).sheet("bizsre")
    tiny = Scores(made.scores())
    for protocol in made.ENTRY["protocols"]:
        yield bizsre.locality(tiny, Grid.of(made.ENTRY, tiny), "tiny", protocol)
    yield from translation.sheets(made.translation()["summary.json"], "tiny")
    sweeps = made_sweeps.sweeps(made_sweeps.entry(("ROME", "MEMIT-single", "MEMIT-10")))
    yield from made_sweeps.sheets(sweeps)
    yield Sheet("empty", "Nothing yet", (Column("Backbone"), Column("EM")), (), labels=1)
