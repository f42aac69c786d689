"""Generations written by hand, right and wrong, of every task; and what early stopping leaves away."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossedit.sweeps.tasks import parsers
from crossedit.sweeps.tasks.metrics import entity_f1, normalised, rouge
from crossedit.sweeps.tasks.said import Parser, Said

RIGHT, WRONG, NONE = (True, 1.0), (True, 0.0), (False, 0.0)

NUMBERS = [
    (" 18", "18", RIGHT),
    (" $18.00.", "18", RIGHT),
    ("\n18 dollars", "18", RIGHT),
    (" 1,080 eggs", "1080", RIGHT),
    (" 1080", "1,080", RIGHT),
    (" -5 degrees", "-5", RIGHT),
    (" 0.50", "0.5", RIGHT),
    (" 18", "1", WRONG),
    (" 1", "18", WRONG),
    (" 3 boxes of 6 are 18", "18", WRONG),
    (" 1,5", "15", WRONG),
    (" eighteen", "18", NONE),
    ("", "18", NONE),
]
ENTAILMENTS = [
    (" True", "true", RIGHT),
    (" true.", "true", RIGHT),
    (" 'False' because", "false", RIGHT),
    ("\n\nFALSE", "false", RIGHT),
    (" (True)", "true", RIGHT),
    (" True", "false", WRONG),
    (" False or True", "true", WRONG),
    (" Truely", "true", NONE),
    (" It is true", "true", NONE),
    (" untrue", "true", NONE),
    (" Tr", "true", NONE),
    ("  \n", "true", NONE),
]
POLAR = [
    (" yes", "yes", RIGHT),
    (" Yes, it is.", "yes", RIGHT),
    (" NO", "no", RIGHT),
    (" 'no'", "no", RIGHT),
    ("\nno\nquestion: is", "no", RIGHT),
    (" no, yes", "yes", WRONG),
    (" yes", "no", WRONG),
    (" not at all", "no", NONE),
    (" I know", "no", NONE),
    (" yesterday", "yes", NONE),
    ("", "no", NONE),
]
LETTERS = [
    (" A", "A", RIGHT),
    (" (B)", "B", RIGHT),
    (" C.", "C", RIGHT),
    ("\nD: that", "D", RIGHT),
    (" B because A is rude", "B", RIGHT),
    (" B", "A", WRONG),
    (" A or D", "D", WRONG),
    (" a", "A", NONE),
    (" All of them", "A", NONE),
    (" the first", "A", NONE),
    (" Choice A", "A", NONE),
    (" E", "A", NONE),
]
OPEN = [
    (" Patrick Swayze", "Patrick Swayze", RIGHT),
    (" patrick swayze.", "Patrick Swayze", RIGHT),
    (" The President", "the President", RIGHT),
    ("\nthe Sunni Muslim family\nQuestion: who", "Sunni Muslim family", RIGHT),
    (" 2003. They won again in 2005.", "2003", RIGHT),
    (" St. Louis. It is in Missouri.", "St. Louis", RIGHT),
    (" Beyonc\u00e9 Question: who", "Beyonc\u00e9", RIGHT),
    (" Swayze", "Patrick Swayze", WRONG),
    (" Patrick Swayze and Wendy Fraser", "Patrick Swayze", WRONG),
    (" in 2003", "2003", WRONG),
    (" 2003 or 2004", "2003", WRONG),
    ("\n\n", "2003", NONE),
    (" Question: Question:", "2003", NONE),
]
SENTIMENTS = [
    (" positive", "positive", RIGHT),
    (" Negative.", "negative", RIGHT),
    (" 'negative'", "negative", RIGHT),
    ("\nPOSITIVE!", "positive", RIGHT),
    (" negative, not positive", "negative", RIGHT),
    (" positive", "negative", WRONG),
    (" negative, not positive", "positive", WRONG),
    (" positively", "positive", NONE),
    (" nonnegative", "negative", NONE),
    (" The text is positive", "positive", NONE),
    (" pos", "positive", NONE),
]
CASES = [
    (task, *case)
    for task, cases in (
        ("gsm8k", NUMBERS),
        ("rte", ENTAILMENTS),
        ("boolq", POLAR),
        ("mutual", LETTERS),
        ("natural-questions", OPEN),
        ("sst2", SENTIMENTS),
    )
    for case in cases
]


@pytest.mark.parametrize(("task", "generation", "wanted", "expected"), CASES)
def test_generations_are_right_wrong_or_none(
    judge: Callable, task: str, generation: str, wanted: str, expected: tuple[bool, float]
) -> None:
    assert judge(task, generation, [wanted]) == (*expected, 1.0)


def test_any_accepted_answer_is_right(judge: Callable) -> None:
    golds = ["Wendy Fraser", "Patrick Swayze"]
    assert [judge("natural-questions", f" {gold}", golds)[1] for gold in golds] == [1, 1]


# Generation, wanted, names right, names given.
NAMES = [
    (" Italy", ["Italy"], 1, 1),
    (" Italy, France", ["Italy", "France"], 2, 2),
    (" France; Italy.", ["Italy", "France"], 2, 2),
    (" ITALY and France", ["Italy", "France"], 2, 2),
    (" Spain, Italy, and France", ["Italy", "France"], 2, 3),
    (" General Agreement on Tariffs and Trade", ["General Agreement on Tariffs and Trade"], 1, 1),
    (" the U.S", ["U.S."], 0, 1),
    (" US", ["U.S."], 1, 1),
    (" Moody's", ["Moody 's"], 1, 1),
    (" Italy, Italy", ["Italy"], 1, 1),
    (" Ital", ["Italy"], 0, 1),
    (" Italy\nText: France", ["Italy", "France"], 1, 1),
    (" none", ["Italy"], 0, 0),
    (" None.", [], 0, 0),
    (" Italy", [], 0, 1),
    (" , ;", ["Italy"], 0, 0),
]


@pytest.mark.parametrize(("generation", "wanted", "right", "given"), NAMES)
def test_names_count_by_those_right_given_and_wanted(
    judge: Callable, generation: str, wanted: list[str], right: int, given: int
) -> None:
    assert judge("conll03", generation, wanted, part="Person") == (True, 2 * right, given + len(wanted))


def test_silence_is_no_list_of_names(judge: Callable) -> None:
    assert judge("conll03", "\n", ["Italy"]) == (False, 0, 1)


SUMMARIES = [
    (" Rita is tired.", "Rita is tired.", 1.0),
    (" rita is TIRED", "Rita is tired.", 1.0),
    (" Rita is tired.\nTina: hi", "Rita is tired.", 1.0),
    ("\nRita is tired.", "Rita is tired.", 1.0),
    # ROUGE-1 2/3 and ROUGE-L 2/3, ROUGE-2 1/2, since P = R in each.
    (" Rita is asleep", "Rita is tired", (2 / 3 + 1 / 2 + 2 / 3) / 3),
    # ROUGE-1 is 1, no pair of words is right, and a subsequence of one word is.
    (" tired is Rita", "Rita is tired", (1 + 0 + 1 / 3) / 3),
    # P 1/2, R 1 for words; P 1/3, R 1 for pairs.
    (" Rita slept well today", "Rita slept", (2 / 3 + 1 / 2 + 2 / 3) / 3),
    (" bored", "Rita is tired", 0.0),
    (" ...", "Rita is tired", 0.0),
    (" 瑞典", "Rita is tired", 0.0),
]


@pytest.mark.parametrize(("generation", "wanted", "expected"), SUMMARIES)
def test_summaries_get_the_mean_of_three_rouges(judge: Callable, generation: str, wanted: str, expected: float) -> None:
    answered, gained, possible = judge("samsum", generation, [wanted])
    assert answered
    assert (gained, possible) == (pytest.approx(expected, abs=1e-12), 1)


def test_silence_is_no_summary(judge: Callable) -> None:
    assert judge("samsum", " \n ", ["Rita is tired"]) == (False, 0, 1)


def test_the_best_of_several_summaries_counts() -> None:
    assert rouge("Rita sleeps", ["Tina works", "Rita sleeps"]) == 1


def test_normalisation_drops_case_articles_punctuation_and_double_spaces() -> None:
    assert normalised("  The U.S.  Open,\nan Event!") == "us open event"


def test_names_wanted_twice_are_wanted_once() -> None:
    said = Said("", "", "", False, "Person", ["Ann", "ANN"])
    assert entity_f1([said], [["Ann"]]) == [(2, 2)]


PARSERS = {
    "labels": parsers.choice(["true", "false"]),
    "labels that begin alike": parsers.choice(["no", "none", "nor"]),
    "letters": parsers.choice(["A", "B", "C", "D"]),
    "numbers": parsers.first_number([]),
}
TEXTS = st.text(alphabet="truefalsTF noAB(.,-$0159\n'", max_size=12)


@pytest.mark.parametrize("parser", PARSERS.values(), ids=PARSERS)
@given(beginning=TEXTS, rest=TEXTS)
def test_once_decided_more_text_changes_nothing(parser: Parser, beginning: str, rest: str) -> None:
    if parser.decided(beginning):
        answers = [parser.parse(Said("", text, text, False, "", [])) for text in (beginning, beginning + rest)]
        assert answers[0] == answers[1]
        assert parser.decided(beginning + rest)


DECISIONS = [
    ("labels", " True", False),
    ("labels", " True.", True),
    ("labels", " T", False),
    ("labels", " The", True),
    ("labels", "\n (", False),
    ("labels that begin alike", " no", False),
    ("labels that begin alike", " no ", True),
    ("letters", " A", False),
    ("letters", " An", True),
    ("letters", " a", True),
    ("numbers", " 18", False),
    ("numbers", " 18.", False),
    ("numbers", " 18. ", True),
    ("numbers", " 1,08", False),
    ("numbers", " 18 ", True),
    ("numbers", " eighteen", False),
]


@pytest.mark.parametrize(("parser", "text", "decided"), DECISIONS)
def test_a_text_is_decided_when_its_answer_is_complete(parser: str, text: str, decided: bool) -> None:
    assert PARSERS[parser].decided(text) == decided
