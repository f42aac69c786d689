import json
from xml.etree import ElementTree

import pytest

from crossedit.errors import UserError
from crossedit.translation.records import FIELDS
from crossedit.translation.reviews import label_studio, reading
from crossedit.translation.reviews import rows as review
from crossedit.translation.reviews.judgements import Judgement


@pytest.fixture
def tasks(chinese, tmp_path):
    label_studio.write_tasks(chinese, tmp_path / "tasks.json")
    return json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))


@pytest.fixture
def export(tmp_path):
    """Write an export as Label Studio does: each annotation begins as the prediction and holds what `texts` changes."""

    def export(tasks, *annotations):
        done = []
        for number, task in enumerate(tasks, start=11):
            task = {"id": number, **task, "annotations": [], "file_upload": "tasks.json", "drafts": [], "project": 1}
            for place, texts, more in annotations:
                if place == number - 11:
                    result = [dict(region, origin="prediction") for region in task["predictions"][0]["result"]]
                    result = [region for region in result if region["from_name"] not in texts]
                    result += [area(name, text) for name, text in texts.items() if text is not None]
                    task["annotations"].append({"id": 5, "was_cancelled": False, "result": result, **more})
            done.append(task)
        path = tmp_path / "project-1-at-2024-04-03.json"
        path.write_text(json.dumps(done, ensure_ascii=False), encoding="utf-8")
        return path

    return export


def area(name, text):
    to = name.removesuffix("_note") + "_source"
    return {
        "id": "x",
        "from_name": name,
        "to_name": to,
        "type": "textarea",
        "origin": "manual",
        "value": {"text": [text]},
    }


ANA = {"completed_by": {"id": 3, "email": "ana@example.org", "first_name": "Ana"}}


def test_a_task_holds_all_that_the_interface_shows(chinese, tasks, tmp_path):
    label_studio.write_interface(chinese, tmp_path / "interface.xml")
    interface = ElementTree.parse(tmp_path / "interface.xml").getroot()
    shown = {e.get("value")[1:] for e in interface.iter() if (e.get("value") or "").startswith("$")}
    named = {element.get("name"): element for element in interface.iter() if element.get("name")}
    for task in tasks:
        assert shown <= set(task["data"])
        for region in task["predictions"][0]["result"]:
            assert named[region["from_name"]].get("toName") == region["to_name"] in named
            assert region["value"]["text"] == [task["data"][f"machine_{region['from_name']}"]]
    assert {element.get("name") for element in interface.iter("TextArea") if element.get("required")} == {
        "subject",
        "prompt",
        "target",
        "rephrase",
    }, "what all records have may not be empty"


def test_an_annotation_is_a_word_on_the_whole_record_and_on_each_of_its_texts(tasks, export):
    texts = {"subject": "加国", "subject_note": "shorter", "prompt_note": "fine"}
    path = export(
        tasks, (1, texts, ANA), (1, {}, {"completed_by": 4}), (2, {"subject": "x"}, ANA | {"was_cancelled": True})
    )
    data = tasks[1]["data"]
    machine = {field: text for field in FIELDS if (text := data.get(f"machine_{field}"))}
    said = {field: (text, None) for field, text in machine.items()}
    said_by_ana = said | {"subject": ("加国", "shorter"), "prompt": (machine["prompt"], "fine")}
    expected = []
    for by, words in (("ana@example.org", said_by_ana), ("4", said)):
        about = (f"{path}: task 12, annotation 5", by, 3, "zh")
        expected.append(Judgement(*about, None, None, None, "test", None, data["record"]))
        expected += [
            Judgement(*about, field, machine[field], text, "test", note, data["record"])
            for field, (text, note) in words.items()
        ]
    assert reading.read(path) == expected


def test_the_expert_speaks_of_the_texts_in_conflict_only(machine, disputed, export, tmp_path):
    label_studio.write_tasks(review.conflicts(machine, disputed), tmp_path / "tasks.json")
    tasks = json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))
    assert tasks[0]["data"]["proposals_subject"] == "ana: 加国 (shorter)\nbo: 加拿大"
    [said] = reading.read(export(tasks, (0, {}, ANA)))
    assert (said.field, said.machine, said.corrected) == ("subject", "加拿大", "加拿大")


@pytest.mark.parametrize(
    ("texts", "more", "sentence"),
    [
        ({"subject": None}, ANA, "subject is empty; write how it should read"),
        ({"original": "渥太华"}, ANA, "original is '渥太华', but this record has no such text"),
        ({}, {}, "completed_by says not who made it"),
        ({}, {"completed_by": {}}, "completed_by says not who made it"),
        ({}, ANA | {"result": [area("subject", "a"), area("subject", "b")]}, "subject has several texts"),
        ({}, ANA | {"result": [{"type": "textarea"}]}, "not as Label Studio writes it"),
    ],
)
def test_annotations_that_cannot_be_understood(tasks, export, texts, more, sentence):
    with pytest.raises(UserError, match=rf"\.json: task 11, annotation 5: {sentence}"):
        reading.read(export(tasks, (0, texts, more)))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "not a JSON file in UTF-8"),
        ('{"a": 1}', "no export of Label Studio; export the project as “JSON”"),
        ('[{"id": 1, "subject": "x", "annotator": 1}]', "no export of Label Studio"),
        ('[{"id": 1, "data": {}}]', "task 1: it has no annotations"),
        ('[{"id": 1, "data": {}, "annotations": [7]}]', "task 1: it has no annotations"),
        ('[{"id": 1, "data": {"lang": "zh"}, "annotations": []}]', "task 1: its data lack split, case_id, record"),
    ],
)
def test_files_that_are_no_export(tmp_path, content, sentence):
    (tmp_path / "export.json").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=sentence):
        reading.read(tmp_path / "export.json")
