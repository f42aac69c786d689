"""Store entries for translations that exist already, to be replayed through the same code as a model's.

The bundled demo's answers were made so: its facts are written in both languages, and each record of the
source language is stored with its counterpart as the answer. No model gave them, and the entries say so
(`model: null`, `recorded_from`).

Where the settings name corrections, their `machine` texts are put back in: the recorded answers then hold the
slips that the corrections put right.
"""

import json

import polars as pl

from crossedit import files
from crossedit.errors import UserError
from crossedit.translation import corrections, records
from crossedit.translation.settings import Settings
from crossedit.translation.store import Answer, line


def record(sources: pl.DataFrame, translations: pl.DataFrame, settings: Settings, origin: str, name: str) -> int:
    """Write `NAME.jsonl` into the store's folder, whole, and return how many answers it holds.

    `sources` and `translations` are facts tables (one may be both); `origin` says where the translations come
    from. Raises UserError where a case lacks a translation or has other fields in it, or where a correction's
    text isn't the translation's.
    """
    changes = corrections.read(settings.corrections) if settings.corrections else []
    by_case = {(row["split"], row["case_id"], row["lang"]): row for row in translations.iter_rows(named=True)}
    lines: dict[str, None] = {}  # in order, each once
    for target in settings.targets:
        for row in sources.filter(lang=settings.source).iter_rows(named=True):
            case = (row["split"], row["case_id"], target)
            if case not in by_case:
                raise UserError(f"translation: case {case[1]} of split '{case[0]}' has no row in '{target}' to record.")
            source = records.of_row(row)
            answer = json.dumps(records.of_row(_slipped(by_case[case], changes)), ensure_ascii=False)
            try:
                records.read_answer(answer, source)
            except records.Unusable as reason:
                raise UserError(f"translation: case {case[1]} of split '{case[0]}' in '{target}': {reason}.") from None
            request = records.request(source, settings.source, target, model=None)
            lines[line(request, 1, Answer(answer, recorded_from=origin))] = None
    with files.whole(settings.store / f"{name}.jsonl") as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")
    return len(lines)


def _slipped(row: dict[str, str], changes: list[corrections.Correction]) -> dict[str, str]:
    """Return the row as it read before it was corrected."""
    of_field: dict[str, list[corrections.Correction]] = {}
    for change in changes:
        if change.concerns(row):
            of_field.setdefault(change.field, []).append(change)
    return row | {field: corrections.of_text(its, "corrected", row[field]).machine for field, its in of_field.items()}
