"""A loaded backbone: model, tokenizer, and the names of its layers.

backbone = Backbone.load("demo-bi", {"path": "results/backbones/demo-bi/model"})
batch = backbone.batch([[5, 6, 7], [8, 9]])           padded, with mask and positions
logits = backbone.logits(batch, rows, positions)      the next-token logits at chosen places
"""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from crossedit.backbones.prefix import Prefix
from crossedit.errors import UserError, nearest
from crossedit.hub import loading, near
from crossedit.models import Architecture, architecture_of

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Batch:
    """Token ids, attention mask and position ids of padded rows, each (rows, tokens).

    past: what was computed of the tokens before them; the mask does not count those, the positions do.
    """

    ids: Tensor
    mask: Tensor
    positions: Tensor
    offsets: Tensor  # (rows,): the column of each row's first token
    past: Prefix | None = None

    def inputs(self) -> dict[str, Any]:
        """Return what the model takes."""
        inputs = {"input_ids": self.ids, "attention_mask": self.mask, "position_ids": self.positions}
        if self.past is None:
            return inputs
        mask = torch.cat([self.past.mask, self.mask], 1)
        return inputs | {"attention_mask": mask, "past_key_values": self.past.cache()}

    def select(self, rows: Tensor) -> "Batch":
        """Return the part of these rows."""
        past = self.past and self.past.select(rows)
        return Batch(self.ids[rows], self.mask[rows], self.positions[rows], self.offsets[rows], past)


@dataclass(frozen=True, eq=False)
class Backbone:
    """A causal language model that is never changed: edits are deltas beside it."""

    name: str
    model: Any  # a transformers model for causal language modelling
    tokenizer: Any  # a fast transformers tokenizer
    architecture: Architecture

    @classmethod
    def load(cls, name: str, entry: dict[str, Any]) -> "Backbone":
        """Load a backbone of the config. Raises UserError for a path, dtype or device that isn't there."""
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()

        path = entry["path"]
        dtype = entry.get("dtype", "float32")
        if dtype not in DTYPES:
            raise UserError(f"backbones.{name}.dtype: '{dtype}' is no dtype; {nearest(dtype, DTYPES)}")
        trust = bool(entry.get("trust_remote_code", False))
        if trust and not entry.get("revision"):
            raise UserError(f"backbones.{name}.trust_remote_code: needs a pinned `revision` beside it.")
        device = _device(name, entry.get("device", "auto"))
        where = {"revision": entry.get("revision"), "trust_remote_code": trust}
        with loading(f"backbones.{name}.path", path, "a model"):
            local = near(path)
            tokenizer = AutoTokenizer.from_pretrained(local, **where)
            model = AutoModelForCausalLM.from_pretrained(
                local,
                dtype=DTYPES[dtype],
                # For the short sequences of edits, plain attention is the fastest on a CPU.
                attn_implementation="eager" if device == "cpu" else "sdpa",
                **where,
            )
        return cls.of(name, model.to(device), tokenizer)

    @classmethod
    def of(cls, name: str, model: Any, tokenizer: Any) -> "Backbone":
        """Make a backbone of a transformers model and tokenizer that are at hand."""
        if not getattr(tokenizer, "is_fast", False):
            raise UserError(
                f"backbones.{name}: its tokenizer has no character offsets, by which subjects are found; save a fast "
                "tokenizer (tokenizer.json) into its folder."
            )
        model.eval().requires_grad_(False)
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        return cls(name, model, tokenizer, architecture_of(model.config.model_type))

    @property
    def device(self) -> torch.device:
        device: torch.device = self.model.device
        return device

    @property
    def depth(self) -> int:
        depth: int = self.model.config.num_hidden_layers
        return depth

    def checked_layers(self, layers: Sequence[int]) -> list[int]:
        """Return the layers. Raises UserError where one is not among the model's."""
        if not isinstance(layers, list | tuple):
            raise UserError(f"layers: {layers!r} is no list of numbers; write [{layers}].")
        for layer in layers:
            if not (isinstance(layer, int) and 0 <= layer < self.depth):
                raise UserError(
                    f"layers: {layer!r} is not among the layers 0 to {self.depth - 1} of backbone '{self.name}'; "
                    "set `layers` in the editor's hparams."
                )
        return list(layers)

    def module(self, name: str) -> nn.Module:
        """Return the module of that name, such as `backbone.architecture.mlp_out.format(5)`."""
        module: nn.Module = self.model.get_submodule(name)
        return module

    @cached_property
    def digest(self) -> str:
        """16 hexadecimal digits that stand for all weights."""
        return weights_digest(self.model)

    @cached_property
    def ends(self) -> set[int]:
        """The tokens that end a text: the tokenizer's, and those that the model's generation settings name."""
        named = getattr(self.model.generation_config, "eos_token_id", None)
        listed = named if isinstance(named, list) else [named]
        return {token for token in (self.tokenizer.eos_token_id, *listed) if token is not None}

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a prompt, with whatever special tokens the tokenizer puts before it."""
        ids: list[int] = self.tokenizer(text)["input_ids"]
        if ids and ids[-1] == self.tokenizer.eos_token_id:
            ids.pop()  # some tokenizers close every text; a prompt is open
        return ids

    def continuation(self, prompt: str, text: str) -> list[int]:
        """Return the token ids of " " + `text` as they stand after `prompt`.

        Where the prompt's tokens stay the same in the joined text, the rest of the joined text is meant; where the
        tokenizer would merge across the seam, the text is tokenised alone.
        """
        head = self.encode(prompt)
        joined = self.encode(f"{prompt} {text}")
        if joined[: len(head)] == head and len(joined) > len(head):
            return joined[len(head) :]
        alone: list[int] = self.tokenizer(f" {text}", add_special_tokens=False)["input_ids"]
        return alone

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    def last_token(self, text: str, end: int) -> int:
        """Return the index of the token of `text` (as `encode` sees it) that holds the character before `end`."""
        offsets = self.tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
        holding = [index for index, (start, stop) in enumerate(offsets) if start < end <= stop]
        # A character of several byte tokens is held by each of them: the last one has seen it whole.
        if not holding:
            raise ValueError(f"no token ends at character {end} of {text!r}")
        return holding[-1]

    def batch(self, rows: Sequence[Sequence[int]], side: str = "right", past: Prefix | None = None) -> Batch:
        """Pad rows of token ids on one side; positions count from each row's first token, which `past` may hold."""
        width = max(len(row) for row in rows)
        ids = torch.full((len(rows), width), self.tokenizer.pad_token_id)
        mask = torch.zeros(len(rows), width, dtype=torch.long)
        offsets = torch.zeros(len(rows), dtype=torch.long)
        for index, row in enumerate(rows):
            start = width - len(row) if side == "left" else 0
            ids[index, start : start + len(row)] = torch.tensor(list(row), dtype=torch.long)
            mask[index, start : start + len(row)] = 1
            offsets[index] = start
        positions = (mask.cumsum(1) - 1).clamp(min=0).to(self.device)
        if past is not None:
            positions = positions + past.lengths[:, None]
        return Batch(ids.to(self.device), mask.to(self.device), positions, offsets.to(self.device), past)

    def head(self, hidden: Tensor) -> Tensor:
        """Return float32 logits (..., vocabulary) of hidden states (..., hidden) that have passed the final norm."""
        logits: Tensor = self.module(self.architecture.head)(hidden).float()
        cap = getattr(self.model.config, "final_logit_softcapping", None)
        return logits if cap is None else cap * torch.tanh(logits / cap)

    def logits(self, batch: Batch, rows: Tensor, positions: Tensor) -> Tensor:
        """Return next-token logits (places, vocabulary) at place k = token `positions[k]` of row `rows[k]`.

        The positions count a row's own tokens, so they mean the same whichever side is padded.
        """
        hidden = self.model.base_model(**batch.inputs(), use_cache=False).last_hidden_state
        return self.head(hidden[rows, batch.offsets[rows] + positions])


def weights_digest(model: nn.Module) -> str:
    """Return 16 hexadecimal digits that stand for all weights of a model, bit for bit."""

    def one(named: tuple[str, Tensor]) -> bytes:
        name, tensor = named
        digest = hashlib.sha256(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().data)
        return digest.digest()

    # Every job asks for it: of a model of many gigabytes, hashing one tensor after the other takes half a minute.
    with ThreadPoolExecutor() as pool:
        parts = list(pool.map(one, sorted(model.state_dict().items())))
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def _device(name: str, wanted: str) -> str:
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise UserError(f"backbones.{name}.device: '{wanted}', but there is no GPU here; write `device: auto`.")
    return wanted
