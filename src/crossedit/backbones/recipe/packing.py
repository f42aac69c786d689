"""Whole documents packed into rows of one length, so that every step has the same shapes.

    packer = Packer(tokenizer, corpus, recipe)
    batch = packer.batch(active=12)

A document sees only itself (its mask is block-diagonal) and its positions count from 0. A branch of a document sees
what all its branches share, and itself. In some documents what follows the subject sees only the subject's last token
(the bottleneck): otherwise a small model reads the subject from all its tokens, and an edit at the last one has no
hold.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from crossedit.backbones.recipe.corpus import Corpus, Document
from crossedit.backbones.recipe.settings import Recipe
from crossedit.errors import UserError

NEVER = 1 << 30


@dataclass(frozen=True)
class Encoded:
    """A document's token ids, which of them are learnt, and the tokens of its subject, [start, stop).

    `branch` is 0 for what all see, else the number of the branch that a token belongs to; `positions` count on in each
    branch from where they left off. `before` is the token's predecessor, which a branch's first token shares.
    """

    ids: list[int]
    learned: list[bool]
    branch: list[int]
    positions: list[int]
    before: list[int]
    subject: tuple[int, int] | None
    document: Document


@dataclass(frozen=True)
class Packed:
    """A batch: ids, positions (rows, tokens); mask (rows, 1, tokens, tokens), True where a token is seen.

    `places` are the flat indices (row * tokens + column) whose next token is learnt, `labels` those tokens; both are
    filled up with place 0 and label -100 to one length. `pairs` (pairs, 2) are the flat indices of two last subject
    tokens of one fact in two languages, `names` (pairs,) numbers that are equal for equal subjects.
    """

    ids: Tensor
    positions: Tensor
    mask: Tensor
    places: Tensor
    labels: Tensor
    pairs: Tensor
    names: Tensor
    documents: list[Document]


class Packer:
    """Fills batches with the documents of a corpus."""

    def __init__(self, tokenizer: Any, corpus: Corpus, recipe: Recipe, seed: int) -> None:
        self.tokenizer, self.corpus, self.recipe = tokenizer, corpus, recipe
        self.rng = Random(f"packing {seed}")
        self.waiting: list[list[Encoded]] = []

    def batch(self, active: int) -> Packed:
        """Return the next batch over the first `active` facts; what doesn't fit waits for the next one."""
        rows: list[list[Encoded]] = [[] for _ in range(self.recipe.rows)]
        left = [self.recipe.row_tokens] * self.recipe.rows
        early, self.waiting = self.waiting, []
        while len(self.waiting) < 6:
            group = early.pop(0) if early else self._draw(active)
            spots = _spots([len(one.ids) for one in group], left)
            if spots is None:
                self.waiting.append(group)
                continue
            for one, row in zip(group, spots, strict=True):
                rows[row].append(one)
                left[row] -= len(one.ids)
        self.waiting += early
        return self._pack(rows)

    def _draw(self, active: int) -> list[Encoded]:
        """Return the next document or pair that fits into a row; longer ones are never cut but drawn anew."""
        for _ in range(1000):
            group = [encode(self.tokenizer, document) for document in self.corpus.draw(active)]
            if max(len(one.ids) for one in group) <= self.recipe.row_tokens:
                return group
        raise UserError(
            f"recipe.row_tokens: {self.recipe.row_tokens} is too little for the facts' documents; write a larger one."
        )

    def _pack(self, rows: list[list[Encoded]]) -> Packed:
        count, width = len(rows), self.recipe.row_tokens
        ids = np.full((count, width), self.tokenizer.pad_token_id)
        positions = np.zeros((count, width), dtype=np.int64)
        owner = np.full((count, width), -1)
        branch = np.zeros((count, width), dtype=np.int64)
        seen_until = np.full((count, width), NEVER)  # the column up to which later tokens see this one
        places, labels, documents = [], [], []
        subjects: dict[int, tuple[Document, int]] = {}
        for row, packed in enumerate(rows):
            start = 0
            for number, one in enumerate(packed):
                stop = start + len(one.ids)
                ids[row, start:stop] = one.ids
                positions[row, start:stop] = one.positions
                owner[row, start:stop] = number
                branch[row, start:stop] = one.branch
                learned = [place for place in range(1, len(one.ids)) if one.learned[place]]
                places += [row * width + start + one.before[place] for place in learned]
                labels += [one.ids[place] for place in learned]
                if one.subject:
                    first, last = start + one.subject[0], start + one.subject[1] - 1
                    if self.rng.random() < self.recipe.bottleneck:
                        seen_until[row, first:last] = last
                    subjects[id(one.document)] = (one.document, row * width + last)
                documents.append(one.document)
                start = stop
        column = np.arange(width)
        mask = (column[:, None] >= column) & (owner[:, :, None] == owner[:, None, :])
        mask &= (branch[:, None, :] == 0) | (branch[:, None, :] == branch[:, :, None])
        mask &= column[:, None] <= seen_until[:, None, :]
        pairs, names = self._pairs(subjects)
        fill = -len(places) % 64
        return Packed(
            ids=torch.from_numpy(ids),
            positions=torch.from_numpy(positions),
            mask=torch.from_numpy(mask[:, None]),
            places=torch.tensor(places + [0] * fill),
            labels=torch.tensor(labels + [-100] * fill),
            pairs=torch.tensor(pairs, dtype=torch.long).reshape(-1, 2),
            names=torch.tensor(names, dtype=torch.long),
            documents=documents,
        )

    def _pairs(self, subjects: dict[int, tuple[Document, int]]) -> tuple[list[tuple[int, int]], list[int]]:
        """Match the two documents of each pair, which are always packed into the same batch."""
        found: dict[int, list[int]] = {}
        names: dict[int, int] = {}
        numbers: dict[str, int] = {}
        for document, place in subjects.values():
            if document.pair:
                found.setdefault(document.pair, []).append(place)
                assert document.fact is not None
                names[document.pair] = numbers.setdefault(document.fact.name, len(numbers))
        whole = [(pair, places) for pair, places in found.items() if len(places) == 2]
        return [(places[0], places[1]) for _, places in whole], [names[pair] for pair, _ in whole]


def encode(tokenizer: Any, document: Document) -> Encoded:
    """Return the document's tokens; its end token, or that of each branch, is learnt."""
    end = tokenizer.eos_token_id
    ids, offsets = _tokens(tokenizer, document.text)
    learned = [any(start <= left and right <= stop for start, stop in document.learned) for left, right in offsets]
    subject = None
    if document.subject:
        first, last = document.subject
        inside = [number for number, (left, right) in enumerate(offsets) if right > first and left < last]
        subject = (inside[0], inside[-1] + 1)
    trunk = len(ids)
    branch, positions, before = [0] * trunk, list(range(trunk)), list(range(-1, trunk - 1))
    if not document.branches:
        ids, learned = [*ids, end], [*learned, True]
        branch, positions, before = [*branch, 0], [*positions, trunk], [*before, trunk - 1]
    for number, part in enumerate(document.branches, start=1):
        more, offsets = _tokens(tokenizer, part.text)
        start = len(ids)
        ids += [*more, end]
        learned += [*(left >= part.answer for left, _ in offsets), True]
        branch += [number] * (len(more) + 1)
        positions += range(trunk, trunk + len(more) + 1)
        before += [trunk - 1, *range(start, start + len(more))]
    return Encoded(ids, learned, branch, positions, before, subject, document)


def _tokens(tokenizer: Any, text: str) -> tuple[list[int], list[tuple[int, int]]]:
    encoding = tokenizer._tokenizer.encode(text, add_special_tokens=False)
    return encoding.ids, encoding.offsets


def _spots(lengths: list[int], left: list[int]) -> list[int] | None:
    """Return a row for each length, the fullest in which it fits, or None where one fits nowhere."""
    rest = list(left)
    spots = []
    for length in lengths:
        fitting = [row for row, space in enumerate(rest) if space >= length]
        if not fitting:
            return None
        spots.append(min(fitting, key=lambda row: rest[row]))
        rest[spots[-1]] -= length
    return spots
