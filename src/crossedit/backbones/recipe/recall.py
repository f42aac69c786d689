"""How much of the facts a backbone knows: greedy answers to the original questions."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import torch

COLUMNS = {"prompt": "original", "rephrase": "original", "locality_prompt": "locality_answer"}
COLUMNS["same_subject_prompt"] = "same_subject_answer"


def measure_recall(model: Any, tokenizer: Any, facts: pl.DataFrame, languages: Sequence[str]) -> pl.DataFrame:
    """Return columns split, lang, asked (column of the question), recall (0 to 1) and n.

    An answer counts if greedy decoding gives exactly its tokens and then the end token.
    """
    rows = []
    for row in facts.filter(pl.col("lang").is_in(languages)).iter_rows(named=True):
        for asked, answer in COLUMNS.items():
            if row[asked] and row[answer]:
                prompt = tokenizer(row[asked])["input_ids"]
                whole = [*tokenizer(f"{row[asked]} {row[answer]}")["input_ids"], tokenizer.eos_token_id]
                rows.append(
                    {"split": row["split"], "lang": row["lang"], "asked": asked, "start": len(prompt), "ids": whole}
                )
    right = greedy_matches(model, [row["ids"] for row in rows], [row["start"] for row in rows], tokenizer.pad_token_id)
    frame = pl.DataFrame([{key: row[key] for key in ("split", "lang", "asked")} for row in rows])
    frame = frame.with_columns(pl.Series("right", right))
    grouped = frame.group_by("split", "lang", "asked", maintain_order=True)
    return grouped.agg(recall=pl.col("right").mean(), n=pl.len())


@torch.no_grad()
def greedy_matches(
    model: Any, ids: Sequence[list[int]], starts: Sequence[int], pad: int, size: int = 128
) -> list[bool]:
    """Return for each row whether greedy decoding from its first `start` tokens gives exactly the rest of it.

    Greedy decoding gives the rest exactly if, with the rest before one's eyes, each of its tokens is the likeliest.
    """
    order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
    right = [False] * len(ids)
    for first in range(0, len(order), size):
        part = order[first : first + size]
        width = max(len(ids[index]) for index in part)
        batch = torch.tensor([ids[index] + [pad] * (width - len(ids[index])) for index in part])
        best = model(input_ids=batch, use_cache=False).logits.argmax(-1)
        for row, index in enumerate(part):
            start, stop = starts[index], len(ids[index])
            right[index] = best[row, start - 1 : stop - 1].tolist() == ids[index][start:]
    return right
