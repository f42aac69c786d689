"""What people changed in the translations, read from a CSV file and merged.

Its columns: `case_id`, `lang`, `field`, `machine` (the translation that was judged), `corrected`, and where wanted
`split` (needed only where splits number their cases alike), `by` (who changed it) and `note`. A correction holds for
the text that was judged: a field may have several, of several texts; where the translation is none of them, it is
refused.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

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

    Corrections of cases that are not among the rows are listed: a draw holds only some of a file's cases. Raises
    UserError where no case is among them, where a language isn't one of the rows', where a correction fits several
    rows, or where a field's corrections are of other texts than the translation's, or two are of it.
    """
    by_case: dict[tuple[int, str], list[int]] = {}
    for index, row in enumerate(rows):
        by_case.setdefault((row["case_id"], row["lang"]), []).append(index)
    langs = {row["lang"] for row in rows}
    of_field: dict[tuple[int, str], list[Correction]] = {}
    elsewhere = []
    for correction in corrections:
        where, case = correction.where, correction.case_id
        if rows and correction.lang not in langs:
            known = nearest(correction.lang, langs)
            raise UserError(f"{where}: nothing is translated into '{correction.lang}'; {known}")
        found = [i for i in by_case.get((case, correction.lang), ()) if correction.concerns(rows[i])]
        if len(found) > 1:
            splits = ", ".join(rows[i]["split"] for i in found)
            raise UserError(f"{where}: case {case} is in several splits ({splits}); name one in `split`.")
        if found:
            of_field.setdefault((found[0], correction.field), []).append(correction)
        else:
            elsewhere.append(where)
    if rows and corrections and not of_field:
        raise UserError(
            f"{corrections[0].where}: none of the corrected cases is in the facts; is it another set's file?"
        )

    merged = [dict(row) for row in rows]
    fields, by = Counter[str](), Counter[str]()
    for (index, field), changes in of_field.items():
        change = of_text(changes, "machine", rows[index][field])
        if change.corrected != change.machine:
            merged[index] |= {field: change.corrected, "origin": "corrected"}
            fields[field] += 1
            by[change.by or "unnamed"] += 1
    return Merged(merged, fields, by, elsewhere)


def of_text(changes: Sequence[Correction], side: Literal["machine", "corrected"], text: str | None) -> Correction:
    """Return the one of a field's corrections whose `side` is the text.

    Raises UserError where there is none, or where there are two.
    """
    found = [change for change in changes if getattr(change, side) == text]
    first = (found or changes)[0]
    what = f"case {first.case_id}, {first.field}"
    if not found:
        judged = "' and '".join(getattr(change, side) for change in changes)
        raise UserError(
            f"{first.where}: {what}: {side} is '{judged}', but the translation reads '{text}'; judge it anew."
        )
    if len(found) > 1:
        raise UserError(f"{found[1].where}: {what}: corrected twice, also in {first.where}; leave one of the two.")
    return first
