"""How ROME and MEMIT search for values in the tests of sweeps: a few steps, no covariance, no contexts."""

from typing import Any

SEARCH: dict[str, Any] = {
    "layers": [1],
    "v_lr": 0.5,
    "v_num_grad_steps": 5,
    "v_weight_decay": 1e-3,
    "clamp_norm_factor": 4,
    "kl_factor": 0.0625,
    "mom2_adjustment": False,
    "context_template_length_params": [],
}
