"""Sheets as XLSX."""

import io
import zipfile
from typing import Any

import made_sheets
import pytest
from made import NASTY
from openpyxl import load_workbook
from openpyxl.styles import Alignment
from openpyxl.worksheet.worksheet import Worksheet

from crossedit.reports.scores import DASH, Estimate
from crossedit.reports.sheets import Column, Measured, Number, Numbers, Sheet, Shown, xlsx
from crossedit.reports.sheets.xlsx import to_xlsx

SCORE = Measured(("F1", "EM"), (Estimate(0.877651, 0.75, 0.8, 1037), Estimate(0.05, 0.04, 0.06, 1037)), beside="p = .5")
SHEET = Sheet(
    name="a",
    title="A title",
    columns=(Column("Backbone"), Column("Method"), Column("Generality", "English"), Column("Facts", "English")),
    rows=(
        ("one", "ROME", SCORE, "1,024"),
        ("one", "IKE", Measured(("F1", "EM"), (None, None)), DASH),
        ("two", "=1+1", Measured(("F1", "EM"), (SCORE.parts[1], None)), Number("+1.50", 1.4999, "so")),
    ),
    labels=2,
    note="A note.",
)


def opened(sheet: Sheet, intervals: bool = False) -> tuple[Worksheet, Worksheet]:
    table, numbers = load_workbook(io.BytesIO(to_xlsx(sheet, intervals))).worksheets
    return table, numbers


def values(sheet: Worksheet) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_the_table_reads_as_the_sheet() -> None:
    table, _ = opened(SHEET)
    assert values(table) == [
        ["A title", None, None, None, None],
        [None] * 5,
        [None, None, "English", None, None],
        [None, None, "Generality", None, None],
        ["Backbone", "Method", "F1", "EM", "Facts"],
        ["one", "ROME", 87.7651, 5, 1024],
        ["one", "IKE", DASH, DASH, DASH],
        ["two", "=1+1", 5, DASH, 1.4999],
        [None] * 5,
        ["A note.", None, None, None, None],
    ]
    assert {str(merged) for merged in table.merged_cells.ranges} == {"C3:E3", "C4:D4"}
    assert (table.freeze_panes, table.auto_filter.ref) == ("C6", "A5:E8")
    # On paper: as wide as a page, the head on each.
    assert table.sheet_properties.pageSetUpPr.fitToPage
    assert (table.page_setup.fitToWidth, table.page_setup.fitToHeight) == (None, 0)  # width: one page, its default
    assert table.print_title_rows == "$1:$5"


def test_numbers_read_as_in_the_sheet() -> None:
    table, _ = opened(SHEET)
    assert [table[place].number_format for place in ("C6", "E6", "E8")] == ["0.00", "#,##0", "+0.00;-0.00;0.00"]
    marked = Sheet("a", "A", SHEET.columns[:2], (("x", "77.65*"), ("y", "12.5 %"), ("z", "-3.1")), labels=1)
    cells = [opened(marked)[0].cell(line, 2) for line in (4, 5, 6)]
    assert [(cell.value, cell.number_format) for cell in cells] == [
        (77.65, '0.00"*"'),
        (12.5, '0.0" %"'),
        (-3.1, "0.0"),
    ]


def test_what_a_format_can_not_show_stays_text() -> None:
    texts = ("76.25 (67.5 to 85.0)", "never", "5 / 6", "1.2.3", "", "3e5", '2"')
    table, numbers = opened(Sheet("a", "A", SHEET.columns[:2], tuple(("x", text) for text in texts), labels=1))
    assert [table.cell(line, 2).value for line in range(4, 4 + len(texts))] == [text or None for text in texts]
    assert len(values(numbers)) == 1


def test_scores_are_coloured_each_by_itself() -> None:
    table, _ = opened(SHEET)
    assert [table[place].font.color.rgb[2:] for place in ("C6", "D6", "E6")] == ["0B6B3A", "737B85", "1B1F24"]


def test_intervals_have_columns_beside_their_numbers() -> None:
    table, _ = opened(SHEET, intervals=True)
    assert values(table)[4:6] == [
        ["Backbone", "Method", "F1", "low", "high", "EM", "low", "high", "Facts"],
        ["one", "ROME", 87.7651, 75, 80, 5, 4, 6, 1024],
    ]
    assert "C4:H4" in {str(merged) for merged in table.merged_cells.ranges}


def test_each_number_has_a_row_with_what_is_known_of_it() -> None:
    _, numbers = opened(SHEET)
    assert values(numbers)[1:] == [
        ["one", "ROME", "English Generality", "F1", 87.7651, 75, 80, 1037, "facts", "p = .5"],
        ["one", "ROME", "English Generality", "EM", 5, 4, 6, 1037, "facts", "p = .5"],
        ["one", "ROME", "English Facts", None, 1024, None, None, None, None, None],
        ["two", "=1+1", "English Generality", "F1", 5, 4, 6, 1037, "facts", None],
        ["two", "=1+1", "English Facts", None, 1.4999, None, None, None, None, "so"],
    ]
    assert (numbers.freeze_panes, numbers.auto_filter.ref) == ("C2", "A1:J6")


@pytest.mark.parametrize("intervals", [False, True])
def test_no_text_is_a_formula_or_lost(intervals: bool) -> None:
    sheet = made_sheets.sheet((*made_sheets.LATIN, *made_sheets.OTHERS))
    table, numbers = opened(sheet, intervals)
    fields = [cell for worksheet in (table, numbers) for row in worksheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in fields} == {"s", "n"}
    shown = {cell.value for cell in fields}
    assert {text for row in sheet.rows for text in row if isinstance(text, str) and text} - shown == set()
    assert NASTY in shown


def test_no_text_is_longer_than_a_cell_can_hold() -> None:
    """Excel offers to repair a file in which one is."""
    long = "<" * 40_000
    sheet = Sheet(long, long, (Column(long), Column("Method")), ((long, Number("1", 1, long)),), labels=1, note=long)
    fields = [cell for worksheet in opened(sheet) for row in worksheet.iter_rows() for cell in row]
    assert {len(cell.value) for cell in fields if "<" in str(cell.value)} == {32_767}


def test_the_same_sheet_gives_the_same_bytes() -> None:
    written = to_xlsx(SHEET)
    assert written == to_xlsx(SHEET)
    with zipfile.ZipFile(io.BytesIO(written)) as parts:
        assert {part.date_time[0] for part in parts.infolist()} == {1980}
        assert b"dcterms" not in parts.read("docProps/core.xml").replace(b'xmlns:dcterms="', b"")


def test_a_sheet_without_rows_is_written() -> None:
    table, numbers = opened(Sheet("a", "A", SHEET.columns, (), labels=2))
    assert table.auto_filter.ref == "A4:D4"
    assert "There is nothing to show." in {text for line in values(table) for text in line}
    assert len(values(numbers)) == 1


def test_all_measures_of_a_column_are_told_apart_and_can_be_summed() -> None:
    share = Shown("50.0", name="%", exact=50.0, bracketed=True)
    counted = Numbers((Shown("1,064", name="number", exact=1064), share), "of 2,128")
    rows = (("x", counted), ("y", Numbers((Shown("0", name="number", exact=0), share._replace(text="", exact=None)))))
    table, numbers = opened(Sheet("a", "A", SHEET.columns[:2], rows, labels=1))
    assert values(table)[2:6] == [[None, "Method", None], ["Backbone", "number", "%"], ["x", 1064, 50], ["y", 0, None]]
    assert [[*line[2:4], line[-1]] for line in values(numbers)[1:]] == [
        ["number", 1064, "of 2,128"],
        ["%", 50, "of 2,128"],
        ["number", 0, None],
    ]


def test_of_several_parts_each_is_found_by_its_name() -> None:
    mean = (Shown("+1.00", name="F1", exact=1.0), Shown("1 of 2", name="F1 significant", bracketed=True))
    em = Shown("-2.00**", name="EM", exact=-2.0, low=-3.0, high=-1.0, n=9)
    rows = (("x", Numbers((*mean, em))), ("y", Numbers((mean[0], em))), ("z", "words"))
    table, _ = opened(Sheet("a", "A", SHEET.columns[:2], rows, labels=1), intervals=True)
    assert values(table)[3:7] == [
        ["Backbone", "F1", "F1 significant", "EM", "low", "high"],
        ["x", 1, "1 of 2", -2, -3, -1],
        ["y", 1, None, -2, -3, -1],
        ["z", "words", None, None, None, None],
    ]
    assert table["D5"].number_format == '0.00"**"'


def test_more_rows_make_no_more_styles(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(xlsx, "Alignment", lambda *args, **settings: made.append(args) or Alignment(*args, **settings))
    counts = []
    for editors in (2, 8):
        made.clear()
        table, numbers = opened(made_sheets.wide(langs=3, editors=editors))
        counts.append(len(made))
        assert len(values(numbers)) == 1 + 2 * editors * 10 * 2
        assert {table.cell(line, 4).number_format for line in range(6, 6 + 2 * editors)} == {"0.00"}
    assert counts[0] == counts[1]
