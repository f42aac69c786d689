"""GRACE: the codebook's entries, how they hold, and how several share the space."""

import polars as pl
import pytest
import torch
from torch import Tensor

from crossedit.backbones.answers import answer
from crossedit.backbones.backbone import Backbone
from crossedit.backbones.probes import make_probes
from crossedit.edits.deltas import Codebook, Delta, editing
from crossedit.edits.editors import make_editor
from crossedit.edits.editors.grace import GRACE
from crossedit.edits.editors.interface import Materials
from crossedit.edits.requests import Request
from crossedit.errors import UserError

HPARAMS = {"layers": [1], "module": "mlp_out", "edit_lr": 0.3, "n_iter": 60, "eps": 1e-3, "loss_tolerance": 1e-2}


def grace(**changed: object) -> GRACE:
    editor = make_editor("GRACE", {**HPARAMS, **changed}, Materials())
    assert isinstance(editor, GRACE)
    return editor


def book(delta: Delta) -> Codebook:
    (term,) = delta.terms.values()
    assert isinstance(term, Codebook)
    return term


@pytest.mark.parametrize(("module", "start"), [("mlp_out", "warm"), ("mlp_in", "cold")])
def test_entries_found_together_are_those_found_alone(
    module: str, start: str, backbone: Backbone, requests_en: list[Request], requests_zh: list[Request]
) -> None:
    requests = [*requests_en, *requests_zh]
    editor = grace(module=module, val_init=start)
    for request, delta in zip(requests, editor.edit_each(backbone, requests), strict=True):
        together, alone = book(delta), book(editor.edit_each(backbone, [request])[0])
        torch.testing.assert_close(together.keys, alone.keys, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(together.values, alone.values, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("joint", [False, True])
def test_edits_hold_and_other_questions_are_answered_as_before(
    joint: bool, backbone: Backbone, facts: pl.DataFrame, requests_en: list[Request]
) -> None:
    editor = grace()
    deltas = [editor.edit(backbone, requests_en)] * 3 if joint else editor.edit_each(backbone, requests_en)
    probes = make_probes(facts, backbone, ["en"])
    before = answer(backbone, probes, "teacher_forced")
    after = answer(backbone, probes, "teacher_forced", editing=editing(backbone, deltas, probes["case_id"] - 1))
    own = probes["aspect"] == "reliability"
    # The replaced state gives the first token; how much of it a random model carries on to later ones is chance.
    first = [pl.col(name).list.first() for name in ("answer_ids", "target_ids")]
    assert after.filter(own).select(holds=first[0] == first[1])["holds"].all()
    assert not after.filter(own).equals(before.filter(own))
    assert after.filter(~own).equals(before.filter(~own))


def entered(keys: list[float], targets: list[str], requests: list[Request], eps: float) -> Codebook:
    """Return the joint codebook of requests whose keys stand on a line."""

    class OnALine(GRACE):
        def _entries(self, backbone: Backbone, requests: object, name: str) -> tuple[Tensor, Tensor]:
            return torch.tensor(keys)[:, None], torch.arange(float(len(keys)))[:, None]

        def _module(self, backbone: Backbone) -> str:
            return "line"

    changed = [Request(**{**vars(requests[0]), "target": target}) for target in targets]
    return book(OnALine(grace(eps=eps).hparams, Materials()).edit(None, changed))  # type: ignore[arg-type]


def test_entries_that_disagree_share_the_space_between_them(requests_en: list[Request]) -> None:
    found = entered([0.0, 1.0, 9.0], ["Rome", "Oslo", "Rome"], requests_en, eps=1.0)
    torch.testing.assert_close(found.radii, torch.tensor([0.5 - 1e-5, 0.5, 1.0]))
    assert found.values[:, 0].tolist() == [0, 1, 2]


def test_an_entry_of_the_same_answer_grows(requests_en: list[Request]) -> None:
    found = entered([0.0, 1.5, 0.2], ["Rome", "Rome", "Rome"], requests_en, eps=1.0)
    torch.testing.assert_close(found.radii, torch.tensor([1.5]))


def test_grace_has_one_place(llama: Backbone, requests_en: list[Request]) -> None:
    for changed in ({"layers": [0, 1]}, {"module": "mlp"}):
        with pytest.raises(UserError, match="hyperparameters of GRACE"):
            grace(**changed).edit_each(llama, requests_en)


def test_every_seed_draws_every_fact_a_value_of_its_own(llama: Backbone, requests_en: list[Request]) -> None:
    seeds = [grace(n_iter=0, seed=seed).edit_each(llama, requests_en) for seed in (0, 1)]
    values = torch.cat([book(delta).values for deltas in seeds for delta in deltas])
    assert len(values.unique(dim=0)) == 6
    assert ((values >= 0) & (values < 1)).all()
