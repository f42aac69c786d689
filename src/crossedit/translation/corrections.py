"""What people changed in the translations, read from a CSV file and merged.

Its columns: `case_id`, `lang`, `field`, `machine` (the translation that was judged), `corrected`, and where
wanted `split` (needed only where splits number their cases alike), `by` (who changed it) and `note`. A
correction holds for the text that was judged: where the translation reads otherwise, it is refused.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossedit.errors import UserError, nearest
from crossedit.translation.records import FIELDS

REQUIRED = ("case_id", "lang", "field", "machine", "corrected")
OPTIONAL = ("split", "by", "note")


@dataclass(frozen=True)
class Correction:
    """One changed field."""

    where: str  # file and line
    case_id: int
    lang: str
    field: str
    machine: str
    corrected: str
    split: str | None = None
    by: str | None = None
    note: str | None = None

    def concerns(self, row: dict[str, Any]) -> bool:
        """Say whether the facts row is the one that was corrected."""
        same = (self.case_id, self.lang) == (row["case_id"], row["lang"])
        return same and self.split in (None, row["split"])


@dataclass(frozen=True)
class Merged:
    """The rows with the corrections in them, and how many fields were changed where and by whom."""

    rows: list[dict[str, Any]]
    fields: Counter[str]
    by: Counter[str]
    elsewhere: list[str]  # corrections of cases that aren't in this draw of facts, by file and line


def read(path: Path) -> list[Correction]:
    """Return the file's corrections. Raises UserError, naming the line, where one can't be understood."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, strict=True)
            names = lines.fieldnames or []
            for name in names:
                if name not in REQUIRED + OPTIONAL:
                    raise UserError(f"{path}: no such column '{name}'; {nearest(name, REQUIRED + OPTIONAL)}")
            missing = [name for name in REQUIRED if name not in names]
            if missing:
                raise UserError(f"{path}: columns missing: {', '.join(missing)}; they are all needed.")
            return [_correction(values, f"{path}: line {lines.line_num}") for values in lines]
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; translation.corrections should name a CSV file.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a CSV file in UTF-8 ({error}); save it again as one.") from None


def _correction(values: dict[str, str | None], where: str) -> Correction:
    if None in values or None in values.values():
        raise UserError(f"{where}: it doesn't have as many columns as the header; put quotes around texts with commas.")
    texts = {name: (value or "").strip() for name, value in values.items()}
    if not texts["case_id"].isdecimal():
        raise UserError(f"{where}: case_id is '{texts['case_id']}'; it must be a whole number.")
    if texts["field"] not in FIELDS:
        raise UserError(f"{where}: no such field '{texts['field']}'; {nearest(texts['field'], FIELDS)}")
    if not texts["corrected"]:
        raise UserError(f"{where}: corrected is empty; write the right text, or take the line out.")
    return Correction(
        where,
        int(texts["case_id"]),
        *(texts[name] for name in REQUIRED[1:]),
        *(texts.get(name) or None for name in OPTIONAL),
    )


def merge(rows: Sequence[dict[str, Any]], corrections: Sequence[Correction]) -> Merged:
    """Return the translated rows (facts) with the corrections merged; a changed row's origin is `corrected`.

    Corrections of cases that are not among the rows are listed: a draw holds only some of a file's cases.
    Raises UserError where no case is among them, where a language isn't one of the rows', where a field is
    corrected twice, where a correction fits several rows, or where its `machine` text is not the
    translation's.
    """
    by_case: dict[tuple[int, str], list[int]] = {}
    for index, row in enumerate(rows):
        by_case.setdefault((row["case_id"], row["lang"]), []).append(index)
    langs = {row["lang"] for row in rows}
    merged = [dict(row) for row in rows]
    first: dict[tuple[int, str], str] = {}
    fields, by, elsewhere = Counter[str](), Counter[str](), list[str]()
    for correction in corrections:
        where = correction.where
        if rows and correction.lang not in langs:
            raise UserError(
                f"{where}: nothing is translated into '{correction.lang}'; {nearest(correction.lang, langs)}"
            )
        found = [i for i in by_case.get((correction.case_id, correction.lang), ()) if correction.concerns(rows[i])]
        if not found:
            elsewhere.append(where)
            continue
        if len(found) > 1:
            splits = ", ".join(rows[i]["split"] for i in found)
            raise UserError(f"{where}: case {correction.case_id} is in several splits ({splits}); name one in `split`.")
        earlier = first.setdefault((found[0], correction.field), where)
        if earlier != where:
            raise UserError(f"{where}: {correction.field} of case {correction.case_id} is also corrected in {earlier}.")
        row, field = merged[found[0]], correction.field
        if row[field] != correction.machine:
            raise UserError(
                f"{where}: case {correction.case_id}, {field}: '{correction.machine}' was corrected, but "
                f"the translation reads '{row[field]}'; judge it anew."
            )
        if correction.corrected != correction.machine:
            row[field], row["origin"] = correction.corrected, "corrected"
            fields[field] += 1
            by[correction.by or "unnamed"] += 1
    if rows and corrections and len(elsewhere) == len(corrections):
        raise UserError(
            f"{corrections[0].where}: none of the corrected cases is in the facts; is it another set's file?"
        )
    return Merged(merged, fields, by, elsewhere)
