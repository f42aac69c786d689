"""What a report says of translations."""

import json
from pathlib import Path

import pytest
from made import translation as made
from made_sweeps import sweeps

from crossedit.reports import plan
from crossedit.reports.grid import Grid
from crossedit.reports.html import render
from crossedit.reports.owners import read_json
from crossedit.reports.scores import DASH, Scores
from crossedit.reports.sheets import Sheet, to_csv
from crossedit.reports.tabled import Given, groups
from crossedit.reports.translation import reports, sheets
from crossedit.tables import FACTS
from crossedit.translation import settings
from crossedit.translation.reviews.merge import merge
from crossedit.translation.summary import of_people


@pytest.fixture
def tables() -> dict[str, Sheet]:
    """Return the sheets by name."""
    return {sheet.name: sheet for sheet in sheets(made("text")["summary.json"], "tiny")}


def test_the_sheets_have_the_names_that_the_rules_expect(tables: dict[str, Sheet]) -> None:
    assert list(tables) == [f"{table}_tiny" for table in plan.CORRECTED]


def test_records_texts_and_people_are_counted(tables: dict[str, Sheet]) -> None:
    assert [tuple(map(str, row[1:])) for row in tables["corrections_tiny"].rows] == [
        ("Records", "all", "8", "3", "1", "33.3", DASH),
        ("Records", "test", "8", "3", "1", "33.3", DASH),
        ("Texts", "portability prompt", DASH, "3", "1", "33.3", DASH),
        ("Texts by", "text (annotator)", DASH, "9", "2", "22.2", "1"),
    ]
    assert "judged in part, not counted: 2." in tables["corrections_tiny"].note
    assert "6.0 %" in tables["corrections_tiny"].note
    assert tables["corrections_tiny"].rows[0][6].value == 33.33


def test_people_are_counted_by_language() -> None:
    said = made("text")["summary.json"]
    said["languages"] += [said["languages"][0] | {"lang": "de"}]
    said["people"] += [said["people"][0] | {"lang": "de", "by": "ben", "fields": 4, "changed": 1, "stands": 0}]
    sheet, *_ = sheets(said, "tiny")
    assert [tuple(map(str, row)) for row in sheet.rows if row[1] == "Texts by"] == [
        ("Chinese", "Texts by", "text (annotator)", DASH, "9", "2", "22.2", "1"),
        ("German", "Texts by", "ben (annotator)", DASH, "4", "1", "25.0", "0"),
    ]


def test_what_has_no_value_is_a_dash_and_says_why(tables: dict[str, Sheet]) -> None:
    assert [tuple(map(str, row[2:])) for row in tables["agreement_tiny"].rows] == [
        ("9", "80.0", DASH, "0.548", "0", DASH),
        ("9", "80.0", "0.524", DASH, DASH, DASH),
    ]
    assert "same text: nobody changed a text" in tables["agreement_tiny"].note
    assert [tuple(map(str, row[2:])) for row in tables["likeness_tiny"].rows] == [
        ("0", DASH, DASH),
        ("9", "98.7", "97.6"),
    ]
    assert tables["likeness_tiny"].note == "By sacreBLEU: v:2. Without value: chrF: no text; BLEU: no text."


def test_typical_changes_have_an_example(tables: dict[str, Sheet]) -> None:
    lines = to_csv(tables["changes_tiny"]).splitlines()
    assert lines[0] == "Language,Machine,Corrected,Why,Example Machine,Example Corrected,Texts"
    assert lines[1] == f"Chinese,text,{DASH},text,text,text,7"


def test_each_facts_set_is_told_of_by_what_is_given(tmp_path: Path) -> None:
    paths = []
    for facts, names in {"one": ["machine.json"], "two": ["machine.json", "summary.json"]}.items():
        (tmp_path / facts).mkdir()
        for name in names:
            paths.append(tmp_path / facts / name)
            paths[-1].write_text(json.dumps(made()[name]), encoding="utf-8")
    one, two = reports({path: read_json(path) for path in paths})
    assert (one.facts, one.people, two.facts) == ("one", None, "two")
    assert all([one.machine, two.machine, two.people])


def test_a_set_that_nobody_judged_has_a_page_and_sheets(tmp_path: Path) -> None:
    row = dict.fromkeys(FACTS.columns) | {"split": "test", "case_id": 1, "lang": "de", "origin": "translated"}
    made = settings.from_entry({"source": "en", "targets": ["de"], "model": "any", "store": "store"})
    none = Scores.none()
    (tmp_path / "tiny").mkdir()
    path = tmp_path / "tiny/summary.json"
    path.write_text(json.dumps(of_people(made, [row], {("test", 1): row}, merge([row], {}, [], []))), encoding="utf-8")
    (report,) = reports({path: read_json(path)})
    given = Given.read([], {path: read_json(path)}, [], [], [])
    (group,) = groups({}, none, Grid.of({}, none), sweeps({"sweeps": {}}), given)
    shown = {"translations": [report], "tabled": {group.section: [group]}, "intervals": False, "forms": ()}
    assert "Nobody has judged a record yet." in render("translation.html.j2", published_share="6.0", **shown)
    assert [tuple(map(str, row[3:])) for row in group.first[0].rows] == [("1", "0", "0", DASH, DASH)] * 2
