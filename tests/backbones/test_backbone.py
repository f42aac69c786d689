"""A backbone reads texts and places in them the same way for every architecture."""

import pytest
import torch

from crossedit.backbones.backbone import Backbone, weights_digest
from crossedit.edits.requests import Request
from crossedit.errors import UserError

ROWS = [[5, 6, 7, 8, 9, 10], [11, 12], [13, 14, 15, 16]]

# subject, prompt
SUBJECTS = [
    ("France", "France has which capital?"),  # at the beginning
    ("France", "What is the capital of France"),  # at the end
    ("France", "Is France in what was once called France by all?"),  # twice: the last one counts
    ("New York", "Who is the mayor of New York?"),
    ("法国", "法国的首都是哪里？"),
    ("法国", "哪座城市是法国"),
    ("法国", "法国人说法国的首都是哪里？"),
    ("Peru", "秘鲁(Peru)的首都是哪里？"),
]
CONTEXTS = ["", "Because of this. ", "因此我. "]


def test_logits_do_not_depend_on_the_padded_side(backbone: Backbone) -> None:
    places = [(row, position) for row, ids in enumerate(ROWS) for position in range(len(ids))]
    rows, positions = torch.tensor(places).T
    right, left = (backbone.logits(backbone.batch(ROWS, side), rows, positions) for side in ("right", "left"))
    torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-4)
    alone = torch.cat([backbone.model(torch.tensor([ids])).logits[0] for ids in ROWS])
    torch.testing.assert_close(right, alone, rtol=1e-4, atol=1e-4)


def test_a_batch_says_where_its_rows_begin(llama: Backbone) -> None:
    left = llama.batch(ROWS, "left")
    assert left.offsets.tolist() == [0, 4, 2]
    assert left.positions[1].tolist() == [0, 0, 0, 0, 0, 1]
    for side in ("left", "right"):
        batch = llama.batch(ROWS, side)
        assert [ids[mask].tolist() for ids, mask in zip(batch.ids, batch.mask.bool(), strict=True)] == ROWS


def request(subject: str, prompt: str) -> Request:
    return Request(1, "en", subject, prompt, "Rome", None, {"en": "Rome"})


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize(("subject", "prompt"), SUBJECTS)
def test_the_subjects_last_token_is_the_published_count(
    subject: str, prompt: str, context: str, llama: Backbone, starting: Backbone
) -> None:
    """Upstream counts the tokens of the text up to the subject's end; the last occurrence is meant."""
    for backbone in (llama, starting):
        end = len(context) + request(subject, prompt).subject_end()
        before, found, _ = (context + prompt).rpartition(subject)
        published = len(backbone.encode(before + found)) - 1
        place = backbone.last_token(context + prompt, end)
        ids = backbone.encode(context + prompt)
        if ids[: published + 1] == backbone.encode(before + found):
            assert place == published
        # Where a token reaches over the subject's end, the count of a cut text is off, but the place still holds it.
        held = [backbone.decode(ids[: place + step]) for step in (0, 1)]
        assert len(held[0].rstrip("\N{REPLACEMENT CHARACTER}")) < end <= len(held[1])


def test_a_place_outside_the_text_has_no_token(llama: Backbone) -> None:
    with pytest.raises(ValueError, match="no token ends at character 9"):
        llama.last_token("Rome", 9)


def test_a_subject_that_is_not_in_the_prompt_is_refused() -> None:
    with pytest.raises(UserError, match=r"case 1 \(en\): subject 'Peru' is not in the prompt 'Where is Rome\?'; set"):
        request("Peru", "Where is Rome?").subject_end()


def test_a_continuation_is_the_rest_of_the_joined_text(llama: Backbone, starting: Backbone) -> None:
    for backbone in (llama, starting):
        joined = backbone.encode("Where is it? Buenos Aires")
        assert backbone.encode("Where is it?") + backbone.continuation("Where is it?", "Buenos Aires") == joined
    assert starting.tokenizer.bos_token_id not in starting.continuation("Where is it?", "Rome")


def test_the_digest_sees_every_bit(llama: Backbone) -> None:
    pristine = weights_digest(llama.model)
    assert llama.digest == pristine
    weight = llama.module("model.layers.2.mlp.up_proj").weight
    old = weight[0, 0].item()
    weight[0, 0] = old + 1e-6
    changed = weights_digest(llama.model)
    weight[0, 0] = old
    assert changed != pristine == weights_digest(llama.model)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"dtype": "bfloat"}, r"backbones\.mine\.dtype: 'bfloat' is no dtype; did you mean 'bfloat16'\?"),
        ({"path": "/nowhere/model"}, r"backbones\.mine\.path: '/nowhere/model' can't be loaded as a model"),
        ({"trust_remote_code": True}, r"backbones\.mine\.trust_remote_code: needs a pinned `revision`"),
    ],
)
def test_what_cannot_be_loaded_is_refused(entry: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        Backbone.load("mine", {"path": "/nowhere/model", "device": "cpu", **entry})
    assert "\n" not in str(caught.value)
