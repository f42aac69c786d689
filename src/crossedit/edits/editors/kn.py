"""KN: Knowledge Neurons (Dai et al., 2022, "Knowledge Neurons in Pretrained Transformers").

The neurons of an MLP are the outputs of its first projection. How much each of them contributes to the probability of
the old answer is found by integrated gradients (section 3.2, "Knowledge Attribution"); those above a share of the
largest contribution express the fact. What they write through the MLP's output projection is changed: the old answer's
word embedding is taken away and the new one's is added (section 5.1, "Updating Facts"). That the paper keeps only
neurons which several prompts of a fact share is left out, as in the published code for editing.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from crossedit.backbones.asking import Row, decode
from crossedit.backbones.backbone import Backbone, Batch
from crossedit.backbones.prefix import Prefix
from crossedit.edits.deltas import Delta
from crossedit.edits.editors.interface import Editor
from crossedit.edits.requests import Request
from crossedit.edits.states import seen
from crossedit.edits.terms import LowRank
from crossedit.errors import UserError, nearest

# Copies of prompts' last tokens that go through a model at once.
BATCH_TOKENS = 4096


@dataclass(frozen=True, kw_only=True)
class KNHparams:
    """steps: number m of points of the integral, at α = 0 … 1; a single one is α = 0, as published for LLaMA.

    adaptive_threshold: share of the largest contribution that a neuron's must be above.
    ground_truth: the answer that contributions are to; by default the fact's original one. The published Bi-ZsRE code
    gives <|endoftext|> for every fact.
    lambda_1, lambda_2: how much of the old and of the new answer's embeddings is taken away and added.
    erased: the old answer is the ground truth, or what the model itself goes on with, for as many tokens as the new
    answer has (published code).
    single_token_factor: how often an answer of a single token counts; the published code takes the old
    one away twice.
    """

    steps: int
    adaptive_threshold: float
    ground_truth: str | None = None
    lambda_1: float = 1.0
    lambda_2: float = 1.0
    erased: Literal["ground_truth", "completion"] = "ground_truth"
    single_token_factor: float = 1.0

    def __post_init__(self) -> None:
        known = ("ground_truth", "completion")
        if self.erased not in known:
            raise UserError(f"hyperparameters of KN: erased: '{self.erased}' is unknown; {nearest(self.erased, known)}")
        if self.steps < 1:
            raise UserError(f"hyperparameters of KN: steps: {self.steps} is too small; take one step at least.")


class KN(Editor):
    Hparams = KNHparams

    @torch.no_grad()
    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        prompts = [backbone.encode(request.prompt) for request in requests]
        truths = [backbone.continuation(request.prompt, self._ground_truth(request)) for request in requests]
        targets = [backbone.continuation(request.prompt, request.target) for request in requests]
        lengths = [max(len(truth) - 1, len(target)) for truth, target in zip(truths, targets, strict=True)]
        rows = [Row(prompt, len(prompt), number) for number, prompt in enumerate(prompts)]
        said = decode(backbone, rows, limit=max(lengths), ended=lambda _: False)

        scores = self._scores(backbone, prompts, truths, said)  # (facts, layers, neurons)
        least = self.hparams.adaptive_threshold * scores.amax((1, 2))
        chosen = scores > least[:, None, None]
        spoken = [answer[: len(target)] for answer, target in zip(said, targets, strict=True)]
        old = truths if self.hparams.erased == "ground_truth" else spoken
        deltas = []
        for neurons, before, after in zip(chosen, old, targets, strict=True):
            added = self.hparams.lambda_2 * self._embedded(backbone, after)
            change = added - self.hparams.lambda_1 * self._embedded(backbone, before)  # (hidden,)
            layers = neurons.any(1).nonzero()[:, 0].tolist()
            # Every neuron of a layer gets the same vector: a matrix of rank one.
            terms = {layer: LowRank(change[:, None], neurons[layer, :, None].float()) for layer in layers}
            deltas.append(Delta({backbone.architecture.mlp_out.format(layer): term for layer, term in terms.items()}))
        return deltas

    def _scores(
        self,
        backbone: Backbone,
        prompts: Sequence[list[int]],
        truths: Sequence[list[int]],
        said: Sequence[list[int]],
    ) -> Tensor:
        """Return each neuron's mean contribution to the ground truth's tokens, (facts, layers, neurons).

        Before the next token is looked for, the prompt grows by what the model itself has `said`.
        """
        places = [(fact, step) for fact, truth in enumerate(truths) for step in range(len(truth))]
        each = contributions(
            backbone,
            [prompts[fact] + said[fact][:step] for fact, step in places],
            [truths[fact][step] for fact, step in places],
            self.hparams.steps,
        )  # (places, layers, neurons)
        facts = torch.tensor([fact for fact, _ in places], device=each.device)
        total = each.new_zeros(len(prompts), *each.shape[1:]).index_add(0, facts, each)
        return total / torch.bincount(facts)[:, None, None]

    def _ground_truth(self, request: Request) -> str:
        truth = self.hparams.ground_truth or request.original
        if truth is None:
            raise UserError(
                f"facts: case {request.case_id} ({request.lang}) has no original answer, which KN looks for in the "
                "neurons; set KN's `ground_truth`, or fill `original`."
            )
        return truth

    def _embedded(self, backbone: Backbone, answer: Sequence[int]) -> Tensor:
        """Return the sum of an answer's word embeddings, (hidden,)."""
        weight = backbone.module(backbone.architecture.embeddings).weight
        assert isinstance(weight, Tensor)
        factor = self.hparams.single_token_factor if len(answer) == 1 else 1.0
        return weight[list(answer)].float().sum(0) * factor


def contributions(backbone: Backbone, prompts: Sequence[Sequence[int]], answers: Sequence[int], steps: int) -> Tensor:
    """Return what each neuron at a prompt's last token contributes to an answer, (prompts, layers, neurons).

    a / m · Σ ∂P(answer) / ∂(α a) over m values of α, for the neuron's value a. All layers are looked at in one
    batch: a row is a prompt and an α, its columns are copies of the prompt's last token, and in column l the neurons of
    layer l are scaled by α. Columns see what came before the last token, and themselves.
    """
    at_once = max(1, BATCH_TOKENS // (steps * backbone.depth))
    parts = []
    for start in range(0, len(prompts), at_once):
        chosen = slice(start, start + at_once)
        parts.append(_contributions(backbone, prompts[chosen], answers[chosen], steps))
    return torch.cat(parts)


def _contributions(backbone: Backbone, prompts: Sequence[Sequence[int]], answers: Sequence[int], steps: int) -> Tensor:
    names = [backbone.architecture.mlp_in[0].format(layer) for layer in range(backbone.depth)]
    past = Prefix.of(backbone, [prompt[:-1] for prompt in prompts])
    last = backbone.batch([prompt[-1:] for prompt in prompts], past=past)
    with seen(backbone, names[0], names, column=0) as states, torch.no_grad():
        backbone.model.base_model(**last.inputs(), use_cache=False)
    values = torch.stack(states.outputs, 1)  # (prompts, layers, neurons)

    alpha = torch.linspace(0, 1, steps, device=values.device)
    scaled = (values[:, None] * alpha[:, None, None]).flatten(0, 1)  # (rows, layers, neurons)
    rows = torch.arange(len(prompts), device=values.device).repeat_interleave(steps)
    wanted = torch.tensor(answers, device=values.device)[rows][:, None, None].expand(-1, len(names), 1)
    with torch.enable_grad(), _instead(backbone, names, scaled.requires_grad_()):
        hidden = backbone.model.base_model(**_columns(backbone, last, rows), use_cache=False).last_hidden_state
        probability = backbone.head(hidden).softmax(-1).gather(2, wanted)  # (rows, layers, 1)
        # The sum: a column's probability depends on the neurons that were scaled in that column alone.
        (gradient,) = torch.autograd.grad(probability.sum(), scaled)
    return values / steps * gradient.view(len(prompts), steps, *values.shape[1:]).sum(1)


def _columns(backbone: Backbone, last: Batch, rows: Tensor) -> dict[str, Any]:
    """Return the model's inputs for `rows` of the prompts' last tokens, each with one copy of the token per layer."""
    copies = backbone.depth
    own = torch.eye(copies, dtype=torch.bool, device=rows.device).expand(len(rows), -1, -1)
    inputs = {
        "input_ids": last.ids[rows].expand(-1, copies),
        "position_ids": last.positions[rows].expand(-1, copies),
    }
    if last.past is not None:
        past = last.past.select(rows)
        before = past.mask.bool()[:, None].expand(-1, copies, -1)
        own = torch.cat([before, own], 2)  # (rows, copies, tokens before + copies)
        inputs["past_key_values"] = past.cache()
    dtype = backbone.model.dtype
    mask = torch.zeros_like(own, dtype=dtype).masked_fill(~own, torch.finfo(dtype).min)
    return inputs | {"attention_mask": mask[:, None]}


@contextmanager
def _instead(backbone: Backbone, names: Sequence[str], states: Tensor) -> Iterator[None]:
    """Within the block, column l of module l's output is states[:, l]; states are (rows, layers, width)."""
    with ExitStack() as hooks:
        for layer, name in enumerate(names):

            def replace(_: nn.Module, __: object, output: Tensor, layer: int = layer) -> Tensor:
                column = torch.tensor([layer], device=output.device)
                return output.index_copy(1, column, states[:, layer : layer + 1].to(output.dtype))

            hooks.callback(backbone.module(name).register_forward_hook(replace).remove)
        yield
