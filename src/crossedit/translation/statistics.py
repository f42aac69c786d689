"""Table 1 of Bi-ZsRE: how many records there are, and how long their parts are on average."""

from collections.abc import Callable

import polars as pl

from crossedit.tables import TABLE_1
from crossedit.translation.words import spans

# The paper's columns, and the facts table's that they measure.
MEASURED = {
    "question": "prompt",
    "rephrase": "rephrase",
    "answer": "target",
    "locality_question": "locality_prompt",
    "locality_answer": "locality_answer",
    "portability_question": "portability_prompt",
    "portability_answer": "portability_answer",
}
SPLITS = ("train", "validation", "test")


def words(text: str) -> int:
    """Return the number of words and marks of punctuation; in scripts without spaces each letter is a word."""
    return len(spans(text))


def tokenizer(name: str) -> Callable[[str], int]:
    """Return what counts a text's tokens: `words`, or the transformers tokenizer of that path or hub id."""
    if name == "words":
        return words
    from transformers import AutoTokenizer

    from crossedit.hub import loading

    with loading("--tokenizer", name, "a tokenizer, nor is it `words`"):
        loaded = AutoTokenizer.from_pretrained(name)
    return lambda text: len(loaded.encode(text, add_special_tokens=False))


def table_1(facts: pl.DataFrame, tokens: str = "words") -> pl.DataFrame:
    """Return TABLE_1 of a facts table: one row per split and language, mean lengths in tokens.

    A mean is over the records that have the part, and null where none has.
    """
    count = tokenizer(tokens)
    lengths = facts.with_columns(
        pl.col(column).map_elements(count, return_dtype=pl.Int64).alias(name) for name, column in MEASURED.items()
    )
    means = lengths.group_by("split", "lang").agg(
        pl.len().cast(pl.Int64).alias("records"), *(pl.col(name).mean() for name in MEASURED)
    )
    order = pl.col("split").replace_strict(SPLITS, range(len(SPLITS)), default=len(SPLITS), return_dtype=pl.Int64)
    return means.sort(order, "split", "lang").with_columns(tokenizer=pl.lit(tokens)).select(*TABLE_1.columns)
