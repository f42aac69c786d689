"""Which scores differ between two runs, and by how much."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from made import scores

from crossedit import tables
from crossedit.cli import commands
from crossedit.tables import FACT_SCORES, PREDICTIONS, SCORES, TASK_SCORES, Table

CELL = "edits/tiny/small/ROME/en"
MADE = {"editor": {"method": "ROME", "hparams": {"v_lr": 0.5}}, "seed": 0, "seconds": {"edit": 1.5}}


def change(path: Path, table: Table, changed: Callable[[pl.DataFrame], pl.DataFrame], **made: object) -> None:
    frame = changed(tables.read(path, table)) if path.exists() else changed(pl.DataFrame(schema=table.columns))
    tables.write(frame, table, path, made)


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Return two results folders that are the same: four cells, the unedited backbone and a sweep."""
    first = tmp_path / "first"
    for (editor, edit_lang), frame in scores().partition_by("editor", "edit_lang", as_dict=True).items():
        if editor != "unedited":
            folder = first / f"edits/tiny/small/{editor}/{edit_lang}"
            tables.write(frame, SCORES, folder / "scores.parquet", {"f1_tokens": "own", "predictions": "1"})
            empty = pl.DataFrame(schema=PREDICTIONS.columns)
            tables.write(empty, PREDICTIONS, folder / "predictions.1-of-2.parquet", {**MADE, "shard": "1/2"})
    tables.write(scores(("unedited",)), SCORES, first / "edits/tiny/small/unedited.parquet", {})
    stop = ("steps", "small", "ROME", "instance-sequential", 1, 4, 4)
    task = (*stop, "rte", "corrected", "accuracy", "all", "all", 0.6, 0.5, 0.7, 0.5, None, None, None, None, 9, 9, 9)
    fact = (*stop, "tiny", "en", 0, "reliability", "all", "en", "generated", "em", 0.5, 0.4, 0.6, 4)
    for row, table, name in ((task, TASK_SCORES, "tasks"), (fact, FACT_SCORES, "facts")):
        frame = pl.DataFrame([row], schema=table.columns, orient="row")
        tables.write(frame, table, first / f"sweeps/steps/small/{name}.parquet", {"checkpoints": [MADE]})
    shutil.copytree(first, tmp_path / "second")
    return first, tmp_path / "second"


def diff(*args: object) -> Result:
    return CliRunner().invoke(commands, ["reports", "diff", *map(str, args)])


def test_runs_that_are_the_same_end_with_0(runs: tuple[Path, Path]) -> None:
    result = diff(*runs)
    assert result.exit_code == 0
    assert "Edits: 0 of 396 scores differ, in 0 of 6 cells that both have" in result.output
    assert "Sweeps' tasks: 0 of 1 scores differ" in result.output
    assert "All cells that both have were made alike." in result.output
    assert not json.loads(diff(*runs, "--json").output)["differ"]


def test_changes_are_told_in_points_the_largest_cell_first(runs: tuple[Path, Path]) -> None:
    first, second = runs

    def lower(by: float, rows: int) -> Callable[[pl.DataFrame], pl.DataFrame]:
        chosen = pl.int_range(pl.len()) < rows
        return lambda frame: frame.with_columns(mean=pl.when(chosen).then(pl.col("mean") - by).otherwise("mean"))

    change(second / CELL / "scores.parquet", SCORES, lower(0.01, 3))
    change(second / "edits/tiny/small/IKE/zh/scores.parquet", SCORES, lower(-0.25, 1))
    result = diff(first, second)
    assert result.exit_code == 1
    told = [line.split() for line in result.output.splitlines() if line.startswith("  tiny/")]
    assert [line[0] for line in told] == ["tiny/small/IKE/zh", "tiny/small/ROME/en"]
    assert [line[-1] for line in told] == ["+25.00", "-1.00"]
    assert "4 of 396 scores differ, in 2 of 6 cells" in result.output
    every = [line for line in diff(first, second, "--all").output.splitlines() if line.startswith("  tiny/")]
    assert len(every) == 4
    above = diff(first, second, "--threshold", 5)
    assert above.exit_code == 1
    assert "1 of 396 scores differ by more than 5 points" in above.output
    assert diff(first, second, "--threshold", 25).exit_code == 0
    (row, *_) = json.loads(diff(first, second, "--json").output)["scores"]["edits"]["changed"]
    assert (row["editor"], round(row["change"], 6), row["n_a"]) == ("IKE", 25, 3)


@pytest.mark.parametrize(("one", "other", "threshold"), [(0.3, 0.1 + 0.2, 0), (0.3, 0.4, 10)])
def test_the_last_digits_of_reckoning_are_no_change(
    runs: tuple[Path, Path], one: float, other: float, threshold: float
) -> None:
    assert abs(100 * (other - one)) > threshold
    for folder, mean in zip(runs, (one, other), strict=True):
        change(folder / CELL / "scores.parquet", SCORES, lambda frame, mean=mean: frame.with_columns(mean=pl.lit(mean)))
    assert diff(*runs, "--threshold", threshold).exit_code == 0


def test_what_only_one_has_and_what_is_no_number_differs(runs: tuple[Path, Path]) -> None:
    first, second = runs
    shutil.rmtree(second / "edits/tiny/small/IKE")
    assert "only in A: tiny/small/IKE/en, tiny/small/IKE/zh" in diff(first, second).output
    assert "only in B: tiny/small/IKE/en, tiny/small/IKE/zh" in diff(second, first).output
    assert diff(first, second, "--threshold", 100).exit_code == 1
    change(second / CELL / "scores.parquet", SCORES, lambda frame: frame.filter(protocol="upstream"))
    assert "only in A: 33 scores of cells that both have" in diff(first, second).output
    broken = tables.read(second / CELL / "scores.parquet", SCORES).with_columns(mean=pl.lit(float("nan")))
    change(second / CELL / "scores.parquet", SCORES, lambda _: broken.head(1))
    result = diff(first, second, "--threshold", 100)
    assert "->  no number" in result.output
    assert json.loads(diff(first, second, "--json").output)["scores"]["edits"]["changed"][0]["b"] is None


def test_scores_of_sweeps_are_compared(runs: tuple[Path, Path]) -> None:
    first, second = runs
    change(
        second / "sweeps/steps/small/tasks.parquet", TASK_SCORES, lambda frame: frame.with_columns(score=pl.lit(0.5))
    )
    change(
        second / "sweeps/steps/small/facts.parquet",
        FACT_SCORES,
        lambda frame: frame.with_columns(n=pl.lit(2, pl.Int64)),
    )
    result = diff(first, second)
    assert "steps/small  4 rte corrected  60.00  ->  50.00  -10.00" in result.output
    # The same score of fewer facts is another one.
    assert "Sweeps' facts: 1 of 1 scores differ, in 1 of 1 cells" in result.output
    assert "50.00  ->  50.00  +0.00  of 4 -> 2" in result.output


@pytest.mark.parametrize("threshold", ["nan", "inf", "-1"])
def test_a_threshold_that_would_hide_everything_is_refused(runs: tuple[Path, Path], threshold: str) -> None:
    assert str(diff(*runs, "--threshold", threshold).exception).startswith(f"--threshold: {threshold} is no number")


def test_other_counts_are_changes_whatever_the_threshold_and_come_last(runs: tuple[Path, Path]) -> None:
    first, second = runs
    fewer = pl.int_range(pl.len()) == 0
    change(
        second / CELL / "scores.parquet",
        SCORES,
        lambda frame: frame.with_columns(n=pl.when(fewer).then(pl.col("n") - 1).otherwise("n")),
    )
    change(
        second / "edits/tiny/small/IKE/zh/scores.parquet",
        SCORES,
        lambda frame: frame.with_columns(mean=pl.when(fewer).then(pl.col("mean") - 0.01).otherwise("mean")),
    )
    result = diff(first, second)
    assert [line.split()[0] for line in result.output.splitlines() if line.startswith("  tiny/")] == [
        "tiny/small/IKE/zh",
        "tiny/small/ROME/en",
    ]
    above = diff(first, second, "--threshold", 100)
    assert above.exit_code == 1
    assert "1 of 396 scores differ by more than 100 points, or are over other counts" in above.output


def test_intervals_are_not_compared(runs: tuple[Path, Path]) -> None:
    first, second = runs
    change(second / CELL / "scores.parquet", SCORES, lambda frame: frame.with_columns(low=pl.lit(float("nan"))))
    assert diff(first, second).exit_code == 0


def test_means_over_languages_are_not_compared(runs: tuple[Path, Path]) -> None:
    first, second = runs
    means = scores(("ROME",)).filter(edit_lang="en", lang="zh").with_columns(lang=pl.lit("2 others"))
    change(second / CELL / "scores.parquet", SCORES, lambda frame: pl.concat([frame, means]))
    result = diff(first, second)
    assert result.exit_code == 0
    assert "Edits: 0 of 396 scores differ" in result.output
    assert "only in" not in result.output


def test_runs_without_a_common_cell_get_one_sentence(runs: tuple[Path, Path], tmp_path: Path) -> None:
    first, _ = runs
    frame = scores().with_columns(backbone=pl.lit("large"))
    tables.write(frame, SCORES, tmp_path / "scores.parquet", {})
    result = diff(first / CELL / "scores.parquet", tmp_path / "scores.parquet")
    assert result.exit_code == 1
    *_, told = result.output.strip().splitlines()
    assert told == (
        "The two runs have no cell in common: A has tiny/small/ROME/en and B has tiny/large/IKE/en and 5 more."
    )
    assert len(result.output.strip().splitlines()) == 4  # beside the runs' names


def test_it_says_what_was_made_otherwise_but_this_alone_is_no_difference(runs: tuple[Path, Path]) -> None:
    first, second = runs
    other = {**MADE, "editor": {"method": "ROME", "hparams": {"v_lr": 1.0}}, "seconds": {"edit": 99.0}, "shard": "1/9"}
    change(second / CELL / "predictions.1-of-2.parquet", PREDICTIONS, lambda frame: frame, **other)
    change(
        second / "sweeps/steps/small/tasks.parquet", TASK_SCORES, lambda frame: frame, checkpoints=[{**MADE, "seed": 1}]
    )
    result = diff(first, second)
    assert result.exit_code == 0
    made = result.output.split("Made otherwise\n")[1].splitlines()
    assert set(made) == {
        "  editor.hparams.v_lr: 0.5 -> 1.0 in edits/tiny/small/ROME/en",
        "  seed: 0 -> 1 in sweeps/steps/small",
    }


def test_files_of_scores_and_a_folder_with_collected_ones_will_do(runs: tuple[Path, Path], tmp_path: Path) -> None:
    first, _ = runs
    collected = tmp_path / "kept/reports/scores.parquet"
    tables.write(scores(), SCORES, collected, {"version": 2})
    kept = diff(first, tmp_path / "kept")
    assert kept.exit_code == 1  # the sweep is missing there
    assert "How they were made can't be compared." in kept.output
    assert "Edits: 0 of 396 scores differ" in diff(first, collected).output
    assert diff(first, collected).exit_code == diff(collected, collected).exit_code == 0


def test_cells_that_are_there_count_and_not_what_was_once_collected_of_them(runs: tuple[Path, Path]) -> None:
    first, second = runs
    tables.write(scores().with_columns(mean=pl.lit(0.5)), SCORES, second / "reports/scores.parquet", {})
    assert diff(first, second).exit_code == 0


def test_a_table_of_another_version_can_be_compared(runs: tuple[Path, Path]) -> None:
    first, second = runs
    path = second / "sweeps/steps/small/tasks.parquet"
    pl.read_parquet(path).drop("change_p").with_columns(new=pl.lit(1)).write_parquet(path)
    assert "Sweeps' tasks: 0 of 1 scores differ" in diff(first, second).output


def test_a_folder_without_scores_is_told_in_a_sentence(runs: tuple[Path, Path], tmp_path: Path) -> None:
    for place, said in ((tmp_path, "no score is in there"), (tmp_path / "nowhere", "no such folder or file")):
        error = diff(runs[0], place).exception
        assert str(error).startswith(f"{place}: {said}")
    text = tmp_path / "scores.parquet"
    text.write_text("not parquet", encoding="utf-8")
    assert "not a parquet file" in str(diff(runs[0], text).exception)
