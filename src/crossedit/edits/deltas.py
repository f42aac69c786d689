"""Deltas: what is different in an edited model, kept beside the weights.

    delta = Delta({"model.layers.5.mlp.down_proj": LowRank(U, V)})
    with with_deltas(backbone, deltas, rows):     row i of any batch runs through the model edited by deltas[rows[i]]
    with merged(backbone, delta):                 the same for every row, through changed weights
    total = first + second                        the sum of two edits
    delta.save(folder), Delta.load(folder)        safetensors and a manifest

Each term adds to the output of a linear module: for input x (tokens, in) a low-rank term adds (x V) Uᵀ. Since the
terms of different rows differ, one forward pass serves many differently edited models.
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
from torch import Tensor, nn

from crossedit.backbones.backbone import Backbone
from crossedit.errors import UserError
from crossedit.models import matrix, set_matrix
from crossedit.tables import whole

PRISTINE = -1


class Term(Protocol):
    """What a delta does to one linear module."""

    def dense(self, out_features: int, in_features: int) -> Tensor:
        """Return ΔW (out, in)."""
        ...

    def tensors(self) -> dict[str, Tensor]:
        """Return what is saved."""
        ...


@dataclass(frozen=True)
class LowRank:
    """ΔW = U Vᵀ with U (out, r) and V (in, r)."""

    U: Tensor
    V: Tensor

    def dense(self, out_features: int, in_features: int) -> Tensor:
        return self.U @ self.V.T

    def tensors(self) -> dict[str, Tensor]:
        return {"U": self.U, "V": self.V}


@dataclass(frozen=True)
class Neurons:
    """ΔW that is zero outside some columns: `columns` (out, k) at the input neurons `index` (k,)."""

    index: Tensor
    columns: Tensor

    def dense(self, out_features: int, in_features: int) -> Tensor:
        weight = self.columns.new_zeros(out_features, in_features)
        return weight.index_add(1, self.index, self.columns)

    def tensors(self) -> dict[str, Tensor]:
        return {"index": self.index, "columns": self.columns}


@dataclass(frozen=True)
class Dense:
    """ΔW (out, in) as it is."""

    weight: Tensor

    def dense(self, out_features: int, in_features: int) -> Tensor:
        return self.weight

    def tensors(self) -> dict[str, Tensor]:
        return {"weight": self.weight}


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
    """One edit: a term per module name, and a context where the edit is a text."""

    terms: Mapping[str, Term] = field(default_factory=dict)
    context: Context | None = None

    def __add__(self, other: "Delta") -> "Delta":
        if self.context and other.context:
            raise UserError("two in-context edits can't be added up: their texts would contradict each other.")
        terms = dict(self.terms)
        for name, term in other.terms.items():
            terms[name] = _sum(terms[name], term) if name in terms else term
        return Delta(terms, self.context or other.context)

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
            manifest = json.dumps({"terms": kinds, "context": context}, ensure_ascii=False, indent=1)
            (temporary / "manifest.json").write_text(manifest, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, device: torch.device | str = "cpu") -> "Delta":
        """Read a saved delta. Raises UserError where the folder holds none."""
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            tensors = load_file(folder / "delta.safetensors", device=str(device))
        except (FileNotFoundError, json.JSONDecodeError, SafetensorError) as error:
            raise UserError(f"{folder}: holds no saved delta ({error}).") from error
        kinds: dict[str, type[Any]] = {kind.__name__: kind for kind in (LowRank, Neurons, Dense)}
        terms = {}
        for name, kind in manifest["terms"].items():
            start = len(name) + 1
            parts = {key[start:]: tensor for key, tensor in tensors.items() if key.startswith(f"{name}/")}
            terms[name] = kinds[kind](**parts)
        return cls(terms, manifest["context"] and Context(**manifest["context"]))


def _sum(first: Term, second: Term) -> Term:
    if isinstance(first, LowRank) and isinstance(second, LowRank):
        return LowRank(torch.cat([first.U, second.U], 1), torch.cat([first.V, second.V], 1))
    if isinstance(first, Neurons) and isinstance(second, Neurons):
        index = torch.cat([first.index, second.index])
        return Neurons(index, torch.cat([first.columns, second.columns], 1))
    # The widths that a low-rank or dense term has tell those that a sparse one lacks.
    shapes = [shape for shape in (_shape(first), _shape(second)) if shape]
    return Dense(first.dense(*shapes[0]) + second.dense(*shapes[0]))


def _shape(term: Term) -> tuple[int, int] | None:
    if isinstance(term, LowRank):
        return len(term.U), len(term.V)
    if isinstance(term, Dense):
        return term.weight.shape[0], term.weight.shape[1]
    return None


@contextmanager
def with_deltas(backbone: Backbone, deltas: Sequence[Delta], rows: Sequence[int]) -> Iterator[None]:
    """Within the block, row i of a batch runs through the model edited by `deltas[rows[i]]`; PRISTINE edits nothing.

    Contexts are not added here: they belong to the prompts. The hooks are gone when the block ends, however it ends.
    """
    used = [deltas[row] if row != PRISTINE else Delta() for row in rows]
    names = sorted({name for delta in used for name in delta.terms})
    with ExitStack() as hooks:
        for name in names:
            module = backbone.module(name)
            for patch in _patches([delta.terms.get(name) for delta in used], matrix(module)):
                hooks.callback(module.register_forward_hook(patch).remove)
        yield


def _patches(terms: Sequence[Term | None], weight: Tensor) -> Iterator["_Patch"]:
    """Yield one patch per kind of term among the rows of a batch."""
    for kind, patch in ((LowRank, _LowRankPatch), (Neurons, _NeuronsPatch), (Dense, _DensePatch)):
        rows = [row for row, term in enumerate(terms) if isinstance(term, kind)]
        if rows:
            yield patch([terms[row] for row in rows], rows, len(terms), weight)


class _Patch:
    """A forward hook that adds the terms of some rows to a module's output."""

    def __init__(self, terms: Sequence[Any], rows: list[int], batch: int, weight: Tensor) -> None:
        self.batch = batch
        self.rows = torch.tensor(rows, device=weight.device)
        self.prepare(terms, weight)

    def prepare(self, terms: Sequence[Any], weight: Tensor) -> None:
        raise TypeError("a patch must prepare its terms")

    def added(self, x: Tensor) -> Tensor:
        """Return what is added to the patched rows' outputs: x (rows, tokens, in) -> (rows, tokens, out)."""
        raise TypeError("a patch must add something")

    def __call__(self, module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        (x,) = args
        if len(x) != self.batch:
            raise ValueError(f"the batch has {len(x)} rows, but {self.batch} were given to with_deltas")
        return output.index_add(0, self.rows, self.added(x[self.rows]).to(output.dtype))


class _LowRankPatch(_Patch):
    def prepare(self, terms: Sequence[LowRank], weight: Tensor) -> None:
        rank = max(term.U.shape[1] for term in terms)
        self.U = _stack([term.U for term in terms], rank, weight)  # (rows, out, r)
        self.V = _stack([term.V for term in terms], rank, weight)  # (rows, in, r)

    def added(self, x: Tensor) -> Tensor:
        return (x @ self.V) @ self.U.transpose(1, 2)


class _NeuronsPatch(_Patch):
    def prepare(self, terms: Sequence[Neurons], weight: Tensor) -> None:
        width = max(len(term.index) for term in terms)
        self.columns = _stack([term.columns for term in terms], width, weight)  # (rows, out, k)
        # Padding reads neuron 0 and multiplies it with a zero column.
        self.index = torch.stack(
            [nn.functional.pad(term.index.to(weight.device), (0, width - len(term.index))) for term in terms]
        )  # (rows, k)

    def added(self, x: Tensor) -> Tensor:
        index = self.index[:, None, :].expand(-1, x.shape[1], -1)  # (rows, tokens, k)
        return x.gather(2, index) @ self.columns.transpose(1, 2)


class _DensePatch(_Patch):
    def prepare(self, terms: Sequence[Dense], weight: Tensor) -> None:
        # Rows of one fact share a matrix: they are laid side by side, so that no matrix is copied per row.
        slots: dict[int, list[int]] = {}
        for row, term in enumerate(terms):
            slots.setdefault(id(term), []).append(row)
        first = {id(term): term for term in terms}
        self.weight = torch.stack([first[key].weight for key in slots]).to(weight)  # (facts, out, in)
        width = max(len(members) for members in slots.values())
        padded = [members + [members[0]] * (width - len(members)) for members in slots.values()]
        self.members = torch.tensor(padded, device=weight.device)  # (facts, rows of the fact)
        place = {row: (slot, k) for slot, members in enumerate(slots.values()) for k, row in enumerate(members)}
        self.slot, self.column = torch.tensor([place[row] for row in range(len(terms))], device=weight.device).T

    def added(self, x: Tensor) -> Tensor:
        facts, width = self.members.shape
        side = x[self.members].reshape(facts, width * x.shape[1], -1)  # (facts, rows · tokens, in)
        y = (side @ self.weight.transpose(1, 2)).view(facts, width, x.shape[1], -1)
        return y[self.slot, self.column]


def _stack(tensors: Sequence[Tensor], width: int, like: Tensor) -> Tensor:
    """Stack (n, k) tensors after filling k up to `width` with zeros."""
    return torch.stack([nn.functional.pad(tensor, (0, width - tensor.shape[1])) for tensor in tensors]).to(like)


@contextmanager
def merged(backbone: Backbone, delta: Delta) -> Iterator[None]:
    """Within the block the backbone's weights hold the delta; afterwards the very same tensors as before are back."""
    with ExitStack() as restore:
        for name, term in delta.terms.items():
            module = backbone.module(name)
            pristine = module.weight
            weight = matrix(module)
            set_matrix(module, weight + term.dense(*weight.shape).to(weight))
            restore.callback(setattr, module, "weight", pristine)
        yield
