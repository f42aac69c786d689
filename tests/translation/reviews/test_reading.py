import csv
import datetime

import polars as pl
import pytest
from openpyxl import Workbook, load_workbook

from crossedit.errors import UserError
from crossedit.translation.reviews import reading, sheets
from crossedit.translation.reviews import rows as review
from crossedit.translation.reviews.judgements import Judgement

COMPACT = ("case_id", "lang", "field", "machine", "corrected", "by")
SUBJECT = ("1", "zh", "subject", "加拿大", "加国", "ana")


@pytest.fixture
def write(tmp_path):
    def write(*lines, header=COMPACT, encoding="utf-8", delimiter=",", name="zh.csv"):
        path = tmp_path / name
        with open(path, "w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows([header, *lines])
        return path

    return write


@pytest.fixture
def write_xlsx(tmp_path):
    def write(*lines, header=COMPACT, sheets=("one",)):
        book = Workbook()
        book.remove(book.active)
        for name in sheets:
            sheet = book.create_sheet(name)
            for line in (header, *lines):
                sheet.append(line)
        book.save(tmp_path / "zh.xlsx")
        return tmp_path / "zh.xlsx"

    return write


def test_a_corrected_text_is_a_judgement_of_its_field(write):
    path = write(SUBJECT)
    assert reading.read(path) == [Judgement(f"{path}: line 2", "ana", 1, "zh", "subject", "加拿大", "加国")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiters_and_byte_order_marks_make_no_difference(write, encoding, delimiter):
    line = (*SUBJECT[:4], 'a, b; c\t"d"', "")
    [said] = reading.read(write(line, encoding=encoding, delimiter=delimiter))
    assert (said.corrected, said.by) == ('a, b; c\t"d"', "zh")


def test_an_empty_corrected_says_nothing_until_a_mark_says_that_the_records_texts_are_right(write):
    header = (*COMPACT, "judged", "note", "split", "record")
    lines = [
        (*SUBJECT[:4], "", "ana", "", "not sure", "test", "f00"),
        (*SUBJECT[:4], "", "bo", "", "right so", "test", "f00"),
        ("1", "zh", "target", "1984", "1985", "bo", "x", "", "test", "f00"),
        ("1", "zh", "prompt", "哪里？", "", "bo", "x", "", "test", "f00"),
    ]
    path = write(*lines, header=header)
    where, whose = f"{path}: line ", ("bo", 1, "zh")
    assert reading.read(path) == [
        Judgement(where + "4", *whose, None, None, None, "test", None, "f00"),
        Judgement(where + "3", *whose, "subject", "加拿大", "加拿大", "test", "right so", "f00"),
        Judgement(where + "4", *whose, "target", "1984", "1985", "test", None, "f00"),
        Judgement(where + "5", *whose, "prompt", "哪里？", "哪里？", "test", None, "f00"),
    ]


def test_a_mark_needs_no_field_and_the_files_name_stands_for_the_person(write):
    path = write(("1", "zh", "x", "all good"), header=("case_id", "lang", "judged", "note"), name="bo.csv")
    assert reading.read(path) == [Judgement(f"{path}: line 2", "bo", 1, "zh", None, None, None, None, "all good")]


def test_in_the_experts_file_a_mark_is_about_its_line(machine, disputed, tmp_path):
    both = disputed.with_columns(outcome=pl.lit("conflict"))
    path = tmp_path / "expert.xlsx"
    sheets.write_xlsx(review.conflicts(machine, both), path)
    book = load_workbook(path)
    sheet = book[sheets.REVIEW]
    names = [cell.value for cell in sheet[1]]
    assert [sheet.cell(row, names.index("field") + 1).value for row in (2, 3)] == ["subject", "prompt"]
    sheet.cell(2, names.index("judged") + 1).value = "x"
    book.save(path)
    [said] = reading.read(path)
    assert (said.by, said.field, said.machine, said.corrected) == ("expert", "subject", "加拿大", "加拿大")


@pytest.mark.parametrize("said", ["", "no", "FALSE", "0", " False "])
def test_what_says_no_is_no_mark(write, said):
    header = (*COMPACT, "judged")
    assert reading.read(write((*SUBJECT[:4], "", "ana", said), header=header)) == []
    assert len(reading.read(write((*SUBJECT[:4], "", "ana", "TRUE"), header=header))) == 2


def test_an_experts_mark_on_a_text_is_about_that_text_in_any_file(write):
    header = (*COMPACT, "judged")
    path = write((*SUBJECT[:4], "", "eve", "x"), ("1", "zh", "prompt", "哪里？", "", "eve", ""), header=header)
    assert [said.field for said in reading.read(path)] == [None, "subject", "prompt"]
    assert [said.field for said in reading.read(path, expert=True)] == ["subject"]


def test_one_name_holds_for_all_lines_and_several_must_all_be_given(write):
    header = (*COMPACT, "judged")
    lines = [(*SUBJECT[:4], "加国", "ana", ""), ("1", "zh", "prompt", "哪里？", "", "", "x")]
    assert {said.by for said in reading.read(write(*lines, header=header))} == {"ana"}
    others = [*lines, ("2", "zh", "prompt", "哪里？", "", "bo", "x")]
    with pytest.raises(UserError, match="line 3: `by` is empty, but others are named"):
        reading.read(write(*others, header=header))


def test_files_that_name_nobody_pass_for_no_ones_work(write, tmp_path):
    first = write(("1", "zh", "x"), header=("case_id", "lang", "judged"))
    second = tmp_path / "bo" / first.name
    second.parent.mkdir()
    second.write_bytes(first.read_bytes())
    with pytest.raises(UserError, match=f"{second}: it would pass for the work of 'zh', as would {first}"):
        reading.read_all([first, second])
    assert [said.by for said in reading.read_all([first, second.rename(second.with_name("bo.csv"))])] == ["zh", "bo"]


def test_the_same_name_may_be_made_up_of_other_characters(write):
    path = write(
        ("1", "zh", "x", "Ji\u0159i"), ("2", "zh", "x", "Jir\u030ci"), header=("case_id", "lang", "judged", "by")
    )
    assert len({said.by for said in reading.read(path)}) == 1


def test_spaces_about_a_corrected_text_are_none_of_it(write):
    assert [said.corrected for said in reading.read(write((*SUBJECT[:4], " 加国\u3000", "ana")))] == ["加国"]


def test_several_people_in_one_file(write):
    path = write(SUBJECT, (*SUBJECT[:4], "加拿大国", "bo"), (*SUBJECT[:2], "target", "1984", "1985", "ana"))
    assert [(said.by, said.field) for said in reading.read(path)] == [
        ("ana", "subject"),
        ("ana", "target"),
        ("bo", "subject"),
    ]


def test_empty_lines_and_columns_without_a_name_are_passed_over(write):
    path = write((*SUBJECT, "", ""), ("",) * 8, (), ("2", *SUBJECT[1:], "", ""), header=(*COMPACT, "", ""))
    assert [said.where.rpartition(" ")[2] for said in reading.read(path)] == ["2", "5"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (("one", *SUBJECT[1:]), "line 2: case_id is 'one'; it must be a whole number"),
        (("1", "", *SUBJECT[2:]), "line 2: lang is empty"),
        ((*SUBJECT[:2], "subjekt", *SUBJECT[3:]), "line 2: no such field 'subjekt'; did you mean 'subject'"),
        ((*SUBJECT[:2], "", *SUBJECT[3:]), "line 2: corrected is '加国', but field is empty"),
        ((*SUBJECT[:3], "", *SUBJECT[4:]), "line 2: corrected is '加国', but machine is empty"),
        (SUBJECT[:4], "line 2: .* as many columns as the header"),
        ((*SUBJECT, "more"), "line 2: .* as many columns as the header"),
    ],
)
def test_lines_that_cannot_be_understood(write, line, sentence):
    with pytest.raises(UserError, match=rf"zh\.csv: {sentence}"):
        reading.read(write(line))


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (("case_id", "lang", "field", "machin", "corrected"), "no such column 'machin'; did you mean 'machine'"),
        (("case_id", "lang", "field", "machine"), "columns missing: corrected"),
        (("lang", "corrected"), "columns missing: case_id, field, machine"),
        ((*COMPACT, "by"), "the column 'by' is there twice"),
        ((), "columns missing: case_id, lang, corrected"),
    ],
)
def test_columns_that_are_not_ours(write, header, sentence):
    with pytest.raises(UserError, match=rf"zh\.csv: {sentence}"):
        reading.read(write(header=header))


@pytest.mark.parametrize(
    ("encoding", "sentence"),
    [
        (
            "gb18030",
            "not a CSV file in UTF-8: line 3 is in another encoding, perhaps GBK .* save it again as “CSV UTF-8”",
        ),
        ("utf-16", "it is in UTF-16; save it again as “CSV UTF-8”"),
        ("utf-16-le", "it is in UTF-16"),
    ],
)
def test_other_encodings(write, encoding, sentence):
    with pytest.raises(UserError, match=sentence):
        reading.read(write(("1", "en", "subject", "a", "b", "c"), SUBJECT, encoding=encoding))


def test_files_that_cannot_be_read(write, tmp_path):
    with pytest.raises(UserError, match=r"none\.csv: no such file"):
        reading.read(tmp_path / "none.csv")
    with pytest.raises(UserError, match=r"zh\.ods: .* read from \.csv, \.xlsx and \.json"):
        reading.read(write(SUBJECT, name="zh.ods"))
    with pytest.raises(UserError, match=r"zh\.xlsx: not a spreadsheet"):
        reading.read(write(SUBJECT, name="zh.xlsx"))
    path = tmp_path / "torn.csv"
    path.write_text('case_id,lang,field,machine,corrected\n1,zh,subject,"加"拿大,x\n', encoding="utf-8")
    with pytest.raises(UserError, match=r"torn\.csv: line 2: not a CSV file"):
        reading.read(path)


def test_numbers_in_a_spreadsheet_are_their_text(write_xlsx):
    path = write_xlsx((1, "zh", "target", 1984, 1985.0, 7), (2.0, "zh", "target", 3.5, "3,50", None), (None,) * 6)
    assert reading.read(path) == [
        Judgement(f"{path}: row 2", "7", 1, "zh", "target", "1984", "1985"),
        Judgement(f"{path}: row 3", "7", 2, "zh", "target", "3.5", "3,50"),
    ]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (datetime.date(2024, 4, 3), "it holds a date or time .2024-04-03"),
        (datetime.time(12, 30), "it holds a date or time .12:30"),
        ("=1+1", "it holds the formula '=1.1'"),
        ("#N/A", "it holds the error #N/A"),
    ],
)
def test_cells_that_hold_no_text(write_xlsx, value, sentence):
    with pytest.raises(UserError, match=f"cell E2: {sentence}"):
        reading.read(write_xlsx((1, "zh", "target", "1984", value)))


def test_a_number_that_is_shown_otherwise_is_refused(tmp_path):
    book = Workbook()
    book.active.append(COMPACT)
    book.active.append((1, "zh", "target", "50%", 0.5, "ana"))
    book.active["E2"].number_format = "0%"
    book.save(tmp_path / "zh.xlsx")
    with pytest.raises(UserError, match=r"cell E2: it holds the number 0\.5 in the format '0%'"):
        reading.read(tmp_path / "zh.xlsx")


def test_of_several_sheets_one_may_have_the_columns(write_xlsx):
    with pytest.raises(
        UserError, match=r"2 sheets have a column case_id in the first row .'one', 'copy'.; leave the one"
    ):
        reading.read(write_xlsx(SUBJECT, sheets=("one", "copy")))
    with pytest.raises(UserError, match=r"no sheet has a column case_id in the first row .'one'"):
        reading.read(write_xlsx(header=("id",)))
