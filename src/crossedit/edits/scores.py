"""Scores: what each answer of a cell is worth, and the mean of every metric over its facts, with how sure it is.

    each = values(predictions, tokens)
    score(each, cell={"facts": "demo", "backbone": "demo-bi", "editor": "ROME", "edit_lang": "en"}, seed=0)

Reliability, generality and portability compare the edited model's answer with the target; locality compares it with the
unedited model's answer.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from crossedit import UNEDITED
from crossedit.edits.metrics import (
    Tokens,
    characters,
    exact_match,
    exact_match_normalised,
    f1,
    f1_product,
)
from crossedit.edits.outcomes import outcome
from crossedit.edits.requests import asked_after
from crossedit.facts.languages import others
from crossedit.hub import loading
from crossedit.tables import PREDICTIONS, VALUES

RESAMPLES = 1000
METRICS = ("em", "em_normalised", "f1", "f1_product")
KEY = list(PREDICTIONS.key)
_GROUP = ["aspect", "kind", "lang", "protocol"]


def values(predictions: pl.DataFrame, tokens: Tokens) -> pl.DataFrame:
    """Return the predictions' keys with one column per metric, and the outcome, row by row."""
    measured = lru_cache(maxsize=None)(partial(_measure, tokens=lru_cache(maxsize=None)(tokens)))
    texts = predictions.select("aspect", "after_text", "target_text", "before_text", "lang")
    rows = []
    for aspect, after, target, before, lang in texts.iter_rows():
        wanted = before if aspect == "locality" else target
        rows.append((*measured(after, wanted), outcome(aspect, after, target, before, lang)))
    worth = pl.DataFrame(rows, schema={**dict.fromkeys(METRICS, pl.Float64), "outcome": pl.String}, orient="row")
    return pl.concat([predictions.select(KEY), worth], how="horizontal")


def _measure(answer: str, wanted: str, tokens: Tokens) -> tuple[float, ...]:
    pair = tokens(answer.strip()), tokens(wanted.strip())
    return exact_match(answer, wanted), exact_match_normalised(answer, wanted), f1(*pair), f1_product(*pair)


def of_cell(each: pl.DataFrame, cell: Mapping[str, str]) -> pl.DataFrame:
    """Return the VALUES that are those of a cell."""
    return each.with_columns(pl.lit(name).alias(column) for column, name in cell.items()).select(*VALUES.columns)


def score(each: pl.DataFrame, cell: Mapping[str, str], seed: int) -> pl.DataFrame:
    """Return the SCORES of a cell, or of whatever else `cell` names: means (0 to 1) and their 95 % intervals.

    low and high: as `interval` has them, NaN where there is none.

    Where questions of an aspect are of several kinds, each kind is scored, and all of them together as kind "all"; a
    fact then counts with the mean over its questions, since facts, not questions, are what is resampled.
    """
    return _scored(_by_fact(each), cell, seed)


def cell_scores(each: pl.DataFrame, cell: Mapping[str, str], seed: int) -> pl.DataFrame:
    """Return the SCORES of a cell, and those of the mean over its other languages, where there are several of these.

    A fact counts there with its own mean over them, so that it is resampled in all of them together; see `elsewhere`.
    """
    facts = _by_fact(each)
    return _scored(pl.concat([facts, _elsewhere(facts, cell["edit_lang"])]), cell, seed)


def _by_fact(each: pl.DataFrame) -> pl.DataFrame:
    every = each.with_columns(kind=pl.lit("all"))
    kinds = each.filter(pl.col("kind") != "")
    return pl.concat([every, kinds]).group_by([*_GROUP, "case_id"], maintain_order=True).agg(pl.col(METRICS).mean())


def _elsewhere(facts: pl.DataFrame, language: str) -> pl.DataFrame:
    asked = facts.filter(asked_after(language), pl.col("lang") != language)
    return elsewhere(asked, ("aspect", "kind", "protocol"), METRICS)


def elsewhere(facts: pl.DataFrame, within: Sequence[str], metrics: Sequence[str]) -> pl.DataFrame:
    """Return each fact's mean over all languages, where these are several; a fact that lacks one has none.

    facts: what each is worth in the other languages than that of the edit, a row per fact and language. within: the
    columns of what is asked, each of which has its own languages.
    """
    counted = facts.with_columns(count=pl.col("lang").n_unique().over(within)).filter(pl.col("count") > 1)
    means = counted.group_by([*within, "case_id", "count"], maintain_order=True).agg(
        pl.col(metrics).mean(), asked=pl.len()
    )
    complete = means.filter(pl.col("asked") == pl.col("count"))
    return complete.with_columns(lang=pl.format(others("{}"), "count")).select(facts.columns)


def _scored(facts: pl.DataFrame, cell: Mapping[str, str], seed: int) -> pl.DataFrame:
    rows = []
    for (aspect, kind, lang, protocol), part in facts.group_by(_GROUP, maintain_order=True):
        sample = part.select(METRICS).to_numpy()  # (facts, metrics)
        low, high = interval(sample, seed)
        for number, metric in enumerate(METRICS):
            mean = float(sample[:, number].mean())
            rows.append(
                {
                    **cell,
                    "aspect": aspect,
                    "kind": kind,
                    "lang": lang,
                    "protocol": protocol,
                    "metric": metric,
                    "mean": mean,
                    "low": float(low[number]),
                    "high": float(high[number]),
                    "n": len(sample),
                }
            )
    return pl.DataFrame(rows)


def interval(sample: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % interval of the column means of `sample` (facts, metrics), all its values from 0 to 1.

    It is of the bootstrap (percentiles), which can say nothing where all values are the same. Where all are 0 or all
    are 1 it is `exact_bounds`; where all are another value, as that of a single fact is, there is none: NaN.
    """
    n, least, most = len(sample), sample.min(axis=0), sample.max(axis=0)
    varied, none, every = least < most, most == 0, least == 1
    low, high = (np.full(sample.shape[1], np.nan) for _ in range(2))
    if varied.any():
        # It takes a third of a second to import, which those who want only other functions would wait for.
        from scipy.stats import bootstrap

        found = bootstrap((sample,), np.mean, axis=0, n_resamples=RESAMPLES, method="percentile", rng=seed)
        low[varied], high[varied] = (bound[varied] for bound in found.confidence_interval)
    low[none], high[none] = exact_bounds(n, 0)
    low[every], high[every] = exact_bounds(n, 1)
    return low, high


def exact_bounds(n: int, end: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a mean of which all `n` values from 0 to 1 are at the same end, 0 or 1.

    That of Clopper and Pearson (1934) for 0 or n right of n. It holds for any values from 0 to 1: where their mean is
    µ, one is above 0 at least as often as µ, so that all are 0 at most as often as (1 - µ)ⁿ, which is 2.5 % at the
    bound.
    """
    reach = 1 - 0.025 ** (1 / n)
    return (1 - reach, 1.0) if end else (0.0, reach)


def exact_bounds_of_difference(n: int, same: float) -> tuple[float, float]:
    """Return the exact 95 % interval of the mean of `n` differences of values from 0 to 1, all of which are `same`.

    It is of `exact_bounds`, NaN where `same` is none of -1, 0 and 1. A mean of differences is no further from 0 than
    that of their sizes, so that where all are 0 both ends are as far as the upper one of these. Where all are 1, those
    not seen may be -1: half of 1 + difference is a value from 0 to 1, of which all are 1.
    """
    reach = exact_bounds(n, 0)[1]
    bounds = {-1.0: (-1.0, 2 * reach - 1), 0.0: (-reach, reach), 1.0: (1 - 2 * reach, 1.0)}
    return bounds.get(round(same, 9), (math.nan, math.nan))


def tokens_of(choice: str, backbone: Mapping[str, Any]) -> Tokens:
    """Return what F1 counts: `characters`, the backbone's `own` tokens, or those of a tokenizer's path or hub id."""
    if choice == "characters":
        return characters
    path = backbone["path"] if choice == "own" else choice
    pinned = {key: backbone[key] for key in ("revision", "trust_remote_code") if choice == "own" and key in backbone}
    file = Path(path) / "tokenizer.json"
    if file.exists():  # a folder needs no transformers, whose import takes longer than the scoring
        from tokenizers import Tokenizer

        bare = Tokenizer.from_file(str(file))
        return lambda text: bare.encode(text, add_special_tokens=False).ids
    from transformers import AutoTokenizer

    with loading("f1_tokens", path, "a tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(path, **pinned)

    def ids(text: str) -> Sequence[int]:
        found: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    return ids


def unedited_values(each: pl.DataFrame, cell: Mapping[str, str], languages: Sequence[str]) -> pl.DataFrame:
    """Return the VALUES of the backbone as it is, of what is asked after edits in these languages, without any."""
    asked = each.filter(pl.any_horizontal(map(asked_after, languages)))
    return of_cell(asked, {**cell, "editor": UNEDITED, "edit_lang": ""})


def unedited_scores(each: pl.DataFrame, cell: Mapping[str, str], languages: Sequence[str], seed: int) -> pl.DataFrame:
    """Return the SCORES of the backbone as it is, once per editing language: reliability is that language's own.

    Its locality is 1 by definition, not by chance, and so has no interval.
    """
    facts, named = _by_fact(each), {**cell, "editor": UNEDITED}
    scored = _scored(facts, named, seed)
    found = []
    for language in languages:
        parts = [scored.filter(asked_after(language))]
        if len(means := _elsewhere(facts, language)):
            parts.append(_scored(means, named, seed))
        found += [part.with_columns(edit_lang=pl.lit(language)) for part in parts]
    bound = pl.when(pl.col("aspect") != "locality").then(pl.col("low", "high")).otherwise(float("nan"))
    return pl.concat(found).with_columns(bound)
