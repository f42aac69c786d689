"""How a model is asked: the three protocols, each over many questions at once.

    answer(backbone, probes, "teacher_forced")                         the unedited model
    answer(backbone, probes, "generated", editing=lambda rows: …)      an edited one
    answer(backbone, probes, "upstream", prefixes=[…])                 one given a text first

teacher_forced   one pass over prompt and target; the answer is the argmax at every target token.
generated        free greedy decoding; the answer ends at the end token or the first line break, and has at most
                 `limit` tokens, whatever the target's length.
upstream         as the published Bi-ZsRE code asked: every prefix of the target is glued to the prompt as text, which
                 is tokenised anew with special tokens and cut to 30 of them; the argmax after each prefix is the
                 answer. After a text put first (IKE) it is one pass without cutting, and a tokenizer without a start
                 token loses the first target token.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import polars as pl
import torch

from crossedit.backbones.backbone import Backbone
from crossedit.errors import UserError, nearest

# Given the numbers of the questions in a batch, the model as it is for each of them.
Editing = Callable[[Sequence[int]], AbstractContextManager[None]]

UPSTREAM_TOKENS = 30


def answer(
    backbone: Backbone,
    probes: pl.DataFrame,
    protocol: str,
    *,
    editing: Editing | None = None,
    prefixes: Sequence[str] | None = None,
    limit: int = 16,
    batch_tokens: int = 8192,
) -> pl.DataFrame:
    """Return the ANSWERS to the probes, in their order.

    editing: gives the context in which a batch of questions (by row number) runs; none for the model as it is.
    prefixes: a text to put before each question.
    batch_tokens: how many tokens, padding included, a batch may have.
    """
    if protocol not in PROTOCOLS:
        raise UserError(f"protocols: '{protocol}' is no protocol; {nearest(protocol, PROTOCOLS)}")
    questions = probes.to_dicts()
    if prefixes is not None:
        for question, prefix in zip(questions, prefixes, strict=True):
            question["prefix"] = prefix
            question["prompt_ids"] = backbone.encode(prefix + question["prompt"])
    asked = _Asked(backbone, editing or (lambda rows: nullcontext()), batch_tokens, limit)
    answers = PROTOCOLS[protocol](asked, questions)
    rows = [
        {name: question[name] for name in ("case_id", "aspect", "kind", "lang")} | {"protocol": protocol} | given
        for question, given in zip(questions, answers, strict=True)
    ]
    ids = pl.List(pl.Int32)
    return pl.DataFrame(rows, schema_overrides={"target_ids": ids, "answer_ids": ids})


class _Asked:
    """A backbone and how batches go through it."""

    def __init__(self, backbone: Backbone, editing: Editing, batch_tokens: int, limit: int) -> None:
        self.backbone, self.editing = backbone, editing
        self.batch_tokens, self.limit = batch_tokens, limit

    def batches(self, lengths: Sequence[int]) -> list[list[int]]:
        """Return row numbers in batches of like length, longest first."""
        order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
        batches: list[list[int]] = []
        for row in order:
            if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= self.batch_tokens:
                batches[-1].append(row)
            else:
                batches.append([row])
        return batches

    @torch.no_grad()
    def argmax(self, rows: Sequence[Sequence[int]], last: Sequence[int], owners: Sequence[int]) -> list[list[int]]:
        """Return for each row the argmax after its last `last[row]` tokens; `owners` are the rows' questions."""
        answers: list[list[int]] = [[] for _ in rows]
        for batch in self.batches([len(row) for row in rows]):
            padded = self.backbone.batch([rows[row] for row in batch])
            places = [
                (number, len(rows[row]) - last[row] + step)
                for number, row in enumerate(batch)
                for step in range(last[row])
            ]
            if not places:  # the first token of every target is lost, and there is no second
                continue
            where, positions = torch.tensor(places, device=self.backbone.device).T
            with self.editing([owners[row] for row in batch]):
                best = self.backbone.logits(padded, where, positions).argmax(-1).tolist()
            for (number, _), token in zip(places, best, strict=True):
                answers[batch[number]].append(token)
        return answers


def _teacher_forced(asked: _Asked, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = [question["prompt_ids"] + question["target_ids"][:-1] for question in questions]
    targets = [question["target_ids"] for question in questions]
    answers = asked.argmax(rows, [len(target) for target in targets], range(len(rows)))
    return [_row(asked.backbone, *pair) for pair in zip(targets, answers, strict=True)]


@torch.no_grad()
def _generated(asked: _Asked, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    from transformers import GenerationConfig

    backbone = asked.backbone
    # Not the model's own settings, which may sample or punish repetition.
    plain = GenerationConfig(
        max_new_tokens=asked.limit,
        do_sample=False,
        pad_token_id=backbone.tokenizer.pad_token_id,
        eos_token_id=backbone.tokenizer.eos_token_id,
    )
    answers: list[list[int]] = [[] for _ in questions]
    for batch in asked.batches([len(question["prompt_ids"]) for question in questions]):
        padded = backbone.batch([questions[row]["prompt_ids"] for row in batch], side="left")
        with asked.editing(batch):
            out = backbone.model.generate(
                input_ids=padded.ids,
                attention_mask=padded.mask,
                generation_config=plain,
            )
        for row, ids in zip(batch, out[:, padded.ids.shape[1] :].tolist(), strict=True):
            answers[row] = _cut(backbone, ids)
    targets = [question["target_ids"] for question in questions]
    return [_row(backbone, *pair) for pair in zip(targets, answers, strict=True)]


def _cut(backbone: Backbone, ids: list[int]) -> list[int]:
    """Return the generated ids up to the end token or the first line break."""
    kept: list[int] = []
    for token in ids:
        if token == backbone.tokenizer.eos_token_id or "\n" in backbone.decode([token]):
            break
        kept.append(token)
    return kept


def _upstream(asked: _Asked, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if any("prefix" in question for question in questions):
        return _upstream_in_context(asked, questions)
    backbone, tokenizer = asked.backbone, asked.backbone.tokenizer
    rows: list[list[int]] = []
    owners: list[int] = []
    targets: list[list[int]] = []
    for owner, question in enumerate(questions):
        # The portability function glues without a space, but tokenises the answer with one.
        spaced = question["aspect"] == "portability"
        target = backbone.encode(" " + question["target"] if spaced else question["target"])[:UPSTREAM_TOKENS]
        if not spaced and target[0] == tokenizer.unk_token_id:
            target = target[1:]
        glue = "" if spaced else " "
        for step in range(len(target)):
            text = question["prompt"] + (glue + tokenizer.decode(target[:step]) if step else "")
            rows.append(backbone.encode(text)[:UPSTREAM_TOKENS])
            owners.append(owner)
        targets.append(target)
    answers: list[list[int]] = [[] for _ in questions]
    for owner, (token,) in zip(owners, asked.argmax(rows, [1] * len(rows), owners), strict=True):
        answers[owner].append(token)
    given = [_row(backbone, *pair) for pair in zip(targets, answers, strict=True)]
    for question, row in zip(questions, given, strict=True):
        if question["aspect"] == "portability":
            # Decoding token by token and joining loses the spaces of SentencePiece words.
            joined = "".join(backbone.decode([token]) for token in row["target_ids"])
            row["target_text"] = joined.lower().strip()
            row["answer_text"] = row["answer_text"].lower().strip()
    return given


def _upstream_in_context(asked: _Asked, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    backbone = asked.backbone
    rows, targets = [], []
    for question in questions:
        target = backbone.encode(question["target"])
        rows.append(backbone.encode(f"{question['prefix']}{question['prompt']} {question['target']}")[:-1])
        targets.append(target[1:])
    answers = asked.argmax(rows, [len(target) for target in targets], range(len(rows)))
    return [_row(backbone, *pair) for pair in zip(targets, answers, strict=True)]


def _row(backbone: Backbone, target: list[int], answer_ids: list[int]) -> dict[str, Any]:
    return {
        "target_ids": target,
        "target_text": backbone.decode(target),
        "answer_ids": answer_ids,
        "answer_text": backbone.decode(answer_ids),
    }


PROTOCOLS: dict[str, Callable[[_Asked, list[dict[str, Any]]], list[dict[str, Any]]]] = {
    "teacher_forced": _teacher_forced,
    "generated": _generated,
    "upstream": _upstream,
}
