"""The count behind every number: wrong answers by type of error."""

import csv
import io

import polars as pl
import pytest
from made import ENTRY, scores
from openpyxl import load_workbook

from crossedit.reports.grid import Grid
from crossedit.reports.outcomes import WRONG, errors
from crossedit.reports.scores import DASH, Scores
from crossedit.reports.sheets import Sheet, to_csv
from crossedit.reports.sheets.xlsx import to_xlsx
from crossedit.tables import OUTCOMES

COUNTED = ("Answers", "Wrong", *map(str.capitalize, WRONG))


def outcomes(*rows: tuple[str, str, str, str, int]) -> pl.DataFrame:
    """Return OUTCOMES of ROME, edited in English: aspect, language, protocol, outcome, number."""
    return pl.DataFrame([("tiny", "small", "ROME", "en", *row) for row in rows], schema=OUTCOMES.columns, orient="row")


FOUND = outcomes(
    ("reliability", "en", "upstream", "right", 30),
    ("reliability", "en", "upstream", "missing", 3),
    ("reliability", "en", "upstream", "irrelevant", 1),
    ("generality", "en", "upstream", "right", 1234),
    ("generality", "zh", "upstream", "unchanged", 20),
    ("generality", "zh", "upstream", "right", 5),
    ("reliability", "en", "teacher_forced", "meaningless", 99),
    ("portability", "en", "upstream", "partial", 99),
)


@pytest.fixture
def sheet() -> Sheet:
    known = Scores(scores())
    return errors(FOUND, Grid.of(ENTRY, known), "tiny", "upstream")


def row(sheet: Sheet, *labels: str) -> dict[str, list[str]]:
    """Return the texts of a row by group of columns."""
    cells = next(row for row in sheet.rows if tuple(map(str, row[: sheet.labels])) == labels)
    groups: dict[str, list[str]] = {}
    for column, cell in zip(sheet.columns[sheet.labels :], cells[sheet.labels :], strict=True):
        groups.setdefault(column.group, []).append(str(cell))
    return groups


def test_wrong_answers_are_counted_by_type_with_their_share(sheet: Sheet) -> None:
    assert sheet.name == "errors_tiny_upstream"
    assert tuple(column.name for column in sheet.columns[3:10]) == COUNTED
    shown = list(row(sheet, "small", "English", "ROME").values())
    assert shown == [
        ["34", "4 (11.8)", "0", "0", "3 (75.0)", "0", "1 (25.0)"],
        ["1,234", "0", "0", "0", "0", "0", "0"],
        ["25", "20 (80.0)", "20 (100.0)", "0", "0", "0", "0"],
    ]


def test_a_number_can_be_sorted_by_and_says_what_it_is_of(sheet: Sheet) -> None:
    found = next(row for row in sheet.rows if row[1:3] == ("English", "ROME"))
    missing = found[3 + COUNTED.index("Missing")]
    assert (missing.shown[0].value, missing.note) == (3, "of 4 wrong answers, 34 in all")


def test_counts_and_shares_are_numbers_with_columns_of_their_own(sheet: Sheet) -> None:
    table = load_workbook(io.BytesIO(to_xlsx(sheet)))["table"]
    at = next(line for line in range(6, 6 + len(sheet.rows)) if table.cell(line, 3).value == "ROME")
    assert [table.cell(5, column).value for column in range(4, 9)] == ["Answers", "number", "%", "number", "%"]
    assert [table.cell(at, column).value for column in range(4, 9)] == [34, 4, pytest.approx(400 / 34), 0, None]
    header, *rows = csv.reader(io.StringIO(to_csv(sheet)))
    assert header[3:6] == ["Reliability Answers", "Reliability Wrong number", "Reliability Wrong %"]
    assert ["34", "4", "11.8", "0", ""] in [row[3:8] for row in rows]


def test_where_nothing_was_counted_are_dashes(sheet: Sheet) -> None:
    late = row(sheet, "small", "Chinese", "late")
    assert {text for texts in late.values() for text in texts} == {DASH}


def test_types_add_up_to_the_wrong_answers(sheet: Sheet) -> None:
    for cells in sheet.rows:
        for start in range(sheet.labels, len(cells), len(COUNTED)):
            answers, wrong, *types = (cell.shown[0].value for cell in cells[start : start + len(COUNTED)])
            if answers is not None:
                assert sum(types) == wrong <= answers
    assert all(f"{name}: " in sheet.note for name in WRONG)
