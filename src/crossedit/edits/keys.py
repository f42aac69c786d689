"""Writing values at keys: step 3 of ROME, and of MEMIT and its relatives.

An MLP's output projection W is read as a memory: it maps the key k, its input at the subject's last token, to a value.
All these methods add ΔW = R Aᵀ, where column i of R (out, n) is what is to be added to the value of fact i, and A
(in, n) are the keys K, adjusted so that each takes effect at itself and little elsewhere:

    A = S K (Kᵀ S K + ρ I)⁻¹

The methods differ in the metric S (in, in) and the damping ρ:
R-ROME  C⁻¹ and 0;  MEMIT  (λC)⁻¹ and 1;  EMMET  (λC + μI)⁻¹ and its own λ;  AlphaEdit  the projection P and L2.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from crossedit.backbones.backbone import Backbone
from crossedit.backbones.tail import Tail
from crossedit.edits.deltas import Delta, LowRank, merged, with_deltas
from crossedit.edits.requests import Request
from crossedit.edits.rows import subject_rows
from crossedit.edits.states import seen
from crossedit.errors import UserError


def adjusted(keys: Tensor, metric: Callable[[Tensor], Tensor], damping: float, together: bool) -> Tensor:
    """Return the adjusted keys (n, in), float32, of keys (n, in): those of one edit of all facts, or of one edit each.

    metric: multiplies each of some float64 keys (n, in) by S. Alone, a key is adjusted to S k / (kᵀ S k + ρ).
    Together, the smaller of two equal systems is solved: that of the facts, above, or (S K Kᵀ + ρ I)⁻¹ S K of the
    projection's width. Raises UserError where it has no solution.
    """
    K = keys.double()  # (n, in)
    SK = metric(K)  # (n, in)
    if not together:
        return (SK / ((SK * K).sum(1, keepdim=True) + damping)).float()
    count, width = K.shape
    if count <= width:
        system, right = K @ SK.T, SK  # (n, n), (n, in)
    else:
        system, right = SK.T @ K, SK.T  # (in, in), (in, n)
    system = system + damping * torch.eye(len(system), dtype=K.dtype, device=K.device)
    solution, failed = torch.linalg.solve_ex(system, right)
    if failed:
        raise UserError(
            f"hyperparameters: {count} facts can't be written together, since some have the same key; set the damping, "
            "such as `emmet_lambda: 0.1`."
        )
    return (solution if count <= width else solution.T).float()


@torch.no_grad()
def spread(
    backbone: Backbone,
    parts: Sequence[Sequence[Request]],
    *,
    layers: Sequence[int],
    module: str,
    target: Tensor,
    contexts: Sequence[str],
    bare_share: float | None,
    share: Callable[[int], float],
    metric: Callable[[int, Tensor], Tensor],
    damping: float,
    together: bool,
    kept: int = 0,
) -> list[Delta]:
    """Return the deltas of the layers' output projections that bring a module's output at the subjects to `target`.

    parts: the requests, in as many parts as go through the model one after the other; together: one delta of all of
    them, else one each, every one from the pristine backbone, for which there may be one part only. module: one of the
    last of `layers`; target: (F, H). The layers are written from the lowest up, each seeing what
    the ones below have become. What is still missing at the module is measured before each layer, which takes
    share(layers left) of it. A key is the mean over the contexts, of which the bare prompt counts `bare_share` (None:
    as much as every other). metric(layer, keys): S times each of the keys (n, in). kept: how many of the facts, the
    first ones, have been written before and are to stay as they are: they have no target, and count among the keys.
    """
    tails = [Tail(backbone, subject_rows(backbone, part, contexts), layers[0], layers[-1]) for part in parts]
    weights = _weights(contexts, bare_share).to(target.device)
    owners = [fact for fact in range(len(target)) for _ in contexts]
    deltas = [Delta()] * (1 if together else len(target))
    for number, layer in enumerate(layers):
        name = backbone.architecture.mlp_out.format(layer)
        keys, outputs = [], []
        with merged(backbone, deltas[0]) if together else with_deltas(backbone, deltas, owners):
            for tail in tails:
                with seen(backbone, name, [module], column=-1) as states:
                    tail()
                keys.append(states.keys.unflatten(0, (-1, len(contexts))))  # (facts, contexts, in)
                outputs.append(states.outputs[0].unflatten(0, (-1, len(contexts)))[:, contexts.index("")])
        K = torch.einsum("fci,c->fi", torch.cat(keys), weights)  # (kept + F, in)
        R = share(len(layers) - number) * (target - torch.cat(outputs)[kept:])  # (F, out)
        A = adjusted(K, partial(metric, layer), damping, together)[kept:]  # (F, in)
        each = zip(R[:, :, None], A[:, :, None], strict=True)
        terms = [LowRank(R.T, A.T)] if together else [LowRank(r, a) for r, a in each]
        deltas = [delta + Delta({name: term}) for delta, term in zip(deltas, terms, strict=True)]
    return deltas


def _weights(contexts: Sequence[str], bare_share: float | None) -> Tensor:
    """Return what each context counts in the mean key, (contexts,)."""
    others = len(contexts) - 1
    if bare_share is None or not others:
        return torch.full((len(contexts),), 1 / len(contexts))
    return torch.tensor([bare_share if context == "" else (1 - bare_share) / others for context in contexts])
