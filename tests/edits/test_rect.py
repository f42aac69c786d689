"""RECT keeps a share of another editor's changes: the relatively largest, random ones, or leading directions."""

from typing import Any

import pytest
import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone, weights_digest
from crossedit.edits.deltas import Delta
from crossedit.edits.editors import make_editor
from crossedit.edits.editors.interface import Materials
from crossedit.edits.editors.rect import RECT
from crossedit.edits.requests import Request
from crossedit.edits.retrieval import Pool
from crossedit.errors import UserError
from crossedit.models import matrix

KN = {"steps": 2, "adaptive_threshold": 0.01}
FT = {"layers": [1, 2], "lr": 5e-3, "num_steps": 3, "objective_optimization": "target_new"}


def dense(delta: Delta, backbone: Backbone) -> dict[str, Tensor]:
    return {name: term.dense(*matrix(backbone.module(name)).shape) for name, term in delta.terms.items()}


def pair(
    backbone: Backbone, requests: list[Request], method: str, hparams: dict[str, Any], **rect: Any
) -> list[tuple[dict[str, Tensor], dict[str, Tensor]]]:
    """Return each request's changes of weights without and with RECT."""
    plain = make_editor(method, hparams, Materials()).edit_each(backbone, requests)
    kept = make_editor(method, hparams, Materials(), rect=rect).edit_each(backbone, requests)
    return [(dense(one, backbone), dense(two, backbone)) for one, two in zip(plain, kept, strict=True)]


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.999])
@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_the_relatively_largest_entries_are_kept(
    keep: float, architecture: str, request: pytest.FixtureRequest, requests_en: list[Request]
) -> None:
    backbone = request.getfixturevalue(architecture)
    pristine = weights_digest(backbone.model)
    for before, after in pair(backbone, requests_en, "FT-M", FT, keep=keep):
        assert set(before) == set(after)
        for name, change in before.items():
            kept = after[name] != 0
            assert int(kept.sum()) == round(keep * change.numel())
            assert torch.equal(after[name][kept], change[kept])
            ratio = (change / matrix(backbone.module(name))).abs()
            assert ratio[kept].min() >= ratio[~kept].max()
    assert weights_digest(backbone.model) == pristine


def test_of_a_change_of_rank_one_entries_are_kept_not_columns(llama: Backbone, requests_en: list[Request]) -> None:
    """KN's matrix u vᵀ with a part of its entries zero is a matrix of higher rank."""
    for before, after in pair(llama, requests_en, "KN", KN, keep=0.01):
        for name, change in before.items():
            assert torch.linalg.matrix_rank(change) == 1
            assert int((after[name] != 0).sum()) == round(0.01 * change.numel())
        assert max(int(torch.linalg.matrix_rank(weight)) for weight in after.values()) > 1


def test_all_is_kept_where_all_is_to_be(llama: Backbone, requests_en: list[Request]) -> None:
    for selection in ("ratio", "random", "principal"):
        for before, after in pair(llama, requests_en, "FT-M", FT, keep=1.0, selection=selection):
            for name, change in before.items():
                torch.testing.assert_close(after[name], change, atol=1e-6, rtol=1e-4)


def test_random_entries_are_those_of_the_case(llama: Backbone, requests_en: list[Request]) -> None:
    rect = {"keep": 0.25, "selection": "random"}
    together = pair(llama, requests_en, "FT-M", FT, **rect)
    (alone,) = pair(llama, requests_en[2:], "FT-M", FT, **rect)
    (reseeded,) = pair(llama, requests_en[2:], "FT-M", FT, **rect, seed=1)
    for name, change in together[2][1].items():
        assert torch.equal(change != 0, alone[1][name] != 0)
        assert not torch.equal(change != 0, reseeded[1][name] != 0)
        assert not torch.equal(change != 0, together[1][1][name] != 0)
        assert int((change != 0).sum()) == round(0.25 * change.numel())


def test_principal_components_are_the_nearest_matrix_of_their_rank(llama: Backbone, requests_en: list[Request]) -> None:
    for before, after in pair(llama, requests_en, "FT-M", FT, selection="principal", n=3):
        for name, change in before.items():
            assert torch.linalg.matrix_rank(after[name], rtol=1e-4) == 3
            left_out = torch.linalg.svdvals(change)[3:].square().sum().sqrt()
            torch.testing.assert_close((change - after[name]).norm(), left_out, rtol=1e-3, atol=1e-6)


def test_an_edit_of_many_facts_is_rectified_where_the_editor_has_one(
    llama: Backbone, requests_en: list[Request]
) -> None:
    plain = dense(make_editor("FT-M", FT, Materials()).edit(llama, requests_en), llama)
    for name, change in dense(
        make_editor("FT-M", FT, Materials(), {"keep": 0.3}).edit(llama, requests_en), llama
    ).items():
        assert int((change != 0).sum()) == round(0.3 * change.numel())
        assert torch.equal(change[change != 0], plain[name][change != 0])
    with pytest.raises(UserError, match="KN edits one fact at a time"):
        make_editor("KN", KN, Materials(), {"keep": 0.3}).edit(llama, requests_en)


def test_editors_that_change_no_weights_are_refused(llama: Backbone, requests_en: list[Request]) -> None:
    pool = Pool(["demo\n\n"], torch.ones(1, 1), {request.case_id: torch.ones(1) for request in requests_en})
    with pytest.raises(UserError, match="RECT keeps a part of a change of weights, but IKE makes none"):
        make_editor("IKE", {"k": 1}, Materials(pool=pool), {}).edit_each(llama, requests_en)
    book = {"layers": [1], "module": "mlp_out", "edit_lr": 0.3, "n_iter": 2, "eps": 1.0}
    with pytest.raises(UserError, match="but GRACE makes none; leave `rect` away"):
        make_editor("GRACE", book, Materials(), {}).edit_each(llama, requests_en)


@pytest.mark.parametrize(
    ("rect", "said"),
    [
        ({"keep": 0.0}, "rect.keep: 0.0 is no share"),
        ({"keep": 1.5}, "rect.keep: 1.5 is no share"),
        ({"selection": "ration"}, "rect.selection: 'ration' is unknown; .*ratio"),
        ({"selection": "principal", "n": 0}, "rect.n: 0 is too small"),
        ({"kept": 0.2}, "rect: 'kept' is unknown; .*keep"),
    ],
)
def test_what_rect_does_not_know_is_told(rect: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        make_editor("KN", KN, Materials(), rect)


def test_without_options_rect_keeps_the_papers_share() -> None:
    editor = make_editor("KN", KN, Materials(), {})
    assert isinstance(editor, RECT)
    assert (editor.hparams.keep, editor.hparams.selection) == (0.4, "ratio")
