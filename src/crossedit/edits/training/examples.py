"""The facts that an editor may learn from or retrieve."""

from dataclasses import dataclass

import polars as pl
import torch

from crossedit.errors import UserError


@dataclass(frozen=True)
class Example:
    """One fact to learn from: the edit, a question in its scope, and a question outside of it."""

    case_id: int
    prompt: str
    target: str
    rephrase: str
    locality_prompt: str
    locality_answer: str


def training_facts(facts: pl.DataFrame, train_size: int | None, seed: int) -> pl.DataFrame:
    """Return the rows of the training split that an editor with this `train_size` may use; all of them for None.

    They are the first ones of an order drawn by seed, so that a smaller size is part of a larger one, and the same
    facts in every language. Raises UserError where the split has fewer.
    """
    rows = facts.filter(pl.col("split") == "train")
    if train_size is None:
        return rows
    cases = rows["case_id"].unique().sort()
    if train_size > len(cases):
        raise UserError(
            f"train_size: {train_size} training facts are wanted, but the training split has {len(cases)}; "
            "draw more (`splits` of the facts) or lower train_size."
        )
    order = torch.randperm(len(cases), generator=torch.Generator().manual_seed(seed)).tolist()
    return rows.filter(pl.col("case_id").is_in([cases[place] for place in order[:train_size]]))


def examples_of(rows: pl.DataFrame, language: str, what: str) -> list[Example]:
    """Return the facts of one language that have a rephrase and a locality question, in the order of their cases.

    Raises UserError where there are none; `what` names the split.
    """
    rows = rows.filter(pl.col("lang") == language)
    whole = rows.drop_nulls(["rephrase", "locality_prompt", "locality_answer"]).sort("case_id")
    if whole.is_empty():
        raise UserError(
            f"facts: of the {len(rows)} {what} facts in '{language}', none has a rephrase and a locality question with "
            f"its answer; an editor that is trained needs such {what} facts (`splits` of the facts)."
        )
    names = [*Example.__dataclass_fields__]
    return [Example(**row) for row in whole.select(names).iter_rows(named=True)]
