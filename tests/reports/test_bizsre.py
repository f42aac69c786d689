"""The tables have the paper's layout, and its numbers where the scores are the paper's."""

import csv
import io
import math
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from made import ENTRY, PUBLISHED, published, published_scores, scores
from openpyxl import load_workbook

from crossedit.errors import UserError
from crossedit.files import write_json
from crossedit.reports import bizsre
from crossedit.reports.capability import table_3
from crossedit.reports.grid import Grid
from crossedit.reports.naming import language
from crossedit.reports.scores import DASH, Scores
from crossedit.reports.sheets import Measured, Sheet, to_csv, to_html, to_latex, to_markdown
from crossedit.reports.sheets.xlsx import to_xlsx

PAPER = {"languages": ["en", "zh"], "evaluation_languages": ["en", "zh"]}


def table_2(frame: pl.DataFrame, entry: dict, protocol: str = "teacher_forced") -> Sheet:
    known = Scores(frame)
    grid = Grid.of(entry, known)
    return bizsre.table_2(known, grid, grid.facts[0], protocol)


class Numbers(HTMLParser):
    """The numbers of a table's cells, row by row, without what can be unfolded below them."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "td" and ("class", "number") in attrs:
            self.rows[-1].append("")
        elif tag == "tr":
            self.rows.append([])
        if tag in ("td", "small"):
            self.inside = tag == "td"

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside and self.rows[-1]:
            self.rows[-1][-1] += data


def in_csv(sheet: Sheet) -> list[list[str]]:
    rows = [row[sheet.labels :] for row in csv.reader(to_csv(sheet).splitlines()[1:])]
    return [[" / ".join(pair) for pair in zip(row[::2], row[1::2], strict=True)] for row in rows]


def in_markdown(sheet: Sheet) -> list[list[str]]:
    lines = [line for line in to_markdown(sheet).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split("|")[sheet.labels + 1 : -1]] for line in lines[2:]]


def in_latex(sheet: Sheet) -> list[list[str]]:
    text = re.sub(r"\\phantom\{\d*\}|\\textcolor\{\w+\}|[{}]", "", to_latex(sheet))
    body = text[: text.index(r"\bottomrule")].splitlines()
    first = next(number for number, line in enumerate(body) if line.startswith("Backbone"))
    lines = [line.removesuffix(r"\\") for line in body[first + 1 :] if line.endswith(r"\\")]
    return [[cell.strip() for cell in line.split("&")[sheet.labels :]] for line in lines]


def in_html(sheet: Sheet) -> list[list[str]]:
    return [row for row in Numbers(to_html(sheet)).rows if row]


def in_xlsx(sheet: Sheet) -> list[list[str]]:
    table = load_workbook(io.BytesIO(to_xlsx(sheet)))["table"]
    rows = [row[sheet.labels :] for row in table.iter_rows() if isinstance(row[sheet.labels].value, int | float)]
    assert {field.number_format for row in rows for field in row} == {"0.00"}
    texts = [[f"{field.value:.2f}" for field in row] for row in rows]
    return [[" / ".join(pair) for pair in zip(row[::2], row[1::2], strict=True)] for row in texts]


@pytest.mark.parametrize("form", [in_csv, in_markdown, in_latex, in_html, in_xlsx])
@pytest.mark.parametrize(("table", "rows"), [("Table 2", 28), ("Table 4", 20)])
def test_numbers_equal_the_published_ones_in_every_format(
    table: str, rows: int, form: Callable[[Sheet], list[list[str]]]
) -> None:
    sheet = table_2(published_scores(table), PAPER, "upstream")
    printed = {
        (row["backbone"], language(row["edit_language"]), row["method"], row["aspect"], row["evaluation_language"]): (
            f"{row['f1']} / {row['em']}"
        )
        for row in published(table).iter_rows(named=True)
    }
    order = [("generality", "locality", "portability")] * 2
    wanted = []
    for row in sheet.rows:
        edit_lang = next(code for code in ("en", "zh") if language(code) == row[1])
        places = [("reliability", edit_lang)]
        places += [(aspect, lang) for lang, aspects in zip(("en", "zh"), order, strict=True) for aspect in aspects]
        wanted.append([printed.pop((*map(str, row[:3]), *place)) for place in places])
    assert not printed
    assert len(wanted) == rows
    assert form(sheet) == wanted


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


def test_in_short_others_are_the_mean_of_those_that_have_a_score() -> None:
    langs = ("en", "zh", "de", "vi")
    place = {"editor": "ROME", "edit_lang": "zh", "aspect": "portability", "metric": "f1"}
    frame = scores(langs=langs)
    of = pl.all_horizontal(pl.col(name) == value for name, value in place.items())
    frame = frame.filter(~(of & (pl.col("lang") == "vi"))).with_columns(
        mean=pl.when(of)
        .then(pl.col("lang").replace_strict({"en": 0.2, "zh": 0.9, "de": 0.3}, default=None))
        .otherwise("mean")
    )
    known = Scores(frame)
    grid = Grid.of({"languages": list(langs)}, known)
    sheet = bizsre.means(known, grid, "tiny", "teacher_forced")
    whole = bizsre.table_2(known, grid, "tiny", "teacher_forced")
    assert (len(sheet.columns), len(sheet.rows)) == (3 + 4 + 3, len(whole.rows))
    assert [row[3] for row in sheet.rows] == [row[3] for row in whole.rows]
    row = next(row for row in sheet.rows if row[1:3] == ("Chinese", "ROME"))
    assert [str(row[place]).split(" / ")[0] for place in (6, 9)] == ["90.00", "25.00"]
    assert (row[6].shown[0].low is not None, row[9].shown[0].low) == (True, None)
    assert set(grid.langs) == set(langs)
    over = {"mean": 0.26, "low": 0.21, "high": 0.31}
    averaged = frame.filter(of, lang="de").with_columns(lang=pl.lit("2 others"), **over)
    known = Scores(pl.concat([frame, averaged]))
    assert Grid.of({"languages": list(langs)}, known).langs == grid.langs
    sheet = bizsre.means(known, grid, "tiny", "teacher_forced")
    row = next(row for row in sheet.rows if row[1:3] == ("Chinese", "ROME"))
    assert row[9].shown[0][3:6] == (26.0, 21.0, 31.0)


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
        shown = (f"{line[2]:,}", *(DASH if value is None else f"{value:.2f}" for value in line[3:]))
        assert tuple(map(str, row[2:])) == shown
        assert (row[2].value, row[3].value) == line[2:4]


@pytest.mark.parametrize(
    ("tokenizer", "note"),
    [("words", "Lengths in words"), ("/models/words-en", "Lengths in tokens."), ("gpt2", "Lengths in tokens.")],
)
def test_table_1_says_what_lengths_are_counted_in(tokenizer: str, note: str) -> None:
    printed = pl.read_csv(PUBLISHED / "bizsre_table_1.csv").drop("source", "table")
    counted = printed.rename({"language": "lang", "examples": "records"}).with_columns(tokenizer=pl.lit(tokenizer))
    assert bizsre.table_1(counted, "bizsre").note.startswith(note)


def test_table_1_stands_beside_the_published_one_line_by_line() -> None:
    printed = pl.read_csv(PUBLISHED / "bizsre_table_1.csv").drop("source", "table")
    counted = printed.rename({"language": "lang", "examples": "records"}).with_columns(
        tokenizer=pl.lit("words"), split=pl.col("split").replace({"training": "train"})
    )
    further = counted.tail(1).with_columns(lang=pl.lit("de"))
    sheet = bizsre.table_1(pl.concat([counted, further]), "bizsre", compared=True)
    assert [row[2] for row in sheet.rows] == ["ours", "published"] * 6 + ["ours"]
    for ours, theirs in zip(sheet.rows[:-1:2], sheet.rows[1::2], strict=True):
        assert (ours[:2], ours[3:]) == (theirs[:2], theirs[3:])


def benchmarks(
    folder: Path,
    backbone: str,
    metric: str = "acc",
    way: dict[str, Any] | None = None,
    **scores: dict[str, float | None],
) -> Path:
    """Write what `crossedit backbones capability` writes of a backbone."""
    tasks = {name: {"questions": 100, "scores": {metric: score}} for name, score in scores.items()}
    write_json({"tasks": tasks, **(way or {})}, folder / backbone / "capability.json")
    return folder / backbone / "capability.json"


def test_table_3_has_ours_beside_the_published_and_then_all_of_those(tmp_path: Path) -> None:
    small = benchmarks(tmp_path, "small", mmlu={"score": 0.25, "stderr": 0.05}, own={"score": 0.5, "stderr": None})
    entry = {
        "backbones": {"small": {}, "baichuan2-7b": {}},
        "capability": {"tasks": ["ceval-valid", "mmlu"], "backbones": ["small", "baichuan2-7b"]},
    }
    sheet = table_3(entry, [small])
    assert [str(column) for column in sheet.columns[2:]] == ["C-Eval, acc", "MMLU, acc", "own, acc"]
    shown = [[str(cell) for cell in row] for row in sheet.rows]
    assert shown[:3] == [
        ["small", "ours", DASH, "25.00", "50.00"],
        ["baichuan2-7b", "ours", DASH, DASH, DASH],
        ["baichuan2-7b", "published", "54.0", "54.2", DASH],
    ]
    printed = pl.read_csv(PUBLISHED / "bizsre_table_3.csv", infer_schema=False)
    assert shown[3:] == [[row[2], "published", *row[3:], DASH] for row in printed.iter_rows()]
    mmlu, own = sheet.rows[0][3:]
    assert isinstance(mmlu, Measured)
    assert mmlu.parts[0].interval == "15.2 to 34.8"
    assert isinstance(own, Measured)
    assert own.shown[0].interval == ""


@pytest.mark.parametrize(
    ("metric", "score", "shown"),
    [
        ("word_perplexity", 12.345, "12.35"),
        ("bits_per_byte", 0.87, "0.87"),
        ("exact_match (strict-match)", 0.87, "87.00"),
        ("f1", 87.5, "87.50"),
        ("f1", 0.42, "0.42"),  # in percent or not: lm-eval doesn't say
    ],
)
def test_a_benchmark_that_the_paper_lacks_names_its_metric_in_every_format(
    tmp_path: Path, metric: str, score: float, shown: str
) -> None:
    sheet = table_3({}, [benchmarks(tmp_path, "small", metric, own={"score": score, "stderr": None})])
    assert [[str(cell) for cell in row] for row in sheet.rows] == [["small", "ours", shown]]
    for form in (to_csv, to_html, to_latex, to_markdown):
        assert f"own, {metric}" in form(sheet, False).replace("\\", "")


def test_a_column_is_in_percent_for_all_backbones_or_for_none(tmp_path: Path) -> None:
    """A metric of the same name may be in percent already, and then a number below 1 is as well."""
    scores = {"small": 0.5, "large": 80.0}
    paths = [benchmarks(tmp_path, name, "acc", own={"score": acc, "stderr": 0.1}) for name, acc in scores.items()]
    assert [str(row[2]) for row in table_3({}, paths).rows] == ["0.50", "80.00"]


@pytest.mark.parametrize(
    ("metric", "score", "stderr", "interval"),
    [
        ("acc", 1.0, 0.0, "96.4 to 100.0"),
        ("acc", 0.0, None, "0.0 to 3.6"),
        ("inst_level_loose_acc", 0.0, 0.0, ""),  # of instructions, of which a question has several
        ("acc", 0.5, 0.0, ""),
        ("acc", 0.5, math.nan, ""),
    ],
)
def test_a_standard_error_that_says_nothing_makes_no_interval(
    tmp_path: Path, metric: str, score: float, stderr: float | None, interval: str
) -> None:
    sheet = table_3({}, [benchmarks(tmp_path, "small", metric, own={"score": score, "stderr": stderr})])
    cell = sheet.rows[0][2]
    assert isinstance(cell, Measured)
    assert cell.parts[0] is not None
    assert cell.parts[0].interval == interval


def test_of_several_ways_of_asking_each_says_of_which_backbones(tmp_path: Path) -> None:
    ways = {"small": (5, None), "large": (0, 20), "huge": (5, None)}
    paths = [
        benchmarks(tmp_path, name, way={"num_fewshot": shots, "limit": limit}, own={"score": 0.5, "stderr": 0.1})
        for name, (shots, limit) in ways.items()
    ]
    assert table_3({}, paths).note.endswith(
        "Ours of small, huge: 5 worked questions before each. "
        "Ours of large: 0 worked questions before each, 20 questions of each task alone."
    )
    assert table_3({}, paths[::2]).note.endswith("Ours: 5 worked questions before each.")


@pytest.mark.parametrize("said", [{}, {"tasks": ["mmlu"]}, {"tasks": {"mmlu": {"scores": {}}}}])
def test_a_file_without_benchmarks_gets_one_sentence(tmp_path: Path, said: dict[str, Any]) -> None:
    write_json(said, tmp_path / "small/capability.json")
    with pytest.raises(UserError, match=r"small/capability\.json: holds no scores of benchmarks"):
        table_3({}, [tmp_path / "small/capability.json"])
