"""One editor of EasyEdit at work on one of our backbones.

    editor = EasyEditor(Path("../EasyEdit"), "ROME", hparams, materials)
    with editor.at_work(backbone) as edited:
        with edited(request) as asked:
            answers = answer(backbone, probes, "teacher_forced", editing=asked)

EasyEdit writes into the model's own weights; each edit is undone by what its code hands back for that. Its files stay
as they are: what it would make or fetch by itself (context texts, second moments, a projection) is put where it looks.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor, nn

from crossedit.backbones.asking import Editing, unedited
from crossedit.backbones.backbone import Backbone
from crossedit.edits.easyeditor.checkout import COMMIT, Checkout
from crossedit.edits.easyeditor.settings import method_of, model_name, their_hparams
from crossedit.edits.easyeditor.statistics import write_statistics
from crossedit.edits.editors.interface import Materials
from crossedit.edits.requests import Request
from crossedit.errors import UserError

Edited = Callable[[Request], AbstractContextManager[Editing]]


class EasyEditor:
    """A method of EasyEdit with our hyperparameters and materials.

    Raises UserError where the folder is no checkout, the method isn't one of METHODS, or a package is missing.
    """

    def __init__(self, checkout: Path, method: str, hparams: Mapping[str, Any], materials: Materials) -> None:
        self.checkout, self.method, self.hparams, self.materials = checkout, method, hparams, materials
        self.module = Checkout(checkout).module(method_of(method).module)

    @contextmanager
    def at_work(self, backbone: Backbone) -> Iterator[Edited]:
        """Within the block, yield what edits the backbone by one fact; afterwards the backbone is as it was."""
        with TemporaryDirectory() as folder, _as_wanted(backbone):
            self._lay_out(backbone, Path(folder))
            theirs = their_hparams(self.method, self.hparams, backbone, self.module, Path(folder))

            def edited(request: Request) -> AbstractContextManager[Editing]:
                return self._edited(backbone, request, theirs)

            yield edited

    def _lay_out(self, backbone: Backbone, folder: Path) -> None:
        """Put context texts and second moments where EasyEdit looks for them."""
        lengths = self.hparams.get("context_template_length_params")
        if lengths is not None:
            bare, *others = (f"{context}{{}}" for context in self.materials.context_templates(lengths))
            flat = self.method == "ROME"
            kinds = [[bare], others] if others else [[bare]]
            self.module.CONTEXT_TEMPLATES_CACHE = [bare, *others] if flat else kinds
        if self.hparams.get("mom2_adjustment"):
            moments = {
                backbone.architecture.mlp_out.format(layer): self._moment(layer)
                for layer in backbone.checked_layers(self.hparams["layers"])
            }
            write_statistics(folder, model_name(backbone), moments)

    def _moment(self, layer: int) -> Tensor:
        """Return C (in, in) with the ridge, which EasyEdit doesn't know, already in it."""
        covariances = self.materials.covariances
        if layer not in covariances:
            raise UserError(f"layers: there is no covariance of layer {layer}; there are {sorted(covariances)}.")
        C = covariances[layer]
        return C + self.hparams.get("mom2_ridge", 0.0) * C.diagonal().mean() * torch.eye(len(C), device=C.device)

    @contextmanager
    def _edited(self, backbone: Backbone, request: Request, theirs: Any) -> Iterator[Editing]:
        model = backbone.model
        torch.manual_seed(self.hparams.get("seed", 0))
        with _errors_in_words(self.checkout, self.method, request), _silence():
            edited, undo = getattr(self.module, method_of(self.method).apply)(
                model,
                backbone.tokenizer,
                [_as_request(request)],
                theirs,
                return_orig_weights=True,
                keep_original_weight=True,
            )
        model.eval()
        yield unedited
        if hasattr(edited, "unload"):  # an adapter of peft
            edited.unload()
        elif callable(undo):
            undo()
        else:
            with torch.no_grad():
                for name, weight in undo.items():
                    model.get_parameter(name).copy_(weight)


def _as_request(request: Request) -> dict[str, Any]:
    return {
        "case_id": request.case_id,
        "prompt": request.prompt,
        "subject": request.subject,
        "target_new": request.target,
        "ground_truth": request.original,
    }


@contextmanager
def _as_wanted(backbone: Backbone) -> Iterator[None]:
    """Within the block the model is as EasyEdit's code takes it to be, without a change to what it computes.

    It has a name with its architecture in it, a head that is a parameter of its own (MEMIT doesn't find a tied one),
    and a tokenizer that pads on the right.
    """
    model, tokenizer = backbone.model, backbone.tokenizer
    head = backbone.module(backbone.architecture.head)
    weight, name, cache, side = head.weight, model.config._name_or_path, model.config.use_cache, tokenizer.padding_side
    head.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)
    model.config._name_or_path = model_name(backbone)
    tokenizer.padding_side = "right"
    try:
        yield
    finally:
        head.weight = weight
        model.config._name_or_path, model.config.use_cache, tokenizer.padding_side = name, cache, side
        model.requires_grad_(False)


@contextmanager
def _errors_in_words(checkout: Path, method: str, request: Request) -> Iterator[None]:
    """Turn what goes wrong in EasyEdit's code into a sentence."""
    try:
        yield
    except Exception as error:
        raise UserError(
            f"checkout: EasyEdit's {method} in '{checkout}' failed on case {request.case_id} ({request.lang}) with "
            f"{type(error).__name__}: {error}; use commit {COMMIT} with the environment envs/easyedit.yaml, or "
            "crossedit's own engine."
        ) from error


@contextmanager
def _silence() -> Iterator[None]:
    """Keep to itself what EasyEdit prints at every step."""
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield
