"""The tables have the paper's layout, and its numbers where the scores are the paper's."""

import polars as pl
import pytest
from made import ENTRY, PUBLISHED, published, published_scores, scores

from crossedit.reports import bizsre
from crossedit.reports.grid import Grid
from crossedit.reports.naming import language
from crossedit.reports.scores import DASH, Scores
from crossedit.reports.sheets import Sheet

PAPER = {"languages": ["en", "zh"], "evaluation_languages": ["en", "zh"]}


def table_2(frame: pl.DataFrame, entry: dict, protocol: str = "teacher_forced") -> Sheet:
    known = Scores(frame)
    grid = Grid.of(entry, known)
    return bizsre.table_2(known, grid, grid.facts[0], protocol)


@pytest.mark.parametrize(("table", "rows"), [("Table 2", 28), ("Table 4", 20)])
def test_numbers_equal_the_published_ones(table: str, rows: int) -> None:
    sheet = table_2(published_scores(table), PAPER, "upstream")
    assert len(sheet.rows) == rows
    printed = {
        (row["backbone"], language(row["edit_language"]), row["method"], row["aspect"], row["evaluation_language"]): (
            f"{row['f1']:.2f} / {row['em']:.2f}"
        )
        for row in published(table).iter_rows(named=True)
    }
    order = [("generality", "locality", "portability")] * 2
    for row in sheet.rows:
        edit_lang = next(code for code in ("en", "zh") if language(code) == row[1])
        places = [("reliability", edit_lang)]
        places += [(aspect, lang) for lang, aspects in zip(("en", "zh"), order, strict=True) for aspect in aspects]
        assert [str(cell) for cell in row[3:]] == [printed[(*map(str, row[:3]), *place)] for place in places]


def test_header_is_the_papers() -> None:
    sheet = table_2(scores(), ENTRY)
    assert sheet.groups == [("", 4), ("English", 3), ("Chinese", 3)]
    aspects = ["Generality", "Locality", "Portability"]
    assert [column.name for column in sheet.columns] == [
        "Backbone",
        "Edited in",
        "Method",
        "Reliability",
        *aspects,
        *aspects,
    ]


def test_rows_are_editing_language_by_method_with_the_unedited_model_first() -> None:
    methods = ["Unedited", "ROME", "IKE", "late"]
    assert [row[:3] for row in table_2(scores(), ENTRY).rows] == [
        ("small", name, method) for name in ("English", "Chinese") for method in methods
    ]


def test_a_cell_without_scores_is_a_row_of_dashes() -> None:
    late = [row for row in table_2(scores(), ENTRY).rows if row[2] == "late"]
    assert len(late) == 2
    assert {str(cell) for row in late for cell in row[3:]} == {DASH}


def test_an_excluded_cell_has_no_row() -> None:
    entry = {**ENTRY, "exclude": [{"editor": "late", "language": "zh"}]}
    assert [row[1] for row in table_2(scores(), entry).rows if row[2] == "late"] == ["English"]


def test_an_editor_without_any_cell_is_not_spoken_of() -> None:
    known = Scores(scores())
    assert Grid.of({**ENTRY, "exclude": [{"editor": "late"}]}, known).editors == ("ROME", "IKE")
    assert Grid.of(ENTRY, known).editors == ("ROME", "IKE", "late")


def test_a_mean_that_is_no_number_is_a_dash() -> None:
    broken = scores().with_columns(mean=pl.when(metric="em").then(float("nan")).otherwise(pl.col("mean")))
    assert all(str(cell).endswith(f" / {DASH}") for cell in table_2(broken, {}).rows[0][3:])


def test_upstream_takes_the_published_formula_of_f1() -> None:
    frame = scores().with_columns(mean=pl.col("metric").replace_strict({"em": 0.1, "f1": 0.2, "f1_product": 0.3}))
    assert str(table_2(frame, ENTRY).rows[0][3]) == "20.00 / 10.00"
    assert str(table_2(frame, ENTRY, "upstream").rows[0][3]) == "30.00 / 10.00"


def test_more_languages_make_more_columns() -> None:
    langs = ("en", "zh", "de", "vi")
    assert len(table_2(scores(langs=langs), {"languages": list(langs)}).columns) == 4 + 3 * 4


def test_locality_is_split_by_kind() -> None:
    frame = scores().with_columns(
        mean=pl.col("kind").replace_strict({"other_subject": 0.9, "same_subject": 0.4, "all": 0.65})
    )
    known = Scores(frame)
    sheet = bizsre.locality(known, Grid.of(ENTRY, known), "tiny", "teacher_forced")
    assert [str(column) for column in sheet.columns[3:5]] == ["English Other subject", "English Same subject"]
    assert [str(cell) for cell in sheet.rows[0][3:5]] == ["90.00 / 90.00", "40.00 / 40.00"]


def test_table_1_equals_the_published_one() -> None:
    printed = pl.read_csv(PUBLISHED / "bizsre_table_1.csv").drop("source", "table")
    statistics = printed.rename({"language": "lang", "examples": "records"}).with_columns(tokenizer=pl.lit("unknown"))
    sheet = bizsre.table_1(statistics, "bizsre")
    assert sheet.groups == [("", 6), ("Locality", 2), ("Portability", 2)]
    for row, line in zip(sheet.rows, printed.iter_rows(), strict=True):
        assert row[0] == line[0].capitalize()
        assert row[2:] == (f"{line[2]:,}", *(DASH if value is None else f"{value:.2f}" for value in line[3:]))


@pytest.mark.parametrize(
    ("tokenizer", "note"),
    [("words", "Lengths in words"), ("/models/words-en", "Lengths in tokens."), ("gpt2", "Lengths in tokens.")],
)
def test_table_1_says_what_lengths_are_counted_in(tokenizer: str, note: str) -> None:
    printed = pl.read_csv(PUBLISHED / "bizsre_table_1.csv").drop("source", "table")
    counted = printed.rename({"language": "lang", "examples": "records"}).with_columns(tokenizer=pl.lit(tokenizer))
    assert bizsre.table_1(counted, "bizsre").note.startswith(note)
