"""Token ids in, next tokens out: many rows at once through differently edited models.

    rows = [Row(ids, prompt=7, question=0), …]
    best = next_tokens(backbone, rows, places, editing)      the argmax after chosen tokens of each row, in one pass
    texts = decode(backbone, rows, editing, limit=16)        free greedy decoding

Rows go in batches of like length, so that little is padding. Rows that name the same `shared` text begin with the same
tokens; these are run once, and the rows go on from there.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.backbones.prefix import Prefix, extended

# How many tokens go through a model at once where nothing else is said. A processor is fastest with what stays near it.
BATCH_TOKENS = {"cpu": 1024, "cuda": 8192}


@dataclass(frozen=True)
class Row:
    """Token ids whose first `prompt` are a question's, by its number; `shared` names what it begins with."""

    ids: Sequence[int]
    prompt: int
    question: int
    shared: str = ""


@dataclass(frozen=True)
class Asking:
    """A batch on its way through a model.

    questions: the rows' questions by number. prompts: the token ids of each prompt. columns (rows,): where in the batch
    the last token of each prompt stands, -1 where it isn't in the batch.
    """

    questions: Sequence[int]
    prompts: Sequence[Sequence[int]]
    columns: Tensor


class Blend(Protocol):
    """What another model has to say at places of a batch."""

    def __call__(self, logits: Tensor, ids: Sequence[Sequence[int]], where: Tensor, positions: Tensor) -> Tensor:
        """Return logits (K, vocabulary) to be used instead of the K that the edited model gave.

        Place k is after token `positions[k]` of row `where[k]`; `ids` are all tokens so far of the batch's rows.
        """
        ...


# The model as it is for each row of a batch; what it yields, if anything, has the last word on the logits.
Editing = Callable[[Asking], AbstractContextManager[Blend | None]]


def unedited(_: Asking) -> AbstractContextManager[None]:
    """The model as it is, for all rows."""
    return nullcontext()


@torch.no_grad()
def next_tokens(
    backbone: Backbone,
    rows: Sequence[Row],
    places: Sequence[Sequence[int]],
    editing: Editing = unedited,
    batch_tokens: int | None = None,
) -> list[list[int]]:
    """Return for each row the argmax after its tokens number `places[row]`."""
    best: list[list[int]] = [[] for _ in rows]
    reach = [min(asked, default=0) for asked in places]
    for batch in _batches(backbone, rows, reach, editing, batch_tokens):
        wanted = [(number, place) for number, row in enumerate(batch.numbers) for place in places[row]]
        if not wanted:
            continue
        where, positions = torch.tensor(wanted, device=backbone.device).T
        padded = backbone.batch(batch.tails(rows), past=batch.past)
        skipped = torch.tensor(batch.skipped, device=backbone.device)
        with editing(batch.asking(rows, padded.offsets)) as blend:
            logits = backbone.logits(padded, where, positions - skipped[where])
            if blend is not None:
                logits = blend(logits, [rows[row].ids for row in batch.numbers], where, positions)
        for (number, _), token in zip(wanted, logits.argmax(-1).tolist(), strict=True):
            best[batch.numbers[number]].append(token)
    return best


@torch.no_grad()
def decode(
    backbone: Backbone,
    rows: Sequence[Row],
    editing: Editing = unedited,
    *,
    limit: int,
    ended: Callable[[Sequence[int]], bool],
    batch_tokens: int | None = None,
) -> list[list[int]]:
    """Return each row's continuation by greedy decoding: at most `limit` tokens, the one that ended it included.

    ended(ids): whether the answer so far is complete.
    """
    said: list[list[int]] = [[] for _ in rows]
    for batch in _batches(backbone, rows, [len(row.ids) - 1 for row in rows], editing, batch_tokens):
        numbers, fresh, past = batch.numbers, batch.tails(rows), batch.past
        asking = batch.asking(rows, backbone.batch(fresh, "left").offsets)
        while numbers:
            # Rows leave when half of them are complete: leaving costs a copy of all that was computed.
            going = list(range(len(numbers)))
            with editing(asking) as blend:
                while going and 2 * len(going) > len(numbers):
                    hidden, past = extended(backbone, backbone.batch(fresh, "left", past))
                    logits = backbone.head(hidden[:, -1])
                    if blend is not None:
                        ids = [[*rows[row].ids, *said[row]] for row in numbers]
                        last = torch.tensor([len(row) - 1 for row in ids], device=backbone.device)
                        logits = blend(logits, ids, torch.arange(len(ids), device=backbone.device), last)
                    fresh = [[token] for token in logits.argmax(-1).tolist()]
                    for place in going:
                        said[numbers[place]] += fresh[place]
                    going = [place for place in going if not _done(said[numbers[place]], limit, ended)]
            numbers, fresh = [numbers[place] for place in going], [fresh[place] for place in going]
            past = past and past.select(torch.tensor(going, dtype=torch.long, device=backbone.device))
            asking = _asking([rows[row] for row in numbers], torch.full((len(numbers),), -1, device=backbone.device))
    return said


def _done(answer: Sequence[int], limit: int, ended: Callable[[Sequence[int]], bool]) -> bool:
    return len(answer) == limit or ended(answer)


def _asking(rows: Sequence[Row], columns: Tensor) -> Asking:
    return Asking([row.question for row in rows], [row.ids[: row.prompt] for row in rows], columns)


@dataclass(frozen=True)
class _Batch:
    """Rows by number; of each, the first `skipped` tokens have been run and are in `past`."""

    numbers: list[int]
    skipped: list[int]
    past: Prefix | None

    def tails(self, rows: Sequence[Row]) -> list[Sequence[int]]:
        return [rows[row].ids[skipped:] for row, skipped in zip(self.numbers, self.skipped, strict=True)]

    def asking(self, rows: Sequence[Row], offsets: Tensor) -> Asking:
        chosen = [rows[row] for row in self.numbers]
        ends = [row.prompt - 1 - skipped for row, skipped in zip(chosen, self.skipped, strict=True)]
        return _asking(chosen, offsets + torch.tensor(ends, device=offsets.device))


def _batches(
    backbone: Backbone, rows: Sequence[Row], reach: Sequence[int], editing: Editing, batch_tokens: int | None
) -> Iterator[_Batch]:
    """Yield all rows in batches of at most `batch_tokens`, what came before and padding included.

    reach: how many of each row's first tokens may be run apart from the rest.
    """
    batch_tokens = batch_tokens or BATCH_TOKENS[backbone.device.type]
    apart = [number for number, row in enumerate(rows) if not row.shared]
    for batch in packed([len(rows[number].ids) for number in apart], batch_tokens):
        yield _Batch([apart[place] for place in batch], [0] * len(batch), None)
    groups: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        if row.shared:
            groups.setdefault(row.shared, []).append(number)
    heads = {
        name: _beginning([rows[number].ids[: reach[number]] for number in members]) for name, members in groups.items()
    }
    names = list(groups)
    for wave in packed([len(heads[name]) for name in names], batch_tokens):
        chosen = [names[place] for place in wave]
        # The text that comes first goes through the same edited model as what follows it.
        columns = torch.full((len(chosen),), -1, device=backbone.device)
        with editing(_asking([rows[groups[name][0]] for name in chosen], columns)):
            past = Prefix.of(backbone, [heads[name] for name in chosen])
        members = [(number, place) for place, name in enumerate(chosen) for number in groups[name]]
        skipped = [len(heads[chosen[place]]) for _, place in members]
        before = max(skipped)
        tails = [len(rows[number].ids) - less for (number, _), less in zip(members, skipped, strict=True)]
        for batch in packed([before + tail for tail in tails], batch_tokens):
            places = torch.tensor([members[item][1] for item in batch], device=backbone.device)
            yield _Batch(
                [members[item][0] for item in batch],
                [skipped[item] for item in batch],
                past and past.select(places),
            )


def _beginning(rows: Sequence[Sequence[int]]) -> Sequence[int]:
    """Return what all rows begin with."""
    # Between the first and the last in order lies every other row, so that these two tell.
    low, high = min(map(list, rows)), max(map(list, rows))
    length = next((place for place, (one, other) in enumerate(zip(low, high, strict=False)) if one != other), None)
    return low[:length]


def packed(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Return row numbers in batches of like length, longest first, of at most `batch_tokens` with padding."""
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    batches: list[list[int]] = []
    for row in order:
        if batches and (len(batches[-1]) + 1) * lengths[batches[-1][0]] <= batch_tokens:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches
