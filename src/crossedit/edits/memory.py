"""SERAC's memory: edits kept beside the model, a classifier of their scope, and a model that answers within it.

    network = Network(backbone, hparams)
    memory = EditMemory.of(network, [("Who wrote Hamlet?", "Goethe")], digest)
    both = memory + other                         the nearest edit rules
    blend = memory.blend([memory, None], prompts) what is answered in the backbone's place, for a batch

Token ids go in everywhere, so that what is judged and read is what the backbone sees.
"""

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from crossedit.backbones.asking import Blend
from crossedit.backbones.backbone import Backbone
from crossedit.errors import UserError
from crossedit.hub import loading
from crossedit.models import architecture_of

OWN = "backbone"  # instead of a model of a hub: a copy of the backbone
FILE = "memory.json"
AT_ONCE = 256  # questions that go through the classifier together


class Network(nn.Module):
    """A scope classifier, a counterfactual model, and the scale of the distances between embeddings."""

    def __init__(self, backbone: Backbone, hparams: Any) -> None:
        super().__init__()
        self.backbone, self.hparams = backbone, hparams
        own = hparams.classifier == OWN
        self.classifier: OwnEncoder | HubEncoder
        self.classifier = OwnEncoder(backbone, hparams.classifier_layers) if own else HubEncoder(hparams.classifier)
        self.replacement = _counterfactual(backbone, hparams.replacement)
        self.scale = nn.Parameter(torch.tensor([float(hparams.scale)]))
        # No dropout, as published.
        self.to(backbone.device).float().eval()
        kind = architecture_of(self.replacement.config.model_type)
        self._reader = Backbone(f"{backbone.name}, counterfactual", self.replacement, backbone.tokenizer, kind)
        self._opening = backbone.encode("")

    def context(self, prompt: str, target: str) -> list[int]:
        """Return the tokens that the classifier sees of an edit."""
        cut = self.hparams.context == "cut_text"
        return self.backbone.encode(f"{prompt} {target}".rsplit(" ", 1)[0] if cut else prompt)

    def head(self, prompt: str, target: str) -> list[int]:
        """Return the tokens that the counterfactual model reads before a question."""
        return self.backbone.encode(self.hparams.template.format(prompt=prompt, target=target))

    def embed(self, prompts: Sequence[Sequence[int]]) -> Tensor:
        """Return (prompts, width)."""
        found: Tensor = self.classifier(self.backbone, prompts)
        return found

    def similarity(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return s (…, queries, keys), between 0 and 1, of embeddings (…, queries, width) and (…, keys, width)."""
        return torch.exp(-self.scale * (queries[..., :, None, :] - keys[..., None, :, :]).square().sum(-1))

    def answers(
        self, heads: Sequence[Sequence[int]], ids: Sequence[Sequence[int]], where: Tensor, positions: Tensor
    ) -> Tensor:
        """Return the counterfactual model's logits (K, vocabulary) after token `positions[k]` of row `where[k]`.

        Row i reads `heads[i]`, then `ids[i]` without what the tokenizer opens every text with.
        """
        opening = len(self._opening)
        rows = [[*head, *row[opening:]] for head, row in zip(heads, ids, strict=True)]
        shift = torch.tensor([len(head) - opening for head in heads], device=where.device)
        return self._reader.logits(self._reader.batch(rows), where, positions + shift[where])


class OwnEncoder(nn.Module):
    """A copy of a backbone's lowest layers; what they say at a prompt's last token is its embedding.

    It is divided by the root of its width, so that distances don't grow with the model.
    """

    def __init__(self, backbone: Backbone, layers: int) -> None:
        super().__init__()
        if not 0 < layers <= backbone.depth:
            raise UserError(
                f"hyperparameters of SERAC: classifier_layers is {layers}; backbone '{backbone.name}' has "
                f"{backbone.depth} layers."
            )
        from transformers import AutoModel

        whole = backbone.model.base_model
        config = copy.deepcopy(whole.config)
        config.num_hidden_layers = layers
        if getattr(config, "layer_types", None):
            config.layer_types = config.layer_types[:layers]
        self.model = AutoModel.from_config(config, attn_implementation=whole.config._attn_implementation)
        self.model.load_state_dict(whole.state_dict(), strict=False)

    def forward(self, backbone: Backbone, prompts: Sequence[Sequence[int]]) -> Tensor:
        batch = backbone.batch(prompts)
        states = self.model(**batch.inputs(), use_cache=False).last_hidden_state
        rows = torch.arange(len(prompts), device=states.device)
        last: Tensor = states[rows, batch.mask.sum(1) - 1]  # (prompts, width)
        return last / last.shape[1] ** 0.5


class HubEncoder(nn.Module):
    """A text encoder of a hub; its first token's state is the embedding (DistilBERT's [CLS], as published)."""

    def __init__(self, path: str) -> None:
        super().__init__()
        from transformers import AutoModel, AutoTokenizer

        with loading("hyperparameters of SERAC: classifier", path, "a text encoder"):
            self.tokenizer: Any = AutoTokenizer.from_pretrained(path)
            self.model = AutoModel.from_pretrained(path)

    def forward(self, backbone: Backbone, prompts: Sequence[Sequence[int]]) -> Tensor:
        texts = [backbone.decode(prompt) for prompt in prompts]
        inputs = self.tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=512)
        states: Tensor = self.model(**inputs.to(backbone.device)).last_hidden_state
        return states[:, 0]


def _counterfactual(backbone: Backbone, path: str) -> Any:
    """Return the counterfactual model. Raises UserError where it doesn't share the backbone's vocabulary."""
    if path == OWN:
        return copy.deepcopy(backbone.model).requires_grad_(True)
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with loading("hyperparameters of SERAC: replacement", path, "a model"):
        tokenizer = AutoTokenizer.from_pretrained(path)
        model = AutoModelForCausalLM.from_pretrained(
            path, attn_implementation=backbone.model.config._attn_implementation
        )
    size = backbone.model.config.vocab_size
    if tokenizer.get_vocab() != backbone.tokenizer.get_vocab() or model.config.vocab_size != size:
        raise UserError(
            f"hyperparameters of SERAC: replacement '{path}' has another vocabulary than backbone '{backbone.name}', "
            "so their answers can't be mixed; name a model with the same tokenizer, or `backbone`."
        )
    return model


def mixed(logits: Tensor, answers: Tensor, s: Tensor) -> Tensor:
    """Return log((1 - s) softmax(logits) + s softmax(answers)), (K, vocabulary), for s (K,) between 0 and 1."""
    # In logarithms throughout, where the published code adds a small number so that none is of 0.
    backbone = logits.float().log_softmax(-1) + torch.log1p(-s.clamp(max=1 - 1e-7))[:, None]
    counterfactual = answers.float().log_softmax(-1) + s.clamp(min=1e-30).log()[:, None]
    return torch.logaddexp(backbone, counterfactual)


@dataclass(frozen=True, eq=False)
class EditMemory:
    """n edits: questions with new answers, what is read of each, and embeddings (n, width)."""

    network: Network
    entries: Sequence[tuple[str, str]]
    heads: Sequence[Sequence[int]]
    keys: Tensor
    digest: str  # of the trained artefact

    @classmethod
    @torch.no_grad()
    def of(cls, network: Network, entries: Sequence[tuple[str, str]], digest: str) -> "EditMemory":
        contexts = [network.context(*entry) for entry in entries]
        parts = [network.embed(contexts[start : start + AT_ONCE]) for start in range(0, len(contexts), AT_ONCE)]
        return cls(network, list(entries), [network.head(*entry) for entry in entries], torch.cat(parts), digest)

    def part(self, number: int) -> "EditMemory":
        """Return the memory of one of the edits."""
        one = slice(number, number + 1)
        return EditMemory(self.network, self.entries[one], self.heads[one], self.keys[one], self.digest)

    def __add__(self, other: Any) -> "EditMemory":
        keys = torch.cat([self.keys, other.keys])
        return EditMemory(self.network, [*self.entries, *other.entries], [*self.heads, *other.heads], keys, self.digest)

    @torch.no_grad()
    def blend(self, memories: Sequence[Any], prompts: Sequence[Sequence[int]]) -> Blend:
        """Judge a batch's prompts, each by its own memory; return what answers those that are in scope."""
        queries = self.network.embed(prompts)
        s = queries.new_zeros(len(prompts))
        heads: list[Sequence[int]] = [[] for _ in prompts]
        for row, memory in enumerate(memories):
            if memory is not None:
                s[row], nearest = self.network.similarity(queries[row : row + 1], memory.keys)[0].max(0)
                heads[row] = memory.heads[int(nearest)]
        if self.network.hparams.mixture == "hard":
            s = (s > 0.5).float()
        return _Blended(self.network, s, heads)

    def save(self, folder: Path) -> None:
        """Write the edits and the digest of what was trained; the rest is computed anew (`SERAC.load`)."""
        text = json.dumps({"trained": self.digest, "entries": list(self.entries)}, ensure_ascii=False, indent=1)
        (folder / FILE).write_text(text, encoding="utf-8")

    @staticmethod
    def entries_in(folder: Path, digest: str) -> list[tuple[str, str]]:
        """Return the saved edits. Raises UserError where there are none, or ones of another training."""
        try:
            found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError) as error:
            raise UserError(f"{folder}: holds no saved memory ({error}).") from error
        if found["trained"] != digest:
            raise UserError(f"{folder}: its memory belongs to another trained SERAC ({found['trained']}); edit again.")
        return [(prompt, target) for prompt, target in found["entries"]]


@dataclass(frozen=True)
class _Blended:
    """Answers of a batch: row i is in scope by s[i], and the counterfactual model reads `heads[i]` before it."""

    network: Network
    s: Tensor
    heads: Sequence[Sequence[int]]

    @torch.no_grad()
    def __call__(self, logits: Tensor, ids: Sequence[Sequence[int]], where: Tensor, positions: Tensor) -> Tensor:
        places = (self.s[where] > 0).nonzero()[:, 0]
        if not len(places):
            return logits
        rows, row = where[places].unique(return_inverse=True)
        chosen = rows.tolist()
        answers = self.network.answers(
            [self.heads[number] for number in chosen], [ids[number] for number in chosen], row, positions[places]
        )
        share = self.s[where[places]]
        # Where the counterfactual model alone answers, nothing is mixed.
        blended = torch.where(share[:, None] == 1, answers.float(), mixed(logits[places], answers, share))
        return logits.index_copy(0, places, blended.to(logits.dtype))
