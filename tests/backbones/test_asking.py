"""Rows asked together, with and without what they share, are rows asked alone."""

import torch

from crossedit.backbones.asking import Asking, Row, decode, next_tokens, packed
from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta, LowRank, editing

HEADS = {"one": [20, 21, 22, 23, 24, 25], "two": [30, 31, 32]}
TAILS = [("one", [5, 6, 7]), ("one", [5, 8]), ("two", [9]), ("", [10, 11, 12, 13]), ("two", [9, 14]), ("one", [5, 6])]


def rows(shared: bool) -> list[Row]:
    return [
        Row([*HEADS.get(name, []), *tail], len(HEADS.get(name, [])) + 1, number, name if shared else "")
        for number, (name, tail) in enumerate(TAILS)
    ]


def places(asked: list[Row]) -> list[range]:
    return [range(row.prompt - 1, len(row.ids)) for row in asked]


def test_what_rows_share_is_run_once_and_changes_no_answer(backbone: Backbone) -> None:
    alone = [
        next_tokens(backbone, [row], [place])[0] for row, place in zip(rows(False), places(rows(False)), strict=True)
    ]
    for tokens in (1, 12, 24, 8192):
        assert next_tokens(backbone, rows(True), places(rows(True)), batch_tokens=tokens) == alone
    passes = []
    handle = backbone.module(backbone.architecture.layer.format(0)).register_forward_hook(
        lambda _, args, __: passes.append(args[0].shape[:2])
    )
    next_tokens(backbone, rows(True), places(rows(True)))
    handle.remove()
    # What rows of "one" share is as long as they agree: its six tokens, up to the place that is asked first.
    assert [tuple(shape) for shape in passes] == [(1, 4), (2, 6), (5, 3)]


def test_shared_rows_decode_as_they_do_alone(backbone: Backbone) -> None:
    def ended(ids: list[int]) -> bool:
        return (ids[0] + len(ids)) % 3 == 0

    alone = [decode(backbone, [row], limit=7, ended=ended)[0] for row in rows(False)]
    assert len({len(answer) for answer in alone}) > 1
    for tokens in (1, 24, 8192):
        assert decode(backbone, rows(True), limit=7, ended=ended, batch_tokens=tokens) == alone


def test_shared_rows_go_through_their_own_edited_models(llama: Backbone) -> None:
    torch.manual_seed(0)
    name = llama.architecture.mlp_out.format(0)
    deltas = [Delta({name: LowRank(torch.randn(32, 1), torch.randn(48, 1))}) for _ in range(3)]
    owner = {"one": 0, "two": 1, "": 2}
    ask = editing(llama, deltas, [owner[name] for name, _ in TAILS])
    apart = next_tokens(llama, rows(False), places(rows(False)), ask)
    assert next_tokens(llama, rows(True), places(rows(True)), ask) == apart
    assert apart != next_tokens(llama, rows(False), places(rows(False)))


def test_a_blend_has_the_last_word_on_every_place(llama: Backbone) -> None:
    """It sees all tokens so far, and the prompts alone."""
    vocabulary = llama.model.config.vocab_size

    class Echo:
        """Says the last token seen, plus the length of the prompt."""

        def __init__(self, asking: Asking) -> None:
            self.prompts = asking.prompts

        def __enter__(self) -> "Echo":
            return self

        def __exit__(self, *_: object) -> None:
            self.prompts = []

        def __call__(
            self, logits: torch.Tensor, ids: list[list[int]], where: torch.Tensor, positions: torch.Tensor
        ) -> torch.Tensor:
            said = [
                ids[row][position] + len(self.prompts[row])
                for row, position in zip(where.tolist(), positions.tolist(), strict=True)
            ]
            return torch.nn.functional.one_hot(torch.tensor(said), vocabulary).float()

    for shared in (True, False):
        asked = rows(shared)
        expected = [[row.ids[place] + row.prompt for place in range(row.prompt - 1, len(row.ids))] for row in asked]
        assert next_tokens(llama, asked, places(asked), Echo) == expected
        counted = [[row.ids[-1] + step * row.prompt for step in (1, 2, 3)] for row in asked]
        assert decode(llama, asked, Echo, limit=3, ended=lambda ids: False) == counted


def test_packed_rows_are_all_there_and_fit() -> None:
    lengths = [3, 9, 1, 4, 4, 30, 2]
    batches = packed(lengths, 12)
    assert sorted(row for batch in batches for row in batch) == list(range(7))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= 12
