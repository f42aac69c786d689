"""The judgements in a file that a person has filled in, whichever form it was made from.

In a line of a CSV file or a spreadsheet, `corrected` says how the text should read; where it is empty, the line says
nothing by itself. A mark in `judged`, in whichever line of a record, says that the person has looked at the whole
record: the texts of its other lines are right as they stand there. An expert's mark on a line with a text is about that
text, since the expert sees only some of a record.

Only `case_id` and `lang` are always needed, and `field`, `machine` and `corrected` where something is corrected.
"""

from collections.abc import Sequence
from pathlib import Path
from unicodedata import normalize

from crossedit.errors import UserError, nearest
from crossedit.translation.records import FIELDS
from crossedit.translation.reviews import label_studio, lines
from crossedit.translation.reviews.judgements import Judgement
from crossedit.translation.reviews.lines import Line

_UNMARKED = ("", "0", "false", "no")


def read_all(paths: Sequence[Path], expert: bool = False) -> list[Judgement]:
    """Return the judgements in several files; `expert`: of one whose word stands.

    Raises UserError as `read` does, and where two files that name nobody would pass for one person's.
    """
    found: list[Judgement] = []
    stems: dict[str, Path] = {}
    for path in paths:
        said = read(path, expert)
        if any(judgement.by == path.stem for judgement in said) and stems.setdefault(path.stem, path) != path:
            raise UserError(
                f"{path}: it would pass for the work of '{path.stem}', as would {stems[path.stem]}; write into `by` "
                "who judged, or rename one of them."
            )
        found += said
    return found


def read(path: Path, expert: bool = False) -> list[Judgement]:
    """Return the judgements in a .csv, .xlsx or .json file (Label Studio's export), record by record.

    `expert`: of one whose word stands. A person's word on the whole record comes before those on its fields. Raises
    UserError, naming the line, cell or task, where something can't be understood.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file; give a .csv, .xlsx or .json file that a person has filled in.")
    match path.suffix.lower():
        case ".csv":
            return _judgements(lines.of_csv(path), path.stem, expert)
        case ".xlsx":
            return _judgements(lines.of_xlsx(path), path.stem, expert)
        case ".json":
            return label_studio.read(path)
    raise UserError(f"{path}: judgements are read from .csv, .xlsx and .json files; save it as one of them.")


def _judgements(filled: list[Line], stem: str, expert: bool) -> list[Judgement]:
    """Return what the lines say. One name stands for all lines; where there is none, `stem` does."""
    names = {name for line in filled if (name := _name(line))}
    alone = next(iter(names)) if len(names) == 1 else "" if names else stem
    by_record: dict[tuple[str, ...], list[Line]] = {}
    for line in filled:
        _check(line)
        by = _name(line) or alone
        if not by and (_is_marked(line) or line.texts.get("corrected", "").strip()):
            raise UserError(f"{line.where}: `by` is empty, but others are named in the file; write who says so.")
        said = {name: line.texts.get(name, "").strip() for name in ("split", "case_id", "lang")}
        by_record.setdefault((by, said["split"], said["case_id"], said["lang"]), []).append(line)
    return [said for (by, *_), of_record in by_record.items() for said in _of_record(by, of_record, expert)]


def _name(line: Line) -> str:
    """Return who is named in the line: the same letters, however they are made up."""
    return normalize("NFC", line.texts.get("by", "").strip())


def _is_marked(line: Line) -> bool:
    return line.texts.get("judged", "").strip().casefold() not in _UNMARKED


def _of_record(by: str, filled: list[Line], expert: bool) -> list[Judgement]:
    # Whose sheet holds everybody's proposals is an expert, wherever it is named.
    expert = expert or "proposals" in filled[0].texts
    marked = [line for line in filled if _is_marked(line)]
    whole = [line for line in marked if not (expert and line.texts.get("field", "").strip())]
    found = [_judgement(by, line, None) for line in whole[:1]]
    for line in filled:
        # A text that is found right is named too: the word doesn't hold for another that may come in its place.
        right = bool(whole) or line in marked
        if corrected := line.texts.get("corrected", "").strip():
            found.append(_judgement(by, line, corrected))
        elif right and line.texts.get("field", "").strip() and line.texts.get("machine", "").strip():
            found.append(_judgement(by, line, line.texts["machine"]))
    return found


def _judgement(by: str, line: Line, corrected: str | None) -> Judgement:
    """Return the word on the line's field, or on the whole record where nothing is said of a text."""
    texts = {name: text.strip() or None for name, text in line.texts.items()}
    of_field = corrected is not None
    return Judgement(
        where=line.where,
        by=by,
        case_id=int(line.texts["case_id"]),
        lang=line.texts["lang"].strip(),
        field=texts["field"] if of_field else None,
        machine=line.texts["machine"] if of_field else None,
        corrected=corrected,
        split=texts.get("split"),
        note=texts.get("note") if of_field or not texts.get("field") else None,
        record=texts.get("record"),
    )


def _check(line: Line) -> None:
    """Raise UserError for what can't be understood."""
    where, texts = line.where, {name: text.strip() for name, text in line.texts.items()}
    if not texts["case_id"].isdecimal():
        raise UserError(f"{where}: case_id is '{texts['case_id']}'; it must be a whole number.")
    if not texts["lang"]:
        raise UserError(f"{where}: lang is empty; write the code of the language that was judged.")
    field = texts.get("field")
    if field and field not in FIELDS:
        raise UserError(f"{where}: no such field '{field}'; {nearest(field, FIELDS)}")
    expert = "proposals" in texts and _is_marked(line)
    said = "corrected" if texts.get("corrected") else "judged" if expert else None
    if said and not field:
        raise UserError(f"{where}: {said} is '{texts[said]}', but field is empty; write which of the texts it is.")
    if said and not texts.get("machine"):
        raise UserError(f"{where}: {said} is '{texts[said]}', but machine is empty; write there which text was judged.")
