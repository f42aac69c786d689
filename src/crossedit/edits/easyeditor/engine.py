"""One editor of EasyEdit at work on one of our backbones.

    editor = EasyEditor(Path("../EasyEdit"), "ROME", make_editor("ROME", hparams, materials))
    with editor.at_work(backbone) as edited:
        with edited(request) as ask:
            answers = ask(probes, "teacher_forced")

EasyEdit writes into the model's own weights; each edit is undone by what its code hands back for that. Its files stay
as they are: what it would make or fetch by itself (context texts, second moments, a projection) is put where it looks.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import torch
from torch import Tensor

from crossedit.backbones.answers import answer
from crossedit.backbones.asking import Asking
from crossedit.backbones.backbone import Backbone
from crossedit.edits.draws import generator
from crossedit.edits.easyeditor.checkout import COMMIT, Checkout
from crossedit.edits.easyeditor.settings import grace_module, method_of, model_name, their_hparams
from crossedit.edits.easyeditor.statistics import write_statistics
from crossedit.edits.editors.interface import Editor
from crossedit.edits.requests import Request
from crossedit.errors import UserError
from crossedit.models import matrix, set_matrix

# What asks the edited model: probes and a protocol in, ANSWERS out.
Ask = Callable[[pl.DataFrame, str], pl.DataFrame]
Edited = Callable[[Request], AbstractContextManager[Ask]]


class EasyEditor:
    """A method of EasyEdit, with the hyperparameters and materials of our editor of the same method.

    Raises UserError where the folder is no checkout, the method isn't one of METHODS, or a package is missing.
    """

    def __init__(self, checkout: Path, method: str, editor: Editor) -> None:
        row = method_of(method)
        self.checkout, self.method = checkout, method
        self.hparams, self.materials = vars(editor.hparams), editor.materials
        self.module = Checkout(checkout).module(row.module)
        self.apply = getattr(self.module, row.apply)

    @contextmanager
    def at_work(self, backbone: Backbone) -> Iterator[Edited]:
        """Within the block, yield what edits the backbone by one fact; afterwards the backbone is as it was."""
        with TemporaryDirectory() as folder, _as_wanted(backbone):
            theirs = their_hparams(self.method, self.hparams, backbone, self.module, Path(folder))
            self._lay_out(backbone, Path(folder), theirs)

            def edited(request: Request) -> AbstractContextManager[Ask]:
                return self._edited(backbone, request, theirs)

            yield edited

    def _lay_out(self, backbone: Backbone, folder: Path, theirs: Any) -> None:
        """Put context texts, second moments and projections where EasyEdit looks for them."""
        variables = vars(self.module)
        lengths = self.hparams.get("context_template_length_params")
        if lengths is not None:
            bare, *others = (f"{context}{{}}" for context in self.materials.context_templates(lengths))
            kinds = [[bare], others] if others else [[bare]]
            variables["CONTEXT_TEMPLATES_CACHE"] = [bare, *others] if self.method == "ROME" else kinds
        if getattr(theirs, "mom2_adjustment", False):
            layers = backbone.checked_layers(self.hparams["layers"])
            names = [backbone.architecture.mlp_out.format(layer) for layer in layers]
            moments = {name: self._moment(layer) for name, layer in zip(names, layers, strict=True)}
            write_statistics(folder, model_name(backbone), moments)
            if self.method == "AlphaEdit":
                variables.update(P=torch.stack([self._projection(backbone, layer, theirs) for layer in layers]))
                variables.update(P_loaded=True)

    def _projection(self, backbone: Backbone, layer: int, theirs: Any) -> Tensor:
        """Return P (in, in) by EasyEdit's own function, which is called here since there it leaves a file behind."""
        threshold = self.hparams["nullspace_threshold"]
        if self.hparams["nullspace_relative"]:
            threshold *= float(self.materials.covariances[layer].diagonal().mean())  # the mean of the eigenvalues
        with _silence():
            project: Tensor = self.module.get_project(
                backbone.model, backbone.tokenizer, layer, replace(theirs, nullspace_threshold=threshold)
            )
        return project

    def _moment(self, layer: int) -> Tensor:
        """Return C (in, in) with the ridge, which EasyEdit doesn't know, already in it."""
        covariances = self.materials.covariances
        if layer not in covariances:
            raise UserError(f"layers: there is no covariance of layer {layer}; there are {sorted(covariances)}.")
        C = covariances[layer]
        return C + self.hparams.get("mom2_ridge", 0.0) * C.diagonal().mean() * torch.eye(len(C), device=C.device)

    @contextmanager
    def _edited(self, backbone: Backbone, request: Request, theirs: Any) -> Iterator[Ask]:
        model = backbone.model
        torch.manual_seed(generator(request, self.hparams.get("seed", 0)).initial_seed())
        with _errors_in_words(self.checkout, self.method, request), _silence():
            edited, undo = self.apply(
                model,
                backbone.tokenizer,
                [self._request(backbone, request)],
                theirs,
                return_orig_weights=True,
                keep_original_weight=True,
                reset_cache=True,  # AlphaEdit would take the keys of earlier facts along
            )
        try:
            model.eval()  # adapters come with dropout at work
            yield self._ask(backbone)
        finally:
            _undo(model, edited, undo)

    def _request(self, backbone: Backbone, request: Request) -> dict[str, Any]:
        """Return the fact as EasyEdit takes it. Every method but KN puts the space before the answer itself."""
        texts = {
            "target_new": request.target,
            "ground_truth": self.hparams.get("ground_truth") or request.original,
        }
        if self.method == "KN":
            texts = {name: text and _as_continued(backbone, request.prompt, text) for name, text in texts.items()}
        return {"case_id": request.case_id, "prompt": request.prompt, "subject": request.subject, **texts}

    def _ask(self, backbone: Backbone) -> Ask:
        if self.method != "GRACE":
            return partial(answer, backbone)
        adapter = backbone.module(grace_module(self.hparams, backbone))

        @contextmanager
        def at_the_end(asking: Asking) -> Iterator[None]:
            vars(adapter)["key_id"] = int(asking.columns[0])
            yield

        # Its adapter looks at one place for the whole batch, so that rows whose prompts end elsewhere go alone.
        return partial(answer, backbone, editing=at_the_end, apart=True, batch_tokens=1)


def _as_continued(backbone: Backbone, prompt: str, text: str) -> str:
    """Return the text so that its own tokens are those that it has after the prompt; some tokenizers add the space."""
    alone = backbone.tokenizer(text, add_special_tokens=False)["input_ids"]
    return text if alone == backbone.continuation(prompt, text) else f" {text}"


def _undo(model: Any, edited: Any, undo: Any) -> None:
    """Undo an edit by what EasyEdit gave back: an adapter, a function, or the weights that changed."""
    if isinstance(undo, dict) and undo:
        with torch.no_grad():
            for name, weight in undo.items():
                model.get_parameter(name).copy_(weight)
    elif callable(undo):
        undo()
    else:
        edited.unload()
        del model.peft_config
        model.activation_checkpointing_disable()
        model.disable_input_require_grads()
        # EasyEdit and peft both asked for it, and the model remembers the later one only.
        model.get_input_embeddings()._forward_hooks.clear()


@contextmanager
def _as_wanted(backbone: Backbone) -> Iterator[None]:
    """Within the block the model is as EasyEdit's code takes it to be, without a change to what it computes.

    It has a name with its architecture in it, a head that is a parameter of its own (MEMIT doesn't find a tied one),
    and a tokenizer that pads on the right.
    """
    model, tokenizer = backbone.model, backbone.tokenizer
    head = backbone.module(backbone.architecture.head)
    weight, name, cache, side = head.weight, model.config._name_or_path, model.config.use_cache, tokenizer.padding_side
    set_matrix(head, matrix(head).clone())
    model.config._name_or_path = model_name(backbone)
    tokenizer.padding_side = "right"
    try:
        yield
    finally:
        head.weight = weight
        model.config._name_or_path, model.config.use_cache, tokenizer.padding_side = name, cache, side
        model.requires_grad_(False).zero_grad()  # a gradient left behind would be followed by the next optimiser


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
