"""Where the layers of each architecture are.

    architecture = architecture_of(model.config.model_type)
    architecture.mlp_out.format(5)         "model.layers.5.mlp.down_proj"
    matrix(module)                         its weight as out x in, whichever way the module stores it

An architecture is a row of module names; a new one is a new row.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from crossedit.errors import UserError, nearest


@dataclass(frozen=True)
class Architecture:
    """Module names in one architecture; `{}` stands for the number of the layer.

    mlp_in: the projections into the MLP's inner space; the first one's outputs are the neurons of Dai et al. (2022).
    attention: the modules that make query and value (one module where they are fused); attention_out: the projection
    that attention's output comes out of.
    """

    layer: str
    mlp: str
    mlp_in: tuple[str, ...]
    mlp_out: str
    attention: tuple[str, ...]
    attention_out: str
    embeddings: str
    final_norm: str
    head: str = "lm_head"


_LLAMA = Architecture(
    layer="model.layers.{}",
    mlp="model.layers.{}.mlp",
    mlp_in=("model.layers.{}.mlp.gate_proj", "model.layers.{}.mlp.up_proj"),
    mlp_out="model.layers.{}.mlp.down_proj",
    attention=("model.layers.{}.self_attn.q_proj", "model.layers.{}.self_attn.v_proj"),
    attention_out="model.layers.{}.self_attn.o_proj",
    embeddings="model.embed_tokens",
    final_norm="model.norm",
)

ARCHITECTURES = {
    "llama": _LLAMA,
    "mistral": _LLAMA,
    "qwen2": _LLAMA,
    "qwen3": _LLAMA,
    "gemma": _LLAMA,
    "gemma2": _LLAMA,
    "baichuan": Architecture(
        layer=_LLAMA.layer,
        mlp=_LLAMA.mlp,
        mlp_in=_LLAMA.mlp_in,
        mlp_out=_LLAMA.mlp_out,
        attention=("model.layers.{}.self_attn.W_pack",),
        attention_out=_LLAMA.attention_out,
        embeddings=_LLAMA.embeddings,
        final_norm=_LLAMA.final_norm,
    ),
    "gpt2": Architecture(
        layer="transformer.h.{}",
        mlp="transformer.h.{}.mlp",
        mlp_in=("transformer.h.{}.mlp.c_fc",),
        mlp_out="transformer.h.{}.mlp.c_proj",
        attention=("transformer.h.{}.attn.c_attn",),
        attention_out="transformer.h.{}.attn.c_proj",
        embeddings="transformer.wte",
        final_norm="transformer.ln_f",
    ),
    "gptj": Architecture(
        layer="transformer.h.{}",
        mlp="transformer.h.{}.mlp",
        mlp_in=("transformer.h.{}.mlp.fc_in",),
        mlp_out="transformer.h.{}.mlp.fc_out",
        attention=("transformer.h.{}.attn.q_proj", "transformer.h.{}.attn.v_proj"),
        attention_out="transformer.h.{}.attn.out_proj",
        embeddings="transformer.wte",
        final_norm="transformer.ln_f",
    ),
}


def architecture_of(model_type: str) -> Architecture:
    """Return the row for a transformers `model_type`; UserError for one that has none."""
    if model_type not in ARCHITECTURES:
        known = nearest(model_type, ARCHITECTURES)
        raise UserError(f"backbone of model_type '{model_type}': crossedit doesn't know its layers; {known}")
    return ARCHITECTURES[model_type]


def matrix(module: nn.Module) -> Tensor:
    """Return the module's weight as a view of shape (out, in); Conv1D of GPT-2 stores it the other way round."""
    weight = module.weight
    assert isinstance(weight, Tensor)
    return weight.T if isinstance(module, Conv1D) else weight


def set_matrix(module: nn.Module, weight: Tensor) -> None:
    """Make (out, in) `weight` the module's weight; the old tensor is left as it was."""
    stored = weight.T if isinstance(module, Conv1D) else weight
    module.weight = nn.Parameter(stored.contiguous(), requires_grad=False)


def first_tensor(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """Return a layer's hidden states, which some architectures return as the first of a tuple."""
    return output if isinstance(output, torch.Tensor) else output[0]
