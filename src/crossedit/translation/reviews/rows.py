"""The texts that a person gets to judge: one row for each field of each record.

rows(facts, languages=["zh"], splits=["test"])    for annotators
conflicts(facts, corrections)                     for the expert: only what annotators don't agree on
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import polars as pl

from crossedit.errors import UserError
from crossedit.translation import checks, records

Facts = dict[str, Any]


class Proposal(NamedTuple):
    """How one person would have a text, and why."""

    by: str
    text: str
    note: str | None

    def __str__(self) -> str:
        return f"{self.by}: {self.text}" + (f" ({self.note})" if self.note else "")


class Beside(NamedTuple):
    """Another text of the record, for a better understanding only."""

    field: str
    source: str
    machine: str


@dataclass(frozen=True)
class Row:
    """One translated text, with all that helps to judge it."""

    split: str
    case_id: int
    lang: str
    field: str
    source: str
    machine: str
    record: str  # the fingerprint of the source's record
    source_lang: str
    checks: tuple[str, ...] = ()  # what the checks say of this field
    proposals: tuple[Proposal, ...] = ()  # for the expert
    beside: tuple[Beside, ...] = ()  # for the expert: the record's texts that are not in conflict

    @property
    def case(self) -> tuple[str, int, str]:
        """What the rows of a record share."""
        return self.split, self.case_id, self.lang


class _Pair(NamedTuple):
    """The facts row of a translation and that of its source."""

    source: Facts
    translation: Facts


def rows(
    facts: pl.DataFrame,
    languages: Collection[str] | None = None,
    splits: Collection[str] | None = None,
    flagged: bool = False,
    source: str | None = None,
) -> list[Row]:
    """Return a row for each text of the machine's translations (facts), record by record, in the order of the fields.

    languages, splits: only these. flagged: only records in which a check finds something. source: the language that was
    translated; needed only where cases were given in several. Raises UserError where nothing is left.
    """
    made: list[Row] = []
    for pair in _pairs(facts, source):
        if _wanted(pair.translation["lang"], languages) and _wanted(pair.translation["split"], splits):
            of_record = _rows(pair)
            if not flagged or any(row.checks for row in of_record):
                made += of_record
    if not made:
        there = sorted({f"{split}/{lang}" for split, lang in _translated(facts).select("split", "lang").iter_rows()})
        what = "no check finds anything" if flagged else "nothing is translated"
        raise UserError(f"review: {what} in what was chosen; there are translations in: {', '.join(there) or 'none'}.")
    return made


def conflicts(
    facts: pl.DataFrame,
    corrections: pl.DataFrame,
    languages: Collection[str] | None = None,
    splits: Collection[str] | None = None,
    source: str | None = None,
) -> list[Row]:
    """Return the rows of the fields that annotators don't agree on (corrections), with each person's proposal.

    Raises UserError where a conflict is about another text than the translation's, and where there is none.
    """
    said: dict[tuple[str, int, str, str], list[Facts]] = {}
    for word in corrections.filter(outcome="conflict").iter_rows(named=True):
        if _wanted(word["lang"], languages) and _wanted(word["split"], splits):
            said.setdefault((word["split"], word["case_id"], word["lang"], word["field"]), []).append(word)
    made: list[Row] = []
    for pair in _pairs(facts, source):
        of_record = _rows(pair)
        words = {row.field: said.pop((*row.case, row.field)) for row in of_record if (*row.case, row.field) in said}
        beside = tuple(Beside(row.field, row.source, row.machine) for row in of_record if row.field not in words)
        made += [_disputed(row, words[row.field], beside) for row in of_record if row.field in words]
    for [word, *_] in said.values():
        raise UserError(_other(word, "the facts have no such translation"))
    if not made:
        raise UserError("review: the annotators agree on every text that was chosen; there is nothing for an expert.")
    return made


def _wanted(value: str, chosen: Collection[str] | None) -> bool:
    return not chosen or value in chosen


def _other(word: Facts, what: str) -> str:
    case = f"case {word['case_id']} in '{word['lang']}', {word['field']}"
    return f"review: a conflict is about '{word['machine']}' ({case}), but {what}; merge the corrections anew."


def _translated(facts: pl.DataFrame) -> pl.DataFrame:
    return facts.filter(pl.col("origin") != "source")


def _pairs(facts: pl.DataFrame, source: str | None) -> list[_Pair]:
    """Return each translated row with the row that it was made of."""
    if "corrected" in facts["origin"]:
        raise UserError("review: the facts hold corrections already; give the machine's translation (machine.parquet).")
    given: dict[tuple[str, int], dict[str, Facts]] = {}
    for row in facts.filter(origin="source").iter_rows(named=True):
        given.setdefault((row["split"], row["case_id"]), {})[row["lang"]] = row
    pairs = []
    for row in _translated(facts).iter_rows(named=True):
        sources = given.get((row["split"], row["case_id"]), {})
        langs = [source] if source else list(sources)
        if len(langs) > 1:
            raise UserError(f"review: the facts were given in {', '.join(langs)}; say which of them was translated.")
        if not langs or langs[0] not in sources:
            raise UserError(f"review: case {row['case_id']} of '{row['split']}' has no source in '{source or 'any'}'.")
        pairs.append(_Pair(sources[langs[0]], row))
    return pairs


def _rows(pair: _Pair) -> list[Row]:
    source, translation = pair
    record, translated = records.of_row(source), records.of_row(translation)
    found = checks.find(record, translated, source["lang"], translation["lang"])
    return [
        Row(
            split=translation["split"],
            case_id=translation["case_id"],
            lang=translation["lang"],
            field=field,
            source=record.get(field, ""),
            machine=text,
            record=records.fingerprint(source),
            source_lang=source["lang"],
            checks=tuple(finding.message for finding in found if finding.field == field),
        )
        for field, text in translated.items()
        if text
    ]


def _disputed(row: Row, words: list[Facts], beside: tuple[Beside, ...]) -> Row:
    for word in words:
        if word["machine"] != row.machine:
            raise UserError(_other(word, f"the translation reads '{row.machine}'"))
    proposals = tuple(Proposal(word["by"], word["corrected"], word["note"]) for word in words)
    return replace(row, proposals=proposals, beside=beside)
