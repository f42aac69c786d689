"""A row run in two parts is the row run whole."""

import torch

from crossedit.backbones.backbone import Backbone
from crossedit.backbones.prefix import Prefix
from crossedit.backbones.tail import Tail

ROWS = [[5, 6, 7, 8, 9, 10], [11, 12, 13], [14, 15, 16, 17]]
CUTS = [4, 0, 2]


def split(backbone: Backbone) -> tuple[Prefix, list[list[int]]]:
    past = Prefix.of(backbone, [row[:cut] for row, cut in zip(ROWS, CUTS, strict=True)])
    assert past is not None
    return past, [row[cut:] for row, cut in zip(ROWS, CUTS, strict=True)]


def hidden(backbone: Backbone, row: list[int]) -> torch.Tensor:
    states: torch.Tensor = backbone.model.base_model(**backbone.batch([row]).inputs()).last_hidden_state[0]
    return states


@torch.no_grad()
def test_rows_continued_from_a_prefix_are_the_whole_rows(backbone: Backbone) -> None:
    past, tails = split(backbone)
    for side in ("right", "left"):
        batch = backbone.batch(tails, side, past)
        for _ in range(2):  # passing it once leaves the prefix as it was
            states = backbone.model.base_model(**batch.inputs(), use_cache=False).last_hidden_state
            for number, (row, cut) in enumerate(zip(ROWS, CUTS, strict=True)):
                start = int(batch.offsets[number])
                found = states[number, start : start + len(row) - cut]
                torch.testing.assert_close(found, hidden(backbone, row)[cut:], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_tail_and_its_part_go_on_from_a_prefix(backbone: Backbone) -> None:
    past, tails = split(backbone)
    tail = Tail(backbone, backbone.batch(tails, past=past), 1)
    for part, numbers in ((tail, [0, 1, 2]), (tail.select(torch.tensor([2, 0])), [2, 0])):
        for _ in range(2):
            states = part()
            for place, number in enumerate(numbers):
                row, cut = ROWS[number], CUTS[number]
                found = states[place, : len(row) - cut]
                torch.testing.assert_close(found, hidden(backbone, row)[cut:], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_several_rows_follow_one_prefix(llama: Backbone) -> None:
    past = Prefix.of(llama, [[5, 6, 7]])
    assert past is not None
    batch = llama.batch([[8, 9], [10]], past=past.select(torch.tensor([0, 0])))
    states = llama.model.base_model(**batch.inputs()).last_hidden_state
    torch.testing.assert_close(states[0, 1], hidden(llama, [5, 6, 7, 8, 9])[-1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(states[1, 0], hidden(llama, [5, 6, 7, 10])[-1], rtol=1e-4, atol=1e-5)


def test_nothing_before_any_row_is_no_prefix(llama: Backbone) -> None:
    assert Prefix.of(llama, [[], []]) is None
