"""Plain texts for statistics of a backbone: files that the config names, else the facts themselves."""

import json
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import polars as pl

from crossedit.errors import UserError


def file_texts(paths: Sequence[Path], languages: Collection[str] = ()) -> Iterator[str]:
    """Yield the texts of `.jsonl` files (field `text`) and other files (one text per line), as they are read.

    So that a bounded number of tokens holds every file alike, the n-th texts of all files come together. Where a
    `.jsonl` line names its `lang`, it must be among the languages (none given: all are).
    """
    with ExitStack() as files:
        # Closing a generator closes its file, also where the texts are not read to their end.
        texts = [_read(path, languages) for path in paths]
        for reading in texts:
            files.callback(reading.close)
        while texts:
            for reading in list(texts):
                text = next(reading, None)
                if text is None:
                    texts.remove(reading)
                else:
                    yield text


def fact_texts(facts: pl.DataFrame, languages: Collection[str] = ()) -> list[str]:
    """Return each fact's question with the answer before the edit; of training facts the rephrase and locality too.

    What generality and locality will be measured on is left out, so that no editor has seen its statistics. Facts in
    other than the languages (none given: all) are left out.
    """
    plain = (("prompt", "original"),)
    pairs = {"train": (*plain, ("rephrase", "original"), ("locality_prompt", "locality_answer"))}
    return [
        f"{row[question]} {row[answer]}"
        for row in facts.sort("case_id", "lang").iter_rows(named=True)
        if not languages or row["lang"] in languages
        for question, answer in pairs.get(row["split"], plain)
        if row[question] and row[answer]
    ]


def _read(path: Path, languages: Collection[str]) -> Generator[str, None, None]:
    try:
        file = path.open(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"covariance_text: '{path}' doesn't exist; name text files.") from None
    with file:
        try:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                if path.suffix == ".jsonl":
                    yield from _of_record(line, f"{path}: line {number}", languages)
                else:
                    yield line.rstrip("\n")
        except UnicodeDecodeError as error:
            raise UserError(f"{path}: is no UTF-8 text ({error}); save it as UTF-8.") from None


def _of_record(line: str, where: str, languages: Collection[str]) -> Iterator[str]:
    try:
        record = json.loads(line)
        text, language = record["text"], record.get("lang")
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError):
        raise UserError(f"{where} is no JSON object with a `text`.") from None
    if not languages or language is None or language in languages:
        yield text
