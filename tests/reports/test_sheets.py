"""What sheets hold, and how they are written as CSV and Markdown: whatever texts hold is shown as text."""

import csv
import io
import math
import re
import subprocess
import sys
from pathlib import Path

import made_sheets
import polars as pl
import pytest
from made import NASTY

from crossedit.reports.scores import DASH, Estimate
from crossedit.reports.sheets import (
    Column,
    Measured,
    Number,
    Numbers,
    Sheet,
    Shown,
    to_csv,
    to_html,
    to_latex,
    to_markdown,
    write,
)
from crossedit.reports.sheets.texts import plain

SCORE = Measured(("F1", "EM"), (Estimate(0.7765, 0.7512, 0.8001, 1037), Estimate(0.05, 0.04, 0.06, 1037)))
SHEET = Sheet(
    name="table_2_a_b",
    title=f"A title: {NASTY}",
    columns=(Column("Backbone"), Column("Method"), Column("Reliability"), Column(NASTY, "English")),
    rows=(
        (NASTY, "ROME", SCORE, DASH),
        (NASTY, "IKE", Measured(("F1", "EM"), (None, None)), "1,024"),
        ("other", "[IKE]", SCORE, Number("+1.20", 1.2)),
    ),
    labels=2,
    note="A note.",
)
EVERY = made_sheets.sheet((*made_sheets.LATIN, *made_sheets.OTHERS))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\n lines\tand\u2028more", "two lines and more"),
        ("bell\x07", "bell<U+0007>"),
        ("Ber\u200blin", "Ber<U+200B>lin"),
        ("\u202eturned", "<U+202E>turned"),
        ("half \ud800", "half <U+D800>"),
        ("\ufeffmark\uffff", "<U+FEFF>mark<U+FFFF>"),
        ("می‌خواهم", "می‌خواهم"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("a\u200db", "a<U+200D>b"),
        ("e\u0301 ½ 中 😀", "e\u0301 ½ 中 😀"),
    ],
)
def test_what_nobody_would_see_stands_as_its_number(text: str, shown: str) -> None:
    assert plain(text) == shown
    assert plain(shown) == shown


def test_each_label_spans_its_rows() -> None:
    assert SHEET.spans() == [[2, 1], [0, 1], [1, 1]]
    assert SHEET.begins() == [None, None, 0]


def test_no_line_parts_rows_of_which_each_has_a_label_of_its_own() -> None:
    rows = (("a", "x", "1"), ("b", "y", "2"), ("c", "z", "3"))
    assert Sheet("a", "A", SHEET.columns[:3], rows, labels=2).begins() == [None] * 3


def test_what_is_no_number_is_a_dash() -> None:
    nothing = Estimate(math.nan, math.nan, math.nan, 0)
    assert str(Measured(("F1", "EM"), (nothing, None))) == DASH
    assert str(Measured(("F1", "EM"), (SCORE.parts[0], nothing))) == f"77.65 / {DASH}"
    assert (Number("nan", math.nan).text, Number("nan", math.nan).value) == (DASH, None)
    one = Measured(("EM",), (Estimate(0.5, math.nan, math.nan, 1),))
    assert one.shown[0].told(intervals=True) == "50.00"


def test_numbers_are_sorted_by_what_they_begin_with() -> None:
    texts = ("1,024", "-3.5 (-4.0 to 2.0)", "−2", "< .001", "77.65* / 3", DASH, "never", "")
    rows = tuple(("a", text) for text in texts)
    values = [value for _, (value,) in Sheet("a", "A", SHEET.columns[:2], rows, labels=1).values()]
    assert values == [1024, -3.5, -2, 0.001, 77.65, None, None, None]


def test_csv_gives_back_the_texts_each_number_in_a_column_of_its_own() -> None:
    header, *rows = csv.reader(io.StringIO(to_csv(SHEET)))
    assert header == ["Backbone", "Method", "Reliability F1", "Reliability EM", f"English {NASTY}"]
    assert [row[:2] for row in rows] == [list(row[:2]) for row in SHEET.rows]
    assert [row[2:] for row in rows] == [["77.65", "5.00", DASH], [DASH, DASH, "1,024"], ["77.65", "5.00", "+1.20"]]


def test_no_text_of_a_csv_file_is_a_formula() -> None:
    calls = (
        "=1+A1",
        "+cmd|' /C x'!A1",
        "-A1",
        "@SUM(A1)",
        "＝A1",
        "+0.39 / +1.56",
        "-2 / 3",
        "+1-2",
        "-1 to 2",
        "+1,2-3",
    )
    numbers = ("-2", "+1.5 (0.2 to 3.0)", "-3.5 (-4.0 to 2.0)", "+49 30", "3 = 3", "-12.5 %")
    cells = tuple((text, Number("-1.0 (x)", -1.0)) for text in (*calls, *numbers))
    _, *rows = csv.reader(io.StringIO(to_csv(Sheet("a", "A", SHEET.columns[:2], cells, labels=1))))
    assert [row[0] for row in rows] == [*(f"'{text}" for text in calls), *numbers]
    assert {tuple(row[1:]) for row in rows} == {("-1.0", "(x)")}


def test_differences_beside_each_other_are_no_quotient() -> None:
    both = Numbers((Shown("-2.08", name="F1", exact=-2.08), Shown("+3.12*", name="EM", exact=3.12)))
    lines = to_csv(
        Sheet("a", "A", SHEET.columns[:2], (("x", both), ("y", "-1 / 2"), ("z", DASH)), labels=1)
    ).splitlines()
    assert lines == [
        "Backbone,Method F1,Method EM,Method EM mark",
        "x,-2.08,+3.12,*",
        "y,'-1 / 2,,",
        f"z,{DASH},{DASH},",
    ]


@pytest.mark.parametrize("intervals", [False, True])
@pytest.mark.parametrize("sheet", list(made_sheets.every()), ids=lambda sheet: sheet.name)
def test_columns_of_numbers_are_numbers_in_csv(sheet: Sheet, intervals: bool) -> None:
    header, *rows = csv.reader(io.StringIO(to_csv(sheet, intervals)))
    numbers = tuple(
        str(column)
        for place, column in enumerate(sheet.columns)
        if place >= sheet.labels and all(cell == DASH or not isinstance(cell, str) for cell in sheet.cells(place))
    )
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    read = [name for name in columns if name.startswith(numbers) and not name.endswith(" mark")]
    assert len(read) >= len(numbers)
    for name in read:
        pl.Series(columns[name]).replace({"": None, DASH: None}).cast(pl.Float64)


def test_csv_has_thousands_together_and_marks_apart() -> None:
    cells = (
        Number("2,671", 2671),
        Number("-9.51***", -9.51),
        Number("−0.50", -0.5),
        Numbers((Shown("1 of 3", exact=1),)),
        Number(DASH, None),
    )
    sheet = Sheet("a", "A", SHEET.columns[:2], tuple(("x", cell) for cell in cells), labels=1)
    _, *rows = csv.reader(io.StringIO(to_csv(sheet)))
    assert [row[1:] for row in rows] == [["2671", ""], ["-9.51", "***"], ["-0.50", ""], ["1", "of 3"], [DASH, ""]]


@pytest.mark.parametrize(
    ("share", "tone"),
    [
        (0.80004, ""),
        (0.80006, "high"),
        (0.8, ""),
        (0.099996, ""),
        (0.09994, "low"),
        (0.1, ""),
    ],
)
def test_scores_are_coloured_by_the_number_that_is_printed(share: float, tone: str) -> None:
    score = Measured(("EM",), (Estimate(share, 0.0, 1.0, 9),))
    latex = to_latex(Sheet("a", "A", SHEET.columns[:2], (("x", score),), labels=1))
    assert score.shown[0].tone == tone
    assert re.findall(r"\\textcolor\{score(\w+)\}", latex) == ([tone] if tone else [])


def test_intervals_stand_beside_their_numbers() -> None:
    header, first, second, _ = csv.reader(io.StringIO(to_csv(SHEET, intervals=True)))
    assert header[2:8] == [f"Reliability {name}{bound}" for name in ("F1", "EM") for bound in ("", " low", " high")]
    assert first[2:8] == ["77.65", "75.1", "80.0", "5.00", "4.0", "6.0"]
    assert second[2:8] == [DASH, "", "", DASH, "", ""]
    assert r"| 77.65 \[75.1, 80.0\] / 5.00 \[4.0, 6.0\] |" in to_markdown(SHEET, intervals=True)


def test_numbers_in_brackets_stand_behind_others() -> None:
    cell = Numbers(
        (Shown("64", name="number", exact=64), Shown("100.0", name="%", exact=100.0, bracketed=True)), "of 64"
    )
    assert (str(cell), cell.note) == ("64 (100.0)", "of 64")
    assert "| 64 (100.0) |" in to_markdown(Sheet("a", "A", SHEET.columns[:2], (("x", cell),), labels=1))
    lacking = Numbers((Shown("0", name="number", exact=0), Shown("", name="%", bracketed=True)))
    assert str(lacking) == "0"
    assert str(Numbers((Shown(DASH, name="F1"), Shown(DASH, name="EM")))) == DASH


def test_no_bound_is_less_than_nothing_by_rounding() -> None:
    cell = Numbers((Shown("7.05", name="EM", exact=7.05, low=-0.04, high=14.1, n=64),))
    (part,) = cell.shown
    assert part.told(intervals=True) == "7.05 [0.0, 14.1]"
    assert part.said == "EM 7.05, 95 % interval 0.0 to 14.1"
    assert "-0.0" not in to_csv(Sheet("a", "A", (Column("EM"),), ((cell,),), labels=0), intervals=True)


@pytest.mark.parametrize("intervals", [False, True])
def test_a_sheet_without_rows_says_so_in_every_format(intervals: bool) -> None:
    empty = Sheet("a", "A", SHEET.columns, (), labels=2, note="A note.")
    for form in (to_csv, to_markdown, to_latex, to_html):
        assert "There is nothing to show." in form(empty, intervals)
    assert "There is nothing to show." not in to_html(SHEET)


@pytest.mark.parametrize("sheet", [SHEET, EVERY], ids=["few", "hostile"])
@pytest.mark.parametrize("intervals", [False, True])
def test_markdown_keeps_its_columns(sheet: Sheet, intervals: bool) -> None:
    text = to_markdown(sheet, intervals)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(sheet.rows)
    for line, row in zip(lines[2:], sheet.rows, strict=True):
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        assert len(cells) == len(sheet.columns)
        shown = [re.sub(r"\\(.)", r"\1", cell).replace("&amp;", "&").strip(" \u2068\u2069") for cell in cells]
        assert [shown[0], shown[1], shown[-1]] == [row[0], row[1], str(row[-1])]
    assert "<" not in re.sub(r"\\.", "", text)


def test_markdown_keeps_what_is_written_from_right_to_left_in_its_cell() -> None:
    sheet = Sheet("a", "A", SHEET.columns[:2], (("שלום 1", "2.00"),), labels=1)
    assert "| \u2068שלום 1\u2069 | 2.00 |" in to_markdown(sheet)


def test_all_formats_are_written_and_nothing_else(tmp_path: Path) -> None:
    write(EVERY, tmp_path, intervals=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"hostile.{suffix}" for suffix in ("csv", "html", "md", "tex", "xlsx")
    ]
    assert all(path.stat().st_size for path in tmp_path.iterdir())


def test_sheets_need_no_spreadsheet_program_until_they_are_written() -> None:
    code = "import sys, crossedit.reports.sheets; print({'openpyxl', 'torch', 'matplotlib'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
