"""Items through a backbone, as it is or edited: the verdicts.

verdicts = run_task(backbone, task, items)                                      the unedited model
verdicts = run_task(backbone, task, items, editing=…, protocol="upstream")      an edited one, as published
"""

from collections.abc import Sequence

import polars as pl

from crossedit.backbones.asking import Editing, Row, decode, unedited
from crossedit.backbones.backbone import Backbone
from crossedit.errors import UserError
from crossedit.sweeps.tasks.prompts import Fitted, Question, fitted, questions
from crossedit.sweeps.tasks.said import Answer, Said, up_to_stop
from crossedit.sweeps.tasks.task import CORRECTED, Rules, Task
from crossedit.tables import VERDICTS


def run_task(
    backbone: Backbone,
    task: Task,
    items: pl.DataFrame,
    editing: Editing = unedited,
    *,
    protocol: str = CORRECTED,
    batch_tokens: int | None = None,
) -> pl.DataFrame:
    """Return the VERDICTS on all ITEMS, in their order.

    editing: gives the context in which a batch of prompts runs; its questions are the rows of the verdicts by number.
    batch_tokens: how many tokens, padding included, a batch may have; no verdict depends on it. Raises UserError for
    an unknown protocol or another task's items.
    """
    rules = task.protocol(protocol)
    if not (items["task"] == task.name).all():
        raise UserError(
            f"items: they are of task '{items['task'][0]}', not '{task.name}'; name the items of this task."
        )
    asked = list(questions(rules, protocol, items))
    prompts = [fitted(backbone, question, rules.limit) for question in asked]
    # Questions of one part begin with the same instruction, which is then run once.
    shared = [f"{task.name} {question.part}" for question in asked]
    generated = generate(backbone, rules, prompts, shared, editing, batch_tokens)
    return judged(backbone, task, protocol, asked, prompts, generated)


def judged(
    backbone: Backbone,
    task: Task,
    protocol: str,
    asked: Sequence[Question],
    prompts: Sequence[Fitted],
    generated: Sequence[list[int]],
) -> pl.DataFrame:
    """Return the VERDICTS on the token ids that were generated after each prompt."""
    rules = task.protocol(protocol)
    said = [
        _said(backbone, rules, prompt, ids, question.part, question.wanted)
        for question, prompt, ids in zip(asked, prompts, generated, strict=True)
    ]
    parser = rules.reading
    answers: list[Answer] = [
        parser.parse(one) if prompt.ids else None for one, prompt in zip(said, prompts, strict=True)
    ]
    counts = rules.judging(said, answers)
    rows = [
        {
            "task": task.name,
            "protocol": protocol,
            "item": question.item,
            "part": question.part,
            "prompt": prompt.text,
            "prompt_tokens": len(prompt.ids),
            "cut_tokens": prompt.cut,
            "asked": bool(prompt.ids),
            "generation": one.whole,
            "generation_ids": ids,
            "answered": answer is not None,
            "answer": answer or [],
            "wanted": question.wanted,
            "metric": rules.metric,
            # Upstream's metrics take some silence for right.
            "gained": gained if prompt.ids else 0.0,
            "possible": possible,
        }
        for question, prompt, ids, one, answer, (gained, possible) in zip(
            asked, prompts, generated, said, answers, counts, strict=True
        )
    ]
    return pl.DataFrame(rows, schema=VERDICTS.columns)


def generate(
    backbone: Backbone,
    rules: Rules,
    prompts: Sequence[Fitted],
    shared: Sequence[str],
    editing: Editing,
    batch_tokens: int | None,
) -> list[list[int]]:
    """Return the token ids that follow each prompt, greedily, up to the limit, the stop rule or a decided answer.

    shared: a name for what each prompt begins with. Prompts without ids get none.
    """
    decided = rules.reading.decided

    def ended(ids: Sequence[int]) -> bool:
        if ids[-1] in backbone.ends:
            return True
        # The last character may be unfinished.
        text = backbone.decode(ids).rstrip("\ufffd")
        return up_to_stop(text, rules.stop) != text or decided(text)

    numbers = [number for number, prompt in enumerate(prompts) if prompt.ids]
    rows = [Row(prompts[number].ids, len(prompts[number].ids), number, shared[number]) for number in numbers]
    generated: list[list[int]] = [[] for _ in prompts]
    said = decode(backbone, rows, editing, limit=rules.limit, ended=ended, batch_tokens=batch_tokens)
    for number, ids in zip(numbers, said, strict=True):
        generated[number] = ids
    return generated


def _said(
    backbone: Backbone, rules: Rules, prompt: Fitted, ids: Sequence[int], part: str, wanted: Sequence[str]
) -> Said:
    closed = bool(ids) and ids[-1] in backbone.ends
    whole = backbone.decode(ids[:-1] if closed else ids)
    return Said(prompt.text, up_to_stop(whole, rules.stop), whole, closed, part, wanted)
