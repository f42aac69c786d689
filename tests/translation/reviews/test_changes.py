"""What was changed: pieces, their counts, and how like the texts are."""

import pytest

from crossedit.facts.languages import SCRIPTS, WRITTEN_IN
from crossedit.translation.records import FIELDS
from crossedit.translation.reviews.changes import (
    NOTHING,
    TOO_SHORT,
    Change,
    changes,
    likeness,
    pieces,
    typical,
)
from crossedit.translation.reviews.judgements import Judgement
from crossedit.translation.reviews.merge import merge
from crossedit.translation.words import spans


def change(machine, corrected, field="prompt", case_id=1, lang="de", notes=()):
    return Change(case_id, lang, field, "source", machine, corrected, notes)


@pytest.mark.parametrize(
    ("machine", "corrected", "found"),
    [
        ("Die Hauptstadt von Kanada?", "Die Hauptstadt von Japan?", [("Kanada", "Japan")]),
        ("画《Ophelia》的画家", "画《奥菲莉娅》的画家", [("Ophelia", "奥菲莉娅")]),
        ("厄尔布鲁士山所在", "埃尔伯特山所在", [("厄尔布鲁士", "埃尔伯特")]),  # though both have 尔
        ("La capital de Perú", "La capital del Perú", [("de", "del")]),
        ("the old town of the king", "the town of a king", [("old", ""), ("the", "a")]),
        ("抛光", "波兰语", [("抛光", "波兰语")]),
        ("的首都", "法国的首都", [("", "法国")]),
        ("新 西兰", "新西兰", [("新 西兰", "新西兰")]),
        ("ประเทศไทย", "ประเทศลาว", [("ไทย", "ลาว")]),
        ("same", "same", []),
    ],
)
def test_pieces(machine, corrected, found):
    assert list(pieces(machine, corrected)) == found


def test_typical_pieces_are_counted_once_a_field():
    found = typical(
        [
            change("a Turkey, a Turkey", "a Türkei, a Türkei", notes=("the bird",)),
            change("in Turkey", "in Türkei", "target", notes=("the bird", "not English")),
            change("old", "new", case_id=2),
        ]
    )
    assert [(piece["machine"], piece["corrected"], piece["fields"]) for piece in found] == [
        ("Turkey", "Türkei", 2),
        ("old", "new", 1),
    ]
    assert found[0]["notes"] == ["the bird", "not English"]
    assert (found[0]["example"]["field"], found[0]["example"]["machine"]) == ("prompt", "a Turkey, a Turkey")


def test_only_the_most_frequent_pieces_are_shown():
    assert len(typical([change(f"a{number}", "b") for number in range(20)], most=3)) == 3


def test_what_does_not_stand_is_no_change():
    row = {"split": "test", "case_id": 1, "lang": "zh", **dict.fromkeys(FIELDS), "subject": "甲", "prompt": "乙"}
    row |= {"origin": "translated", "corrected_by": None, "checked_by": None}
    sources = {("test", 1): {**row, "lang": "en", "subject": "A", "prompt": "B"}}

    def says(by, field, machine, corrected, note):
        return Judgement("a.csv: line 2", by, 1, "zh", field, machine, corrected, note=note)

    said = [says("ann", "subject", "甲", "丙", "why"), says("ben", "subject", "甲", "丙", "therefore")]
    said += [says("ann", "prompt", "乙", "丁", None), says("ben", "prompt", "乙", "戊", None)]
    found = changes(merge([row], sources, said, []).corrections)
    assert found == [Change(1, "zh", "subject", "A", "甲", "丙", ("why", "therefore"))]


def test_equal_texts_are_wholly_alike():
    found = likeness(["Was ist die Hauptstadt von Kanada?"] * 2, ["Was ist die Hauptstadt von Kanada?"] * 2, "de")
    assert (found["texts"], found["chrf"], found["bleu"], found["undefined"]) == (2, 100, 100, {})


def test_bleu_by_hand():
    # Five of six words kept, in one row: 5/6 unigrams, 4/5 bigrams, 3/4 trigrams, 2/3 of four; the same length.
    # BLEU = (5/6 · 4/5 · 3/4 · 2/3)^(1/4) = (1/3)^(1/4) = 75.98 %.
    assert likeness(["a b c d e f"], ["a b c d e g"], "de")["bleu"] == 75.98
    # The same in Chinese, where each letter is a token.
    found = likeness(["甲乙丙丁戊己"], ["甲乙丙丁戊庚"], "zh")
    assert (found["bleu"], found["tokenizer"]) == (75.98, "zh")
    assert "tok:zh" in found["signatures"]["bleu"]


def test_chrf_by_hand():
    # Machine ab, corrected ac: of orders 1 and 2, which both have, precision and recall are 1/2 and 0/1. Their means
    # over the two orders are 1/4, and so is F.
    assert likeness(["ab"], ["ac"], "de")["chrf"] == 25


@pytest.mark.parametrize(
    ("lang", "tokenizer"),
    [("zh", "zh"), ("ja", "char"), ("th", "char"), ("ko", "13a"), ("ar", "13a"), ("de", "13a")],
)
def test_the_tokenizer_follows_the_script(lang, tokenizer):
    assert likeness(["ab"], ["ab"], lang)["tokenizer"] == tokenizer


@pytest.mark.parametrize("lang", WRITTEN_IN)
def test_bleu_cuts_by_letters_where_words_are_letters(lang):
    script = SCRIPTS[WRITTEN_IN[lang][0]]
    letter = next(letter for letter in map(chr, range(0x110000)) if script.match(letter) and letter.isalpha())
    assert (likeness(["ab"], ["ab"], lang)["tokenizer"] != "13a") == (len(spans(letter * 2)) == 2)


def test_without_texts_there_is_no_score():
    found = likeness([], [], "de")
    assert (found["chrf"], found["bleu"], found["undefined"]) == (None, None, {"chrf": NOTHING, "bleu": NOTHING})


def test_texts_of_a_few_words_have_no_bleu():
    found = likeness(["Ottawa"], ["Ottawa"], "de")
    assert (found["chrf"], found["bleu"], found["undefined"]) == (100, None, {"bleu": TOO_SHORT})
