"""ICE: In-Context Editing by the new fact alone (Cohen et al., 2024, on the ripple effects of editing).

Nothing is changed but the prompt: the model is told to imagine that the new fact holds, and is then asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Context, Delta
from crossedit.edits.editors.ike import check_length
from crossedit.edits.editors.interface import Editor
from crossedit.edits.requests import Request
from crossedit.edits.retrieval import new_fact
from crossedit.errors import UserError

IMAGINE = {"en": "Imagine that {} {}\n", "zh": "假设{} {}\n"}


@dataclass(frozen=True, kw_only=True)
class ICEHparams:
    """template: imagine, as in the paper, in the editing language; or new_fact, IKE's line for the new fact, which is
    what EasyEdit runs as ICE.
    """

    template: Literal["imagine", "new_fact"] = "imagine"


class ICE(Editor):
    Hparams = ICEHparams

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        deltas = []
        for request in requests:
            lines = {lang: self._line(request, target) for lang, target in request.targets.items()}
            context = Context("", lines, request.lang)
            check_length(backbone, request, context, "leave this fact out")
            deltas.append(Delta(context=context))
        return deltas

    def _line(self, request: Request, target: str) -> str:
        match self.hparams.template:
            case "imagine":
                return IMAGINE.get(request.lang, IMAGINE["en"]).format(request.prompt, target)
            case "new_fact":
                return new_fact(request.prompt, target)
            case other:
                raise UserError(f"hyperparameters of ICE: template '{other}' is unknown; write imagine or new_fact.")
