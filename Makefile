# `make demo` and `make test` need Python 3.11 and make, nothing else: they set up .venv by themselves.
PYTHON ?= python3
BIN := .venv/bin
CORES ?= 2
# Snakemake and its jobs find the environment's programs first. Small models spend much time in malloc; large thresholds
# keep freed memory at hand, which makes training a third faster.
export PATH := $(CURDIR)/$(BIN):$(PATH)
export MALLOC_MMAP_THRESHOLD_ = 1073741824
export MALLOC_TRIM_THRESHOLD_ = 1073741824
export TOKENIZERS_PARALLELISM = false

SNAKEMAKE := snakemake --cores $(CORES) --rerun-incomplete --quiet rules --show-failed-logs
SHOW := crossedit reports show --scores results/reports/scores.parquet --entry '{}' --page results/reports/index.html \
	--task-scores results/sweeps/*/*/tasks.parquet

.PHONY: demo experiment test test-runs quality backbones bench clean
.DEFAULT_GOAL := demo

# A part of the embedded experiment, in minutes: one backbone, four editors. The report is results/reports/index.html.
demo: .venv/ready
	$(SNAKEMAKE) --configfile config.yaml config/quick.yaml
	@$(SHOW)
	@echo 'This was a part. `make experiment` goes on to every editor on both backbones.'

# The whole: every editor, both backbones, both languages.
experiment: .venv/ready
	$(SNAKEMAKE)
	@$(SHOW)

# One thread each: tiny models gain nothing from more, and lose much where processes share the processors. No test takes
# half a minute; one that hangs ends with a traceback instead of the whole run.
test: .venv/ready
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(CORES) --timeout 300

# What takes minutes: runs that are killed, and a Slurm cluster that the tests start themselves (Debian's slurm-wlm and
# munge, as root).
test-runs: .venv/ready
	$(BIN)/pytest -m "slurm or slow"

quality: .venv/ready
	ruff check src tests bench
	ruff format --check src tests bench
	mypy
	snakefmt --check Snakefile workflow
	snakemake --lint

# Train the demo's backbones alone.
backbones: .venv/ready
	snakemake --cores $(CORES) --quiet rules -- backbones

bench: .venv/ready
	python bench/edits.py
	python bench/tasks.py
	python bench/planning.py
	python bench/page.py

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

clean:
	rm -rf results* .snakemake
