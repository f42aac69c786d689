"""Items become prompts, as long as the model's positions allow.

for question in questions(rules, items): fitted(backbone, question, limit)

Nothing here imports a model library: worked items are made of questions without any.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from crossedit.sweeps.tasks.conll import spans
from crossedit.sweeps.tasks.task import CORRECTED, Rules
from crossedit.sweeps.tasks.upstream import spans_until_o

if TYPE_CHECKING:
    from crossedit.backbones.backbone import Backbone

_WORD_STARTS = re.compile(r"(?<!\S)\S")


@dataclass(frozen=True)
class Question:
    """A prompt in three pieces, of which the body may be shortened, and what is right."""

    item: int
    part: str
    head: str
    body: str
    tail: str
    wanted: list[str]

    @property
    def text(self) -> str:
        return self.head + self.body + self.tail


@dataclass(frozen=True)
class Fitted:
    """A prompt as it is asked. cut: by how many tokens it was shortened. ids is empty where no shortening helps."""

    text: str
    ids: list[int]
    cut: int


def questions(rules: Rules, protocol: str, items: pl.DataFrame) -> Iterator[Question]:
    """Yield the questions of ITEMS: one per item, or one per item and part."""
    before, after = rules.prompt.split(f"{{{rules.shorten}}}")
    for item in items.iter_rows(named=True):
        fields = {pair["name"]: pair["value"] for pair in item["fields"]}
        for part in rules.parts or ("",):
            named = fields | {"part": part}
            wanted = item["answers"]
            if rules.parts:
                tagged = spans if protocol == CORRECTED else spans_until_o
                wanted = tagged(fields["tokens"].split(" "), item["answers"], rules.parts[part])
            head, tail = before.format_map(named), after.format_map(named)
            yield Question(item["item"], part, head, fields[rules.shorten], tail, wanted)


def fitted(backbone: "Backbone", question: Question, limit: int) -> Fitted:
    """Return the prompt, shortened where it and `limit` more tokens exceed the model's positions.

    Of the body the fewest words are left out, at its beginning: the instruction, the question and the cue to answer
    stay whole, and so does the end of a dialogue or passage, which stands nearest to them. A prompt that is too long
    even without a body isn't asked at all, since what is left of it would be another question.
    """
    ids = backbone.encode(question.text)
    positions = getattr(backbone.model.config, "max_position_embeddings", None)
    if positions is None or len(ids) + limit <= positions:
        return Fitted(question.text, ids, 0)
    starts = [found.start() for found in _WORD_STARTS.finditer(question.body)]
    bodies = [*(question.body[start:] for start in starts), ""]

    def shortened(body: str) -> str:
        return question.head + body + question.tail

    fewest = bisect_left(bodies, True, key=lambda body: len(backbone.encode(shortened(body))) + limit <= positions)
    if fewest == len(bodies):
        return Fitted(question.text, [], 0)
    text = shortened(bodies[fewest])
    short = backbone.encode(text)
    return Fitted(text, short, len(ids) - len(short))
