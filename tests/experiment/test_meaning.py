"""What the editors are known for, asked of a finished experiment: its scores must say the same.

The folder is results, or what the environment variable CROSSEDIT_RESULTS names; without scores of the editors that
are compared, nothing is asked. Which of the literature's findings don't hold for the small backbones, and why, is in
docs/backbones.md.
"""

import os
from pathlib import Path

import polars as pl
import pytest

from crossedit.tables import SCORES, read

SCORED = Path(os.environ.get("CROSSEDIT_RESULTS", "results")) / "reports/scores.parquet"
WEIGHTS = ("FT-L", "FT-M", "LoRA", "AdaLoRA", "KN", "ROME", "MEMIT", "AlphaEdit", "MEND")
LEAST = ("FT-L", "KN", "ROME", "MEMIT", "SERAC")
LANGUAGES = ("en", "zh")


class Means:
    """Exact match, teacher-forced, by backbone, editor and editing language."""

    def __init__(self, frame: pl.DataFrame) -> None:
        own = frame.filter((pl.col("metric") == "em") & (pl.col("protocol") == "teacher_forced"))
        keys = ("backbone", "editor", "edit_lang", "aspect", "kind", "lang")
        self.found = {tuple(row[key] for key in keys): row["mean"] for row in own.iter_rows(named=True)}
        self.cells = sorted({(backbone, lang) for backbone, _, lang, *_ in self.found})

    def of(
        self, backbone: str, editor: str, edit_lang: str, aspect: str, lang: str | None = None, kind: str = "all"
    ) -> float:
        """Return the share of exact matches, in the editing language where no other is named."""
        return self.found[backbone, editor, edit_lang, aspect, kind, lang or edit_lang]

    def has(self, backbone: str, lang: str, *editors: str) -> bool:
        return all((backbone, editor, lang, "reliability", "all", lang) in self.found for editor in editors)


@pytest.fixture(scope="module")
def means() -> Means:
    if not SCORED.exists():
        pytest.skip(f"{SCORED}: no finished experiment there")
    found = Means(read(SCORED, SCORES))
    if not any(found.has(*cell, *LEAST) for cell in found.cells):
        pytest.skip(f"{SCORED}: not all of {', '.join(LEAST)} have been run")
    return found


def cells(means: Means, *editors: str) -> list[tuple[str, str]]:
    return [cell for cell in means.cells if means.has(*cell, *editors)]


@pytest.mark.parametrize("better", ["ROME", "MEMIT"])
def test_edits_at_the_subject_are_more_reliable_than_knowledge_neurons_and_no_worse_than_fine_tuning(
    means: Means, better: str
) -> None:
    for backbone, lang in cells(means, better, "FT-L", "KN"):
        reliability = means.of(backbone, better, lang, "reliability")
        assert reliability > means.of(backbone, "KN", lang, "reliability")
        assert reliability >= means.of(backbone, "FT-L", lang, "reliability")


def test_knowledge_neurons_damage_other_facts_more_than_rome(means: Means) -> None:
    for backbone, lang in cells(means, "KN", "ROME"):
        kept = [means.of(backbone, editor, lang, "locality") for editor in ("KN", "ROME")]
        assert kept[0] < kept[1]


def test_serac_keeps_other_subjects_as_they_were(means: Means) -> None:
    for backbone, lang in cells(means, "SERAC"):
        assert means.of(backbone, "SERAC", lang, "locality", kind="other_subject") >= 0.95


def test_weight_edits_hold_less_in_the_other_language(means: Means) -> None:
    for editor in WEIGHTS:
        for backbone, lang in cells(means, editor):
            (other,) = set(LANGUAGES) - {lang}
            own, across = (means.of(backbone, editor, lang, "generality", at) for at in (lang, other))
            if own > 0.1:  # of edits that don't hold even at home there is nothing to lose
                assert across < own
