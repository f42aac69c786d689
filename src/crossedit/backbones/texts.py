"""Plain texts for statistics of a backbone: files that the config names, else the facts themselves."""

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from crossedit.errors import UserError


def file_texts(paths: Sequence[Path]) -> list[str]:
    """Return the texts of `.jsonl` files (field `text`) and other files (one text per line), the files in turn.

    So that a bounded number of tokens holds every language alike, the n-th texts of all files stand together.
    """
    files = [_read(path) for path in paths]
    longest = max((len(texts) for texts in files), default=0)
    return [texts[index] for index in range(longest) for texts in files if index < len(texts)]


def fact_texts(facts: pl.DataFrame) -> list[str]:
    """Return each fact's question with the answer before the edit; of training facts the rephrase and locality too.

    What generality and locality will be measured on is left out, so that no editor has seen its statistics.
    """
    plain = (("prompt", "original"),)
    pairs = {"train": (*plain, ("rephrase", "original"), ("locality_prompt", "locality_answer"))}
    return [
        f"{row[question]} {row[answer]}"
        for row in facts.sort("case_id", "lang").iter_rows(named=True)
        for question, answer in pairs.get(row["split"], plain)
        if row[question] and row[answer]
    ]


def _read(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"covariance_text: '{path}' doesn't exist; name text files.") from None
    if path.suffix != ".jsonl":
        return [line for line in lines if line.strip()]
    texts = []
    for number, line in enumerate(lines, start=1):
        try:
            texts.append(json.loads(line)["text"])
        except (json.JSONDecodeError, KeyError, TypeError):
            raise UserError(f"{path}: line {number} is no JSON object with a `text`.") from None
    return texts
