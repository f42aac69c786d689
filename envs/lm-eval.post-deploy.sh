#!/usr/bin/env bash
# Run by Snakemake in the repository's root, in the environment that it has just made: the versions that the stage was
# tried with, beside those of crossedit.
set -euo pipefail
python -m pip install --requirement requirements.lock
python -m pip install --no-deps --no-build-isolation --editable .
python -m pip install --constraint requirements.lock "lm-eval[hf]==0.4.13" accelerate==1.15.0 datasets==5.2.0 peft==0.21.2
