"""SERAC: Semi-parametric Editing with a Retrieval-Augmented Counterfactual model (Mitchell et al., 2022, "Memory-Based
Model Editing at Scale").

Nothing in the backbone changes. Edits are kept in a memory; a scope classifier says how likely a question is about the
nearest of them (section 3.2, the variant that embeds both: s = exp(-‖e_edit - e_question‖²)); if it is, a small
counterfactual model that reads the edit before the question answers in the backbone's place. Both are trained, once
per backbone (section 3.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.edits.deltas import Delta
from crossedit.edits.editors.trained import TrainedEditor
from crossedit.edits.memory import EditMemory, Network, mixed
from crossedit.edits.requests import Request
from crossedit.edits.rows import Rows, lay_out
from crossedit.edits.training.examples import Example
from crossedit.edits.training.loop import Learner, Losses, TrainingHparams
from crossedit.edits.training.texts import Texts

SMALLEST = 1e-6


@dataclass(frozen=True, kw_only=True)
class SERACHparams(TrainingHparams):
    """classifier, replacement: hub ids or paths of the scope classifier's encoder and of the counterfactual model.

    The latter must share the backbone's vocabulary. `backbone` stands for a copy of its lowest `classifier_layers`
    layers, and for a copy of itself.
    template: what the counterfactual model reads before a question. context: what the classifier sees of an edit: its
    question, or, as published, the text of question and answer without the last word (`cut_text`). scale: of squared
    distances at the start; scale_lr: its learning rate. mixture: the counterfactual model answers where s > 0.5
    (`hard`, the paper), or always by its share (`soft`, published): (1 - s) p_backbone + s p_counterfactual.
    supervised: whether the classifier is told what is in scope (the paper) or learns from the mixture's loss alone
    (published).
    """

    classifier: str
    replacement: str
    classifier_layers: int = 2
    template: str = "{prompt} {target} "
    context: Literal["question", "cut_text"] = "question"
    scale: float = 1.0
    scale_lr: float = 0.0
    mixture: Literal["hard", "soft"] = "hard"
    supervised: bool = True


class SERAC(TrainedEditor):
    Hparams = SERACHparams
    holds_many = True

    def edit(self, backbone: Backbone, requests: Sequence[Request]) -> Delta:
        """Return one memory of all requests."""
        return Delta(memory=self.remember(backbone, [(request.prompt, request.target) for request in requests]))

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        memory = self.remember(backbone, [(request.prompt, request.target) for request in requests])
        return [Delta(memory=memory.part(number)) for number in range(len(requests))]

    def remember(self, backbone: Backbone, entries: Sequence[tuple[str, str]]) -> EditMemory:
        """Return a memory of these questions and new answers."""
        trained = self.materials.trained
        return EditMemory.of(self.trained_network(backbone), entries, trained.digest if trained else "")

    def load(self, backbone: Backbone, folder: Path) -> Delta:
        """Return a saved delta. Raises UserError where it was made with another trained classifier or model."""
        trained = self.materials.trained
        entries = EditMemory.entries_in(folder, trained.digest if trained else "")
        return Delta(memory=self.remember(backbone, entries))

    def network(self, backbone: Backbone, seed: int) -> Network:
        return Network(backbone, self.hparams)

    def learner(
        self, backbone: Backbone, training: Sequence[Example], validation: Sequence[Example], seed: int
    ) -> "SERACLearner":
        return SERACLearner(backbone, self.hparams, self.network(backbone, seed), training, validation)


class SERACLearner(Learner):
    """SERAC's training: episodes in which a memory holds `batch_size` edits."""

    hparams: SERACHparams
    network: Network

    def __init__(
        self,
        backbone: Backbone,
        hparams: SERACHparams,
        network: Network,
        training: Sequence[Example],
        validation: Sequence[Example],
    ) -> None:
        super().__init__(backbone, hparams, network, training, validation)
        inside = [(getattr(fact, hparams.edit_on), fact.target) for fact in self.facts]
        outside = [(fact.locality_prompt, fact.locality_answer) for fact in self.facts]
        self.texts = Texts(backbone, [*inside, *outside])
        self.contexts = [network.context(fact.prompt, fact.target) for fact in self.facts]
        self.heads = [network.head(fact.prompt, fact.target) for fact in self.facts]

    def groups(self) -> list[dict[str, Any]]:
        models = [*self.network.classifier.parameters(), *self.network.replacement.parameters()]
        return [
            {"params": models, "lr": self.hparams.lr},
            {"params": [self.network.scale], "lr": self.hparams.scale_lr},
        ]

    def losses(self, facts: Sequence[int], episodes: int) -> Losses:
        tests = [*facts, *(self.count + fact for fact in facts)]  # (2F,): inside the scope, then outside
        prompts = [self.texts.tokens[test][0] for test in tests]
        embedded = self.network.embed([*(self.contexts[fact] for fact in facts), *prompts])
        keys, queries = embedded.split([len(facts), len(tests)])
        size = len(facts) // episodes
        similar = self.network.similarity(
            queries.view(2, episodes, size, -1), keys.view(episodes, size, -1)
        )  # (2, episodes, size, size): tests by edits
        if not self.hparams.supervised:
            return self._mixture(facts, tests, similar)
        edit, locality = self._told_apart(facts, tests, similar)
        if torch.is_grad_enabled():  # how much is right is asked in validation only
            nothing = torch.zeros_like(edit)
            return Losses(edit, locality, nothing, nothing)
        return replace(self._mixture(facts, tests, similar), edit=edit, locality=locality)

    def _told_apart(self, facts: Sequence[int], tests: Sequence[int], similar: Tensor) -> tuple[Tensor, Tensor]:
        """Return the losses of section 3.3, (episodes,) each: inside the scope, -log s and the counterfactual model's
        NLL with the edit that is meant; outside, -log(1 - s) with the nearest edit. Other edits than the one that is
        meant count as outside.
        """
        inside, outside = similar.unbind(0)  # (episodes, size, size)
        episodes, size, _ = inside.shape
        meant = torch.eye(size, dtype=torch.bool, device=inside.device)
        wrong = torch.stack([inside.masked_fill(meant, 0.0).amax(2), outside.amax(2)])  # (2, episodes, size)
        answers, rows = self._counterfactual(tests[: len(facts)], [self.heads[fact] for fact in facts])
        nll = rows.losses(answers).view(episodes, size)
        # At 0 and 1 the logarithms would have no bound.
        edit = nll - inside.diagonal(dim1=1, dim2=2).clamp(min=SMALLEST).log()
        locality = -(1 - wrong).clamp(min=SMALLEST).log().sum(0)
        return edit.mean(1), locality.mean(1)

    def _mixture(self, facts: Sequence[int], tests: Sequence[int], similar: Tensor) -> Losses:
        """Return the losses of the mixture: NLL inside the scope, KL(backbone ‖ edited) outside."""
        _, episodes, size, _ = similar.shape
        s, nearest = similar.flatten(0, 2).max(1)  # (2F,)
        start = torch.arange(episodes, device=s.device).repeat_interleave(size).repeat(2) * size
        heads = [self.heads[facts[entry]] for entry in (start + nearest).tolist()]
        answers, rows = self._counterfactual(tests, heads)
        before = self.texts.unedited(tests)  # (K, vocabulary)
        share = s[rows.place_row]
        after, was = mixed(before, answers, share), before.log_softmax(-1)
        best = mixed(before, answers, (share > 0.5).float() if self.hparams.mixture == "hard" else share).argmax(1)
        new = rows.place_row < len(facts)
        wrong = -after.gather(1, rows.labels[:, None])[:, 0]
        divergence = (was.exp() * (was - after)).sum(1)
        right = torch.where(new, best == rows.labels, best == was.argmax(1))

        def per_episode(values: Tensor) -> tuple[Tensor, Tensor]:
            """Return the means over an episode's rows of the means over their tokens: inside, outside."""
            each = values.new_zeros(len(tests)).index_add(0, rows.place_row, values * rows.share)
            inside, outside = each.view(2, episodes, size).mean(2).unbind(0)
            return inside, outside

        success, kept = per_episode(right.float())
        return Losses(per_episode(wrong)[0], per_episode(divergence)[1], success, kept)

    def _counterfactual(self, tests: Sequence[int], heads: Sequence[Sequence[int]]) -> tuple[Tensor, Rows]:
        """Return the counterfactual model's logits at the tests' targets, (K, vocabulary), and the tests as rows."""
        rows = lay_out(self.backbone, [self.texts.tokens[test] for test in tests])
        ids = [prompt + target[:-1] for prompt, target in (self.texts.tokens[test] for test in tests)]
        return self.network.answers(heads, ids, rows.place_row, rows.place_column), rows
