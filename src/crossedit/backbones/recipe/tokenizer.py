"""A tokenizer of the facts' own words.

Byte-pair merges happen inside words only. A Chinese character, a digit and a mark of punctuation stand alone, so a
name never merges with the template around it and has the same tokens wherever it stands. A word carries the space
before it. Characters that were never seen fall back to bytes, so that every text survives.
"""

import json
from collections.abc import Iterable
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

END = "<|end|>"
PAD = "<|pad|>"

# Everything East Asian that is written without spaces, and its punctuation.
_CHARACTER = r"[\x{2e80}-\x{9fff}\x{ac00}-\x{d7af}\x{f900}-\x{faff}\x{ff00}-\x{ffef}\x{20000}-\x{3ffff}]"
_WORD = rf"▁?(?:(?!{_CHARACTER})[\p{{L}}\p{{M}}])+"
_PIECES = Regex(rf"▁?{_CHARACTER}|{_WORD}|▁?\p{{N}}|▁?[^\p{{L}}\p{{M}}\p{{N}}▁\n]|\n+|▁+")


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """Return a fast transformers tokenizer of at most about `vocabulary` tokens; it adds none of its own to a text.

    All characters of the texts are tokens, even where that exceeds `vocabulary`.
    """
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token=None))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(_PIECES, behavior="isolated")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()],
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END, PAD, *(f"<0x{byte:02X}>" for byte in range(256))],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    # The trainer knows no other way to reserve the bytes than as special tokens, which decoding would leave out.
    content = json.loads(tokenizer.to_str())
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] in (END, PAD)]
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(content)),
        eos_token=END,
        pad_token=PAD,
        clean_up_tokenization_spaces=False,
    )
