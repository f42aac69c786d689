"""The numbers that the papers print, which of ours they are beside, and how near ours are."""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from made import PUBLISHED, published_scores

from crossedit import tables
from crossedit.errors import UserError
from crossedit.reports import contents, printed, published
from crossedit.reports.beside import Agreement, Beside
from crossedit.reports.cli import commands
from crossedit.reports.grid import Grid
from crossedit.reports.naming import ASPECTS, language
from crossedit.reports.published import compared, counterparts
from crossedit.reports.scores import DASH, Scores

SHARED = Path(os.environ.get("CROSSEDIT_DATA", Path(__file__).parents[2] / "../shared/data")).parent / "published"
LINES = {
    "bizsre_table_1": 6,
    "bizsre_table_3": 6,
    "bizsre_tables_2_4": 336,
    "knowedit_table_3": 6,
    "knowedit_table_4": 168,
    "knowedit_table_5": 36,
    "knowedit_table_6": 24,
}
PAPER = {"languages": ["en", "zh"], "protocols": ["upstream"]}


@pytest.fixture(scope="module")
def both() -> pl.DataFrame:
    """Scores that equal Tables 2 and 4."""
    return pl.concat([published_scores("Table 2"), published_scores("Table 4")])


def beside(frame: pl.DataFrame, entry: dict[str, Any] | None = None) -> Beside:
    known = Scores(frame)
    entry = PAPER | (entry or {})
    return Beside.of(entry, known, Grid.of(entry, known))


def lines(numbers: str, of: Beside) -> list[list[str]]:
    """Return the cells of all lines that are ours, published or the difference."""
    return [[str(cell) for cell in row[4:]] for row in of.sheet("bizsre").rows if row[3] == numbers]


def test_every_number_is_there_with_its_source_and_table() -> None:
    assert {path.stem for path in PUBLISHED.glob("*.csv")} == set(LINES)
    for name, count in LINES.items():
        found = published.rows(name)
        assert len(found) == count, name
        assert {row["source"] for row in found} <= set(published.SOURCES)
        of = {row["table"] for row in found}
        assert of == ({"Table 2", "Table 4"} if name == "bizsre_tables_2_4" else {f"Table {name[-1]}"})


def test_tables_2_and_4_are_48_rows_of_seven_pairs_with_two_decimals() -> None:
    rows = published.rows("bizsre_tables_2_4")
    keys = Counter((row["backbone"], row["edit_language"], row["method"]) for row in rows)
    assert (len(keys), set(keys.values())) == (48, {7})
    assert all(len(row[part].split(".")[1]) == 2 for row in rows for part in ("f1", "em"))
    assert {row["evaluation_language"] for row in rows if row["aspect"] == "reliability"} == {"en", "zh"}
    for row in rows:
        if row["aspect"] == "reliability":
            assert row["evaluation_language"] == row["edit_language"]


@pytest.mark.parametrize("name", LINES)
def test_the_numbers_are_those_of_the_shared_files(name: str) -> None:
    path = SHARED / f"{name}.csv"
    if not path.exists():
        pytest.skip("the shared numbers are not here (CROSSEDIT_DATA)")
    with path.open(encoding="utf-8", newline="") as file:
        shared = list(csv.DictReader(file))
    ours = [{column: row[column] for column in shared[0]} for row in published.rows(name)]
    assert [_read(row) for row in ours] == [_read(row) for row in shared]


def _read(row: dict[str, str]) -> dict[str, float | str]:
    """Return the row with its numbers as numbers: the shared files have lost the zeros at their ends."""
    return {column: float(text) if text.replace(".", "").isdigit() else text for column, text in row.items()}


@pytest.mark.parametrize(
    ("editors", "found"),
    [
        ({"ROME": {"method": "ROME"}, "rome": {}, "IKE-10k": {"method": "IKE"}}, {"rome", "ROME", "IKE-10k"}),
        # The paper's FT is FT-L; FT-M is another method.
        ({"FT-L": {"method": "FT-L"}, "FT": {"method": "FT-M"}, "tuned": {"method": "FT-L"}}, {"FT-L", "tuned"}),
        # With other hyperparameters it must at least be called so.
        (
            {"ROME": {"method": "ROME", "hparams": {"x": 1}}, "ROME-2": {"method": "ROME", "hparams": {"x": 1}}},
            {"ROME"},
        ),
        (
            {"MEND": {"method": "MEND", "train_size": 100}, "MEND-all": {"method": "MEND", "train_size": "all"}},
            {"MEND-all"},
        ),
        ({"MEMIT": {"method": "MEMIT", "rect": {"keep": 0.4}}, "GRACE": {"method": "GRACE"}}, set()),
    ],
)
def test_which_editors_are_the_papers(editors: dict[str, Any], found: set[str]) -> None:
    assert set(counterparts({"editors": editors}).editors) == found


def test_names_are_equal_but_for_case_and_punctuation_and_settings_stand_before_that() -> None:
    entry: dict[str, Any] = {
        "facts": {"Bi_ZsRE": {}, "other": {}},
        "backbones": {"chinese-llama-2-7b": {}, "baichuan_7B": {}, "small": {}},
        "editors": {"own": {"method": "GRACE"}},
    }
    found = counterparts(entry)
    assert found.facts == ("Bi_ZsRE",)
    assert found.backbones == {"chinese-llama-2-7b": "Chinese-LLaMA-2-7B", "baichuan_7B": "Baichuan-7B"}
    said = {"facts": "other", "backbones": {"small": "baichuan2-7b"}, "editors": {"own": "MEND"}}
    told = counterparts(entry | {"reports": {"published": said}})
    assert told.facts == ("other",)
    assert told.backbones["small"] == "Baichuan2-7B"
    assert told.find("other", "chinese-llama-2-7b", "own", "en") == ("Chinese-LLaMA-2-7B", "MEND")
    assert told.find("other", "small", "own", "en") is None  # Baichuan has no rows of MEND
    assert told.find("other", "chinese-llama-2-7b", "own", "de") is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            {"editors": {"ROME": "ROMA"}},
            "reports.published.editors.ROME: the paper has no 'ROMA'; did you mean 'ROME'?",
        ),
        ({"editors": {"ROMA": "ROME"}}, "reports.published.editors: 'ROMA' is unknown; did you mean 'ROME'?"),
        ({"backbones": {"small": "Baichuan-13B"}}, "the paper has no 'Baichuan-13B'; did you mean 'Baichuan-7B'?"),
        ({"facts": ["tiny", "tine"]}, "reports.published.facts: 'tine' is unknown; did you mean 'tiny'?"),
    ],
)
def test_a_name_that_nobody_has_is_told_with_the_nearest_one(said: dict[str, Any], told: str) -> None:
    entry = {"facts": {"tiny": {}}, "backbones": {"small": {}}, "editors": {"ROME": {}}, "reports": {"published": said}}
    with pytest.raises(UserError, match=r"^reports\.published\.") as error:
        counterparts(entry)
    assert told in str(error.value)


def test_a_table_is_planned_only_where_the_paper_has_a_cell() -> None:
    config: dict[str, Any] = {
        "facts": {"bizsre": {}},
        "backbones": {"Baichuan-7B": {}},
        "editors": {"ROME": {}, "MEND": {}},
        "languages": ["en"],
        "protocols": ["teacher_forced", "upstream"],
        "include": [],
        "exclude": [],
    }
    assert compared(config) == ("bizsre",)
    assert compared(config | {"exclude": [{"editor": "ROME"}]}) == ()
    assert compared(config | {"languages": ["de"]}) == ()
    assert compared(config | {"protocols": ["teacher_forced"]}) == ()
    assert compared(config | {"facts": {"demo": {}}}) == ()
    # A wrong name is told before any job runs, whatever is asked.
    with pytest.raises(UserError, match="'ROMA' is unknown"):
        compared(config | {"protocols": ["generated"], "reports": {"published": {"editors": {"ROMA": "ROME"}}}})


def test_equal_scores_lie_in_every_interval_and_differ_by_nothing(both: pl.DataFrame) -> None:
    equal = beside(both)
    assert equal.facts == ("bizsre",)
    assert len(lines("ours", equal)) == 48
    assert lines("ours", equal) == lines("published", equal)
    assert {cell for line in lines("difference", equal) for cell in line} == {"0.00 / 0.00"}
    agreements = equal.agreement("bizsre")
    assert sum(agreement.bounded for agreement in agreements.values()) == 2 * 336
    assert all(agreement[1:] == (agreement.bounded, 0.0) for agreement in agreements.values())
    assert "672 of 672 published numbers lie in our 95 % interval" in equal.sheet("bizsre").note


def test_shifted_scores_lie_outside_are_marked_and_counted(both: pl.DataFrame) -> None:
    far = both.with_columns(pl.col("mean", "low", "high") - 0.015)
    shifted = beside(far.filter(editor="ROME"))
    assert {cell for line in lines("difference", shifted) for cell in line} == {"-1.50 / -1.50"}
    for line in lines("published", shifted):
        assert all(part.endswith("*") for cell in line for part in cell.split(" / "))
    assert shifted.agreement("bizsre") == {"ROME": Agreement(112, 0, 1.5)}
    # An interval that reaches as far as any number that is printed so holds it.
    reaching = beside(far.with_columns(high=pl.col("high") + 0.01496).filter(editor="ROME"))
    assert reaching.agreement("bizsre") == {"ROME": Agreement(112, 112, 1.5)}
    assert not any("*" in cell for line in lines("published", reaching) for cell in line)


def test_where_there_is_no_interval_there_is_no_verdict(both: pl.DataFrame) -> None:
    nan = pl.lit(float("nan"))
    bare = beside(both.with_columns(mean=pl.col("mean") - 0.015, low=nan, high=nan).filter(editor="ROME"))
    assert bare.agreement("bizsre") == {"ROME": Agreement(0, 0, 1.5)}
    assert not any("*" in cell for line in lines("published", bare) for cell in line)
    said = bare.sheet("bizsre").note
    assert "published numbers lie" not in said
    assert "Half of the differences are at most 1.50 points." in said


@pytest.mark.parametrize(
    ("tokens", "bounded", "said"),
    [
        ("own", {"Chinese-LLaMA-Plus-7B": 28, "Baichuan-7B": 14}, "ours those of the backbone's own tokenizer; an F1"),
        ("characters", {"Chinese-LLaMA-Plus-7B": 14, "Baichuan-7B": 14}, "ours characters; an F1"),
        ("models/plus", {"Chinese-LLaMA-Plus-7B": 28, "Baichuan-7B": 28}, "ours those of models/plus, whatever the"),
    ],
)
def test_f1_of_other_tokens_than_the_published_is_held_against_no_interval(
    both: pl.DataFrame, tokens: str, bounded: dict[str, int], said: str
) -> None:
    far = both.with_columns(pl.col("mean", "low", "high") - 0.015).filter(editor="ROME")
    for backbone, count in bounded.items():
        found = beside(far.filter(backbone=backbone), {"f1_tokens": tokens})
        assert found.agreement("bizsre") == {"ROME": Agreement(count, 0, 1.5)}
        marked = [part.endswith("*") for line in lines("published", found) for part in " / ".join(line).split(" / ")]
        assert marked == [count == 28, True] * 14
        assert said in found.sheet("bizsre").note


def test_a_cell_that_is_not_there_yet_is_a_line_of_dashes(both: pl.DataFrame) -> None:
    entry = {"facts": {"bizsre": {}}, "backbones": {"Baichuan-7B": {}}, "editors": {"ROME": {}, "KN": {}}}
    partly = beside(both.filter(backbone="Baichuan-7B", editor="ROME", edit_lang="en"), entry)
    ours, difference = lines("ours", partly), lines("difference", partly)
    assert [line == [DASH] * 7 for line in ours] == [False, True, True, True]
    assert [line == [DASH] * 7 for line in difference] == [False, True, True, True]
    assert DASH not in {cell for line in lines("published", partly) for cell in line}
    assert partly.agreement("bizsre") == {"ROME": Agreement(14, 14, 0.0)}


def test_rows_that_the_paper_lacks_are_not_compared(both: pl.DataFrame) -> None:
    renamed = both.with_columns(
        pl.col("editor").replace("ROME", "R-ROME"), pl.col("backbone").replace("Baichuan-7B", "B")
    )
    rows = beside(renamed).sheet("bizsre").rows
    assert not {"R-ROME", "B", "unedited"} & {str(label) for row in rows for label in row[:3]}
    told = beside(renamed, {"reports": {"published": {"backbones": {"B": "baichuan-7b"}}}}).sheet("bizsre")
    assert "B beside Baichuan-7B" in told.note
    assert len(told.rows) == len(rows) + 3 * 2 * 4


def test_languages_that_the_paper_lacks_are_not_compared(both: pl.DataFrame) -> None:
    german = both.filter(lang="zh").with_columns(lang=pl.lit("de"))
    further = beside(pl.concat([both, german]), {"languages": ["en", "zh", "de"]})
    assert "de" in further.grid.langs
    assert further.sheet("bizsre") == beside(both).sheet("bizsre")


def test_a_number_that_is_no_number_differs_by_a_dash(both: pl.DataFrame) -> None:
    broken = both.with_columns(mean=pl.when(metric="em").then(float("nan")).otherwise("mean"))
    assert {cell for line in lines("difference", beside(broken)) for cell in line} == {f"0.00 / {DASH}"}


def test_the_published_tables_are_shown_as_printed() -> None:
    sheets = {sheet.name: sheet for sheet in printed.sheets()}
    assert list(sheets) == [
        *(f"bizsre_table_{number}" for number in (1, 2, 3, 4)),
        *(f"knowedit_table_{number}" for number in (3, 4, 5, 6)),
    ]
    for number, count in ((2, 28), (4, 20)):
        sheet = sheets[f"bizsre_table_{number}"]
        shown = {
            (*row[:3], column.name, column.group): str(cell)
            for row in sheet.rows
            for column, cell in zip(sheet.columns[3:], row[3:], strict=True)
        }
        assert len(sheet.rows) == count
        for row in published.rows("bizsre_tables_2_4"):
            if row["table"] == f"Table {number}":
                lang = "" if row["aspect"] == ASPECTS[0] else language(row["evaluation_language"])
                place = (row["aspect"].capitalize(), lang)
                label = (row["backbone"], language(row["edit_language"]), row["method"])
                assert shown.pop((*label, *place)) == f"{row['f1']} / {row['em']}"
        assert not shown
    for name in ("knowedit_table_4", "knowedit_table_5", "knowedit_table_6"):
        values = [str(cell) for row in sheets[name].rows for cell in row[sheets[name].labels :] if str(cell) != DASH]
        assert Counter(values) == Counter(row["value"] for row in published.rows(name))


def test_what_is_written_is_what_is_planned(both: pl.DataFrame, tmp_path: Path) -> None:
    config: dict[str, Any] = {
        "facts": {"bizsre": {}},
        "backbones": {"Chinese-LLaMA-2-7B": {}},
        "editors": {"MEND": {"method": "MEND"}, "MEND-9": {"method": "MEND", "train_size": 9}},
        "languages": ["en", "zh"],
        "protocols": ["upstream", "generated"],
        "include": [],
        "exclude": [],
        "reports": {"protocol": "upstream"},
        "capability": {"tasks": ["mmlu"], "backbones": ["Chinese-LLaMA-2-7B"]},
    }
    ours = ("published", "training_scale", "table_3")
    planned = {content.name for content in contents.tables(config) if content.name.startswith(ours)}
    assert planned == {
        "published_bizsre",
        "training_scale_bizsre_upstream",
        "training_scale_bizsre_generated",
        "table_3",
    }
    scores = tmp_path / "scores.parquet"
    tables.write(both.filter(backbone="Chinese-LLaMA-2-7B", editor="MEND"), tables.SCORES, scores, {})
    arguments = ["tables", "--scores", str(scores), "--entry", json.dumps(config), "--out", str(tmp_path / "tables")]
    CliRunner().invoke(commands, arguments, catch_exceptions=False)
    assert {path.stem for path in (tmp_path / "tables").glob("*.csv") if path.stem.startswith(ours)} == planned


def test_planning_loads_no_tables() -> None:
    code = "import sys, crossedit.reports.published, crossedit.reports.training_scale; "
    code += "print([name for name in ('polars', 'numpy', 'torch') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
