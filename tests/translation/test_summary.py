"""What is said of a translation, of numbers worked out by hand."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from crossedit import tables
from crossedit.translation import settings
from crossedit.translation.questions import question_of
from crossedit.translation.records import PROMPT, of_row
from crossedit.translation.reviews.judgements import Judgement
from crossedit.translation.reviews.merge import merge
from crossedit.translation.store import Answer
from crossedit.translation.summary import of_people, of_translation, sentence_of_people, sentence_of_translation
from crossedit.translation.translate import Translated

ENTRY = {"source": "en", "targets": ["de", "zh"], "model": {"train": "small", "test": "large"}, "store": "store"}
PRICES = {"small": {"input": 1.0, "output": 2.0}, "large": {"input": 10.0, "output": 30.0}}
USAGE = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}


def row(case_id, lang, split="test", subject="Kanada", prompt="Was ist die Hauptstadt von Kanada?", target="Rom"):
    texts = dict.fromkeys(tables.FACTS.columns) | {"subject": subject, "prompt": prompt, "target": target}
    return texts | {"split": split, "case_id": case_id, "lang": lang, "origin": "translated", "translated_by": "gpt-4"}


def english(case_id, split="test"):
    return row(case_id, "en", split, "Canada", "What is the capital of Canada?", "Rome") | {"origin": "source"}


def asked(made, case_id, split, target, *answers):
    question = question_of(english(case_id, split), target, made, PROMPT)
    for answer in answers:
        question.take(answer)
    return question


def good(lang="de"):
    return json.dumps(of_row(row(1, lang)), ensure_ascii=False)


@pytest.fixture
def translated():
    """Give settings, and a translation of three records: one at once, one at the third attempt, one never."""

    def make(**more):
        made = settings.from_entry({**ENTRY, "checks": "flag", "prices": PRICES, **more})
        lists = "[1]"
        questions = [
            asked(made, 1, "train", "de", Answer(good(), usage=USAGE)),
            asked(
                *(made, 2, "test", "de"),
                *(Answer(lists, usage=USAGE), Answer(None, refusal="No; I can't.", usage=USAGE)),
                Answer(good(), usage=USAGE),
            ),
            asked(made, 3, "test", "de", *[Answer(text, usage=USAGE) for text in (lists, '{"x": 1}', '{"subject"')]),
        ]
        failure = {"split": "test", "case_id": 3, "lang": "de", "model": "large", "reasons": questions[2].reasons}
        rows = [row(1, "de", "train"), row(2, "de")]
        return made, Translated(rows, [failure], questions, asked=4)

    return make


def test_what_the_model_made(translated):
    said = of_translation(*translated())
    assert (said["records"], said["translated"], said["failed"], said["failed_are"]) == (
        3,
        2,
        1,
        "left out in all languages",
    )
    train, test = ({"split": split, "lang": "de"} for split in ("train", "test"))
    assert said["splits"] == [
        {**train, "model": "small", "translated_by": ["gpt-4"], "translated": 1, "failed": 0},
        {**test, "model": "large", "translated_by": ["gpt-4"], "translated": 1, "failed": 1},
    ]
    assert said["failures"][0]["case_id"] == 3
    assert len(said["failures"][0]["reasons"]) == 3


def test_answers_are_counted_by_where_they_came_from_and_what_they_took(translated):
    requests = of_translation(*translated())["requests"]
    assert (requests["asked"], requests["stored"], requests["recorded"]) == (4, 3, 0)
    assert requests["tokens"] == {name: 7 * count for name, count in USAGE.items()}
    # One answer of the small model: 100·1 + 50·2 = 200; six of the large one: 100·10 + 50·30 = 2,500 each; per million.
    assert requests["dollars"] == pytest.approx((200 + 6 * 2500) / 1e6)
    assert requests["prices"] == dict.fromkeys(PRICES, "translation.prices")


def test_without_a_price_there_are_no_dollars_and_a_budget_is_no_hindrance(translated):
    requests = of_translation(*translated(prices={"small": PRICES["small"]}, budget=1.0))["requests"]
    assert requests["dollars"] is None
    assert "no price" in requests["prices"]["large"]


def test_recorded_answers_cost_nothing(translated):
    made, _ = translated(prices={})
    question = asked(made, 1, "test", "de", Answer(good(), recorded_from="a table"))
    said = of_translation(made, Translated([row(1, "de")], [], [question], asked=0))
    assert (said["requests"]["recorded"], said["requests"]["dollars"], said["requests"]["prices"]) == (1, 0.0, {})
    assert "dollars" not in sentence_of_translation(said)


def test_reasons_are_counted_by_kind_without_what_is_particular(translated):
    said = of_translation(*translated())
    assert said["reasons"] == {
        "a JSON list, not an object": 2,
        "the model refuses": 1,
        "keys missing": 1,
        "keys unknown": 1,
        "not JSON": 1,
    }


def test_findings_of_checks_that_only_flag_are_counted(translated):
    made, found = translated()
    left = json.dumps(of_row(english(1)))
    question = asked(made, 1, "test", "de", Answer(left))
    said = of_translation(made, Translated(found.rows, [], [*found.questions[:2], question], asked=0))
    assert said["flagged"]["untranslated"]["records"] == 1
    assert said["flagged"]["numbers"]["records"] == 0
    assert of_translation(*translated(checks="ask"))["flagged"] == {}


def test_what_is_said_on_the_terminal(translated):
    said = sentence_of_translation(of_translation(*translated(failed="keep_source")))
    assert said == (
        "2 of 3 records translated; 4 requests asked, 3 answers from the store, 0.02 dollars in all.\n"
        "1 failed: their cases are kept as they were; the summary says why."
    )


def says(by, case_id, text, field="subject", machine="Kanada", lang="de", note=None):
    return Judgement(f"{by}.csv: line 2", by, case_id, lang, field, machine, text, note=note)


def looked(by, *cases, lang="de"):
    return [Judgement(f"{by}.csv: line 2", by, case, lang, None, None, None) for case in cases]


@pytest.fixture
def reviewed():
    """Give what is said of 5 German records, 4 of them judged by two, and a Chinese one that nobody judged."""
    rows = [row(case, "de") for case in range(1, 5)] + [row(5, "de", "train"), row(1, "zh", subject="加拿大")]
    sources = {(row["split"], row["case_id"]): english(row["case_id"], row["split"]) for row in rows}
    ann = [*looked("ann", 1, 2, 3, 4), says("ann", 1, "Canada", note="the usual name"), says("ann", 2, "Kanadas")]
    ben = [*looked("ben", 1, 2, 3, 4), says("ben", 1, "Canada"), says("ben", 2, "Canadas")]
    ben += [says("ben", 3, "Mailand", "target", "Rom"), says("ben", 9, "Canada")]
    expert = [says("eve", 3, "Mailand", "target", "Rom")]
    made = settings.from_entry({**ENTRY, "corrections": ["ann.csv", "ben.xlsx"], "expert": "eve.csv"})
    return of_people(made, rows, sources, merge(rows, sources, [*ann, *ben], expert))


def counts(records, judged, corrected, share, in_part=0, in_part_corrected=0, open_conflicts=0):
    return {
        "records": records, "judged": judged, "corrected": corrected, "share": share,
        "in_part": in_part, "in_part_corrected": in_part_corrected, "open_conflicts": open_conflicts,
    }  # fmt: skip


def counted(part):
    return {name: part[name] for name in counts(0, 0, 0, 0)}


def test_records_are_counted_where_they_are_judged(reviewed):
    # Corrected: case 1 (agreed) and case 3 (the expert's word); case 2 is a conflict.
    assert counted(reviewed) == counts(6, 4, 2, 0.5, open_conflicts=1)
    assert [(part["split"], part["lang"], counted(part)) for part in reviewed["splits"]] == [
        ("test", "de", counts(4, 4, 2, 0.5, open_conflicts=1)),
        ("train", "de", counts(1, 0, 0, None)),
        ("test", "zh", counts(1, 0, 0, None)),
    ]
    assert reviewed["files"] == {"annotators": ["ann.csv", "ben.xlsx"], "expert": ["eve.csv"]}


@pytest.fixture
def of():
    """Give what makes a summary of the German rows 1 to `count`, of judgements by annotators and an expert."""

    def make(annotators, expert=(), count=3, untold=0):
        rows = [row(case, "de") for case in range(1, count + 1)]
        for broken in rows[:untold]:
            broken["prompt"] = "Was ist die Hauptstadt?"  # without the subject
        sources = {("test", row["case_id"]): english(row["case_id"]) for row in rows}
        return of_people(settings.from_entry(ENTRY), rows, sources, merge(rows, sources, annotators, expert))

    return make


def test_one_correction_does_not_make_a_record_judged(of):
    said = of([*looked("ann", 1), says("ann", 2, "Canada"), says("ann", 3, "Rom", "target", "Rom")])
    assert counted(said) == counts(3, 1, 0, 0.0, in_part=2, in_part_corrected=1)
    assert [(field["field"], field["judged"], field["changed"]) for field in said["languages"][0]["fields"]] == [
        ("subject", 2, 1),
        ("prompt", 1, 0),
        ("target", 2, 0),
    ]
    likeness = said["languages"][0]["likeness"]
    assert (likeness["changed"]["texts"], likeness["judged"]["texts"]) == (1, 5)


def test_a_record_whose_texts_are_judged_one_by_one_is_judged(of):
    texts = row(1, "de")
    said = [says("ann", 1, texts[field], field, texts[field]) for field in ("subject", "prompt")]
    assert counted(of(said, count=1)) == counts(1, 0, 0, None, in_part=1)
    assert counted(of(said, [says("eve", 1, "Mailand", "target", "Rom")], count=1)) == counts(1, 1, 1, 1.0)


def test_texts_are_counted_where_somebody_has_judged_them(reviewed):
    german, chinese = reviewed["languages"]
    assert german["fields"] == [
        {"field": "subject", "judged": 4, "changed": 1, "share": 0.25},
        {"field": "prompt", "judged": 4, "changed": 0, "share": 0.0},
        {"field": "target", "judged": 4, "changed": 1, "share": 0.25},
    ]
    assert chinese["fields"] == []
    assert chinese["agreement"]["fields"] == 0


def test_a_record_that_broke_between_two_texts_is_found(of):
    # Both want another subject, and don't agree on the question that it must stand in.
    question = row(1, "de")["prompt"]
    said = [says(by, 1, "Neukanada") for by in ("ann", "ben")]
    said += [says(by, 1, f"Wo liegt {by} Neukanada?", "prompt", question) for by in ("ann", "ben")]
    found = of(said)["findings"]
    assert (found["records"], found["since_corrected"]) == (1, 1)
    assert found["checks"]["subject"]["cases"] == [
        {
            "split": "test", "case_id": 1, "lang": "de", "field": "prompt",
            "message": "the subject 'Neukanada' is not in 'prompt'", "since_corrected": True,
        }
    ]  # fmt: skip
    assert found["checks"].keys() == {"subject"}


def test_what_the_machine_left_is_told_from_what_corrections_broke(of):
    said = of([says("ann", 1, "Canada"), says("ann", 12, "Canada")], count=12, untold=11)
    assert (said["findings"]["records"], said["findings"]["since_corrected"]) == (12, 1)
    subject = said["findings"]["checks"]["subject"]
    assert (subject["records"], subject["since_corrected"]) == (12, 1)
    # That of people first; the first record lacked its subject before.
    assert [case["case_id"] for case in subject["cases"]] == [12, *range(1, 10)]
    assert [case["since_corrected"] for case in subject["cases"]] == [True] + 9 * [False]


def test_notes_on_texts_that_nobody_changes_are_kept(of):
    said = [*looked("ann", 1), says("ann", 1, "Rom", "target", "Rom", note="is that meant?")]
    said += [says("ben", 1, "Kanada", note="fine"), says("cat", 2, "Canada", note="usual"), says("ann", 2, "Canada")]
    assert of(said)["remarks"] == [
        {"split": "test", "case_id": 1, "lang": "de", "field": "subject", "by": "ben", "note": "fine"},
        {"split": "test", "case_id": 1, "lang": "de", "field": "target", "by": "ann", "note": "is that meant?"},
    ]


def test_of_judgements_that_are_elsewhere_the_first_are_named(of):
    strangers = [
        replace(says("ann", 100 + number, "Canada"), where=f"ann.csv: line {number}") for number in range(2, 24)
    ]
    said = of([*looked("ann", 1), *strangers])
    assert said["elsewhere"] == {"lines": 22, "first": [f"ann.csv: line {number}" for number in range(2, 12)]}


def test_people_are_counted_by_what_they_changed_and_what_stands(reviewed):
    assert reviewed["people"] == [
        {"by": "ann", "role": "annotator", "lang": "de", "records": 4, "fields": 12, "changed": 2, "stands": 1},
        {"by": "ben", "role": "annotator", "lang": "de", "records": 4, "fields": 12, "changed": 3, "stands": 2},
        {"by": "eve", "role": "expert", "lang": "de", "records": 1, "fields": 1, "changed": 1, "stands": 1},
    ]


def test_open_conflicts_have_case_field_and_texts(reviewed):
    assert reviewed["conflicts"] == [
        {
            "split": "test", "case_id": 2, "lang": "de", "field": "subject", "source": "Canada", "machine": "Kanada",
            "texts": {"ann": "Kanadas", "ben": "Canadas"},
        }
    ]  # fmt: skip


def test_agreement_likeness_and_pieces_are_of_one_language(reviewed):
    german = reviewed["languages"][0]
    # 12 fields of both; ann changes 2, ben these and one more: p_o = 11/12, p_e = (2·3 + 10·9)/144 = 2/3; kappa 3/4.
    assert (german["agreement"]["fields"], german["agreement"]["pairs"][0]["kappa"]) == (12, 0.75)
    assert german["agreement"]["changed"] == {"fields": 2, "same_text": 0.5, "undefined": {}}
    assert (german["likeness"]["changed"]["texts"], german["likeness"]["judged"]["texts"]) == (2, 12)
    assert german["likeness"]["judged"]["chrf"] > german["likeness"]["changed"]["chrf"]
    assert [(piece["machine"], piece["corrected"], piece["notes"]) for piece in german["typical"]] == [
        ("Kanada", "Canada", ["the usual name"]),
        ("Rom", "Mailand", []),
    ]


def test_it_is_json_without_nan(reviewed):
    assert json.loads(json.dumps(reviewed, allow_nan=False)) == reviewed


def test_the_terminal_says_how_to_make_the_experts_file(reviewed):
    assert sentence_of_people(reviewed, Path("results/machine.parquet"), Path("my corrections.parquet")) == (
        "German: 4 of 5 records judged whole, 2 of these corrected (50.0%); open conflicts: 1.\n"
        "German, test: 4 of 4 records judged whole, 2 of these corrected (50.0%); open conflicts: 1.\n"
        "Judged by ann, ben, eve. Records in which checks find something: 2, of these only since people changed them: "
        "1; the summary lists them. The files also hold judgements of cases that this draw of facts doesn't have "
        "(lines: 1).\n"
        "Texts that people don't agree on: 1; the machine's are kept. For the expert's file: crossedit translation "
        "review --facts results/machine.parquet --conflicts 'my corrections.parquet' --out review/expert --by expert"
    )


def test_the_terminal_says_what_is_judged_in_part(of):
    assert sentence_of_people(of([says("ann", 2, "Rom", "target", "Rom")]), Path("a"), Path("b")) == (
        "German: 0 of 3 records judged whole; 1 judged in part, 0 of these corrected; open conflicts: 0.\n"
        "Judged by ann."
    )


def test_where_nobody_judged_there_is_no_share(of):
    said = of([], count=1)
    assert (said["corrected"], said["share"], said["people"], said["conflicts"]) == (0, None, [], [])
    assert sentence_of_people(said, Path("a"), Path("b")) == (
        "Nobody has judged any of the 1 records; they are as the model made them."
    )
