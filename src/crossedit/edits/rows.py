"""What locate-then-edit methods feed a model: prompts with their targets, and where the subject ends in them.

One row is `context + prompt` followed by the target's tokens but the last. The target is joined as tokens, never as
text, so that its tokens are the same after every context. Where an edit changes nothing before a certain token, what
comes before it is run once and the rows begin there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone, Batch
from crossedit.backbones.prefix import Prefix
from crossedit.edits.requests import Request


@dataclass(frozen=True)
class Rows:
    """The rows of several facts in one padded batch. K counts the target tokens of all rows."""

    batch: Batch
    fact: Tensor  # (rows,): which fact a row belongs to
    subject: Tensor  # (rows,): column of the subject's last token
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
            self.subject[rows],
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


def target_rows(
    backbone: Backbone,
    requests: Sequence[Request],
    contexts: Sequence[str] = ("",),
    needs_subject: bool = True,
    begin: Literal["whole", "subject", "answer"] = "whole",
) -> Rows:
    """Return one row per fact and context, facts outermost. A context is put before the prompt as it is.

    begin: where the batch's rows begin: whole, at the subject's last token, or at the prompt's last token, from which
    the answer follows; what comes before is the batch's `past`, and columns count from there.
    Raises UserError where a prompt lacks its subject, unless the method doesn't need it (its place is then 0).
    """
    texts = [(number, context, request) for number, request in enumerate(requests) for context in contexts]
    targets = [backbone.continuation(request.prompt, request.target) for request in requests]
    ids, subject, places, cuts = [], [], [], []
    for row, (number, context, request) in enumerate(texts):
        text, target = context + request.prompt, targets[number]
        prompt = backbone.encode(text)
        ids.append(prompt + target[:-1])
        end = len(context) + request.subject_end() if needs_subject else 0
        column = backbone.last_token(text, end) if needs_subject else 0
        cuts.append({"whole": 0, "subject": column, "answer": len(prompt) - 1}[begin])
        subject.append(max(column - cuts[-1], 0))
        first = len(prompt) - 1 - cuts[-1]
        places += [(row, first + step, token, len(target)) for step, token in enumerate(target)]
    past = Prefix.of(backbone, [row[:cut] for row, cut in zip(ids, cuts, strict=True)])
    device = backbone.device
    place_row, place_column, labels, lengths = torch.tensor(places, device=device).T
    return Rows(
        batch=backbone.batch([row[cut:] for row, cut in zip(ids, cuts, strict=True)], past=past),
        fact=torch.tensor([number for number, _, _ in texts], device=device),
        subject=torch.tensor(subject, device=device),
        bare=torch.tensor([context == "" for _, context, _ in texts], device=device),
        place_row=place_row,
        place_column=place_column,
        labels=labels,
        share=1 / lengths,
    )


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
