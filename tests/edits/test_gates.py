"""Edits that act only where their scope test says so."""

from pathlib import Path

import pytest
import torch

from crossedit.backbones.asking import Asking, Row, decode, next_tokens
from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Codebook, Delta, LowRank, editing, merged, with_deltas
from crossedit.errors import UserError

PROMPTS = [[5, 6, 7], [8, 9, 10, 11], [12, 13]]


def key_of(backbone: Backbone, name: str, prompt: list[int]) -> torch.Tensor:
    seen = []
    handle = backbone.module(name).register_forward_pre_hook(lambda _, args: seen.append(args[0][0, -1]))
    backbone.model(**backbone.batch([prompt]).inputs())
    handle.remove()
    return seen[0]


@torch.no_grad()
def codebook(backbone: Backbone, numbers: list[int], radius: float) -> tuple[str, Codebook]:
    name = backbone.architecture.mlp_out.format(1)
    keys = torch.stack([key_of(backbone, name, PROMPTS[number]) for number in numbers])
    width = backbone.model.config.hidden_size
    values = torch.arange(1, len(numbers) + 1)[:, None] * torch.linspace(-3, 3, width)
    return name, Codebook(keys, values, torch.full((len(numbers),), radius))


def outputs(backbone: Backbone, deltas: list[Delta], side: str) -> list[torch.Tensor]:
    """Return the module's outputs for the prompts, each through its own delta."""
    name = backbone.architecture.mlp_out.format(1)
    batch = backbone.batch(PROMPTS, side)
    ends = batch.offsets + torch.tensor([len(prompt) - 1 for prompt in PROMPTS])
    seen = []
    with torch.no_grad(), with_deltas(backbone, deltas, [0, 1, 2], Asking([0, 1, 2], PROMPTS, ends)):
        handle = backbone.module(name).register_forward_hook(lambda _, __, output: seen.append(output))
        backbone.model(**batch.inputs())
        handle.remove()
    return [
        seen[0][row, start : start + len(prompt)]
        for row, (start, prompt) in enumerate(zip(batch.offsets.tolist(), PROMPTS, strict=True))
    ]


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_codebook_replaces_the_output_at_the_prompts_end_and_nowhere_else(side: str, backbone: Backbone) -> None:
    plain = outputs(backbone, [Delta()] * 3, side)
    name, book = codebook(backbone, [0, 1], 1e-3)
    edited = outputs(backbone, [Delta({name: book})] * 3, side)
    for number in (0, 1):
        torch.testing.assert_close(edited[number][-1], book.values[number])
        torch.testing.assert_close(edited[number][:-1], plain[number][:-1])
    torch.testing.assert_close(edited[2], plain[2])


def test_each_row_has_its_own_codebook_and_the_nearest_key_rules(llama: Backbone) -> None:
    name, single = codebook(llama, [0], 1e-3)
    _, both = codebook(llama, [1, 0], 1e6)
    plain = outputs(llama, [Delta()] * 3, "right")
    edited = outputs(llama, [Delta({name: both}), Delta({name: single}), Delta({name: both})], "right")
    torch.testing.assert_close(edited[0][-1], both.values[1])
    torch.testing.assert_close(edited[1], plain[1])
    assert any(torch.allclose(edited[2][-1], value) for value in both.values)


def test_a_codebook_acts_on_the_prompt_while_the_answer_is_decoded(llama: Backbone) -> None:
    """The first token follows the replaced state; later ones are not replaced, but attend to it."""
    name, book = codebook(llama, [0], 1e6)
    rows = [Row(prompt, len(prompt), number) for number, prompt in enumerate(PROMPTS)]
    ask = editing(llama, [Delta({name: book})], [0, 0, 0])
    said = decode(llama, rows, ask, limit=5, ended=lambda ids: len(ids) == 2 and ids[0] % 2 == 0)
    for row, answer in zip(rows, said, strict=True):
        whole = Row([*row.ids, *answer[:-1]], row.prompt, row.question)
        places = range(row.prompt - 1, len(whole.ids))
        assert next_tokens(llama, [whole], [places], ask) == [answer]


def test_codebooks_are_saved_and_added_up_but_never_merged(llama: Backbone, tmp_path: Path) -> None:
    name, book = codebook(llama, [0], 0.5)
    _, other = codebook(llama, [1], 0.25)
    delta = Delta({name: book}) + Delta({name: other})
    delta.save(tmp_path / "delta")
    term = Delta.load(tmp_path / "delta").terms[name]
    assert isinstance(term, Codebook)
    torch.testing.assert_close(term.radii, torch.tensor([0.5, 0.25]))
    torch.testing.assert_close(term.keys, torch.cat([book.keys, other.keys]))
    with pytest.raises(UserError, match="merged"), merged(llama, delta):
        pass
    with pytest.raises(UserError, match="merged"):
        Delta({name: book}) + Delta({name: LowRank(torch.ones(32, 1), torch.ones(48, 1))})


def test_gated_edits_must_be_told_what_is_asked(llama: Backbone) -> None:
    name, book = codebook(llama, [0], 0.5)
    with pytest.raises(ValueError, match="what is asked"), with_deltas(llama, [Delta({name: book})], [0]):
        pass
