"""The model that a recipe trains: transformers' own LLaMA, small.

transformers' modules cost about 5 % of a step's time over a forward pass written for one shape; that buys a model that
is in training exactly what it is afterwards.
"""

from typing import Any

import torch
from torch import Tensor, nn

from crossedit.backbones.recipe.settings import Recipe


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
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config)
    model.set_attn_implementation("eager")  # faster than sdpa for short rows on a CPU
    nn.init.normal_(model.model.embed_tokens.weight, std=recipe.embedding_std)
    return model


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
