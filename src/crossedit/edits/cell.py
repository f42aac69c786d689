"""A cell of the grid: one backbone, one editor, one editing language, all test facts.

    predictions, seconds = run_cell(backbone, editor, requests, probes, unedited, protocols, batch_size=64)

The facts are worked through in batches: their deltas are found together, all their questions are answered together,
and the deltas are dropped. The backbone's weights are never touched, which is checked at the end.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import polars as pl

from crossedit.backbones.answers import answer
from crossedit.backbones.backbone import Backbone, weights_digest
from crossedit.edits.deltas import Context, Delta, editing
from crossedit.edits.editors.interface import Editor
from crossedit.edits.predictions import ASKED, beside_unedited
from crossedit.edits.requests import Request, asked_after, language_of
from crossedit.errors import UserError
from crossedit.progress import track


def share_out(requests: Sequence[Request], batch_size: int, shard: int, shards: int) -> list[Request]:
    """Return the requests of a shard (counted from 1): every `shards`-th batch of them.

    Shards get whole batches, and what becomes of a batch depends on it alone, so that the number of shards changes no
    bit of a cell's predictions. Raises UserError where there are too few batches.
    """
    batches = [requests[start : start + batch_size] for start in range(0, len(requests), batch_size)]
    if shard > len(batches):
        raise UserError(
            f"shards: {shards} can't share {len(requests)} facts in batches of {batch_size}; lower `shards` or "
            "`batch_size` of the editor."
        )
    return [request for batch in batches[shard - 1 :: shards] for request in batch]


def run_cell(
    backbone: Backbone,
    editor: Editor,
    requests: Sequence[Request],
    probes: pl.DataFrame,
    unedited: pl.DataFrame,
    protocols: Sequence[str],
    batch_size: int = 64,
) -> tuple[pl.DataFrame, dict[str, float]]:
    """Return the PREDICTIONS of independent edits, and the seconds spent on finding the edits and on answering.

    probes, unedited: the PROBES and ANSWERS of the backbone; reliability is asked in the editing language only.
    Raises UserError where there is nothing to edit.
    """
    probes = probes.filter(asked_after(language_of(requests)))
    parts = []
    seconds = {"edit": 0.0, "answer": 0.0}
    with untouched(backbone):
        for start in track(range(0, len(requests), batch_size), "editing"):
            batch = requests[start : start + batch_size]
            begun = time.perf_counter()
            deltas = editor.edit_each(backbone, batch)
            seconds["edit"] += time.perf_counter() - begun
            begun = time.perf_counter()
            cases = [request.case_id for request in batch]
            asked = probes.filter(pl.col("case_id").is_in(cases))
            parts += [answer_edited(backbone, deltas, cases, asked, protocol) for protocol in protocols]
            if "upstream" in protocols and any(delta.context for delta in deltas):
                unedited = _instead(unedited, _upstream_before(backbone, deltas, cases, asked))
            seconds["answer"] += time.perf_counter() - begun
    return beside_unedited(probes, unedited, pl.concat(parts)), seconds


@contextmanager
def untouched(backbone: Backbone) -> Iterator[None]:
    """Inside it edits are found and asked; raises RuntimeError where they have left a changed weight behind."""
    pristine = backbone.digest
    yield
    if weights_digest(backbone.model) != pristine:
        raise RuntimeError(f"the weights of '{backbone.name}' are not what they were before the cell")


def answer_edited(
    backbone: Backbone, deltas: Sequence[Delta], cases: Sequence[int], probes: pl.DataFrame, protocol: str
) -> pl.DataFrame:
    """Return the ANSWERS to the probes, each by the model that `deltas[k]` makes for case `cases[k]`.

    Under `upstream` an in-context edit is asked as published: with the new fact's answer in the question's language.
    """
    contexts = _contexts(deltas, cases, probes)
    prefixes = None
    if any(contexts):
        prefixes = [
            context.prefix(lang if protocol == "upstream" else None) if context else ""
            for context, lang in zip(contexts, probes["lang"], strict=True)
        ]
    return answer(
        backbone,
        probes,
        protocol,
        editing=editing(backbone, deltas, _owners(cases, probes)),
        prefixes=prefixes,
        apart=any(delta.gated for delta in deltas),
    )


def _upstream_before(
    backbone: Backbone, deltas: Sequence[Delta], cases: Sequence[int], probes: pl.DataFrame
) -> pl.DataFrame:
    """Return what the published code compares an in-context edit's locality with: the new fact, no demonstrations."""
    locality = probes.filter(pl.col("aspect") == "locality")
    prefixes = [
        context.prefix(lang, demonstrations=False) if context else ""
        for context, lang in zip(_contexts(deltas, cases, locality), locality["lang"], strict=True)
    ]
    return answer(backbone, locality, "upstream", prefixes=prefixes)


def _owners(cases: Sequence[int], probes: pl.DataFrame) -> list[int]:
    """Return for each probe the number of its case among `cases`."""
    place = {case: number for number, case in enumerate(cases)}
    return [place[case] for case in probes["case_id"]]


def _contexts(deltas: Sequence[Delta], cases: Sequence[int], probes: pl.DataFrame) -> list[Context | None]:
    return [deltas[owner].context for owner in _owners(cases, probes)]


def _instead(unedited: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return the unedited answers with the others in the place of those to the same questions."""
    kept = unedited.join(others, on=[*ASKED, "protocol"], how="anti")
    return pl.concat([kept.select(others.columns), others])
