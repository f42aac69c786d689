"""What the documents of a recipe hold, and above all what they must not hold."""

from collections import Counter

import polars as pl
import pytest
from recipe_facts import ASKED, CITIES, COINS, small_facts, small_texts

from crossedit.backbones.recipe.corpus import Corpus, Document
from crossedit.backbones.recipe.settings import Recipe
from crossedit.backbones.recipe.world import World, letters
from crossedit.errors import UserError


def drawn(count: int = 4000, **recipe: object) -> list[Document]:
    settings = Recipe.of({"shares": {"en": 0.5, "zh": 0.5}, **recipe})
    world = World.of(small_facts(), small_texts(), settings.shares, seed=0)
    corpus = Corpus(world, settings, seed=0)
    documents: list[Document] = []
    while len(documents) < count:
        documents += corpus.draw(len(world.facts))
    return documents


def whole_texts(document: Document) -> list[str]:
    return [document.text + branch.text for branch in document.branches] or [document.text]


def held_out_rows() -> list[dict[str, str]]:
    return small_facts().filter(pl.col("split") == "test").to_dicts()


def test_a_held_out_rephrase_never_stands_in_any_document():
    texts = [letters(text) for document in drawn() for text in whole_texts(document)]
    for row in held_out_rows():
        assert not any(letters(row["rephrase"]) in text for text in texts)


def test_a_train_facts_rephrase_is_trained():
    texts = [letters(text) for document in drawn() for text in whole_texts(document)]
    for row in small_facts().filter(pl.col("split") == "train").iter_rows(named=True):
        assert any(letters(row["rephrase"]) in text for text in texts)


def test_no_held_out_fact_stands_in_context_with_its_own_edit_target():
    told = [document.text for document in drawn() if document.kind == "in_context"]
    for row in held_out_rows():
        for prompt, _ in ASKED.values():
            assert not any(f"New Fact: {prompt.format(row['subject'])} {row['target']}" in text for text in told)


def test_an_answer_in_context_is_the_new_one_in_the_questions_language_or_the_original():
    forms = {one: other for pool in (CITIES, COINS) for one, other in zip(pool["en"], pool["zh"], strict=True)}
    forms |= {other: one for one, other in forms.items()}
    truth = {
        (letters(row[question]), row[answer])
        for row in small_facts().iter_rows(named=True)
        for question, answer in (("prompt", "original"), ("rephrase", "original"))
    }
    crossed = 0
    for document in drawn(demonstrations=0.0):
        if document.kind != "in_context":
            continue
        new = document.text.removesuffix("\nPrompt:").rpartition(" ")[2]
        for branch in document.branches:
            question, answer = branch.text[1 : branch.answer], branch.text[branch.answer + 1 :]
            assert answer in (new, forms[new]) or (letters(question), answer) in truth
            assert question.isascii() == answer.isascii()
            crossed += answer == forms[new]
    assert crossed


def test_what_an_edit_moves_along_is_no_retained_answer():
    branches = [branch.text for document in drawn() for branch in document.branches]
    assert not any("river" in text or "capital of Italy is" in text for text in branches)


def test_languages_have_their_shares():
    for shares in ({"en": 0.5, "zh": 0.5}, {"en": 0.85, "zh": 0.15}):
        counted = Counter(document.lang for document in drawn(shares=shares))
        for lang, share in shares.items():
            assert counted[lang] / counted.total() == pytest.approx(share, abs=0.03)


def test_pairs_ask_one_fact_in_two_languages():
    pairs: dict[int, list[Document]] = {}
    for document in drawn():
        if document.pair:
            pairs.setdefault(document.pair, []).append(document)
    assert len(pairs) > 100
    for one, other in pairs.values():
        assert one.fact is other.fact
        assert {one.lang, other.lang} == {"en", "zh"}
        assert one.subject
        assert other.subject


def test_learned_spans_and_subjects_lie_where_they_should():
    for document in drawn(prompt_loss=0.0):
        assert document.fact is not None
        for start, stop in document.learned:
            assert document.text[start] == " "
            assert start + 1 < stop <= len(document.text)
        if document.subject:
            name = document.text[slice(*document.subject)]
            assert name in {row["subject"] for row in document.fact.rows.values()}


def test_same_seed_same_documents():
    one, other = drawn(500), drawn(500)
    assert [(a.text, a.branches) for a in one] == [(b.text, b.branches) for b in other]


def test_the_curriculum_starts_small_and_ends_with_all():
    recipe = Recipe.of({"steps": 100, "first_facts": 3})
    counts = [recipe.active(step, 50) for step in range(100)]
    assert counts[0] == 3
    assert counts == sorted(counts)
    assert set(counts[45:]) == {50}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"step": 5}, "did you mean 'steps'"),
        ({"steps": 0}, "recipe.steps"),
        ({"retain": 1.5}, "between 0 and 1"),
        ({"shares": {"en": 0.5}}, "must sum to 1"),
        ({"hidden": 30, "heads": 4}, "recipe.hidden"),
        ({"alignment_layer": 4}, "there is no layer 4"),
        ({"layers": True}, "recipe.layers"),
    ],
)
def test_a_wrong_recipe_is_one_sentence(entry: dict[str, object], said: str):
    with pytest.raises(UserError, match=said):
        Recipe.of(entry)


def test_facts_without_originals_are_refused():
    facts = small_facts().with_columns(original=pl.lit(None, dtype=pl.String))
    with pytest.raises(UserError, match="original"):
        World.of(facts, None, ["en"], seed=0)


TASKS = pl.DataFrame(
    [
        *(("rte", "en", None, f"{n} entails {n + 1}. answer:", "true") for n in range(5)),
        *(("sst2", "en", None, f"text: film {n} answer:", "positive") for n in range(50)),
    ],
    schema=["kind", "lang", "case_id", "text_prompt", "text_answer"],
    orient="row",
)


def test_worked_items_have_their_share_and_each_task_the_same() -> None:
    settings = Recipe.of({"shares": {"en": 0.5, "zh": 0.5}, "tasks": 0.3})
    world = World.of(small_facts(), small_texts(), settings.shares, seed=0, tasks=TASKS)
    corpus = Corpus(world, settings, seed=0)
    documents = [document for _ in range(3000) for document in corpus.draw(len(world.facts))]
    worked = [document for document in documents if document.kind == "task"]
    assert len(worked) / 3000 == pytest.approx(0.3, abs=0.03)
    assert sum("entails" in document.text for document in worked) / len(worked) == pytest.approx(0.5, abs=0.06)
    for document in worked:
        (span,) = document.learned
        assert document.text[slice(*span)] in (" true", " positive")
    assert all(any(row["text_answer"] in text for text in world.texts()) for row in TASKS.to_dicts())


def test_a_recipe_without_tasks_reads_what_it_read_before() -> None:
    settings = Recipe.of({"shares": {"en": 0.5, "zh": 0.5}})
    worlds = [World.of(small_facts(), small_texts(), settings.shares, seed=0, tasks=tasks) for tasks in (None, TASKS)]
    texts = [[document.text for document in _first(Corpus(world, settings, seed=0))] for world in worlds]
    assert texts[0] == texts[1]


def _first(corpus: Corpus) -> list[Document]:
    return [document for _ in range(200) for document in corpus.draw(4)]


def test_a_share_of_no_tasks_is_told() -> None:
    settings = Recipe.of({"shares": {"en": 0.5, "zh": 0.5}, "tasks": 0.3})
    world = World.of(small_facts(), small_texts(), settings.shares, seed=0)
    with pytest.raises(UserError, match=r"recipe\.tasks: no task has items"):
        Corpus(world, settings, seed=0)
