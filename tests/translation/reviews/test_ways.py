"""The same corrections, made in each of the ways, are the same judgements and give the same facts."""

import csv
import json
from dataclasses import replace

import pytest
from openpyxl import load_workbook
from page_steps import begin

from crossedit.translation.records import FIELDS
from crossedit.translation.reviews import reading, sheets, writing
from crossedit.translation.reviews.columns import guarded
from crossedit.translation.reviews.judgements import Judgement
from crossedit.translation.reviews.merge import merge, rows_of

BY = "ana@example.org"
# By case and field: how it should read, and why.
CORRECTED = {
    (1, "prompt"): ('加拿大的 "首都", 在哪里？', "quoted, so; it's clear"),
    (1, "target"): ("=1+1", ""),
    (3, "original"): ("أوتاوا، كندا", ""),
}
JUDGED = (1, 3)


def by_csv(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        head, *lines = csv.reader(file)
    for line in lines:
        told = dict(zip(head, line, strict=True))
        case = int(told["case_id"])
        corrected, note = CORRECTED.get((case, told["field"]), ("", ""))
        line[head.index("corrected")], line[head.index("note")] = guarded(corrected), note
        if case in JUDGED and told["field"] == "subject":
            line[head.index("judged")] = "x"
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows([head, *lines])
    return path


def by_xlsx(path):
    book = load_workbook(path)
    sheet = book[sheets.REVIEW]
    places = {cell.value: cell.column for cell in sheet[1]}

    def put(row, name, text):
        cell = sheet.cell(row, places[name])
        cell.value = text
        cell.data_type = "s"  # as typed into a cell that is formatted as text

    for row in range(2, sheet.max_row + 1):
        case, field = (sheet.cell(row, places[name]).value for name in ("case_id", "field"))
        if (int(case), field) in CORRECTED:
            corrected, note = CORRECTED[int(case), field]
            put(row, "corrected", corrected)
            put(row, "note", note)
        if int(case) in JUDGED:
            put(row, "judged", "yes")
    book.save(path)
    return path


def by_label_studio(path):
    tasks = json.loads(path.read_text(encoding="utf-8"))
    for number, task in enumerate(tasks, start=1):
        case, result = task["data"]["case_id"], []
        for region in task["predictions"][0]["result"]:
            corrected, note = CORRECTED.get((case, region["from_name"]), (region["value"]["text"][0], ""))
            result.append({**region, "value": {"text": [corrected]}, "origin": "prediction-changed"})
            if note:
                name = f"{region['from_name']}_note"
                result.append({**region, "id": "n", "from_name": name, "value": {"text": [note]}, "origin": "manual"})
        done = {"id": number, "completed_by": {"id": 1, "email": BY}, "was_cancelled": False, "result": result}
        task |= {"id": number, "annotations": [done] if case in JUDGED else []}
    path = path.with_name("export.json")
    path.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    return path


def by_page(path, chromium):
    context = chromium.new_context(offline=True)
    try:
        view = context.new_page()
        view.goto(path.as_uri())
        begin(view, BY)
        for (case, field), (corrected, note) in CORRECTED.items():
            article = view.get_by_role("article", name=f"Record {case}", exact=True)
            text = article.locator(".text").filter(has=view.locator(f"textarea[id$='-{field}']"))
            text.locator("textarea").fill(corrected)
            if note:
                text.locator("input.note").fill(note)
        for case in JUDGED:
            view.get_by_role("article", name=f"Record {case}", exact=True).get_by_text("Mark as looked at").click()
        with view.expect_download() as download:
            view.keyboard.press("Control+s")
        saved = path.with_name(f"page-{download.value.suggested_filename}")
        download.value.save_as(saved)
    finally:
        context.close()
    return saved


WAYS = {".csv": by_csv, ".xlsx": by_xlsx, ".label-studio.json": by_label_studio, ".html": by_page}


@pytest.fixture
def made(chinese, tmp_path, request):
    """Make the corrections in one of the ways, and return what is read of it."""

    def made(way):
        by = "" if way == ".html" else BY
        writing.write(chinese, tmp_path / way, "zh", by)
        more = (request.getfixturevalue("chromium"),) if way == ".html" else ()
        return [replace(said, where="") for said in reading.read(WAYS[way](tmp_path / way / f"zh{way}", *more))]

    return made


def expected(rows):
    """Yield the judgements that all ways should give."""
    for case in JUDGED:
        of_case = [row for row in rows if row.case_id == case]
        yield Judgement("", BY, case, "zh", None, None, None, "test", None, of_case[0].record)
        for row in of_case:
            corrected, note = CORRECTED.get((case, row.field), (row.machine, ""))
            about = (case, "zh", row.field, row.machine)
            yield Judgement("", BY, *about, corrected, "test", note or None, row.record)


@pytest.mark.parametrize(
    "way", [".csv", ".xlsx", ".label-studio.json", pytest.param(".html", marks=pytest.mark.browser)]
)
def test_each_way_gives_the_same_judgements_and_the_same_facts(made, way, chinese, machine):
    said = made(way)
    assert said == list(expected(chinese))
    rows, sources = rows_of(machine, "en")
    merged = merge(rows, sources, said, [])
    changed = {
        (row["case_id"], field): row[field]
        for row, before in zip(merged.rows, rows, strict=True)
        for field in FIELDS
        if row[field] != before[field]
    }
    assert changed == {place: text for place, (text, _) in CORRECTED.items()}
    assert {row["case_id"] for row in merged.rows if row["checked_by"] == [BY]} == set(JUDGED)
    assert merged.elsewhere == []
