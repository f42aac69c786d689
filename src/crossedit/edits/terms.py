"""What a delta does to one linear module: the kinds of terms, their sums, and how they act row by row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from crossedit.errors import UserError


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
class Dense:
    """ΔW (out, in) as it is."""

    weight: Tensor

    def dense(self, out_features: int, in_features: int) -> Tensor:
        return self.weight

    def tensors(self) -> dict[str, Tensor]:
        return {"weight": self.weight}


@dataclass(frozen=True)
class Codebook:
    """Values (n, out) that replace a module's output at a prompt's last token where its input is near a key (n, in).

    radii (n,): how far from its key, in Euclidean distance, an entry reaches; the nearest key rules.
    """

    keys: Tensor
    values: Tensor
    radii: Tensor

    def dense(self, out_features: int, in_features: int) -> Tensor:
        raise UserError("a codebook (GRACE) is no change of weights: it can't be merged or turned into a matrix.")

    def tensors(self) -> dict[str, Tensor]:
        return {"keys": self.keys, "values": self.values, "radii": self.radii}


def total(first: Term, second: Term) -> Term:
    """Return the term that does what both do."""
    if isinstance(first, LowRank) and isinstance(second, LowRank):
        factors = LowRank(torch.cat([first.U, second.U], 1), torch.cat([first.V, second.V], 1))
        rows, columns = len(factors.U), len(factors.V)
        # Many edits fill a matrix, which is then smaller than their factors.
        full = factors.U.shape[1] * (rows + columns) > rows * columns
        return Dense(factors.dense(rows, columns)) if full else factors
    if isinstance(first, Codebook) and isinstance(second, Codebook):
        pairs = zip(first.tensors().values(), second.tensors().values(), strict=True)
        return Codebook(*(torch.cat(pair) for pair in pairs))
    shape = _shape(first) or _shape(second) or (0, 0)
    return Dense(first.dense(*shape) + second.dense(*shape))


def _shape(term: Term) -> tuple[int, int] | None:
    if isinstance(term, LowRank):
        return len(term.U), len(term.V)
    if isinstance(term, Dense):
        return term.weight.shape[0], term.weight.shape[1]
    return None


def patches(terms: Sequence[Term | None], weight: Tensor, ends: Tensor | None) -> Iterator["_Patch"]:
    """Yield forward hooks that let the terms of a module act in a batch, where row i has `terms[i]`.

    weight (out, in): the module's, for shape, device and dtype. ends (rows,): where prompts end, for codebooks.
    """
    for kind, patch in _PATCHES.items():
        rows = [row for row, term in enumerate(terms) if isinstance(term, kind)]
        if rows:
            yield patch([terms[row] for row in rows], rows, len(terms), weight, ends)


class _Patch:
    """A forward hook that adds the terms of some rows to a module's output."""

    def __init__(self, terms: Sequence[Any], rows: list[int], batch: int, weight: Tensor, ends: Tensor | None) -> None:
        self.batch = batch
        self.rows = torch.tensor(rows, device=weight.device)
        self.ends = ends
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


class _DensePatch(_Patch):
    def prepare(self, terms: Sequence[Dense], weight: Tensor) -> None:
        # Rows of one fact share a matrix: they are laid side by side, so that no matrix is copied per row.
        slots: dict[int, list[int]] = {}
        for row, term in enumerate(terms):
            slots.setdefault(id(term), []).append(row)
        first = {id(term): term for term in terms}
        self.weight = torch.stack([first[key].weight.to(weight) for key in slots])  # (facts, out, in)
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


class _CodebookPatch(_Patch):
    def prepare(self, terms: Sequence[Codebook], weight: Tensor) -> None:
        most = max(len(term.keys) for term in terms)
        self.keys, self.values = (
            torch.stack([nn.functional.pad(part, (0, 0, 0, most - len(part))) for part in parts]).to(weight.device)
            for parts in ([term.keys for term in terms], [term.values for term in terms])
        )  # (rows, n, in), (rows, n, out)
        # No input is as near to padding as nothing.
        self.radii = torch.stack(
            [nn.functional.pad(term.radii, (0, most - len(term.radii)), value=-1.0) for term in terms]
        ).to(weight.device)  # (rows, n)
        self.used = False

    def __call__(self, module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        # The prompt's last token is in the first pass; later ones see what follows it.
        if self.used or self.ends is None:
            return output
        self.used = True
        (x,) = args
        columns = self.ends[self.rows]
        query = x[self.rows, columns.clamp(min=0)].float()  # (rows, in)
        distance = (query[:, None] - self.keys).norm(dim=2)  # (rows, n)
        distance = distance.masked_fill(self.radii < 0, torch.inf)
        nearest = distance.argmin(1)
        each = torch.arange(len(nearest), device=nearest.device)
        own = (distance[each, nearest] <= self.radii[each, nearest]) & (columns >= 0)
        changed = output.clone()
        changed[self.rows[own], columns[own]] = self.values[each, nearest][own].to(output.dtype)
        return changed


_PATCHES: dict[type[Any], type[_Patch]] = {
    LowRank: _LowRankPatch,
    Dense: _DensePatch,
    Codebook: _CodebookPatch,
}


def _stack(tensors: Sequence[Tensor], width: int, like: Tensor) -> Tensor:
    """Stack (n, k) tensors after filling k up to `width` with zeros."""
    return torch.stack([nn.functional.pad(tensor, (0, width - tensor.shape[1])) for tensor in tensors]).to(like)
