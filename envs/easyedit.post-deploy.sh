#!/usr/bin/env bash
# Run by Snakemake in the repository's root, in the environment that it has just made. EasyEdit's own list of packages is
# longer, since its packages import every editor; those `__init__` files are never run.
set -euo pipefail
python -m pip install --requirement requirements.lock
python -m pip install --no-deps --no-build-isolation --editable .
# datasets: imported beside the second moments, which come from crossedit; einops: for KN; peft: for LoRA, the last one
# that makes EasyEdit's AdaLoRA, which names no number of steps.
python -m pip install datasets==5.2.0 einops==0.8.2 peft==0.14.0
