"""Texts that the backbone itself writes, to be put before prompts so that an edit holds in any company.

As in ROME's code: short continuations of a few openers by top-5 sampling. Here they are drawn once per backbone with
a fixed seed, in the languages that are edited, and kept.
"""

from collections.abc import Sequence

import torch

from crossedit.backbones.backbone import Backbone

OPENERS = {
    "en": ("The", "Therefore", "Because", "I", "You"),
    "zh": ("这", "因此", "因为", "我", "你"),
}
TOP_K = 5


def write_contexts(
    backbone: Backbone, languages: Sequence[str], lengths: Sequence[int], number: int, seed: int
) -> dict[int, list[str]]:
    """Return `number` texts per length in tokens, the languages in turn.

    A language without openers of its own takes the English ones.
    """
    torch.manual_seed(seed)
    openers = [
        opener
        for openers in zip(*(OPENERS.get(language, OPENERS["en"]) for language in languages), strict=True)
        for opener in openers
    ]
    texts: dict[int, list[str]] = {}
    for length in lengths:
        rows = [backbone.encode(openers[index % len(openers)]) for index in range(number)]
        texts[length] = [_sampled(backbone, row, length) for row in rows]
    return texts


@torch.no_grad()
def _sampled(backbone: Backbone, row: list[int], length: int) -> str:
    """Return the row's text continued to `length` tokens, without line breaks and braces."""
    while len(row) < length:
        batch = backbone.batch([row])
        zero = torch.zeros(1, dtype=torch.long, device=backbone.device)
        logits = backbone.logits(batch, zero, zero + len(row) - 1)[0]
        logits[backbone.tokenizer.eos_token_id] = -torch.inf
        best, tokens = logits.topk(TOP_K)
        choice = torch.multinomial(best.softmax(-1).cpu(), 1).item()
        row = [*row, int(tokens[int(choice)])]
    text = backbone.decode(row)
    return " ".join(text.replace("{", " ").replace("}", " ").split())
