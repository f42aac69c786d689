"""Values of facts made for tests, and what is compared of them."""

from pathlib import Path

import numpy as np
import polars as pl

from crossedit import tables
from crossedit.reports.grid import Grid
from crossedit.reports.scores import Scores
from crossedit.reports.sheets import Sheet
from crossedit.reports.statistics.comparing import compare
from crossedit.reports.statistics.values import Cells
from crossedit.tables import COMPARISONS, SCORES, VALUES

ENTRY = {"editors": {"ROME": {}, "IKE": {}}, "languages": ["en", "zh"]}
ASPECTS = ("reliability", "generality", "locality", "portability")
EDITORS = {"unedited": 0.0, "IKE": 0.5, "ROME": 1.0}


def values(
    editors: dict[str, float], langs: tuple[str, ...] = ("en", "zh"), cases: int = 12, protocol: str = "upstream"
) -> pl.DataFrame:
    """Return VALUES in which each editor gets a share of the facts right, fewer in other languages."""
    rng = np.random.default_rng(7)
    rows = []
    for editor, share in editors.items():
        for edit_lang in langs:
            for aspect in ASPECTS:
                for lang in langs if aspect != "reliability" else (edit_lang,):
                    for case in range(cases):
                        em = float(case < cases * share * (1 if lang == edit_lang else 0.5))
                        f1 = em or round(rng.random() / 2, 2)
                        place = ("tiny", "small", editor, edit_lang, case, aspect, "", lang, protocol)
                        rows.append((*place, em, em, f1, f1**2, "right" if em else "irrelevant"))
    return pl.DataFrame(rows, schema=VALUES.columns, orient="row")


def written(frame: pl.DataFrame, folder: Path) -> list[Path]:
    """Write a file per editor and return all."""
    paths = []
    for (editor,), cells in frame.partition_by("editor", as_dict=True).items():
        paths.append(folder / f"{editor}.parquet")
        tables.write(cells, VALUES, paths[-1], {})
    return paths


def compared(frame: pl.DataFrame, folder: Path, entry: dict | None = None) -> pl.DataFrame:
    found = compare(Cells.read(written(frame, folder)).facts, ENTRY if entry is None else entry, seed=0)
    return tables.check(found, COMPARISONS, "comparisons")


def grid(frame: pl.DataFrame, entry: dict | None = None) -> tuple[Scores, Grid]:
    """Return the scores that are the values' means, and their grid."""
    key = [name for name in SCORES.key if name not in ("kind", "metric")]
    means = frame.group_by(key, maintain_order=True).agg(
        pl.col("em").mean().alias("mean"), pl.len().cast(pl.Int64).alias("n")
    )
    bounds = means.with_columns(low="mean", high="mean", kind=pl.lit("all"), metric=pl.lit("em"))
    scores = Scores(bounds.select(*SCORES.columns))
    return scores, Grid.of(ENTRY if entry is None else entry, scores)


def cells(sheet: Sheet) -> dict[tuple[str, ...], list[str]]:
    return {tuple(map(str, row[: sheet.labels])): [str(cell) for cell in row[sheet.labels :]] for row in sheet.rows}
