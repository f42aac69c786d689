import csv
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from crossedit.translation.records import FIELDS
from crossedit.translation.reviews import columns, lines, reading, sheets
from crossedit.translation.reviews import rows as review
from crossedit.translation.reviews.names import FIELD_NAMES, MEANINGS


def cells(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@given(
    st.text(alphabet="'=+-@＝\t\r\n019.:/eE,a")
    | st.text(alphabet="_x004\x00\x01\x1f\uffff1a ")
    | st.text(alphabet="TRUEtrue 5pm😀")
    | st.text()
)
@example("_x0041\x01")
def test_every_text_comes_back_from_a_csv_file_and_none_is_a_formula(text):
    stored = columns.guarded(text)
    assert columns.unguarded(stored) == text
    assert not stored.startswith(tuple("=+-@＝＋－＠\t\r"))
    assert not set(stored) & set(map(chr, range(9)))


@pytest.mark.parametrize(
    "text",
    [
        "May 5",
        "5. Mai 1990",
        "March 2018",
        "1990年5月",
        "MARCH1",
        "3-4",
        "TRUE",
        "false",
        "(5)",
        "5 pm",
        ".5",
        "1 1/2",
        "5%",
        "５",
        "007",
        "1.5e3",
    ],
)
def test_what_a_spreadsheet_program_would_take_for_something_else_is_guarded(text):
    assert columns.guarded(text) == f"'{text}"


@pytest.mark.parametrize("fingerprint", ["1234567890123456", "123456789012345e"])
def test_fingerprints_that_look_like_numbers_are_guarded(fingerprint):
    assert columns.guarded(fingerprint) == f"'{fingerprint}"


@pytest.mark.parametrize(
    "text", ["1984", "0", "Canada", "true love", "What happened in May 1968 in Paris?", "0123456789abcdef"]
)
def test_what_no_program_would_change_stands_as_it_is(text):
    assert columns.guarded(text) == text


def test_csv_has_the_columns_and_the_mark_by_which_programs_know_utf_8(chinese, tmp_path):
    sheets.write_csv(chinese, tmp_path / "zh.csv", by="ana")
    assert (tmp_path / "zh.csv").read_bytes().startswith(b"\xef\xbb\xbfsplit,case_id,lang,field,source,machine,checks,")
    found = cells(tmp_path / "zh.csv")
    assert tuple(found[0]) == columns.COLUMNS
    assert [(line["field"], line["machine"]) for line in found] == [
        (r.field, columns.guarded(r.machine)) for r in chinese
    ]
    assert {line["by"] for line in found} == {"ana"}
    assert {line["corrected"] + line["judged"] + line["note"] for line in found} == {""}


def test_hostile_texts_are_texts_in_both_forms_and_come_back(hostile, tmp_path):
    sheets.write_csv(hostile, tmp_path / "zh.csv")
    sheets.write_xlsx(hostile, tmp_path / "zh.xlsx")
    sheet = load_workbook(tmp_path / "zh.xlsx")[sheets.REVIEW]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    assert {cell.number_format for row in sheet.iter_rows() for cell in row} == {"@"}
    for found in (lines.of_csv(tmp_path / "zh.csv"), lines.of_xlsx(tmp_path / "zh.xlsx")):
        for name in ("source", "machine", "checks"):
            assert [line.texts[name] for line in found] == [row.machine for row in hostile]
        assert [line.texts["case_id"] for line in found] == [str(row.case_id) for row in hostile]


def test_what_no_file_can_hold_comes_back_from_both_forms(chinese, tmp_path):
    row = replace(chinese[0], machine="a\x00b", checks=("'subject' lacks \x00",))
    sheets.write_csv([row], tmp_path / "zh.csv")
    sheets.write_xlsx([row], tmp_path / "zh.xlsx")
    for [found] in (lines.of_csv(tmp_path / "zh.csv"), lines.of_xlsx(tmp_path / "zh.xlsx")):
        assert found.texts["machine"] == "a\x00b"
        assert found.texts["checks"] == "“Subject” lacks \x00"


def test_every_field_has_a_name_and_a_meaning_and_the_first_steps_say_them(chinese, tmp_path):
    assert set(FIELDS) == set(FIELD_NAMES) == set(MEANINGS)
    sheets.write_xlsx(chinese, tmp_path / "zh.xlsx")
    said = [row[0].value or "" for row in load_workbook(tmp_path / "zh.xlsx")["First steps"].iter_rows()]
    for field in {row.field for row in chinese}:
        assert f"{field} (“{FIELD_NAMES[field]}”): {MEANINGS[field]}." in said


def test_only_what_is_to_be_filled_in_is_unlocked_in_the_spreadsheet(chinese, tmp_path):
    sheets.write_xlsx(chinese, tmp_path / "zh.xlsx", by="ana")
    book = load_workbook(tmp_path / "zh.xlsx")
    sheet = book[sheets.REVIEW]
    assert book.active is sheet
    names = [cell.value for cell in sheet[1]]
    assert tuple(names) == columns.COLUMNS
    for row in sheet.iter_rows(min_row=2):
        unlocked = {name for name, cell in zip(names, row, strict=True) if not cell.protection.locked}
        assert unlocked == {"corrected", "judged", "by", "note"}
    assert sheet.protection.sheet
    assert sheet.freeze_panes == "E2"
    assert sheet.auto_filter.ref == f"A1:L{len(chinese) + 1}"


def test_rows_with_findings_look_different(chinese, tmp_path):
    plain, flagged = replace(chinese[0], checks=()), replace(chinese[-1], checks=("a number is missing",))
    sheets.write_xlsx([plain, flagged], tmp_path / "zh.xlsx")
    sheet = load_workbook(tmp_path / "zh.xlsx")[sheets.REVIEW]
    for above, below in zip(sheet[2], sheet[3], strict=True):
        assert above.fill.fgColor.rgb != below.fill.fgColor.rgb


def test_the_expert_sees_the_proposals_before_the_place_for_the_last_word(machine, disputed, tmp_path):
    rows = review.conflicts(machine, disputed)
    sheets.write_csv(rows, tmp_path / "zh.csv")
    sheets.write_xlsx(rows, tmp_path / "zh.xlsx")
    [line] = cells(tmp_path / "zh.csv")
    assert tuple(line) == columns.EXPERT
    assert columns.EXPERT.index("proposals") == columns.EXPERT.index("corrected") - 1
    assert line["proposals"] == "ana: 加国 (shorter)\nbo: 加拿大"
    assert lines.of_xlsx(tmp_path / "zh.xlsx")[0].texts == line


@pytest.mark.parametrize("write", [sheets.write_csv, sheets.write_xlsx])
def test_a_file_nobody_has_filled_in_says_nothing(chinese, tmp_path, write):
    path = tmp_path / f"zh.{write.__name__.removeprefix('write_')}"
    write(chinese, path, by="ana")
    assert reading.read(path) == []
