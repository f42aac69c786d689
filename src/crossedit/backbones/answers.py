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
from dataclasses import dataclass
from typing import Any

import polars as pl

from crossedit.backbones.asking import Editing, Row, decode, next_tokens, unedited
from crossedit.backbones.backbone import Backbone
from crossedit.errors import UserError, nearest

UPSTREAM_TOKENS = 30


def answer(
    backbone: Backbone,
    probes: pl.DataFrame,
    protocol: str,
    *,
    editing: Editing = unedited,
    prefixes: Sequence[str] | None = None,
    apart: bool = False,
    limit: int = 16,
    batch_tokens: int | None = None,
) -> pl.DataFrame:
    """Return the ANSWERS to the probes, in their order.

    editing: gives the context in which a batch of questions runs.
    prefixes: a text to put before each question.
    apart: whether every prefix that `upstream` asks is passed alone, as models need that judge whole texts.
    batch_tokens: how many tokens, padding included, a batch may have; by default what suits the device.
    """
    if protocol not in PROTOCOLS:
        raise UserError(f"protocols: '{protocol}' is no protocol; {nearest(protocol, PROTOCOLS)}")
    questions = probes.to_dicts()
    if prefixes is not None:
        for question, prefix in zip(questions, prefixes, strict=True):
            question["prefix"] = prefix
            question["prompt_ids"] = backbone.encode(prefix + question["prompt"])
    asked = _Asked(backbone, editing, batch_tokens, limit, apart)
    answers = PROTOCOLS[protocol](asked, questions)
    rows = [
        {name: question[name] for name in ("case_id", "aspect", "kind", "lang")} | {"protocol": protocol} | given
        for question, given in zip(questions, answers, strict=True)
    ]
    ids = pl.List(pl.Int32)
    return pl.DataFrame(rows, schema_overrides={"target_ids": ids, "answer_ids": ids})


@dataclass(frozen=True)
class _Asked:
    """A backbone and how batches go through it."""

    backbone: Backbone
    editing: Editing
    batch_tokens: int | None
    limit: int
    apart: bool

    def argmax(self, rows: Sequence[Row], places: Sequence[Sequence[int]]) -> list[list[int]]:
        return next_tokens(self.backbone, rows, places, self.editing, self.batch_tokens)


def _teacher_forced(asked: _Asked, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows, places = [], []
    for number, question in enumerate(questions):
        prompt, target = question["prompt_ids"], question["target_ids"]
        rows.append(Row(prompt + target[:-1], len(prompt), number, question.get("prefix", "")))
        places.append(range(len(prompt) - 1, len(prompt) + len(target) - 1))
    answers = asked.argmax(rows, places)
    targets = [question["target_ids"] for question in questions]
    return [_row(asked.backbone, *pair) for pair in zip(targets, answers, strict=True)]


def _generated(asked: _Asked, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    backbone = asked.backbone
    rows = [
        Row(question["prompt_ids"], len(question["prompt_ids"]), number, question.get("prefix", ""))
        for number, question in enumerate(questions)
    ]

    def ended(ids: Sequence[int]) -> bool:
        return ids[-1] in backbone.ends or "\n" in backbone.decode([ids[-1]])

    said = decode(backbone, rows, asked.editing, limit=asked.limit, ended=ended, batch_tokens=asked.batch_tokens)
    answers = [ids[:-1] if ended(ids) else ids for ids in said]
    targets = [question["target_ids"] for question in questions]
    return [_row(backbone, *pair) for pair in zip(targets, answers, strict=True)]


def _upstream(asked: _Asked, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if any("prefix" in question for question in questions):
        return _upstream_in_context(asked, questions)
    backbone, tokenizer = asked.backbone, asked.backbone.tokenizer
    rows: list[Row] = []
    places: list[list[int]] = []
    found: list[list[tuple[int, int]]] = []  # per question, the row and the place in it of every target token
    targets: list[list[int]] = []
    for number, question in enumerate(questions):
        # The portability function glues without a space, but tokenises the answer with one.
        spaced = question["aspect"] == "portability"
        target = backbone.encode(" " + question["target"] if spaced else question["target"])[:UPSTREAM_TOKENS]
        if not spaced and target[0] == tokenizer.unk_token_id:
            target = target[1:]
        glue = "" if spaced else " "
        found.append([])
        for step in range(len(target) - 1, -1, -1):
            text = question["prompt"] + (glue + tokenizer.decode(target[:step]) if step else "")
            ids = backbone.encode(text)[:UPSTREAM_TOKENS]
            # What a longer text begins with needs no pass of its own, as the model looks back only.
            if asked.apart or step == len(target) - 1 or rows[-1].ids[: len(ids)] != ids:
                rows.append(Row(ids, len(ids), number))
                places.append([])
            places[-1].append(len(ids) - 1)
            found[-1].append((len(rows) - 1, len(places[-1]) - 1))
        targets.append(target)
    best = asked.argmax(rows, places)
    answers = [[best[row][place] for row, place in reversed(steps)] for steps in found]
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
    rows, places, targets = [], [], []
    for number, question in enumerate(questions):
        target = backbone.encode(question["target"])
        ids = backbone.encode(f"{question['prefix']}{question['prompt']} {question['target']}")[:-1]
        first = len(ids) - len(target) + 1
        rows.append(Row(ids, first + 1, number, question["prefix"]))
        places.append(range(first, len(ids)))
        targets.append(target[1:])
    answers = asked.argmax(rows, places)
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
