"""Items through tiny random models: every item gets a verdict, whatever the batches, the model or its positions."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta, LowRank, editing, merged
from crossedit.errors import UserError
from crossedit.sweeps.tasks.asking import run_task
from crossedit.sweeps.tasks.items import make_items
from crossedit.sweeps.tasks.prompts import fitted, questions
from crossedit.sweeps.tasks.said import Parser, never
from crossedit.sweeps.tasks.task import Rules, Task
from crossedit.tables import ITEMS, VERDICTS, check

DEMO = Path(__file__).parents[2] / "resources/demo/tasks/test"
TEXTS = ["the capital of France is Rome", "Lima", "Italy has which capital city, and Peru?", "Oslo is", "a b c d e f"]


def items_of(task: str, texts: Sequence[str], answers: Sequence[str] = ("yes",)) -> pl.DataFrame:
    rows = [
        {
            "task": task,
            "item": number,
            "origin": f"written:{number}",
            "fields": [{"name": "text", "value": text}, {"name": "tokens", "value": text}],
            "answers": list(answers),
        }
        for number, text in enumerate(texts)
    ]
    return pl.DataFrame(rows, schema=ITEMS.columns)


def task_of(**rules: object) -> Task:
    """A task with a short prompt, that a tiny model has positions for."""
    given = {"prompt": "Say: {text} answer:", "shorten": "text", "limit": 6, "parser": "line", "metric": "accuracy"}
    return Task("short", 1, "sst2", {"corrected": Rules(**{**given, **rules})})


KINDS = {
    "free": {"limit": 9},
    "one token": {"limit": 1, "parser": "choice", "choices": ("A", "B")},
    "numbers": {"limit": 12, "parser": "first_number", "metric": "solve_rate"},
    "stopped": {"limit": 12, "stop": ("a", "e", " ")},
    "in parts": {"prompt": "{part} of {text}:", "parts": {"Person": "PER", "Location": "LOC"}, "parser": "entities"},
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_verdicts_do_not_depend_on_the_batches(backbone: Backbone, kind: dict[str, object]) -> None:
    """Nor on whether what prompts begin with is run once."""
    task = task_of(**kind)
    texts = [*TEXTS, *(" ".join(TEXTS[start:]) for start in range(len(TEXTS)))]
    answers = ["O"] * len(texts[0].split()) if "parts" in kind else ["yes"]
    texts = [text for text in texts if "parts" not in kind or len(text.split()) == len(answers)]
    items = items_of("short", texts, answers)
    whole = run_task(backbone, task, items)
    check(whole, VERDICTS, "verdicts")
    assert len(whole) == len(texts) * len(kind.get("parts", [""]))
    for tokens in (1, 400, 1_000_000):
        assert run_task(backbone, task, items, batch_tokens=tokens).equals(whole)
    alone = [run_task(backbone, task, items[number]) for number in range(len(items))]
    assert pl.concat(alone).equals(whole)


@pytest.mark.parametrize(("name", "count"), [("sst2", 5), ("conll03", 2)])
def test_nor_do_those_of_an_edited_model(backbone: Backbone, tasks: dict[str, Task], name: str, count: int) -> None:
    """The prompts of these tasks begin with a long instruction, which is run once; a sentence is asked four times."""
    task, (file,) = tasks[name], DEMO.glob(f"{name}.*")
    items = make_items(task, [file], count, seed=0)
    torch.manual_seed(0)
    delta = Delta({backbone.architecture.mlp_out.format(1): LowRank(torch.randn(32, 2), torch.randn(48, 2))})
    with merged(backbone, delta):
        whole = run_task(backbone, task, items, batch_tokens=1_000_000)
        for tokens in (1, 600):
            assert run_task(backbone, task, items, batch_tokens=tokens).equals(whole)
    assert (run_task(backbone, task, items)["generation"] != whole["generation"]).any()


def test_stopping_early_leaves_every_answer_as_it_is(llama: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    class Undecided(Rules):
        @property
        def reading(self) -> Parser:
            return replace(super().reading, decided=never)

    texts = [f"{text} {number}" for number in range(12) for text in TEXTS]
    items = items_of("short", texts)
    shorter = 0
    for kind in ({"parser": "first_number"}, {"parser": "choice", "choices": ("C", "P", "R", "i")}):
        given = {"limit": 16, "metric": "accuracy", **kind}
        soon = run_task(llama, task_of(**given), items)
        rules = task_of(**given).protocols["corrected"]
        slow = Task("short", 1, "sst2", {"corrected": Undecided(**vars(rules))})
        late = run_task(llama, slow, items)
        assert soon.select("answered", "answer", "gained").equals(late.select("answered", "answer", "gained"))
        shorter += int((soon["generation_ids"].list.len() < late["generation_ids"].list.len()).sum())
    assert shorter > 20


def test_a_stop_string_ends_generation_and_answer(llama: Backbone) -> None:
    items = items_of("short", TEXTS)
    free = run_task(llama, task_of(limit=12), items)
    character = next(text.strip()[2] for text in free["generation"] if len(text.strip()) > 2)
    verdicts = run_task(llama, task_of(limit=12, stop=(character,)), items)
    stopped = 0
    for before, row in zip(free.iter_rows(named=True), verdicts.iter_rows(named=True), strict=True):
        ids = row["generation_ids"]
        assert before["generation_ids"][: len(ids)] == ids
        if len(ids) < len(before["generation_ids"]):
            stopped += 1
            assert character in row["generation"]
            assert character not in llama.decode(ids[:-1]).lstrip()
        for answer in row["answer"]:
            assert character not in answer
    assert stopped


def test_an_edited_model_is_asked_through_its_edit(llama: Backbone) -> None:
    torch.manual_seed(0)
    name = llama.architecture.mlp_out.format(1)
    delta = Delta({name: LowRank(torch.randn(32, 2), torch.randn(48, 2))})
    items = items_of("short", TEXTS)
    before = run_task(llama, task_of(), items)
    after = run_task(llama, task_of(), items, editing(llama, [delta], [0] * len(items)))
    assert (before["generation"] != after["generation"]).sum() > 2
    assert before.select("item", "prompt").equals(after.select("item", "prompt"))


# Prompts that are too long. The tiny models have 256 positions, and about one token per letter.
LONG = " ".join(f"word{number:02}" for number in range(60))


def test_long_prompts_lose_the_fewest_words_at_the_beginning_of_what_may_be_shortened(backbone: Backbone) -> None:
    rules = task_of(limit=20).protocols["corrected"]
    (question,) = questions(rules, "corrected", items_of("short", [LONG]))
    prompt = fitted(backbone, question, rules.limit)
    before, body, after = "Say: ", prompt.text.removeprefix("Say: ").removesuffix(" answer:"), " answer:"
    assert prompt.text == before + body + after
    assert LONG.endswith(f" {body}")
    assert prompt.ids == backbone.encode(prompt.text)
    assert len(prompt.ids) + 20 <= 256
    words = LONG.split()
    more = " ".join(words[-len(body.split()) - 1 :])
    assert len(backbone.encode(before + more + after)) + 20 > 256
    assert prompt.cut == len(backbone.encode(question.text)) - len(prompt.ids) > 0


def test_a_prompt_that_fits_stays_whole_up_to_the_last_position(gpt2: Backbone) -> None:
    rules = task_of().protocols["corrected"]
    (question,) = questions(rules, "corrected", items_of("short", [LONG[:200]]))
    room = 256 - len(gpt2.encode(question.text))
    assert fitted(gpt2, question, room).text == question.text
    shorter = fitted(gpt2, question, room + 1)
    assert shorter.text != question.text
    assert shorter.cut > 0


def test_what_is_too_long_even_without_its_body_is_not_asked_and_not_lost(gpt2: Backbone) -> None:
    """The model has learned positions: a prompt too long would fail."""
    rules = {"prompt": "Say: {text} Tokens: {tokens} answer:", "limit": 20}
    items = items_of("short", ["Rome", LONG, "Oslo"])
    verdicts = run_task(gpt2, task_of(**rules), items)
    assert verdicts["item"].to_list() == [0, 1, 2]
    assert verdicts["asked"].to_list() == [True, False, True]
    lost = verdicts.row(1, named=True)
    assert (lost["answered"], lost["answer"], lost["generation"], lost["gained"], lost["possible"]) == (
        False, [], "", 0.0, 1.0,
    )  # fmt: skip
    alone = run_task(gpt2, task_of(**rules), items[[0, 2]])
    assert alone.equals(verdicts[[0, 2]])


def test_silence_of_what_is_not_asked_is_never_right(gpt2: Backbone) -> None:
    """The published search takes an empty text for an article."""
    rules = {"prompt": "Say: {text} Tokens: {tokens} answer:", "limit": 20, "parser": "upstream_open_answer"}
    items = items_of("short", [LONG, "Rome"], ["The"])
    verdicts = run_task(gpt2, task_of(metric="upstream_spans", **rules), items)
    assert verdicts.select("asked", "answered", "gained", "possible").row(0) == (False, False, 0, 1)
    assert verdicts["asked"][1]


def test_start_tokens_are_kept_in_front(starting: Backbone) -> None:
    verdicts = run_task(starting, task_of(limit=2), items_of("short", [LONG, "Rome"]))
    assert verdicts["prompt_tokens"].to_list()[1] == len(starting.encode("Say: Rome answer:"))
    (question,) = questions(task_of().protocols["corrected"], "corrected", items_of("short", [LONG]))
    assert fitted(starting, question, 2).ids[0] == starting.tokenizer.bos_token_id


def test_a_generation_that_the_model_ends_has_no_end_token_in_its_text(llama: Backbone) -> None:
    items = items_of("short", TEXTS)
    free = run_task(llama, task_of(limit=4), items)
    ends = {ids[1] for ids in free["generation_ids"]}
    ending = copy.copy(llama)
    ending.__dict__["ends"] = ends
    closed = run_task(ending, task_of(limit=4), items)
    for ids, text in closed.select("generation_ids", "generation").rows():
        assert ids[-1] in ends
        assert text == llama.decode(ids[:-1])


def test_items_of_another_task_are_refused(llama: Backbone) -> None:
    with pytest.raises(UserError, match="they are of task 'long', not 'short'"):
        run_task(llama, task_of(), items_of("long", TEXTS))


def test_an_unknown_protocol_is_answered_with_the_known_ones(llama: Backbone) -> None:
    with pytest.raises(UserError, match="task 'short' has no 'corected'; did you mean 'corrected'"):
        run_task(llama, task_of(), items_of("short", TEXTS), protocol="corected")
