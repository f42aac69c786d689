import json
from dataclasses import replace

import pytest

from crossedit.errors import UserError
from crossedit.translation.reviews import rows as review
from crossedit.translation.reviews import writing


def test_each_language_and_person_gets_all_forms(machine, tmp_path):
    paths = writing.write_each(review.rows(machine), tmp_path, ["ana", "bo"])
    names = {f"{lang}.{by}{suffix}" for lang in ("zh", "ar") for by in ("ana", "bo") for suffix in writing.SUFFIXES}
    assert {path.name for path in paths} == {path.name for path in tmp_path.iterdir()} == names


def test_nothing_that_may_hold_work_is_written_over(chinese, tmp_path):
    (tmp_path / "zh.bo.csv").write_text("days of work")
    with pytest.raises(UserError, match=r"zh\.bo\.csv: it exists, and somebody's work may be in it"):
        writing.write_each(chinese, tmp_path, ["ana", "bo"])
    assert [path.name for path in tmp_path.iterdir()] == ["zh.bo.csv"]


@pytest.mark.parametrize("name", ["", " ", "a/b", "..", "a\nb", "ana."])
def test_names_that_no_file_can_have(chinese, tmp_path, name):
    with pytest.raises(UserError, match="can't stand in the name of a file"):
        writing.write_each(chinese, tmp_path, [name])


@pytest.mark.parametrize("names", [("Ann", "ann"), ("Zoë", "zoe\u0308")])
def test_names_that_a_disk_may_take_for_one(chinese, tmp_path, names):
    with pytest.raises(UserError, match="would share a file on some disks"):
        writing.write_each(chinese, tmp_path, names)
    assert list(tmp_path.iterdir()) == []


def test_findings_name_the_fields_as_people_know_them(chinese, tmp_path):
    field = chinese[-1].field
    rows = [replace(chinese[-1], checks=(f"'{field}' lacks the number 3",))]
    writing.write(rows, tmp_path, "zh")
    [task] = json.loads((tmp_path / "zh.label-studio.json").read_text(encoding="utf-8"))
    assert task["data"][f"checks_{field}"] == "“Further answer” lacks the number 3"
