"""Comparisons as people read them: tables in every format, and findings."""

import csv
import io
import re
from pathlib import Path

import polars as pl
import pytest
from made_values import EDITORS, ENTRY, cells, compared, grid, values
from openpyxl import load_workbook

from crossedit.reports import significance
from crossedit.reports.comparisons import Comparison, Comparisons, Of, Side, together
from crossedit.reports.findings import findings
from crossedit.reports.scores import DASH, Scores
from crossedit.reports.sheets import to_csv, to_html, to_latex, to_markdown
from crossedit.reports.sheets.xlsx import to_xlsx
from crossedit.tables import COMPARISONS


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return compared(values(EDITORS), tmp_path_factory.mktemp("values"))


def comparison(difference: float, p_adjusted: float) -> Comparison:
    return Comparison(difference, difference - 0.1, difference + 0.1, 0.5, p_adjusted / 2, p_adjusted, 6, 12)


def test_stars_and_signs() -> None:
    texts = {0.0001: "+12.35***", 0.001: "+12.35**", 0.009: "+12.35**", 0.01: "+12.35*", 0.05: "+12.35", 1.0: "+12.35"}
    for p, text in texts.items():
        assert comparison(0.12346, p).text == text
    assert comparison(-0.00001, 1).text == "0.00"
    turned = comparison(0.2, 0.01).turned
    assert (turned.text, turned.effect) == ("-20.00*", -0.5)
    assert (turned.low, turned.high) == (pytest.approx(-0.3), pytest.approx(-0.1))
    shown = turned.shown("EM")
    assert (shown.text, shown.exact, shown.n, shown.interval) == ("-20.00*", -20, 12, "[-30.0, -10.0]")
    assert shown.note == "d_z -0.50, p = .005, after correction for 6 comparisons = .010"
    mean, significant = together([comparison(0.2, 0.01), comparison(-0.1, 1), comparison(0.2, 0.2)], "EM")
    assert (mean.text, mean.exact, mean.interval) == ("+10.00", pytest.approx(10), "")
    assert "from -10.00 to +20.00" in mean.note
    assert (significant.text, significant.exact, significant.bracketed) == ("1 of 3", 1, True)


def test_a_mean_has_the_interval_of_its_own_comparison_where_all_are_over_the_same_facts() -> None:
    each, average = [comparison(0.2, 0.01), comparison(-0.1, 1)], comparison(0.05, 1)
    fewer = average._replace(n=6)
    for some, mean, interval in (
        (each, average, "[-5.0, 15.0]"),
        (each, fewer, ""),
        ([each[0]._replace(n=6), each[1]], average, ""),
        ([each[0]._replace(n=6), each[1]], fewer, ""),
    ):
        assert together(some, "EM", mean)[0].interval == interval


def test_the_sheet_of_editors_shows_each_pair(found: pl.DataFrame) -> None:
    sheet = significance.editors(found, grid(values(EDITORS))[1], "tiny")
    assert sheet.name == "editors_tiny"
    assert [str(column) for column in sheet.columns[:5]] == [
        "Backbone",
        "Edited in",
        "Method",
        "Less",
        "In the editing language Reliability",
    ]
    shown = cells(sheet)
    assert list(shown)[:3] == [
        ("small", "English", "ROME", "IKE"),
        ("small", "English", "ROME", "Unedited"),
        ("small", "English", "IKE", "Unedited"),
    ]
    row = shown["small", "English", "ROME", "Unedited"]
    known = Comparisons(found)
    sides = [Side(editor, "en", "zh") for editor in ("ROME", "unedited")]
    of = Of("tiny", "small", "editors", "portability", "upstream", "em")
    assert row[-1].endswith(f" / {known.find(of, *sides).text}")
    assert row[0].endswith(" / +100.00**")
    assert "12 facts" in sheet.rows[0][4].note
    assert "Holm" in sheet.note
    assert "Each is over 12 facts, in a family of 2 to 6." in sheet.note


def test_every_format_has_the_interval_beside_each_difference(found: pl.DataFrame) -> None:
    sheet = significance.editors(found, grid(values(EDITORS))[1], "tiny")
    first = sheet.rows[0][4].shown
    beside = [f"{part.text} {part.interval}" for part in first]
    assert all(re.fullmatch(r"[-+.\d]+\** \[-?\d+\.\d, -?\d+\.\d\]", text) for text in beside)
    assert " / ".join(beside) in to_markdown(sheet, intervals=True).replace("\\", "")
    assert f"<span>F1 {first[0].interval}</span><span>EM {first[1].interval}</span>" in to_html(sheet, intervals=True)
    assert f"{first[0].interval} / {first[1].interval}".replace("-", "$-$") in to_latex(sheet, intervals=True)
    row = next(csv.DictReader(io.StringIO(to_csv(sheet, intervals=True))))
    named = "In the editing language Reliability"
    assert [row[f"{named} {end}"] for end in ("F1", "F1 low", "F1 high", "EM")] == [
        first[0].text,
        f"{first[0].low:.1f}",
        f"{first[0].high:.1f}",
        first[1].text,
    ]


def test_the_workbook_tells_f1_from_em_and_has_all_that_is_known_of_each(found: pl.DataFrame) -> None:
    sheet = significance.editors(found, grid(values(EDITORS))[1], "tiny")
    table, numbers = load_workbook(io.BytesIO(to_xlsx(sheet, intervals=True))).worksheets
    assert [table.cell(5, column).value for column in range(5, 11)] == ["F1", "low", "high", "EM", "low", "high"]
    columns, *rows = numbers.iter_rows(values_only=True)
    assert len(rows) == 2 * sum(str(cell) != DASH for row in sheet.rows for cell in row[sheet.labels :])
    for row in rows:
        known = dict(zip(columns, row, strict=True))
        assert known["Measure"] in ("F1", "EM")
        assert known["95 % low"] <= known["Number"] <= known["95 % high"]
        assert (known["Of how many"], known["Of what"]) == (12, "facts")
        assert re.fullmatch(
            r"(d_z -?[\d.]+, )?p [=<] [\d.]+, after correction for \d+ comparisons [=<] [\d.]+",
            known["Beside"].replace("1.000", "1"),
        )


def test_where_there_is_no_interval_no_format_shows_one(found: pl.DataFrame) -> None:
    bare = found.with_columns(low=pl.lit(float("nan")), high=pl.lit(float("nan")))
    sheet = significance.editors(bare, grid(values(EDITORS))[1], "tiny")
    for form in (to_csv, to_markdown, to_html, to_latex):
        assert not re.search(r"\bnan\b", form(sheet, intervals=True))
    _, numbers = load_workbook(io.BytesIO(to_xlsx(sheet, intervals=True))).worksheets
    columns, *rows = numbers.iter_rows(values_only=True)
    assert {row[columns.index(f"95 % {end}")] for row in rows for end in ("low", "high")} == {None}


def test_of_several_other_languages_the_mean_is_shown(tmp_path: Path) -> None:
    langs = ("en", "zh", "de")
    frame, entry = values(EDITORS, langs), {"languages": list(langs)}
    found = compared(frame, tmp_path, entry)
    _, three = grid(frame, entry)
    row = cells(significance.editors(found, three, "tiny"))["small", "English", "ROME", "Unedited"]
    assert len(row) == 7
    # Of twelve facts half are right in each of the two other languages.
    assert row[4].endswith(" / +50.00 (0 of 2)")
    known = Comparisons(found)
    sides = [Side(editor, "en", "2 others") for editor in ("ROME", "unedited")]
    mean = known.find(Of("tiny", "small", "editors", "generality", "upstream", "em"), *sides)
    sheet = significance.editors(found, three, "tiny")
    (shown,) = (cells[8].shown for cells in sheet.rows if cells[1:4] == ("English", "ROME", "Unedited"))
    assert (shown[2].low, shown[2].high) == (pytest.approx(100 * mean.low), pytest.approx(100 * mean.high))
    assert "the mean's interval resamples the same facts in all of them" in sheet.note
    languages = cells(significance.languages(found, three, "tiny"))
    assert len([row for row in languages if row[1:3] == ("edited in", "ROME")]) == 3
    assert languages["small", "asked in", "ROME", "German", "2 others"][1].endswith("/ +50.00 (0 of 2)")


@pytest.mark.parametrize("langs", [("en", "zh", "de", "fr"), ("en", "zh", "de", "fr", "cs")])
def test_an_aspect_that_is_asked_in_fewer_languages_is_shown_with_the_mean_over_these(
    tmp_path: Path, langs: tuple[str, ...]
) -> None:
    asked = (pl.col("aspect") != "portability") | (pl.col("lang") != "de")
    frame, entry = values(EDITORS, langs).filter(asked, edit_lang="en"), ENTRY | {"languages": list(langs)}
    found = compared(frame, tmp_path, entry)
    _, known = grid(frame, entry)
    sheets = significance.editors(found, known, "tiny"), significance.languages(found, known, "tiny")
    cells = [row[-1].shown for sheet in sheets for row in sheet.rows if "ROME" in row and row[1] != "edited in"]
    assert len(cells) == 3
    for shown in cells:
        assert all(part.low <= part.exact <= part.high for part in shown if not part.bracketed)
        assert len(shown) == (4 if len(langs) == 4 else 2)
        assert all(part.text.endswith(" of 2") for part in shown if part.bracketed)


def test_a_mean_over_editing_languages_has_no_interval(tmp_path: Path) -> None:
    langs = ("en", "zh", "de")
    frame, entry = values(EDITORS, langs), ENTRY | {"languages": list(langs)}
    sheet = significance.languages(compared(frame, tmp_path, entry), grid(frame, entry)[1], "tiny")
    means = [cell.shown[0] for row in sheet.rows if row[1] == "edited in" for cell in row[sheet.labels :]]
    assert {(part.low, part.high) for part in means} == {(None, None)}
    assert {part.n for part in means} == {12}


def test_the_sheet_of_languages_shows_own_less_other_and_both_editing_languages(found: pl.DataFrame) -> None:
    shown = cells(significance.languages(found, grid(values(EDITORS))[1], "tiny"))
    assert shown["small", "asked in", "ROME", "Chinese", "English"][0] == DASH
    assert shown["small", "asked in", "ROME", "Chinese", "English"][1].endswith(" / +50.00")
    assert shown["small", "edited in", "ROME", "English", "Chinese"][0].startswith("0.00 / 0.00")
    assert [row[2] for row in shown if row[1] == "edited in"] == ["ROME", "IKE"]
    unedited = [(row[3:], *texts) for row, texts in shown.items() if row[2] == "Unedited"]
    assert [(row[0], row[3]) for row in unedited] == [(("English", "Chinese"), DASH)]
    assert DASH not in unedited[0][1:3]


def test_where_there_is_nothing_to_compare_the_sheet_says_so() -> None:
    alone = values({"unedited": 0.0}, ("en",))
    _, one = grid(alone, {"languages": ["en"]})
    empty = pl.DataFrame(schema=COMPARISONS.columns)
    for sheet, said in (
        (significance.editors(empty, one, "tiny"), "There are no two methods to compare."),
        (significance.languages(empty, one, "tiny"), "There are no two languages to compare."),
    ):
        assert (sheet.rows, sheet.note[-len(said) :]) == ((), said)


def test_rows_in_which_nothing_was_compared_are_left_out_and_counted(found: pl.DataFrame) -> None:
    entry = {**ENTRY, "facts": {"tiny": {}}, "backbones": {"small": {}}, "editors": {"ROME": {}, "late": {}}}
    known = grid(values(EDITORS), entry)[1]
    sheet = significance.editors(found, known, "tiny")
    shown = cells(sheet)
    assert ("small", "English", "ROME", "Unedited") in shown
    assert not [row for row in shown if "late" in row]
    # ROME, IKE and the unedited backbone with the late one, in two languages.
    assert sheet.note.endswith(" Rows left out in which nothing was compared yet: 6.")
    nothing = significance.languages(pl.DataFrame(schema=COMPARISONS.columns), known, "tiny")
    # Three editors' edits asked in another language and made in another; of the unedited backbone one.
    assert not nothing.rows
    assert nothing.note.endswith("Rows left out in which nothing was compared yet: 10.")


def test_findings_name_those_that_the_test_cannot_tell_apart(found: pl.DataFrame) -> None:
    scores, known = grid(values(EDITORS))
    said = dict(findings(scores, known, "tiny", "small", found)["en"])
    assert (
        said["Reliability"]
        == "ROME is best with 100.0 % (100.0 to 100.0). Not significantly different: IKE. Unedited: 0.0 %."
    )
    sure = found.with_columns(p_adjusted=pl.lit(0.001))
    assert "different" not in dict(findings(scores, known, "tiny", "small", sure)["en"])["Reliability"]
    # Without a comparison the intervals are looked at, which don't overlap here.
    assert "Close behind" not in dict(findings(scores, known, "tiny", "small")["en"])["Reliability"]


def test_findings_go_by_intervals_only_where_nothing_was_compared(found: pl.DataFrame) -> None:
    scores, known = grid(values(EDITORS))
    wide = Scores(scores.frame.with_columns(low=pl.lit(0.0), high=pl.lit(1.0)))
    for frame, p, named in (
        (found, 0.9, "Not significantly different: IKE"),
        (found, 0.001, ""),
        (None, 1, "Close behind"),
    ):
        compared = None if frame is None else frame.with_columns(p_adjusted=pl.lit(p))
        text = dict(findings(wide, known, "tiny", "small", compared)["en"])["Reliability"]
        said = [start for start in ("Not significantly different: IKE", "Close behind") if start in text]
        assert said == ([named] if named else [])


@pytest.mark.parametrize(("langs", "where"), [(("en", "zh"), ""), (("en", "zh", "de"), " in any other language")])
def test_editors_reach_as_far_where_no_other_language_tells_them_apart(
    tmp_path: Path, langs: tuple[str, ...], where: str
) -> None:
    frame, entry = values({"unedited": 0.1, "IKE": 0.85, "ROME": 0.9}, langs, cases=40), {**ENTRY, "languages": langs}
    scores, known = grid(frame, entry)

    def across(found: pl.DataFrame) -> str:
        return dict(findings(scores, known, "tiny", "small", found)["en"])["Across languages"]

    found = compared(frame, tmp_path, entry)
    assert f". Not significantly different{where}: IKE." in across(found)
    pair = (pl.col("editor_1") == "ROME") & (pl.col("editor_2") == "IKE")
    of_one = pair & (pl.col("lang_1") == "zh") & (pl.col("aspect") == "generality") & (pl.col("edit_lang_1") == "en")
    sure = pl.when(of_one).then(0.001).otherwise("p_adjusted").alias("p_adjusted")
    assert "different" not in across(found.with_columns(sure))
    assert "different" not in across(found.filter(~of_one))


def test_of_more_languages_than_are_compared_one_by_one_the_mean_is_looked_at(tmp_path: Path) -> None:
    langs = ("en", "zh", "de", "fr", "es")
    frame, entry = values({"IKE": 0.85, "ROME": 0.9}, langs, cases=40), {**ENTRY, "languages": langs}
    scores, known = grid(frame, entry)
    found = compared(frame, tmp_path, entry)
    text = dict(findings(scores, known, "tiny", "small", found)["en"])["Across languages"]
    assert text.endswith(" Not significantly different: IKE.")


def test_findings_say_nothing_of_intervals_that_are_not_known() -> None:
    scores, known = grid(values(EDITORS))
    nan = pl.lit(float("nan"))
    bare = Scores(scores.frame.with_columns(low=nan, high=nan))
    said = dict(findings(bare, known, "tiny", "small")["en"])
    assert said["Reliability"] == "ROME is best with 100.0 %. Unedited: 0.0 %."
