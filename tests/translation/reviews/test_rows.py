import polars as pl
import pytest

from crossedit.errors import UserError
from crossedit.translation import checks, records
from crossedit.translation.reviews import rows as review


@pytest.fixture
def finding(monkeypatch):
    """The checks find something in the rephrase of case 3."""

    def find(record, translation, source, target):
        found = checks.Finding("numbers", "rephrase", "the source has 3")
        return [found] if translation.get("original") else []

    monkeypatch.setattr(checks, "find", find)


def test_each_text_is_a_row_in_the_order_of_the_fields(machine):
    rows = review.rows(machine)
    sources = {(row["split"], row["case_id"]): row for row in machine.filter(lang="en").iter_rows(named=True)}
    translated = machine.filter(origin="translated")
    assert len(rows) == sum(len(records.of_row(row)) for row in translated.iter_rows(named=True))
    for case in dict.fromkeys(row.case for row in rows):
        fields = [row.field for row in rows if row.case == case]
        assert fields == [field for field in records.FIELDS if field in fields]
    for row in rows:
        source = sources[row.split, row.case_id]
        assert (row.source, row.record, row.source_lang) == (source[row.field], records.fingerprint(source), "en")
        assert [row.machine] == translated.filter(split=row.split, case_id=row.case_id, lang=row.lang)[
            row.field
        ].to_list()


def test_languages_splits_and_findings_choose(machine, finding):
    assert {row.case for row in review.rows(machine, languages=["ar"])} == {("test", 1, "ar")}
    assert {row.case for row in review.rows(machine, languages=["zh"], splits=["train"])} == {("train", 2, "zh")}
    flagged = review.rows(machine, flagged=True)
    assert {row.case for row in flagged} == {("test", 3, "zh")}
    assert {row.field: row.checks for row in flagged if row.checks} == {"rephrase": ("the source has 3",)}
    assert len(flagged) == 5, "the record is shown whole"
    with pytest.raises(
        UserError, match=r"no check finds anything .* there are translations in: test/ar, test/zh, train/zh"
    ):
        review.rows(machine, languages=["ar"], flagged=True)
    with pytest.raises(UserError, match="nothing is translated in what was chosen"):
        review.rows(machine, languages=["de"])


def test_corrected_facts_and_facts_without_their_source_are_refused(machine):
    changed = machine.with_columns(origin=pl.when(lang="ar").then(pl.lit("corrected")).otherwise("origin"))
    with pytest.raises(UserError, match=r"hold corrections already; give .*machine\.parquet"):
        review.rows(changed)
    with pytest.raises(UserError, match="case 1 of 'test' has no source in 'any'"):
        review.rows(machine.filter(origin="translated"))


def test_of_several_given_languages_the_translated_one_is_named(machine):
    both = machine.with_columns(origin=pl.when(lang="ar").then(pl.lit("source")).otherwise("origin"))
    with pytest.raises(UserError, match="given in en, ar; say which of them was translated"):
        review.rows(both)
    assert {row.source_lang for row in review.rows(both, source="en")} == {"en"}


def test_the_expert_sees_what_is_in_conflict_and_who_says_what(machine, disputed):
    [row] = review.conflicts(machine, disputed)
    assert (*row.case, row.field, row.machine) == ("test", 1, "zh", "subject", "加拿大")
    assert [str(proposal) for proposal in row.proposals] == ["ana: 加国 (shorter)", "bo: 加拿大"]
    assert [text.field for text in row.beside] == ["prompt", "target", "rephrase"]
    with pytest.raises(UserError, match="nothing for an expert"):
        review.conflicts(machine, disputed, languages=["ar"])
    other = machine.with_columns(subject=pl.when(lang="zh").then(pl.lit("加")).otherwise("subject"))
    with pytest.raises(UserError, match=r"about '加拿大' \(case 1 in 'zh', subject\), but the translation reads '加'"):
        review.conflicts(other, disputed)
    with pytest.raises(UserError, match="the facts have no such translation"):
        review.conflicts(machine.filter(pl.col("case_id") != 1), disputed)
