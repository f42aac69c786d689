"""MEND: Model Editor Networks with Gradient Decomposition (Mitchell et al., 2022, "Fast Model Editing at Scale").

The fine-tuning gradient of a matrix W on a new fact is Σ_t δ_t u_tᵀ, with u_t what goes into W at token t and δ_t the
loss's gradient at what comes out (section 3.1, eq. 1). A small network g, trained once per backbone, turns each pair
(u, δ) into (ũ, δ̃) (section 3.2, eq. 3); the edited matrix is W - α Σ_t δ̃_t ũ_tᵀ with a learnt α per matrix. Matrices of
one shape share a network, with a scale and a shift of their own. One pass through the last layers edits.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from crossedit.backbones.backbone import Backbone
from crossedit.backbones.tail import Tail
from crossedit.edits.deltas import Delta, LowRank
from crossedit.edits.editors.trained import TrainedEditor
from crossedit.edits.requests import Request
from crossedit.edits.rows import Rows, target_rows
from crossedit.edits.training.examples import Example
from crossedit.edits.training.loop import Learner, Losses, TrainingHparams
from crossedit.edits.training.texts import Texts
from crossedit.models import matrix

Factors = Mapping[str, tuple[Tensor, Tensor]]  # per module: u (rows, tokens, in) and δ (rows, tokens, out)


@dataclass(frozen=True, kw_only=True)
class MENDHparams(TrainingHparams):
    """layers: the layers whose MLP matrices are edited.

    rank, n_hidden: of the networks, which have n_hidden + 1 layers. edit_lr: α at the start; lr_lr: its learning rate.
    norm: whether u and δ are standardised, over the training facts, before they go through g.
    batch_loss: the loss whose gradient is taken where several facts are edited at once: the sum of theirs, or the mean
    over all their tokens, as published.
    """

    layers: list[int]
    rank: int
    n_hidden: int
    edit_lr: float
    lr_lr: float
    norm: bool = True
    batch_loss: Literal["sum", "mean"] = "sum"


class MEND(TrainedEditor):
    Hparams = MENDHparams
    holds_many = True

    def edit(self, backbone: Backbone, requests: Sequence[Request]) -> Delta:
        """Return the sum of the requests' deltas, as all facts' tokens make one gradient."""
        starts = range(0, len(requests), self.at_once)
        parts = [target_rows(backbone, requests[start : start + self.at_once]) for start in starts]
        counts = torch.cat([rows.place_row.bincount(minlength=len(rows.batch.ids)) for rows in parts])
        weights = batch_weights(counts[None], self.hparams.batch_loss)[0].split([len(rows.batch.ids) for rows in parts])
        deltas = [delta for pair in zip(parts, weights, strict=True) for delta in self._found(backbone, *pair)]
        # Not one by one, which would copy the first fact's factors once per fact.
        return Delta(
            {
                name: LowRank(*(torch.cat([getattr(delta.terms[name], side) for delta in deltas], 1) for side in "UV"))
                for name in deltas[0].terms
            }
        )

    def edit_each(self, backbone: Backbone, requests: Sequence[Request]) -> list[Delta]:
        return self._found(backbone, target_rows(backbone, requests), torch.ones(len(requests), device=backbone.device))

    @torch.no_grad()
    def _found(self, backbone: Backbone, rows: Rows, weights: Tensor) -> list[Delta]:
        """Return a delta per row, whose loss counts with its weight."""
        network: Networks = self.trained_network(backbone)
        tail = Tail(backbone, rows.batch, min(self.hparams.layers))
        deltas: list[dict[str, LowRank]] = [{} for _ in weights]
        factors = weighted(gradients(backbone, network.names, rows, tail), weights)
        for name, (u, delta) in network(factors).items():
            for row, terms in enumerate(deltas):
                taught = (delta[row] != 0).any(1)
                terms[name] = LowRank(U=-delta[row, taught].T, V=u[row, taught].T)
        return [Delta(terms) for terms in deltas]

    def network(self, backbone: Backbone, seed: int) -> "Networks":
        return Networks(backbone, self.hparams, seed)

    def learner(
        self, backbone: Backbone, training: Sequence[Example], validation: Sequence[Example], seed: int
    ) -> "MENDLearner":
        return MENDLearner(backbone, self.hparams, self.network(backbone, seed), training, validation)


def gradients(backbone: Backbone, names: Sequence[str], rows: Rows, tail: Tail) -> Factors:
    """Return u and δ of the modules, where the loss of a row is the mean over its target's tokens; δ is 0 elsewhere.

    One pass through the tail and back serves all rows, since no row's loss depends on another row.
    """
    u: dict[str, Tensor] = {}
    outputs: dict[str, Tensor] = {}

    def keep(name: str, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        # No weight asks for gradients, so that the output is where the graph begins.
        nothing = torch.zeros_like(output, requires_grad=True)
        u[name], outputs[name] = args[0].detach().float(), nothing
        return output + nothing

    with ExitStack() as hooks, torch.enable_grad():
        for name in names:
            hook = backbone.module(name).register_forward_hook(
                lambda _, args, output, name=name: keep(name, args, output)
            )
            hooks.callback(hook.remove)
        hidden = tail()
        loss = rows.losses(backbone.head(hidden[rows.place_row, rows.place_column])).sum()
        found = torch.autograd.grad(loss, [outputs[name] for name in names])
    return {name: (u[name], delta.float()) for name, delta in zip(names, found, strict=True)}


def batch_weights(counts: Tensor, batch_loss: str) -> Tensor:
    """Return what the mean loss of each fact counts in that of its batch; counts (batches, facts) of target tokens."""
    return torch.ones_like(counts, dtype=torch.float) if batch_loss == "sum" else counts / counts.sum(1, keepdim=True)


def weighted(factors: Factors, weights: Tensor) -> Factors:
    """Return the factors for losses that count with these weights (rows,)."""
    return {name: (u, delta * weights[:, None, None]) for name, (u, delta) in factors.items()}


class Transform(nn.Module):
    """g of section 3.2 for the matrices of one shape: layers of h = x + σ(s ⊙ (U V x + b) + o), U = 0 at the start.

    x is u and δ put together, each standardised. modes: the number of matrices, which have their own s and o.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, u_width: int, delta_width: int, modes: int, hparams: MENDHparams, seed: int) -> None:
        super().__init__()
        self.widths = [u_width, delta_width]
        depth, width = hparams.n_hidden + 1, u_width + delta_width
        rank = min(hparams.rank, width)
        generator = torch.Generator().manual_seed(seed)
        self.U = nn.Parameter(torch.zeros(depth, width, rank))
        self.V = nn.Parameter(torch.randn(depth, rank, width, generator=generator))
        self.b = nn.Parameter(torch.zeros(depth, width))
        self.s = nn.Parameter(torch.ones(depth, modes, width))
        self.o = nn.Parameter(torch.zeros(depth, modes, width))
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("std", torch.ones(width))

    def forward(self, x: Tensor, mode: int) -> Tensor:
        """Return what g makes of the pairs x (N, in + out) of matrix number `mode`."""
        x = (x - self.mean) / self.std
        for U, V, b, s, o in zip(self.U, self.V, self.b, self.s[:, mode], self.o[:, mode], strict=True):
            # Unlike relu, clamp has a gradient at 0, where everything starts.
            x = x + (s * ((x @ V.T) @ U.T + b) + o).clamp(min=0)
        return x


class Networks(nn.Module):
    """All that MEND learns: a Transform per distinct shape, and α per matrix.

    names: the modules whose matrices are edited. groups: their numbers, by shape.
    """

    def __init__(self, backbone: Backbone, hparams: MENDHparams, seed: int) -> None:
        super().__init__()
        where = backbone.architecture
        self.names = [
            name.format(layer)
            for layer in sorted(backbone.checked_layers(hparams.layers))
            for name in (*where.mlp_in, where.mlp_out)
        ]
        self.norm = hparams.norm
        shapes = [matrix(backbone.module(name)).shape for name in self.names]
        self.groups: dict[str, list[int]] = {}
        for number, (out, into) in enumerate(shapes):
            self.groups.setdefault(f"{out}x{into}", []).append(number)
        self.transforms = nn.ModuleDict(
            {
                shape: Transform(shapes[members[0]][1], shapes[members[0]][0], len(members), hparams, seed)
                for shape, members in self.groups.items()
            }
        )
        self.edit_lrs = nn.Parameter(torch.full((len(self.names),), hparams.edit_lr))
        self.to(backbone.device)

    def forward(self, factors: Factors) -> Factors:
        """Return ũ and α δ̃ in the place of u and δ; both are 0 at tokens that have no gradient."""
        edits = {}
        for shape, members in self.groups.items():
            transform = self.transform(shape)
            for mode, number in enumerate(members):
                x, taught = _pairs(*factors[self.names[number]])
                found = transform(x, mode)  # (N, in + out)
                changed = found.new_zeros(*taught.shape, found.shape[1]).index_put(taught.nonzero(as_tuple=True), found)
                u, delta = changed.split(transform.widths, -1)
                edits[self.names[number]] = (u, self.edit_lrs[number] * delta)
        return {name: edits[name] for name in self.names}

    def transform(self, shape: str) -> Transform:
        found = self.transforms[shape]
        assert isinstance(found, Transform)
        return found

    @torch.no_grad()
    def standardise(self, parts: Iterator[Factors]) -> None:
        """Take mean and standard deviation of u and δ per shape from these factors.

        The published code updates both while it trains. But they are those of the unedited backbone, which training
        doesn't change: known beforehand, they make no episode depend on an earlier one.
        """
        sums = {shape: [torch.zeros((), device=self.edit_lrs.device)] * 3 for shape in self.groups}
        for factors in parts:
            for shape, members in self.groups.items():
                for number in members:
                    x = _pairs(*factors[self.names[number]])[0].double()
                    count, total, squares = sums[shape]
                    sums[shape] = [count + len(x), total + x.sum(0), squares + (x**2).sum(0)]
        for shape, (count, total, squares) in sums.items():
            mean = total / count
            spread = (squares / count - mean**2).clamp(min=0).sqrt()
            transform = self.transform(shape)
            transform.mean.copy_(mean)
            # A number that never varies tells nothing: it stays 0.
            transform.std.copy_(torch.where(spread > 1e-12, spread, 1.0))


def _pairs(u: Tensor, delta: Tensor) -> tuple[Tensor, Tensor]:
    """Return (N, in + out) of the tokens that have a gradient, and which these are (rows, tokens)."""
    taught = (delta != 0).any(-1)
    return torch.cat([u[taught], delta[taught]], -1), taught


@contextmanager
def edited(backbone: Backbone, edits: Factors, episode: Tensor) -> Iterator[None]:
    """Within the block row i runs through the model of episode `episode[i]`, with gradients to its edits.

    edits: ũ (episodes, tokens, in) and α δ̃ (episodes, tokens, out).
    """
    with ExitStack() as hooks:
        for name, (u, delta) in edits.items():

            def add(
                _: nn.Module, args: tuple[Tensor, ...], output: Tensor, u: Tensor = u[episode], delta: Tensor = delta
            ) -> Tensor:
                change = (args[0].to(u.dtype) @ u.transpose(1, 2)) @ delta[episode]
                return output - change.to(output.dtype)

            hooks.callback(backbone.module(name).register_forward_hook(add).remove)
        yield


class MENDLearner(Learner):
    """MEND's training (section 3.2, algorithm 1), on the last layers alone."""

    hparams: MENDHparams
    network: Networks

    def __init__(
        self,
        backbone: Backbone,
        hparams: MENDHparams,
        network: Networks,
        training: Sequence[Example],
        validation: Sequence[Example],
    ) -> None:
        super().__init__(backbone, hparams, network, training, validation)
        self.texts = Texts(
            backbone,
            [
                *((fact.prompt, fact.target) for fact in self.facts),
                *((getattr(fact, hparams.edit_on), fact.target) for fact in self.facts),
                *((fact.locality_prompt, fact.locality_answer) for fact in self.facts),
            ],
            start=min(hparams.layers),
        )
        if hparams.norm:
            size = hparams.accumulate_bs
            parts = (self.training[start : start + size] for start in range(0, len(training), size))
            self.network.standardise(self._gradients(part) for part in parts)

    def groups(self) -> list[dict[str, Any]]:
        networks = list(self.network.transforms.parameters())
        return [
            {"params": networks, "lr": self.hparams.lr},
            {"params": [self.network.edit_lrs], "lr": self.hparams.lr_lr},
        ]

    def losses(self, facts: Sequence[int], episodes: int) -> Losses:
        counts = torch.tensor([len(self.texts.tokens[fact][1]) for fact in facts], device=self.backbone.device)
        weights = batch_weights(counts.view(episodes, -1), self.hparams.batch_loss).flatten()
        # Facts of one episode: their tokens make one gradient, so they lie behind one another.
        edits = {
            name: (u.reshape(episodes, -1, u.shape[-1]), delta.reshape(episodes, -1, delta.shape[-1]))
            for name, (u, delta) in self.network(weighted(self._gradients(facts), weights)).items()
        }
        inside = [self.count + fact for fact in facts]
        outside = [2 * self.count + fact for fact in facts]
        rows, tail = self.texts.pick([*inside, *outside])
        episode = torch.arange(episodes, device=self.backbone.device).repeat_interleave(len(facts) // episodes)
        with edited(self.backbone, edits, episode.repeat(2)):
            hidden = tail()
        logits = self.backbone.head(hidden[rows.place_row, rows.place_column])  # (K, vocabulary)
        before = self.texts.unedited(outside)  # (the locality answers' tokens, vocabulary)
        new = rows.place_row < len(facts)
        after, was = logits[~new].log_softmax(-1), before.log_softmax(-1)
        divergence = (was.exp() * (was - after)).sum(1)
        wrong = -logits[new].log_softmax(-1).gather(1, rows.labels[new, None])[:, 0]

        def per_episode(values: Tensor, mine: Tensor) -> Tensor:
            """Return the mean over an episode's facts of the mean over a row's tokens, (episodes,)."""
            owner = rows.place_row[mine] % len(facts)
            each = values.new_zeros(len(facts)).index_add(0, owner, values * rows.share[mine])
            return each.view(episodes, -1).mean(1)

        right = (logits[new].argmax(1) == rows.labels[new]).float()
        same = (after.argmax(1) == was.argmax(1)).float()
        return Losses(
            per_episode(wrong, new), per_episode(divergence, ~new), per_episode(right, new), per_episode(same, ~new)
        )

    def _gradients(self, facts: Sequence[int]) -> Factors:
        return gradients(self.backbone, self.network.names, *self.texts.pick(facts))
