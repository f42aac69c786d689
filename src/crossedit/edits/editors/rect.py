"""RECT: RElative Change in weighT (Gu et al., 2024, "Model Editing Harms General Abilities of Large Language Models").

A regulariser of any editor that changes weights: of the change ΔW of a matrix W only those entries are kept whose
relative change |ΔW_ij / W_ij| is among the largest; the others are set to zero. The paper sets it against two
baselines: keeping entries drawn at random, and keeping the principal components of ΔW.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta
from crossedit.edits.draws import generator
from crossedit.edits.editors.interface import Editor
from crossedit.edits.requests import Request
from crossedit.edits.terms import Dense, LowRank, Term
from crossedit.errors import UserError, nearest
from crossedit.models import matrix

Selection = Literal["ratio", "random", "principal"]


@dataclass(frozen=True, kw_only=True)
class RECTHparams:
    """keep: the share of a matrix's entries that keep their change.

    selection: by which these are chosen: ratio (RECT), random, or principal, where the n leading singular directions
    are kept instead of entries. seed: what random ones are drawn by, for each case anew.
    """

    keep: float = 0.4
    selection: Selection = "ratio"
    n: int = 320
    seed: int = 0

    def __post_init__(self) -> None:
        known = get_args(Selection)
        if self.selection not in known:
            raise UserError(f"rect.selection: '{self.selection}' is unknown; {nearest(self.selection, known)}")
        if not 0 < self.keep <= 1:
            raise UserError(f"rect.keep: {self.keep} is no share; write a number above 0, and 1 at most.")
        if self.n < 1:
            raise UserError(f"rect.n: {self.n} is too small; keep one direction at least.")


class RECT(Editor):
    """Another editor, of whose changes a part is kept."""

    Hparams = RECTHparams

    def __init__(self, editor: Editor, hparams: RECTHparams) -> None:
        super().__init__(hparams, editor.materials)
        self.editor = editor

    def edit(self, backbone: Backbone, requests: Sequence[Request]) -> Delta:
        return self._kept(backbone, self.editor.edit(backbone, requests), requests[0])

    def edit_after(self, backbone: Backbone, requests: Sequence[Request], earlier: Sequence[Request]) -> Delta:
        return self._kept(backbone, self.editor.edit_after(backbone, requests, earlier), requests[0])

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        deltas = self.editor.edit_each(backbone, requests)
        return [self._kept(backbone, delta, request) for delta, request in zip(deltas, requests, strict=True)]

    def _kept(self, backbone: Backbone, delta: Delta, request: Request) -> Delta:
        if delta.context or delta.gated:
            raise UserError(
                f"editors: RECT keeps a part of a change of weights, but {type(self.editor).__name__} makes none; "
                "leave `rect` away."
            )
        draw = generator(request, self.hparams.seed)
        return Delta(
            {name: self._part(term, matrix(backbone.module(name)), draw) for name, term in sorted(delta.terms.items())}
        )

    def _part(self, term: Term, weight: Tensor, draw: torch.Generator) -> Term:
        change = term.dense(*weight.shape)  # (out, in)
        if self.hparams.selection == "principal":
            U, S, Vh = torch.linalg.svd(change, full_matrices=False)
            # Directions beyond the change's rank hold nothing but rounding.
            n = min(self.hparams.n, int((S[0] * 1e-6 < S).sum()))
            return LowRank(U[:, :n] * S[:n], Vh[:n].T)
        if self.hparams.selection == "random":
            importance = torch.rand(change.shape, generator=draw).to(change.device)
        else:
            # Where both are zero there is no change; a weight of zero that changes, changes beyond any ratio.
            importance = (change / weight.float()).abs().nan_to_num(nan=0.0, posinf=float("inf"))
        kept = importance.flatten().topk(round(self.hparams.keep * change.numel()), sorted=False).indices
        part = torch.zeros_like(change).flatten()
        part[kept] = change.flatten()[kept]
        return Dense(part.view_as(change))
