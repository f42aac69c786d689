"""What locate-then-edit methods feed a model: prompts with their targets, and where the subject ends in them.

One row is `context + prompt` followed by the target's tokens but the last. The target is joined as tokens, never as
text, so that its tokens are the same after every context. Where an edit changes nothing before a certain token, what
comes before it is run once and the rows begin there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone, Batch
from crossedit.backbones.prefix import Prefix
from crossedit.edits.requests import Request

Tokens = tuple[list[int], list[int]]  # those of a prompt, and those of its target


@dataclass(frozen=True)
class Rows:
    """The rows of several facts in one padded batch. K counts the target tokens of all rows."""

    batch: Batch
    fact: Tensor  # (rows,): which fact a row belongs to
    bare: Tensor  # (rows,) bool: the row has no context
    place_row: Tensor  # (K,): row of the k-th target token's prediction
    place_column: Tensor  # (K,): its column
    labels: Tensor  # (K,): the target token
    share: Tensor  # (K,): 1 / number of target tokens in its row

    def select(self, rows: Tensor) -> "Rows":
        """Return the part of these rows (numbers in increasing order); facts keep their numbers."""
        renamed = torch.full_like(self.fact, -1)
        renamed[rows] = torch.arange(len(rows), device=rows.device)
        kept = renamed[self.place_row] >= 0
        return Rows(
            self.batch.select(rows),
            self.fact[rows],
            self.bare[rows],
            renamed[self.place_row[kept]],
            self.place_column[kept],
            self.labels[kept],
            self.share[kept],
        )

    def losses(self, logits: Tensor) -> Tensor:
        """Return each row's mean negative log-probability of its target tokens; logits are (K, vocabulary)."""
        picked = logits.log_softmax(-1).gather(1, self.labels[:, None])[:, 0]
        return picked.new_zeros(len(self.fact)).index_add(0, self.place_row, -picked * self.share)

    def answered(self, logits: Tensor) -> Tensor:
        """Return for each row whether every target token is the likeliest, (rows,) bool."""
        missed = (logits.argmax(-1) != self.labels).float()
        return missed.new_zeros(len(self.fact)).index_add(0, self.place_row, missed) == 0


def lay_out(backbone: Backbone, texts: Sequence[Tokens], cuts: Sequence[int] | None = None) -> Rows:
    """Return one row per text, a fact of its own without a context: its prompt, and its target but for the last token.

    cuts: how many of each row's first tokens are run now and become the batch's `past`; columns count from there.
    """
    cuts = [0] * len(texts) if cuts is None else cuts
    ids = [prompt + target[:-1] for prompt, target in texts]
    places = [
        (row, len(prompt) - 1 - cut + step, token, len(target))
        for row, ((prompt, target), cut) in enumerate(zip(texts, cuts, strict=True))
        for step, token in enumerate(target)
    ]
    past = Prefix.of(backbone, [row[:cut] for row, cut in zip(ids, cuts, strict=True)])
    place_row, place_column, labels, lengths = torch.tensor(places, device=backbone.device).T
    number = torch.arange(len(texts), device=backbone.device)
    return Rows(
        batch=backbone.batch([row[cut:] for row, cut in zip(ids, cuts, strict=True)], past=past),
        fact=number,
        bare=torch.ones_like(number, dtype=torch.bool),
        place_row=place_row,
        place_column=place_column,
        labels=labels,
        share=1 / lengths,
    )


def target_rows(
    backbone: Backbone,
    requests: Sequence[Request],
    contexts: Sequence[str] = ("",),
    begin: Literal["whole", "subject", "answer"] = "whole",
) -> Rows:
    """Return one row per fact and context, facts outermost. A context is put before the prompt as it is.

    begin: where the batch's rows begin: whole, at the subject's last token, or at the prompt's last token, from which
    the answer follows; what comes before is the batch's `past`, and columns count from there.
    Raises UserError where rows are to begin at a subject that isn't in its prompt.
    """
    texts: list[Tokens] = []
    cuts = []
    for request in requests:
        target = backbone.continuation(request.prompt, request.target)
        for context in contexts:
            text = context + request.prompt
            prompt = backbone.encode(text)
            texts.append((prompt, target))
            match begin:
                case "whole":
                    cuts.append(0)
                case "subject":
                    cuts.append(backbone.last_token(text, len(context) + request.subject_end()))
                case "answer":
                    cuts.append(len(prompt) - 1)
    rows = lay_out(backbone, texts, cuts)
    bare = torch.tensor([context == "" for context in contexts], device=backbone.device).repeat(len(requests))
    return replace(rows, fact=rows.fact // len(contexts), bare=bare)


def subject_rows(backbone: Backbone, requests: Sequence[Request], contexts: Sequence[str] = ("",)) -> Batch:
    """Return one row per fact and context, facts outermost, up to the subject's last token: the row's last column.

    Raises UserError where a prompt lacks its subject.
    """
    rows = []
    for request in requests:
        for context in contexts:
            text = context + request.prompt
            rows.append(backbone.encode(text)[: backbone.last_token(text, len(context) + request.subject_end()) + 1])
    return backbone.batch(rows, side="left")
