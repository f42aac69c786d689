"""Tasks for Label Studio, the interface that shows them, and the export that comes back.

A task is a record. Its predictions put the machine's texts into the editable areas, so that an annotator changes only
what is wrong; submitting the task says that the whole record was looked at. The names in the interface are the fields'.
"""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from crossedit.errors import UserError
from crossedit.facts import languages
from crossedit.files import listed, whole
from crossedit.translation.records import FIELDS
from crossedit.translation.reviews.columns import values
from crossedit.translation.reviews.judgements import Judgement
from crossedit.translation.reviews.names import FIELD_NAMES
from crossedit.translation.reviews.rows import Row

# What the data of a task hold, besides the ids, for each field of the interface, also where the record lacks it; the
# field's name stands behind it.
_LACKING = {"source": "–", "machine": "", "checks": "", "proposals": "–"}


def write_tasks(rows: list[Row], path: Path) -> None:
    """Write the tasks, to be imported together with predictions."""
    by_case: dict[tuple[str, int, str], list[Row]] = {}
    for row in rows:
        by_case.setdefault(row.case, []).append(row)
    fields = _fields(rows)
    tasks = [_task(of_case, fields) for of_case in by_case.values()]
    with whole(path) as temporary:
        temporary.write_text(json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_interface(rows: list[Row], path: Path) -> None:
    """Write the labeling interface: for each field its source, an editable translation, and a note."""
    everywhere = len({row.case for row in rows})
    counts = {field: sum(row.field == field for row in rows) for field in _fields(rows)}
    expert = any(row.proposals for row in rows)
    view = Element("View")
    SubElement(view, "Header", value=f"Translation into {languages.name(rows[0].lang)}")
    for field, count in counts.items():
        block = SubElement(view, "View", style="display: flex; gap: 24px; border-top: 1px solid #8886; padding: 8px 0")
        left, right = (SubElement(block, "View", style="flex: 1 1 0; min-width: 0") for _ in range(2))
        SubElement(left, "Header", value=FIELD_NAMES[field], size="5")
        SubElement(left, "Text", name=f"{field}_source", value=f"$source_{field}")
        SubElement(right, "Header", value=f"$checks_{field}", size="6")
        if expert:
            SubElement(right, "Text", name=f"{field}_proposals", value=f"$proposals_{field}")
        # A text that has been emptied isn't to be taken for one that is right; some records lack some fields.
        required = {"required": "true", "requiredMessage": f"{FIELD_NAMES[field]}: write how it should read."}
        area = {"toName": f"{field}_source", "editable": "true", "maxSubmissions": "1", "rows": "1"}
        SubElement(right, "TextArea", area | {"name": field} | (required if count == everywhere else {}))
        SubElement(right, "TextArea", area | {"name": f"{field}_note", "placeholder": "note"})
    ElementTree.indent(view)
    with whole(path) as temporary:
        temporary.write_text(ElementTree.tostring(view, encoding="unicode") + "\n", encoding="utf-8")


def _fields(rows: list[Row]) -> list[str]:
    there = {row.field for row in rows}
    return [field for field in FIELDS if field in there]


def _task(of_case: list[Row], fields: list[str]) -> dict[str, Any]:
    """Return the task of one record. What the interface names is in every task, empty where the record lacks it."""
    first, by_field = of_case[0], {row.field: row for row in of_case}
    data = {"split": first.split, "case_id": first.case_id, "lang": first.lang, "record": first.record}
    data["expert"] = any(row.proposals for row in of_case)
    for field in fields:
        row = by_field.get(field)
        texts = {name: values(row, by="")[name] for name in _LACKING} if row else _LACKING
        data |= {f"{name}_{field}": text for name, text in texts.items()}
    result = [
        {
            "id": row.field,
            "type": "textarea",
            "from_name": row.field,
            "to_name": f"{row.field}_source",
            "value": {"text": [row.machine]},
        }
        for row in of_case
    ]
    return {"data": data, "predictions": [{"model_version": "machine", "result": result}]}


def read(path: Path) -> list[Judgement]:
    """Return the judgements in a JSON export: each annotation that wasn't cancelled is one person's of the record.

    Raises UserError, naming task and annotation, where the file is none or a text is missing.
    """
    try:
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, ValueError) as error:
        raise UserError(f"{path}: not a JSON file in UTF-8 ({error}); export the project again as JSON.") from None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) and "data" in task for task in tasks):
        raise UserError(f"{path}: no export of Label Studio; export the project as “JSON”, not as another format.")
    return [
        said
        for number, task in enumerate(tasks, start=1)
        for said in _of_task(task, f"{path}: task {task.get('id', number)}")
    ]


def _of_task(task: dict[str, Any], where: str) -> list[Judgement]:
    data, annotations = task["data"], task.get("annotations")
    if not isinstance(annotations, list) or not all(isinstance(annotation, dict) for annotation in annotations):
        raise UserError(f"{where}: it has no annotations; export the project as “JSON”, which holds them.")
    missing = [name for name in ("split", "case_id", "lang", "record") if not data.get(name) and data.get(name) != 0]
    if missing:
        raise UserError(f"{where}: its data lack {', '.join(missing)}; it wasn't made of tasks for a review.")
    found = []
    for annotation in annotations:
        if not annotation.get("was_cancelled"):
            place = f"{where}, annotation {annotation.get('id', '?')}"
            try:
                found += _of_annotation(data, annotation, place)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise UserError(
                    f"{place}: not as Label Studio writes it ({error!r}); export the project again."
                ) from None
    return found


def _of_annotation(data: dict[str, Any], annotation: dict[str, Any], where: str) -> list[Judgement]:
    by = _person(annotation.get("completed_by"), where)
    texts = _texts(annotation.get("result") or [], where)

    def say(field: str | None, machine: str | None, corrected: str | None, note: str | None) -> Judgement:
        case = (int(data["case_id"]), data["lang"])
        return Judgement(where, by, *case, field, machine, corrected, data["split"], note, data["record"])

    found = [] if data.get("expert") else [say(None, None, None, None)]
    for field in FIELDS:
        machine, corrected = data.get(f"machine_{field}"), texts.get(field)
        if machine and not corrected:
            raise UserError(
                f"{where}: {field} is empty; write how it should read, the machine's text where that is right."
            )
        if corrected and not machine:
            raise UserError(f"{where}: {field} is '{corrected}', but this record has no such text; take it out.")
        if corrected:
            found.append(say(field, machine, corrected, texts.get(f"{field}_note")))
    return found


def _texts(result: list[dict[str, Any]], where: str) -> dict[str, str]:
    """Return the text in each area of the interface."""
    texts = {}
    for region in result:
        if region.get("type") == "textarea":
            name, said = region["from_name"], [text.strip() for text in listed(region["value"]["text"]) if text.strip()]
            if len(said) + (name in texts) > 1:
                raise UserError(f"{where}: {name} has several texts; leave the one that is right.")
            if said:
                texts[name] = said[0]
    return texts


def _person(completed_by: Any, where: str) -> str:
    """Return what names the one who completed an annotation: the address where the export holds it, else the number."""
    if isinstance(completed_by, dict):
        completed_by = completed_by.get("email") or completed_by.get("username") or completed_by.get("id")
    if not isinstance(completed_by, str | int) or not str(completed_by).strip():
        raise UserError(
            f"{where}: completed_by says not who made it; export the project as “JSON” with its annotators."
        )
    return str(completed_by).strip()
