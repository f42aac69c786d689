"""Store entries for translations that exist already, to be replayed through the same code as a model's.

The bundled demo's answers were made so: its facts are written in both languages, and each record of the
source language is stored with its counterpart as the answer. No model gave them, and the entries say so
(`model: null`, `recorded_from`).

Where the settings name the files of annotators and an expert, the machine's texts that they corrected are put back in:
the recorded answers then hold the slips that the corrections put right.
"""

import json
from collections.abc import Sequence

import polars as pl

from crossedit import files
from crossedit.errors import UserError
from crossedit.translation import records
from crossedit.translation.records import Row
from crossedit.translation.reviews.judgements import Judgement
from crossedit.translation.reviews.reading import read_all
from crossedit.translation.settings import Settings
from crossedit.translation.store import Answer, line


def record(sources: pl.DataFrame, translations: pl.DataFrame, settings: Settings, origin: str, name: str) -> int:
    """Write `NAME.jsonl` into the store's folder, whole, and return how many answers it holds.

    `sources` and `translations` are facts tables (one may be both); `origin` says where the translations come
    from. Raises UserError where a case lacks a translation or has other fields in it, or where a text is neither as
    somebody would have it nor as it was judged.
    """
    judgements: dict[tuple[int, str], list[Judgement]] = {}
    for judgement in (*read_all(settings.corrections), *read_all(settings.expert, expert=True)):
        judgements.setdefault((judgement.case_id, judgement.lang), []).append(judgement)
    by_case = {(row["split"], row["case_id"], row["lang"]): row for row in translations.iter_rows(named=True)}
    prompt = records.prompt_of(settings)
    lines: dict[str, None] = {}  # in order, each once
    for target in settings.targets:
        for row in records.sources(sources, settings.source):
            case = (row["split"], row["case_id"], target)
            if case not in by_case:
                raise UserError(f"translation: case {case[1]} of split '{case[0]}' has no row in '{target}' to record.")
            source = records.of_row(row)
            slipped = _slipped(by_case[case], row, judgements.get(case[1:], ()))
            answer = json.dumps(records.of_row(slipped), ensure_ascii=False)
            try:
                records.read_answer(answer, source)
            except records.Unusable as reason:
                raise UserError(f"translation: case {case[1]} of split '{case[0]}' in '{target}': {reason}.") from None
            request = records.request(source, settings.source, target, None, prompt)
            lines[line(request, 1, Answer(answer, recorded_from=origin))] = None
    with files.whole(settings.store / f"{name}.jsonl") as temporary:
        temporary.write_text("".join(f"{text}\n" for text in lines), encoding="utf-8")
    return len(lines)


def _slipped(row: Row, source: Row, judgements: Sequence[Judgement]) -> Row:
    """Return the row as it read before it was corrected."""
    record = records.fingerprint(source)
    of_field: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        if judgement.field and judgement.concerns(row) and judgement.record in (None, record):
            of_field.setdefault(judgement.field, []).append(judgement)
    return row | {field: _before(field, its, row) for field, its in of_field.items()}


def _before(field: str, judgements: Sequence[Judgement], row: Row) -> str:
    """Return the machine's text of a field that reads as somebody would have it; itself where it was never changed."""
    text = row[field]
    machine = {str(judgement.machine): judgement for judgement in judgements if judgement.corrected == text}
    what = f"case {row['case_id']}, {field}"
    if len(machine) > 1:
        first, second, *_ = machine.values()
        raise UserError(
            f"{second.where}: {what}: '{text}' is put for '{second.machine}', but in {first.where} for "
            f"'{first.machine}'; leave one of the two."
        )
    if not machine and text not in {judgement.machine for judgement in judgements}:
        wanted = "' and '".join(dict.fromkeys(str(judgement.corrected) for judgement in judgements))
        raise UserError(
            f"{judgements[0].where}: {what}: corrected is '{wanted}', but the translation reads '{text}'; "
            "judge it anew."
        )
    return next(iter(machine), text)
