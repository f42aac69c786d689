"""A cell asks every question of every fact once, however the facts are batched or shared out."""

from collections.abc import Sequence

import polars as pl
import pytest
import torch

from crossedit.backbones.answers import answer
from crossedit.backbones.backbone import Backbone, weights_digest
from crossedit.backbones.probes import make_probes
from crossedit.edits.cell import run_cell, share_out
from crossedit.edits.deltas import Delta
from crossedit.edits.editors import make_editor
from crossedit.edits.editors.interface import Editor, Materials
from crossedit.edits.predictions import unedited_predictions
from crossedit.edits.requests import Request, make_requests
from crossedit.edits.retrieval import Pool
from crossedit.errors import UserError
from crossedit.tables import PREDICTIONS, check

PROTOCOLS = ("teacher_forced", "generated", "upstream")
KEY = ["case_id", "aspect", "kind", "lang", "protocol"]
FT = {"layers": [1], "lr": 5e-3, "num_steps": 8, "objective_optimization": "target_new"}


@pytest.fixture(scope="module")
def probes(llama: Backbone, facts: pl.DataFrame) -> pl.DataFrame:
    asked = facts.with_columns(
        portability_prompt=pl.lit("Who lives there?"),
        portability_answer=pl.lit("Italians"),
        same_subject_prompt=pl.lit("Which sea is near?"),
        same_subject_answer=pl.lit("none"),
    )
    return make_probes(asked, llama, ["en", "zh"])


@pytest.fixture(scope="module")
def unedited(llama: Backbone, probes: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([answer(llama, probes, protocol) for protocol in PROTOCOLS])


def editor_of(method: str) -> Editor:
    pool = Pool(["demo one\n\n", "demo two\n\n"], torch.eye(2), {case: torch.tensor([1.0, 2.0]) for case in (1, 2, 3)})
    return make_editor(method, FT if method == "FT-M" else {"k": 1}, Materials(pool=pool))


@pytest.mark.parametrize("method", ["FT-M", "IKE"])
def test_every_question_is_asked_once_and_reliability_in_the_editing_language(
    method: str, llama: Backbone, facts: pl.DataFrame, probes: pl.DataFrame, unedited: pl.DataFrame
) -> None:
    pristine = weights_digest(llama.model)
    requests = make_requests(facts, "zh")
    predictions, seconds = run_cell(llama, editor_of(method), requests, probes, unedited, PROTOCOLS, batch_size=2)
    check(predictions, PREDICTIONS, "predictions")
    asked = probes.filter((pl.col("aspect") != "reliability") | (pl.col("lang") == "zh"))
    expected = asked.select(KEY[:4]).join(pl.DataFrame({"protocol": PROTOCOLS}), how="cross")
    assert predictions.select(KEY).sort(KEY).equals(expected.sort(KEY))
    assert set(predictions.filter(pl.col("aspect") == "reliability")["lang"]) == {"zh"}
    assert not predictions["after_ids"].equals(predictions["before_ids"])
    assert weights_digest(llama.model) == pristine
    assert seconds.keys() == {"edit", "answer"}


@pytest.mark.parametrize("method", ["FT-M", "IKE"])
def test_neither_batches_nor_shards_change_an_answer(
    method: str,
    llama: Backbone,
    probes: pl.DataFrame,
    unedited: pl.DataFrame,
    requests_en: list[Request],
) -> None:
    editor = editor_of(method)

    def run(requests: Sequence[Request], batch_size: int) -> pl.DataFrame:
        return run_cell(llama, editor, requests, probes, unedited, PROTOCOLS, batch_size)[0]

    whole = run(requests_en, 3)
    assert run(requests_en, 1).equals(whole)
    for shards in (2, 3):
        parts = [run(share_out(requests_en, 1, shard, shards), 1) for shard in range(1, shards + 1)]
        assert pl.concat(parts).sort(KEY).equals(whole)


def test_shards_get_whole_batches(requests_en: list[Request]) -> None:
    many = [*requests_en, *requests_en, requests_en[0]]  # 7 in batches of 3: two full ones, and one
    assert [len(share_out(many, 3, shard, 2)) for shard in (1, 2)] == [4, 3]
    assert share_out(many, 3, 1, 2) == [*many[:3], many[6]]
    assert share_out(many, 3, 1, 1) == many
    with pytest.raises(UserError, match="4 can't share 7 facts in batches of 3"):
        share_out(many, 3, 4, 4)


def test_a_fact_is_asked_of_its_own_edit(
    llama: Backbone, probes: pl.DataFrame, unedited: pl.DataFrame, requests_en: list[Request]
) -> None:
    """Only the second fact is edited; the others' answers stay."""

    class OnlyTheSecond(Editor):
        def edit(self, backbone: Backbone, requests: Sequence[Request]) -> Delta:
            return editor_of("FT-M").edit(backbone, requests)

        def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
            return [self.edit(backbone, [request]) if request.case_id == 2 else Delta() for request in requests]

    editor = OnlyTheSecond(None, Materials())
    predictions, _ = run_cell(llama, editor, requests_en, probes, unedited, ["teacher_forced"])
    kept = predictions.filter(pl.col("case_id") != 2)
    assert kept["after_ids"].equals(kept["before_ids"], check_names=False)
    edited = predictions.filter((pl.col("case_id") == 2) & (pl.col("aspect") == "reliability"))
    assert not edited["after_ids"].equals(edited["before_ids"], check_names=False)


def test_in_context_edits_are_asked_as_published_under_upstream_alone(
    llama: Backbone, probes: pl.DataFrame, unedited: pl.DataFrame, requests_en: list[Request]
) -> None:
    """Published: the new fact's answer is in the question's language, and locality is compared without demonstrations.

    Elsewhere the answer is in the editing language, and what stands before the edit is the bare question's answer.
    """
    editor = editor_of("IKE")
    predictions, _ = run_cell(llama, editor, requests_en, probes, unedited, PROTOCOLS)
    bare = unedited_predictions(probes, unedited)
    targets = {request.case_id: request.targets for request in requests_en}
    for row in predictions.iter_rows(named=True):
        upstream = row["protocol"] == "upstream"
        request = next(request for request in requests_en if request.case_id == row["case_id"])
        head = f"New Fact: {request.prompt} {targets[row['case_id']][row['lang'] if upstream else 'en']}\nPrompt: "
        copy = f"New Fact: {request.prompt} {request.target}\nPrompt: {request.prompt} {request.target}\n\n"
        asked = probes.filter(pl.all_horizontal(pl.col(name) == row[name] for name in KEY[:4]))

        def given(prefix: str, asked: pl.DataFrame = asked, protocol: str = row["protocol"]) -> list[int]:
            ids: list[int] = answer(llama, asked, protocol, prefixes=[prefix])["answer_ids"].to_list()[0]
            return ids

        assert row["after_ids"] == given("demo two\n\n" + copy + head)
        if upstream and row["aspect"] == "locality":
            assert row["before_ids"] == given(head)
        else:
            same = bare.filter(pl.all_horizontal(pl.col(name) == row[name] for name in KEY))
            assert row["before_ids"] == same["before_ids"].to_list()[0]


def test_the_unedited_model_stands_before_and_after(
    llama: Backbone, probes: pl.DataFrame, unedited: pl.DataFrame
) -> None:
    predictions = check(unedited_predictions(probes, unedited), PREDICTIONS, "predictions")
    assert predictions["before_ids"].equals(predictions["after_ids"], check_names=False)
    assert len(predictions) == len(unedited) == 3 * len(probes)


def test_changed_weights_are_found_out(
    llama: Backbone, probes: pl.DataFrame, unedited: pl.DataFrame, requests_en: list[Request]
) -> None:
    weight = llama.module(llama.architecture.mlp_out.format(0)).weight
    old = weight[0, 0].item()

    class Careless(Editor):
        def edit(self, backbone: Backbone, requests: Sequence[Request]) -> Delta:
            weight[0, 0] = old + 1
            return Delta()

        def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
            return [self.edit(backbone, [request]) for request in requests]

    assert llama.digest == weights_digest(llama.model)
    try:
        with pytest.raises(RuntimeError, match="the weights of 'tiny-llama' are not what they were"):
            run_cell(llama, Careless(None, Materials()), requests_en, probes, unedited, ["teacher_forced"])
    finally:
        weight[0, 0] = old


def test_a_cell_without_facts_is_refused(llama: Backbone, probes: pl.DataFrame, unedited: pl.DataFrame) -> None:
    with pytest.raises(UserError, match="no test facts to edit"):
        run_cell(llama, editor_of("FT-M"), [], probes, unedited, PROTOCOLS)
