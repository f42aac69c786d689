import csv

import pytest

from crossedit.errors import UserError
from crossedit.translation import corrections
from crossedit.translation.records import FIELDS

HEADER = ["case_id", "lang", "field", "machine", "corrected", "by"]


def row(case_id, split="test", lang="zh", **fields):
    return {
        "split": split,
        "case_id": case_id,
        "lang": lang,
        **dict.fromkeys(FIELDS),
        "subject": "加拿大",
        "prompt": "加拿大的首都是哪里？",
        **fields,
        "origin": "translated",
    }


@pytest.fixture
def write(tmp_path):
    def write(*lines, header=HEADER, encoding="utf-8"):
        path = tmp_path / "corrections.csv"
        with open(path, "w", encoding=encoding, newline="") as file:
            csv.writer(file).writerows([header, *lines])
        return path

    return write


SUBJECT = ["1", "zh", "subject", "加拿大", "加拿大，", "corrector 1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_correction_is_merged_and_counted(write, encoding):
    path = write(SUBJECT, ["1", "zh", "prompt", "加拿大的首都是哪里？", "加拿大首都在哪？", ""], encoding=encoding)
    rows = [row(1), row(2)]
    merged = corrections.merge(rows, corrections.read(path))
    first, second = merged.rows
    assert (first["subject"], first["prompt"], first["origin"]) == ("加拿大，", "加拿大首都在哪？", "corrected")
    assert second == row(2)
    assert merged.fields == {"subject": 1, "prompt": 1}
    assert merged.by == {"corrector 1": 1, "unnamed": 1}
    assert rows[0] == row(1), "the rows given are left as they are"


def test_a_text_judged_right_is_no_correction(write):
    path = write(["1", "zh", "subject", "加拿大", "加拿大", "corrector 1"])
    merged = corrections.merge([row(1)], corrections.read(path))
    assert merged.rows == [row(1)]
    assert not merged.fields


def test_a_correction_of_another_text_is_refused(write):
    changes = corrections.read(write(SUBJECT))
    with pytest.raises(UserError, match=r"line 2: case 1, subject: machine is '加拿大', but .* reads '法国'"):
        corrections.merge([row(1, subject="法国")], changes)


def test_of_several_judged_texts_the_one_that_stands_there_is_corrected(write):
    path = write(SUBJECT, ["1", "zh", "subject", "法国", "法兰西", "corrector 2"])
    changes = corrections.read(path)
    assert corrections.merge([row(1, subject="法国")], changes).rows[0]["subject"] == "法兰西"
    assert corrections.merge([row(1)], changes).by == {"corrector 1": 1}


def test_cases_that_are_not_drawn_are_listed(write):
    path = write(SUBJECT, ["7", *SUBJECT[1:]])
    merged = corrections.merge([row(1)], corrections.read(path))
    assert merged.elsewhere == [f"{path}: line 3"]
    with pytest.raises(UserError, match="none of the corrected cases is in the facts"):
        corrections.merge([row(5)], corrections.read(path))


def test_a_split_tells_equal_case_ids_apart(write):
    rows = [row(1, "train"), row(1, "test")]
    with pytest.raises(UserError, match="case 1 is in several splits"):
        corrections.merge(rows, corrections.read(write(SUBJECT)))
    named = write([*SUBJECT, "test"], header=[*HEADER, "split"])
    merged = corrections.merge(rows, corrections.read(named))
    assert [row["origin"] for row in merged.rows] == ["translated", "corrected"]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ([SUBJECT, SUBJECT], "line 3: case 1, subject: corrected twice, also in .*line 2"),
        ([["1", "de", *SUBJECT[2:]]], "line 2: nothing is translated into 'de'"),
        ([["1", "zh", "rephrase", "加拿大", "北", ""]], "line 2: case 1, rephrase: .* reads 'None'"),
    ],
)
def test_corrections_that_do_not_fit(write, lines, sentence):
    with pytest.raises(UserError, match=sentence):
        corrections.merge([row(1)], corrections.read(write(*lines)))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (["one", *SUBJECT[1:]], "line 2: case_id is 'one'"),
        ([*SUBJECT[:2], "subjekt", *SUBJECT[3:]], "line 2: no such field 'subjekt'; did you mean 'subject'"),
        ([*SUBJECT[:4], "", ""], "line 2: corrected is empty"),
        (SUBJECT[:4], "line 2: .* as many columns as the header"),
        ([*SUBJECT, "more"], "line 2: .* as many columns as the header"),
    ],
)
def test_lines_that_cannot_be_understood(write, line, sentence):
    with pytest.raises(UserError, match=sentence):
        corrections.read(write(line))


def test_files_that_cannot_be_understood(write, tmp_path):
    with pytest.raises(UserError, match=r"none\.csv: no such file"):
        corrections.read(tmp_path / "none.csv")
    with pytest.raises(UserError, match="no such column 'machin'; did you mean 'machine'"):
        corrections.read(write(header=["machin" if name == "machine" else name for name in HEADER]))
    with pytest.raises(UserError, match="columns missing: corrected"):
        corrections.read(write(header=HEADER[:4]))
    with pytest.raises(UserError, match="not a CSV file in UTF-8"):
        corrections.read(write(SUBJECT, encoding="gb18030"))
