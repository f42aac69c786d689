"""Our hyperparameters as EasyEdit's.

Both engines use the published names, so that little is renamed. What EasyEdit has as a constant in its code, or not at
all, can't be set through it: another value is refused instead of being dropped.
"""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from crossedit.backbones.backbone import Backbone
from crossedit.edits.easyeditor.checkout import COMMIT
from crossedit.edits.easyeditor.statistics import DATASET, PRECISION, SAMPLES
from crossedit.errors import UserError, nearest


@dataclass(frozen=True)
class Method:
    """What a method is called in EasyEdit, and how its hyperparameters differ.

    module: where it is below easyeditor.models; apply, hparams: its function and its class of hyperparameters there.
    given: EasyEdit's hyperparameters that we have no name for, or where we have nothing (None).
    constants: ours that EasyEdit has as constants, with the values that they have there.
    around: ours that say what is prepared for an edit, which is the same for both engines.
    """

    module: str
    apply: str
    hparams: str
    given: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    around: frozenset[str] = frozenset()


_VALUE = {"v_loss_tolerance": 5e-2}
_MASS = {**_VALUE, "mom2_adjustment": True, "bare_prompt_share": 0.5}
_CONTEXTS = frozenset({"context_template_length_params"})
_FT = Method(
    "ft.ft_main",
    "apply_ft_to_model",
    "FTHyperParams",
    given={"weight_decay": 0.0, "kl_factor": 0.0, "norm_constraint": False},
    constants={"loss_tolerance": 1e-2},
)
_LORA = Method(
    "lora.lora_main",
    "apply_lora_to_model",
    "LoRAHyperParams",
    given={"weight_decay": 0.0, "kl_factor": 0.0, "norm_constraint": False},
    constants={"loss_tolerance": 0.0},
    around=frozenset({"seed"}),
)
METHODS = {
    "FT-L": _FT,
    "FT-M": _FT,
    "ROME": Method(
        "rome.rome_main", "apply_rome_to_model", "ROMEHyperParams", constants=_VALUE, around=_CONTEXTS | {"mom2_ridge"}
    ),
    "MEMIT": Method(
        "memit.memit_main",
        "apply_memit_to_model",
        "MEMITHyperParams",
        constants=_MASS,
        around=_CONTEXTS | {"mom2_ridge"},
    ),
    "AlphaEdit": Method(
        "alphaedit.AlphaEdit_main",
        "apply_AlphaEdit_to_model",
        "AlphaEditHyperParams",
        given={"mom2_update_weight": 0.0},  # not used
        constants=_MASS,
        around=_CONTEXTS | {"nullspace_relative"},
    ),
    "KN": Method(
        "kn.kn_main",
        "apply_kn_to_model",
        "KNHyperParams",
        given={"lr_scale": 1.0, "n_toks": 10, "refine": False, "p": 0.4},  # not used
        constants={"erased": "completion", "single_token_factor": 2.0, "lambda_1": 1.0, "lambda_2": 1.0},
        around=frozenset({"ground_truth"}),
    ),
    "LoRA": replace(_LORA, given={**_LORA.given, "lora_type": "lora"}, around=_LORA.around | {"init_std"}),
    # peft takes AdaLoRA's rank and penalty from its own defaults, whatever EasyEdit is told.
    "AdaLoRA": replace(
        _LORA,
        given={**_LORA.given, "lora_type": "adalora"},
        constants={**_LORA.constants, "rank": 12, "init_std": 0.02, "orth_reg_weight": 0.5},
    ),
    "GRACE": Method(
        "grace.grace_main",
        "apply_grace_to_model",
        "GraceHyperParams",
        given={
            "dist_fn": "euc",
            "val_train": "sgd",
            "val_reg": "None",
            "reg": "early_stop",
            "replacement": "replace_last",
            "eps_expand": "coverage",
            "num_pert": 8,
            "dropout": 0.0,
        },
        constants={"loss_tolerance": 0.0},
        around=frozenset({"layers", "module", "seed"}),
    ),
}

# EasyEdit branches by what a model's name contains.
_NAMES = {"gpt2": "gpt2-xl", "gptj": "gpt-j-6b", "gemma": "llama", "gemma2": "llama"}


def method_of(name: str) -> Method:
    """Return the row of a method. Raises UserError for one that can't run through EasyEdit."""
    if name not in METHODS:
        raise UserError(f"editors: method '{name}' can't run through `engine: easyeditor`; {nearest(name, METHODS)}")
    return METHODS[name]


def model_name(backbone: Backbone) -> str:
    """Return a name by which EasyEdit takes the right branches and which no other weights have."""
    kind = backbone.model.config.model_type
    return f"{_NAMES.get(kind, kind)}-{backbone.digest}"


def their_hparams(
    name: str, hparams: Mapping[str, Any], backbone: Backbone, module: ModuleType, statistics: Path
) -> Any:
    """Return the checkout's own object of hyperparameters for a method.

    hparams: all of ours for the method, defaults included.
    module: what `Method.module` names; statistics: the folder that EasyEdit takes second moments from.
    Raises UserError for a value that can't be set there, and where the checkout wants a hyperparameter we don't know.
    """
    method = method_of(name)
    for item, constant in method.constants.items():
        if item == "bare_prompt_share" and not hparams["context_template_length_params"]:
            continue  # the bare prompt stands alone
        if hparams[item] != constant:
            raise UserError(
                f"hyperparameters of {name}: {item} is {hparams[item]!r}, but EasyEdit's code has {constant!r}; "
                "set that or use crossedit's own engine."
            )
    ours = {name: value for name, value in hparams.items() if value is not None}
    offered = {**method.given, **_surroundings(name, hparams, backbone, statistics), **ours}
    kind = getattr(module, method.hparams)
    wanted = {item.name: item for item in fields(kind)}
    unknown = set(hparams) - set(wanted) - set(method.constants) - method.around
    if unknown:
        raise UserError(
            f"hyperparameters of {name}: EasyEdit has no {', '.join(sorted(unknown))}; use crossedit's own engine."
        )
    lacking = [
        item.name
        for item in wanted.values()
        if item.name not in offered and item.default is MISSING and item.default_factory is MISSING
    ]
    if lacking:
        raise UserError(
            f"checkout: EasyEdit's {method.hparams} wants {', '.join(lacking)}, which crossedit doesn't know; use "
            f"commit {COMMIT}."
        )
    return kind(**{name: value for name, value in offered.items() if name in wanted})


def grace_module(hparams: Mapping[str, Any], backbone: Backbone) -> str:
    """Return the module that GRACE's codebook stands at."""
    (layer,) = hparams["layers"]
    architecture = backbone.architecture
    return {"mlp_in": architecture.mlp_in[0], "mlp_out": architecture.mlp_out}[hparams["module"]].format(layer)


def _surroundings(name: str, hparams: Mapping[str, Any], backbone: Backbone, statistics: Path) -> dict[str, Any]:
    """Return what EasyEdit has among its hyperparameters although it belongs to the model or the machine."""
    architecture = backbone.architecture
    fine_tuned = METHODS[name] is _FT  # which looks for its weights by their names, not for the modules
    return {
        "alg_name": name,
        "model_name": model_name(backbone),
        "device": str(backbone.device),
        "model_parallel": False,
        "fact_token": "subject_last",
        "layer_selection": "all",
        "v_loss_layer": backbone.depth - 1,
        # The name goes through Python's `eval` there: layers[3], not layers.3
        "inner_params": [re.sub(r"\.(\d+)\.", r"[\1].", grace_module(hparams, backbone)) + ".weight"]
        if name == "GRACE"
        else [],
        "target_modules": [module.rsplit(".", 1)[-1] for module in architecture.attention],
        "rewrite_module_tmp": architecture.mlp_out + (".weight" if fine_tuned else ""),
        "layer_module_tmp": architecture.layer,
        "mlp_module_tmp": architecture.mlp,
        "attn_module_tmp": f"{architecture.layer}.self_attn",
        "ln_f_module": architecture.final_norm,
        "lm_head_module": architecture.head,
        "mom2_dataset": DATASET,
        "mom2_n_samples": SAMPLES,
        "mom2_dtype": PRECISION,
        "stats_dir": str(statistics),
        "batch_size": hparams.get("steps", 1),  # of KN: all points of the integral together
        "P_loc": str(statistics),  # where something is, so that no projection is looked for or made
    }
