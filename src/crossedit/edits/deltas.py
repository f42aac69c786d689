"""Deltas: what is different in an edited model, kept beside the weights.

    delta = Delta({"model.layers.5.mlp.down_proj": LowRank(U, V)})
    with with_deltas(backbone, deltas, rows):     row i of any batch runs through the model edited by deltas[rows[i]]
    answer(…, editing=editing(backbone, deltas, owners))   question q is asked of the model edited by deltas[owners[q]]
    with merged(backbone, delta):                 the same for every row, through changed weights
    total = first + second                        the sum of two edits
    delta.save(folder), Delta.load(folder)        safetensors and a manifest

Each term adds to the output of a linear module: for input x (tokens, in) a low-rank term adds (x V) Uᵀ. Since the
terms of different rows differ, one forward pass serves many differently edited models. A gated edit, which acts only
where its scope test says so, is a codebook at a module or a memory beside the model.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from crossedit.backbones.asking import Asking, Blend, Editing
from crossedit.backbones.backbone import Backbone
from crossedit.edits.terms import Codebook, Dense, LowRank, Term, patches, total
from crossedit.errors import UserError
from crossedit.files import whole
from crossedit.models import matrix, set_matrix

PRISTINE = -1


class Memory(Protocol):
    """Edits kept beside the model, and what judges whether a question is about one of them (SERAC)."""

    def blend(self, memories: Sequence["Memory | None"], prompts: Sequence[Sequence[int]]) -> Blend:
        """Return what memories of this kind make of a batch: row i has `memories[i]` and the prompt `prompts[i]`."""
        ...

    def save(self, folder: Path) -> None:
        """Write the memory into a folder of a saved delta."""
        ...

    def __add__(self, other: Any) -> "Memory": ...


@dataclass(frozen=True)
class Context:
    """An edit by text alone: demonstrations, then the new fact, then the question.

    new_facts: the line that states the new fact, per language of its answer; `language` is the editing language.
    """

    demonstrations: str
    new_facts: Mapping[str, str]
    language: str

    def prefix(self, language: str | None = None, demonstrations: bool = True) -> str:
        """Return what stands before a question; the new fact's answer is in `language` (default: as edited)."""
        line = self.new_facts.get(language or self.language, self.new_facts[self.language])
        return (self.demonstrations if demonstrations else "") + line


@dataclass(frozen=True)
class Delta:
    """One edit: a term per module name, a context where the edit is a text, a memory where it is kept beside."""

    terms: Mapping[str, Term] = field(default_factory=dict)
    context: Context | None = None
    memory: Memory | None = None

    @property
    def gated(self) -> bool:
        """Whether the edit acts only on questions that it takes to be its own."""
        return self.memory is not None or any(isinstance(term, Codebook) for term in self.terms.values())

    def __add__(self, other: "Delta") -> "Delta":
        if self.context and other.context:
            raise UserError("two in-context edits can't be added up: their texts would contradict each other.")
        terms = dict(self.terms)
        for name, term in other.terms.items():
            terms[name] = total(terms[name], term) if name in terms else term
        memory = self.memory + other.memory if self.memory and other.memory else self.memory or other.memory
        return Delta(terms, self.context or other.context, memory)

    def save(self, folder: Path) -> None:
        """Write the delta to a folder: `delta.safetensors` and `manifest.json`."""
        # Copies, since safetensors refuses tensors that share their memory.
        tensors = {
            f"{name}/{part}": tensor.clone(memory_format=torch.contiguous_format)
            for name, term in self.terms.items()
            for part, tensor in term.tensors().items()
        }
        context = self.context and {
            "demonstrations": self.context.demonstrations,
            "new_facts": dict(self.context.new_facts),
            "language": self.context.language,
        }
        kinds = {name: type(term).__name__ for name, term in self.terms.items()}
        with whole(folder) as temporary:
            temporary.mkdir()
            save_file(tensors, temporary / "delta.safetensors")
            if self.memory:
                self.memory.save(temporary)
            manifest = {"terms": kinds, "context": context, "memory": self.memory is not None}
            text = json.dumps(manifest, ensure_ascii=False, indent=1)
            (temporary / "manifest.json").write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, device: torch.device | str = "cpu") -> "Delta":
        """Read a saved delta. Raises UserError where the folder holds none, or a memory, which needs its network."""
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            tensors = load_file(folder / "delta.safetensors", device=str(device))
        except (FileNotFoundError, json.JSONDecodeError, SafetensorError) as error:
            raise UserError(f"{folder}: holds no saved delta ({error}).") from error
        if manifest["memory"]:
            raise UserError(f"{folder}: holds a memory beside the model; read it by the `load` of its editor (SERAC).")
        kinds: dict[str, type[Any]] = {kind.__name__: kind for kind in (LowRank, Dense, Codebook)}
        terms = {}
        for name, kind in manifest["terms"].items():
            start = len(name) + 1
            parts = {key[start:]: tensor for key, tensor in tensors.items() if key.startswith(f"{name}/")}
            terms[name] = kinds[kind](**parts)
        return cls(terms, manifest["context"] and Context(**manifest["context"]))


def editing(backbone: Backbone, deltas: Sequence[Delta], owners: Sequence[int]) -> Editing:
    """Return how questions are asked of edited models: question q of the one that `deltas[owners[q]]` makes."""
    return lambda asking: with_deltas(backbone, deltas, [owners[question] for question in asking.questions], asking)


@contextmanager
def with_deltas(
    backbone: Backbone, deltas: Sequence[Delta], rows: Sequence[int], asking: Asking | None = None
) -> Iterator[Blend | None]:
    """Within the block, row i of a batch runs through the model edited by `deltas[rows[i]]`; PRISTINE edits nothing.

    Contexts are not added here: they belong to the prompts. Gated edits need to know what is asked. Yields what
    memories have to say of the batch, if there are any. The hooks are gone when the block ends, however it ends.
    """
    used = [deltas[row] if row != PRISTINE else Delta() for row in rows]
    if asking is None and any(delta.gated for delta in used):
        raise ValueError("gated edits judge prompts: with_deltas must be told what is asked")
    names = sorted({name for delta in used for name in delta.terms})
    memories = [delta.memory for delta in used]
    with ExitStack() as hooks:
        for name in names:
            module = backbone.module(name)
            columns = asking.columns if asking else None
            for patch in patches([delta.terms.get(name) for delta in used], matrix(module), columns):
                hooks.callback(module.register_forward_hook(patch).remove)
        first = next((memory for memory in memories if memory), None)
        yield first.blend(memories, asking.prompts) if first and asking else None


@contextmanager
def merged(backbone: Backbone, delta: Delta) -> Iterator[None]:
    """Within the block the backbone's weights hold the delta; afterwards the very same tensors as before are back.

    Raises UserError for an edit that is no change of weights.
    """
    if delta.memory:
        raise UserError("a memory beside the model (SERAC) is no change of weights: it can't be merged into them.")
    if delta.context:
        raise UserError("a text before the prompt (IKE, ICE) is no change of weights: it can't be merged into them.")
    with ExitStack() as restore:
        for name, term in delta.terms.items():
            module = backbone.module(name)
            pristine = module.weight
            weight = matrix(module)
            # Added before it is rounded, so that in half precision the sum of many small edits is not lost.
            set_matrix(module, (weight.float() + term.dense(*weight.shape).to(weight.device)).to(weight.dtype))
            restore.callback(setattr, module, "weight", pristine)
        yield
