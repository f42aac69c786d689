"""What needs no model loads no model library: it takes seconds, which planning and every small job would wait for."""

import subprocess
import sys

import pytest

MODEL_LIBRARIES = {"torch", "transformers", "sentence_transformers"}
PLANNING = (  # what the rules import
    "crossedit.config",
    "crossedit.places",
    "crossedit.reports.plan",
    "crossedit.runs.estimates.memory",
    "crossedit.runs.estimates.needs",
    "crossedit.runs.orphans",
    "crossedit.sweeps.settings",
)
SMALL_JOBS = (
    "crossedit.facts.build",
    "crossedit.translation.translate",
    "crossedit.translation.statistics",
    "crossedit.edits.predictions",
    "crossedit.edits.scores",
    "crossedit.sweeps.manifest",
    "crossedit.sweeps.scores",
    "crossedit.sweeps.tasks.items",
    "crossedit.reports.page",
    "crossedit.reports.sheets",
)


@pytest.mark.parametrize(
    ("modules", "others"),
    [(PLANNING, {"polars", "numpy", "scipy"}), (SMALL_JOBS, set())],
    ids=["planning", "small jobs"],
)
def test_no_model_library_is_loaded_where_no_model_is_needed(modules: tuple[str, ...], others: set[str]) -> None:
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in said.stdout.split()}
    assert "crossedit" in loaded
    assert not loaded & (MODEL_LIBRARIES | others)
