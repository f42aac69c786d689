"""The published scripts' faults, each as one case: `upstream` has them and `corrected` has not.

Cases are (generation, wanted, gained, possible); what the prompt adds is said where it matters.
"""

from collections.abc import Callable

import pytest

from crossedit.sweeps.tasks.said import Said
from crossedit.sweeps.tasks.task import Task
from crossedit.sweeps.tasks.upstream import spans_of_words, spans_until_o
from crossedit.sweeps.tasks.upstream_rouge import distinct_rouge

CUE = "Therefore, the answer (arabic numerals) is:"
PROMPTS = {
    "gsm8k": f"Q: How many? A:Let's think step by step. It is 1.\n {CUE}",
    "rte": "A man sleeps. entails the A man rests.. True or False? answer:",
    "boolq": "passage: The river is long. question: is it long. answer:",
    "mutual": "Answer Chioces: (A)x(B)y(C)z(D)v A: Among A through D, the answer is",
    "samsum": "Ann: hi\nTL;DR:",
    "conll03": "Please identify Person Entity from the given text. Text: Ann ran Entity:",
    "sst2": "text: fine  answer:",
    "natural-questions": "Passage: Rome is old. Question: what is old",
}

CASES = [
    # A number anywhere in the generation: the gold result 1 is in 18.
    ("gsm8k", " 18", "18", 1, 1),
    ("gsm8k", " 18", "1", 1, 1),
    ("gsm8k", " 3 boxes of 6: 18", "18", 1, 1),
    ("gsm8k", " 1080", "1,080", 0, 1),
    ("gsm8k", " 18.5", "18", 1, 1),
    ("gsm8k", " -18", "18", 1, 1),
    ("gsm8k", " 1,080", "1080", 0, 1),
    ("gsm8k", " eighteen", "18", 0, 1),
    ("gsm8k", f" 3 {CUE} 18", "18", 0, 1),
    ("gsm8k", "", "1", 0, 1),
    # A label anywhere in the token; both labels are one right and one wrong.
    ("rte", " True", "true", 1, 1),
    ("rte", "untrue", "true", 1, 1),
    ("rte", " FALSE", "false", 1, 1),
    ("rte", " not true", "true", 1, 1),
    ("rte", "\n", "false", 0, 1),
    ("rte", " False", "true", 0, 1),
    ("rte", "truefalse", "true", 1, 2),
    ("rte", "truefalse", "false", 1, 2),
    ("rte", " The", "true", 0, 1),
    # "no" is in many tokens; where both labels are there, the right one counts.
    ("boolq", " yes", "yes", 1, 1),
    ("boolq", " not", "no", 1, 1),
    ("boolq", " know", "no", 1, 1),
    ("boolq", "yesno", "yes", 1, 1),
    ("boolq", "yesno", "no", 1, 1),
    ("boolq", " no", "yes", 0, 1),
    # A cue of its own ends what is read.
    ("boolq", " yes answer: no", "yes", 1, 1),
    ("boolq", " yes answer: no", "no", 0, 1),
    ("boolq", " The", "no", 0, 1),
    # A letter anywhere in the token, but for pieces of "Choices".
    ("mutual", " A", "A", 1, 1),
    ("mutual", " All", "A", 1, 1),
    ("mutual", " Based", "B", 1, 1),
    ("mutual", " (D)", "A", 0, 1),
    ("mutual", "AB", "B", 1, 1),
    ("mutual", " a", "A", 0, 1),
    ("mutual", " Choice", "C", 1, 1),
    ("mutual", " Chi", "C", 0, 1),
    ("mutual", "ChiA", "A", 0, 1),
    ("sst2", " positive", "positive", 1, 1),
    ("sst2", "Nonnegative", "negative", 1, 1),
    ("sst2", "positive-negative", "negative", 1, 1),
    ("sst2", "positive-negative", "positive", 1, 1),
    ("sst2", " POSITIVE", "positive", 1, 1),
    ("sst2", " not negative", "negative", 1, 1),
    ("sst2", "", "positive", 0, 1),
    ("sst2", " negative", "positive", 0, 1),
    ("sst2", " good", "positive", 0, 1),
]


@pytest.mark.parametrize(("task", "generation", "wanted", "gained", "possible"), CASES)
def test_labels_and_numbers_are_found_anywhere(
    judge: Callable, task: str, generation: str, wanted: str, gained: float, possible: float
) -> None:
    assert judge(task, generation, [wanted], "upstream", PROMPTS[task])[1:] == (gained, possible)


ANSWERED = [("rte", " The", False), ("boolq", " The", False), ("mutual", " Chi", False), ("sst2", " not", False)]


@pytest.mark.parametrize(("task", "generation", "answered"), [*ANSWERED, ("boolq", " not", True), ("gsm8k", "", True)])
def test_accuracy_over_answered_leaves_out_what_holds_no_label(
    judge: Callable, task: str, generation: str, answered: bool
) -> None:
    assert judge(task, generation, ["no"], "upstream", PROMPTS[task])[0] == answered


def test_a_passage_with_the_cue_is_read_instead_of_the_generation(judge: Callable) -> None:
    prompt = "passage: Asked, she knew the answer: it is no secret. question: is it. answer:"
    assert judge("boolq", " yes", ["no"], "upstream", prompt) == (True, 1, 1)
    assert judge("boolq", " yes", ["no"], "corrected", prompt) == (True, 0, 1)


def open_answers(tasks: dict[str, Task], *asked: tuple[str, str, list[str]]) -> list[float]:
    """Return the counts of (prompt, generation, wanted) in a row."""
    rules = tasks["natural-questions"].protocol("upstream")
    said = [Said(prompt, text, text, False, "", wanted) for prompt, text, wanted in asked]
    counts = rules.judging(said, [rules.reading.parse(one) for one in said])
    return [gained for gained, _ in counts]


def test_open_answers_are_looked_for_in_the_prompt_too(tasks: dict[str, Task]) -> None:
    prompt = PROMPTS["natural-questions"]
    assert open_answers(tasks, (prompt, " I don't know it", ["Rome"])) == [1]
    assert open_answers(tasks, (prompt, " I don't know it", ["Paris"])) == [0]


def test_behind_a_cue_of_its_own_the_generation_alone_is_read(tasks: dict[str, Task]) -> None:
    prompt = PROMPTS["natural-questions"]
    assert open_answers(tasks, (prompt, " Answer: it is Athens now", ["Rome"])) == [0]
    assert open_answers(tasks, (prompt, " Answer: it is Athens now", ["Athens"])) == [1]


def test_a_single_word_counts_as_often_as_it_stands_there(tasks: dict[str, Task]) -> None:
    text = "Passage: In Rome, as Rome says, Rome is old. Question: what"
    assert open_answers(tasks, (text, " it is", ["Rome"])) == [3]


def test_a_first_or_last_word_counts_once(tasks: dict[str, Task]) -> None:
    assert open_answers(tasks, ("Rome was built when Rome was", " and Rome fell", ["Rome"])) == [1]
    assert open_answers(tasks, ("old Rome was built when Rome was", " and The Rome!", ["Rome"])) == [1]


def test_after_a_longer_match_later_items_are_searched_from_their_first_word_only(tasks: dict[str, Task]) -> None:
    longer = ("we saw New York at night", " so", ["New York"])
    later = ("she met Ann Lee at sea", " so", ["Ann Lee"])
    first = ("Ann Lee met her", " so", ["Ann Lee"])
    single = ("well Rome is old", " so", ["Rome"])
    assert open_answers(tasks, longer, later, first, single) == [1, 0, 1, 0]
    assert open_answers(tasks, later, first, longer, single) == [1, 1, 0, 0]
    assert open_answers(tasks, single, later) == [1, 1]
    # Without longer matches the flag stays down.
    assert spans_of_words([], []) == []


SUMMARIES = [
    # A generation that ended by itself loses its end token, one that reached the limit 13 characters of its own.
    (" Ann says hi", True, "Ann says hi", 1.0),
    (" Ann says hi to all of us", False, "Ann says hi", 1.0),
    (" Ann says hi", False, "Ann says hi", 0.0),
    # Nothing, or one character, is no summary.
    ("", True, "Ann says hi", 0.0),
    ("!", True, "Ann says hi", 0.0),
    # Only what follows the last cue of its own counts.
    (" Bob says no\nTL;DR: Ann says hi", True, "Ann says hi", 1.0),
    # All lines count, not the first alone.
    (" Ann says\nhi", True, "Ann says hi", 1.0),
]


@pytest.mark.parametrize(("generation", "closed", "wanted", "expected"), SUMMARIES)
def test_thirteen_characters_are_taken_off_a_summary(
    judge: Callable, generation: str, closed: bool, wanted: str, expected: float
) -> None:
    gained = judge("samsum", generation, [wanted], "upstream", PROMPTS["samsum"], closed=closed)[1]
    assert gained == pytest.approx(expected, abs=1e-7)


ROUGES = [
    ("Ann says hi", "Ann says hi", 1.0),
    # Case and punctuation belong to a word.
    ("ann says hi,", "Ann says hi", (1 / 3 + 0 + 1 / 3) / 3),
    # Words count once: there are two of them in the answer, both among the three wanted.
    ("no no no Ann", "no Ann yes", (2 * 1 * (2 / 3) / (5 / 3) + 2 * (1 / 2) ** 2 + 2 * 1 * (2 / 3) / (5 / 3)) / 3),
    # Subsequences are found sentence by sentence, so that swapped sentences cost nothing but a pair of words.
    ("Bob left.Ann came", "Ann came.Bob left", (1 + 2 / 3 + 1) / 3),
    ("", "Ann", 0.0),
    ("...", "Ann", 0.0),
]


@pytest.mark.parametrize(("answer", "wanted", "expected"), ROUGES)
def test_rouge_counts_different_words_between_spaces(answer: str, wanted: str, expected: float) -> None:
    assert distinct_rouge(answer, [wanted]) == pytest.approx(expected, abs=1e-7)


SPANS = [
    # The span runs on to the next O, through entities that touch it.
    (["Ann", "Lee", "ran"], ["B-PER", "I-PER", "O"], {"PER": ["Ann Lee"]}),
    (["Ann", "Rome", "ran"], ["B-PER", "B-LOC", "O"], {"PER": ["Ann Rome"], "LOC": ["Rome"]}),
    (["Ann", "Bob", "ran"], ["B-PER", "B-PER", "O"], {"PER": ["Ann Bob"]}),
    # At the end of a sentence the last token is lost, and nothing is left of a single one.
    (["met", "Ann", "Lee"], ["O", "B-PER", "I-PER"], {"PER": ["Ann"]}),
    (["met", "Ann"], ["O", "B-PER"], {"PER": [""]}),
    (["Ann", "met", "Bob"], ["B-PER", "O", "B-PER"], {"PER": ["Ann", ""]}),
    (["Ann", "ran"], ["B-PER", "O"], {"PER": ["Ann"], "ORG": []}),
]


@pytest.mark.parametrize(("tokens", "tags", "expected"), SPANS)
def test_entities_run_to_the_next_token_outside(
    tokens: list[str], tags: list[str], expected: dict[str, list[str]]
) -> None:
    assert {kind: spans_until_o(tokens, tags, kind) for kind in expected} == expected


HITS = [
    # Recall of substrings; whatever else is said costs nothing.
    (" Ann, Bob and Rome", ["Ann"], "Person", 1, 1),
    (" Annabel", ["Ann"], "Person", 1, 1),
    (" ann", ["Ann"], "Person", 0, 1),
    (" Ann", ["Ann", "Bob"], "Person", 1, 2),
    # A span that was lost at the end of its sentence is always hit.
    (" nothing", [""], "Person", 1, 1),
    # Where there is nothing to find, only Miscellaneous pays for names given.
    (" Ann", [], "Person", 0, 0),
    (" Ann", [], "Miscellaneous", 0, 1),
    ("", [], "Person", 1, 1),
    ("", [], "Miscellaneous", 1, 1),
    # What the model writes after a cue of its own is not read.
    (" Ann Text: Bob ran Entity: Bob", ["Bob"], "Person", 1, 1),
    (" Ann Entity: Bob", ["Bob"], "Person", 0, 1),
]


@pytest.mark.parametrize(("generation", "wanted", "part", "gained", "possible"), HITS)
def test_entity_f1_is_a_recall_of_substrings(
    judge: Callable, generation: str, wanted: list[str], part: str, gained: float, possible: float
) -> None:
    judged = judge("conll03", generation, wanted, "upstream", PROMPTS["conll03"], part)
    assert judged[1:] == (gained, possible)


def test_an_end_token_alone_is_no_empty_prediction(judge: Callable) -> None:
    """The scripts decode special tokens too."""
    judged = judge("conll03", "", [], "upstream", PROMPTS["conll03"], "Miscellaneous", closed=True)
    assert judged[1:] == (0, 1)
