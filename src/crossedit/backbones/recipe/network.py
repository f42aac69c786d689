"""The model that a recipe trains: transformers' own LLaMA, small, and how it starts.

transformers' modules cost about 5 % of a step's time over a forward pass written for one shape; that buys a model that
is in training exactly what it is afterwards.

Copying from the context takes two attention heads in a row: one that looks at the token before, and one that looks
for what came after the same token earlier (Olsson et al., 2022, "In-context learning and induction heads"). In a
training of minutes they don't come about by themselves, so the model starts with the first of them, and with attention
that passes on what it sees (after Trockman and Kolter, 2023, "Mimetic initialization of self-attention layers").
"""

from typing import Any

import torch
from torch import Tensor, nn

from crossedit.backbones.recipe.settings import Recipe

FREQUENCIES = 8  # of the rotary embedding, the fastest ones: they tell a neighbour from the next but one
SHARPNESS = 24.0  # attention logit at the token before; 3 less at its neighbours


def new_model(recipe: Recipe, tokenizer: Any, seed: int) -> Any:
    """Return an untrained LlamaForCausalLM of the recipe's size, drawn from the seed."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        intermediate_size=recipe.ffn,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        max_position_embeddings=1024,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=recipe.tied,
        initializer_range=recipe.weight_std,
    )
    model = LlamaForCausalLM(config)
    model.set_attn_implementation("eager")  # faster than sdpa for short rows on a CPU
    nn.init.normal_(model.model.embed_tokens.weight, std=recipe.embedding_std)
    if recipe.tied:
        # Embeddings of this size would make the first answers very sure of themselves.
        nn.init.constant_(model.model.norm.weight, 1 / (recipe.embedding_std * recipe.hidden**0.5))
    if recipe.common:
        _look_back(model, recipe)
    if recipe.passing_on:
        _pass_on(model, recipe)
    return model


@torch.no_grad()
def _look_back(model: Any, recipe: Recipe) -> None:
    """Make the first head of the first layer attend to the token before.

    All embeddings get a common direction m. The head's query and key depend on m alone; the key is turned by one
    position, so that their product, the sum of cos((distance - 1) θ) over some frequencies θ, is largest at distance 1.
    """
    width = recipe.hidden // recipe.heads
    embeddings = model.model.embed_tokens.weight
    m = torch.randn(recipe.hidden)
    m /= m.norm()
    embeddings += recipe.common * m
    # What m's share of an embedding is after the norm, which brings its length to the root of its width.
    length = (recipe.common**2 + recipe.embedding_std**2 * recipe.hidden) ** 0.5
    share = recipe.common / length * recipe.hidden**0.5
    theta = model.model.rotary_emb.inv_freq[:FREQUENCIES]
    used = len(theta)
    query, key = torch.zeros(width), torch.zeros(width)
    query[:used] = 1
    key[:used] = theta.cos()
    key[width // 2 : width // 2 + used] = theta.sin()
    scale = (SHARPNESS * width**0.5 / used) ** 0.5 / share
    attention = model.model.layers[0].self_attn
    attention.q_proj.weight[:width] = scale * torch.outer(query, m)
    attention.k_proj.weight[:width] = scale * torch.outer(key, m)


@torch.no_grad()
def _pass_on(model: Any, recipe: Recipe) -> None:
    """Make every layer's output projection undo its value projection, so that attention adds what it sees."""
    for layer in model.model.layers:
        turned = torch.linalg.qr(torch.randn(recipe.hidden, recipe.hidden)).Q * recipe.passing_on**0.5
        layer.self_attn.v_proj.weight.copy_(turned)
        layer.self_attn.o_proj.weight.copy_(turned.T)


def states(model: Any, ids: Tensor, positions: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
    """Return the embeddings, the output of each layer but the last, and the normed last states: (rows, tokens, hidden).

    ids and positions are (rows, tokens); mask (rows, 1, tokens, tokens) is True where a token is seen.
    """
    bias = torch.zeros(mask.shape).masked_fill_(~mask, torch.finfo(torch.bfloat16).min)
    output = model.model(
        input_ids=ids, position_ids=positions, attention_mask=bias, use_cache=False, output_hidden_states=True
    )
    hidden: tuple[Tensor, ...] = output.hidden_states
    return hidden
