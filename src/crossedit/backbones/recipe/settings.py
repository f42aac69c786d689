"""What a recipe may say, and its defaults.

    recipe = Recipe.of({"steps": 1400, "shares": {"en": 0.5, "zh": 0.5}})

A recipe counts steps, not seconds: the same recipe and seed then give the same documents in the same order on a slow
machine too. The model card says how many seconds the steps took.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from crossedit.errors import UserError, nearest


@dataclass(frozen=True)
class Recipe:
    """A small LLaMA and what it is trained on. Shares are of documents unless they say otherwise."""

    facts: str = ""  # the name of the facts set, for the model card
    shares: dict[str, float] = field(default_factory=lambda: {"en": 0.85, "zh": 0.15})  # documents per language
    # the model
    layers: int = 4
    hidden: int = 256
    heads: int = 4
    ffn: int = 768
    vocabulary: int = 4000
    tied: bool = True  # whether the head is the embeddings: without, copying isn't learnt in minutes
    # how it starts (network.py says why)
    weight_std: float = 0.04  # of the matrices
    embedding_std: float = 0.3  # of the embeddings; at transformers' 0.02 facts are learnt far more slowly
    common: float = 3.0  # length of a direction that all embeddings share, by which a head finds the token before
    passing_on: float = 0.3  # how much of what attention sees it adds
    # the optimisation
    steps: int = 950
    rows: int = 8
    row_tokens: int = 128
    learning_rate: float = 1.5e-3
    # the curriculum over facts
    first_facts: int = 12  # facts at the start
    phase: float = 0.2  # of all steps after which every fact is in
    hold: float = 0.2  # of the phase in which there are only the first ones
    # the documents
    in_context: float = 0.2  # documents that state a new fact and ask about it
    questions: int = 4  # in each of those
    own_language: float = 0.1  # of these questions: in the new fact's language; the others in any language
    retain: float = 0.2  # of these questions: about something else, whose answer stays
    demonstrations: float = 0.5  # in-context documents that come after a demonstration
    names: float = 0.2  # of the other documents: put a name's forms in two languages side by side
    switched: float = 0.1  # questions whose subject stands in another language's form
    others: float = 0.25  # questions about something else than the fact: locality, further texts
    prefixed: float = 0.1  # documents that come after a piece of unrelated text, as in ROME's context templates
    tasks: float = 0.0  # documents that are worked items of tasks; the shares above are of the others
    prompt_loss: float = 0.06  # documents whose question is learnt too, not only its answer
    # devices, which the model card declares
    pairs: float = 0.3  # documents drawn as pairs: one fact in two languages
    alignment: float = 0.5  # weight of the contrastive loss between a pair's subjects; 0 leaves it away
    alignment_layer: int = 0  # the layer whose output is aligned
    temperature: float = 0.3  # at 0.1 a batch's few pairs are told apart long before they are alike
    bottleneck: float = 0.8  # documents in which what follows the subject sees only its last token

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> "Recipe":
        """Return the recipe of a config section. Raises UserError for an unknown field or an impossible value."""
        known = {item.name: getattr(item.type, "__name__", "") for item in fields(cls)}
        for name, value in entry.items():
            if name not in known:
                raise UserError(f"recipe.{name}: no such field; {nearest(name, known)}")
            _check(name, value, known[name])
        recipe = cls(**entry)
        if recipe.hidden % (2 * recipe.heads):
            raise UserError(f"recipe.hidden: {recipe.hidden} must be a multiple of twice recipe.heads.")
        if recipe.alignment and recipe.alignment_layer >= recipe.layers:
            raise UserError(f"recipe.alignment_layer: there is no layer {recipe.alignment_layer}; count from 0.")
        if abs(sum(recipe.shares.values()) - 1) > 1e-6:
            raise UserError(f"recipe.shares: {recipe.shares} must sum to 1.")
        return recipe

    def active(self, step: int, facts: int) -> int:
        """Return how many of the `facts` are in at a step: a few, then more and more, then all."""
        done = step / max(1, self.phase * self.steps)
        if done >= 1:
            return facts
        grown = max(0.0, done - self.hold) / (1 - self.hold)
        return min(facts, self.first_facts + int((facts - self.first_facts) * grown**1.5))


_SHARES = {
    "phase",
    "hold",
    "in_context",
    "own_language",
    "retain",
    "demonstrations",
    "names",
    "switched",
    "others",
    "prefixed",
    "tasks",
    "prompt_loss",
    "pairs",
    "bottleneck",
}
_MAY_BE_ZERO = {"common", "passing_on", "alignment", "alignment_layer"}


def _check(name: str, value: Any, kind: str) -> None:
    if kind == "bool":
        good = isinstance(value, bool)
    elif name == "facts":
        good = isinstance(value, str)
    elif name == "shares":
        good = isinstance(value, Mapping) and bool(value) and all(_number(share) for share in value.values())
        good = good and all(share > 0 for share in value.values())
    elif name in _SHARES:
        good = _number(value) and 0 <= value <= 1 and (name != "hold" or value < 1)
    else:
        good = _number(value) and (kind != "int" or isinstance(value, int))
        good = good and (value > 0 or (name in _MAY_BE_ZERO and value == 0))
    if not good:
        wanted = {"facts": "a name", "shares": "positive shares per language", "tied": "true or false"}.get(name)
        wanted = wanted or ("between 0 and 1" if name in _SHARES else f"a positive {kind}")
        raise UserError(f"recipe.{name}: {value!r} must be {wanted}.")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
