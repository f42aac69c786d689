"""From what several people say of a translation to the one text that stands.

    rows, sources = rows_of(facts, "en")
    merged = merge(rows, sources, annotators, expert)
    merged.rows               facts rows with the corrections in them, and who corrected and checked them
    merged.corrections        who wanted which text and what became of it: a CORRECTIONS table
    merged.words              what everybody says of each field, also of those that nobody would change

The expert's word on a field stands. Without it, a text stands that all annotators want who judged the field; who judged
the record and left the field as it was wants the machine's. Where they differ, the machine's text is kept until the
expert has spoken.

A judgement holds for the text and the source record that were judged. One person may have judged several texts of a
field, as translations of several draws of facts differ; where the present one is not among them, nothing is merged.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from unicodedata import normalize

import polars as pl

from crossedit.errors import UserError, nearest
from crossedit.tables import CORRECTIONS
from crossedit.translation import records
from crossedit.translation.records import Row
from crossedit.translation.reviews.judgements import Judgement

_MOST = 50  # places in one message

Sources = Mapping[tuple[str, int], Row]  # by split and case
Unit = tuple[int, str]  # a row's place, and a field
Role = Literal["annotator", "expert"]
Person = tuple[Role, str]


@dataclass(frozen=True)
class Word:
    """How one person would have one field read."""

    where: str  # file and line
    role: Role
    by: str
    machine: str
    text: str
    note: str | None = None

    @property
    def changed(self) -> bool:
        """Whether it is another text than the machine's."""
        return self.text != self.machine


@dataclass(frozen=True)
class Merged:
    """The rows as people want them, who wanted what, and the judgements that are of no row."""

    rows: list[Row]
    corrections: pl.DataFrame
    elsewhere: list[str]  # judgements of cases that aren't in this draw of facts, by file and line
    words: dict[Unit, list[Word]]


def rows_of(facts: pl.DataFrame, source: str) -> tuple[list[Row], dict[tuple[str, int], Row]]:
    """Return the rows of a facts table that were made of those in the source language, and those by split and case."""
    rows = facts.filter(pl.col("origin") != "source").to_dicts()
    return rows, {(row["split"], row["case_id"]): row for row in records.sources(facts, source)}


def merge(
    rows: Sequence[Row], sources: Sources, annotators: Sequence[Judgement], expert: Sequence[Judgement]
) -> Merged:
    """Return the translated rows (facts) as annotators and expert want them; a changed row's origin is `corrected`.

    Judgements of cases that are not among the rows are listed: a draw holds only some of a file's cases. Raises
    UserError where no case is among them, where a language isn't one of the rows', where a judgement fits several rows,
    where the text or the source record isn't what was judged, and where a person, or the experts, say two things.
    """
    placed, elsewhere = _place(rows, sources, {"annotator": annotators, "expert": expert})
    _refuse_stale(rows, sources, placed)
    words: dict[Unit, list[Word]] = {}
    for (index, person), judgements in placed.items():
        for field, word in _words(rows[index], sources, person, judgements):
            words.setdefault((index, field), []).append(word)

    merged = [dict(row) for row in rows]
    lines: list[Row] = []
    for (index, field), said in sorted(words.items(), key=lambda item: (item[0][0], records.FIELDS.index(item[0][1]))):
        said.sort(key=lambda word: (word.role, word.by))
        row = merged[index]
        outcome, text = _outcome(said, f"case {row['case_id']}, {field}")
        stands = [outcome != "conflict" and word.text == text for word in said]
        row["checked_by"] = _union(row["checked_by"], (word.by for word in said))
        if text != rows[index][field]:
            by = (word.by for word, its in zip(said, stands, strict=True) if its)
            row |= {field: text, "origin": "corrected", "corrected_by": _union(row["corrected_by"], by)}
        if any(word.changed for word in said):
            case = {name: row[name] for name in ("split", "case_id", "lang")}
            source = sources[row["split"], row["case_id"]][field]
            lines += [
                case
                | {"field": field, "by": word.by, "role": word.role, "source": source, "machine": word.machine}
                | {"corrected": word.text, "note": word.note, "outcome": outcome, "stands": its}
                for word, its in zip(said, stands, strict=True)
            ]
    return Merged(merged, pl.DataFrame(lines, schema=CORRECTIONS.columns), elsewhere, words)


def _place(
    rows: Sequence[Row], sources: Sources, said: Mapping[Role, Sequence[Judgement]]
) -> tuple[dict[tuple[int, Person], list[Judgement]], list[str]]:
    """Return each person's judgements of each row, and where those stand that are of none."""
    by_case: dict[tuple[int, str], list[int]] = {}
    for index, row in enumerate(rows):
        by_case.setdefault((row["case_id"], row["lang"]), []).append(index)
    langs = {row["lang"] for row in rows}
    placed: dict[tuple[int, Person], list[Judgement]] = {}
    elsewhere: dict[str, None] = {}  # in order, each once
    for role, judgements in said.items():
        for judgement in judgements:
            where, case = judgement.where, judgement.case_id
            if rows and judgement.lang not in langs:
                known = nearest(judgement.lang, langs)
                raise UserError(f"{where}: nothing is translated into '{judgement.lang}'; {known}")
            places = by_case.get((case, judgement.lang), ())
            found = [i for i in places if judgement.concerns(rows[i])]
            if not found and judgement.record:
                # Another draw has put the record into another split.
                found = [i for i in places if _same_record(judgement, rows[i], sources)]
            if len(found) > 1:
                splits = ", ".join(rows[i]["split"] for i in found)
                raise UserError(f"{where}: case {case} is in several splits ({splits}); name one in `split`.")
            if found:
                placed.setdefault((found[0], (role, judgement.by)), []).append(judgement)
            else:
                elsewhere[where] = None
    if rows and elsewhere and not placed:
        raise UserError(f"{next(iter(elsewhere))}: none of the judged cases is in the facts; is it another set's file?")
    return placed, list(elsewhere)


def _holds(judgement: Judgement, row: Row, sources: Sources) -> bool:
    """Say whether the text and the record are still those that were judged."""
    same_text = judgement.field is None or _same_text(judgement.machine, row[judgement.field])
    return same_text and _same_record(judgement, row, sources)


def _same_text(judged: str | None, present: str | None) -> bool:
    """Say whether it is the same text: programs that people use may make up its letters otherwise."""
    return judged is not None and present is not None and normalize("NFC", judged) == normalize("NFC", present)


def _same_record(judgement: Judgement, row: Row, sources: Sources) -> bool:
    return judgement.record in (None, records.fingerprint(sources[row["split"], row["case_id"]]))


def _refuse_stale(
    rows: Sequence[Row], sources: Sources, placed: Mapping[tuple[int, Person], Sequence[Judgement]]
) -> None:
    """Raise UserError for the first field that a person has judged, but not as it reads now."""
    stale: list[str] = []
    for (index, _), judgements in placed.items():
        row = rows[index]
        for field in dict.fromkeys(judgement.field for judgement in judgements):
            its = [judgement for judgement in judgements if judgement.field == field]
            if not any(_holds(judgement, row, sources) for judgement in its):
                stale.append(_stale(field, its, row, sources))
    if stale:
        more = f" Likewise {'; '.join(stale[1:_MOST])}{' and others' * (len(stale) > _MOST)}." if len(stale) > 1 else ""
        raise UserError(
            f"{stale[0]}; judge it anew, in a further file of the same person, or take it out.{more} Nothing is merged."
        )


def _stale(field: str | None, judgements: Sequence[Judgement], row: Row, sources: Sources) -> str:
    what = f"{judgements[0].where}: case {row['case_id']}, {field or 'the whole record'} ({row['lang']})"
    if not any(_same_record(judgement, row, sources) for judgement in judgements):
        return f"{what}: the source's record has changed since it was judged"
    assert field is not None
    if row[field] is None:
        return f"{what}: the record has no such field"
    judged = "' and '".join(str(judgement.machine) for judgement in judgements)
    return f"{what}: machine is '{judged}', but the translation reads '{row[field]}'"


def _words(row: Row, sources: Sources, person: Person, judgements: Sequence[Judgement]) -> Iterator[tuple[str, Word]]:
    """Yield what a person says of each field of a row, of every field where they have looked at the whole record."""
    holding = [judgement for judgement in judgements if _holds(judgement, row, sources)]
    whole = next((judgement for judgement in holding if judgement.field is None), None)
    for field in records.FIELDS:
        said = [judgement for judgement in holding if judgement.field == field and judgement.corrected is not None]
        if said:
            first = said[0]
            other = next((judgement for judgement in said if judgement.corrected != first.corrected), None)
            if other:
                what = f"case {row['case_id']}, {field}: {person[1]} says '{other.corrected}'"
                raise UserError(
                    f"{other.where}: {what}, but '{first.corrected}' in {first.where}; leave one of the two."
                )
            note = next((judgement.note for judgement in said if judgement.note), None)
            yield field, Word(first.where, *person, row[field], str(first.corrected), note)
        elif whole and row[field] is not None:
            yield field, Word(whole.where, *person, row[field], row[field])


def _outcome(said: Sequence[Word], what: str) -> tuple[str, str]:
    """Return how a field is decided, and the text that it has then."""
    expert = [word for word in said if word.role == "expert"]
    for word in expert:
        if word.text != expert[0].text:
            raise UserError(
                f"{word.where}: {what}: '{word.text}', but '{expert[0].text}' in {expert[0].where}; "
                "only one expert's word can stand, leave one of the two."
            )
    if expert:
        return "expert", expert[0].text
    if len({word.text for word in said}) == 1:
        return "agreed", said[0].text
    return "conflict", said[0].machine


def _union(names: Sequence[str] | None, more: Iterator[str]) -> list[str]:
    return list(dict.fromkeys([*(names or ()), *more]))
