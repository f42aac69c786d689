#!/usr/bin/env bash
# Run by Snakemake in the repository's root, in the environment that it has just made: the exact versions that make
# installs, and crossedit itself from this folder.
set -euo pipefail
python -m pip install --requirement requirements.lock
python -m pip install --no-deps --no-build-isolation --editable .
