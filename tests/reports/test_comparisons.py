"""Paired comparisons: as scipy finds them on small samples, and as people worked them out by hand."""

import csv
import io
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook
from scipy import stats

from crossedit import tables
from crossedit.cli import commands
from crossedit.reports import significance
from crossedit.reports.comparisons import Comparison, Comparisons, Of, Side, together
from crossedit.reports.findings import findings
from crossedit.reports.grid import Grid
from crossedit.reports.scores import DASH, Scores
from crossedit.reports.sheets import Sheet, to_csv, to_html, to_latex, to_markdown
from crossedit.reports.sheets.xlsx import to_xlsx
from crossedit.reports.statistics import paired as numbers
from crossedit.reports.statistics.comparing import compare
from crossedit.reports.statistics.paired import FLIPS, RESAMPLES, Paired, holm, paired
from crossedit.reports.statistics.values import Cells
from crossedit.tables import COMPARISONS, OUTCOMES, SCORES, VALUES

ENTRY = {"editors": {"ROME": {}, "IKE": {}}, "languages": ["en", "zh"]}
ASPECTS = ("reliability", "generality", "locality", "portability")


def pair(first: np.ndarray, second: np.ndarray, seed: int = 0) -> Paired:
    """Return the comparison of two columns."""
    return paired(np.stack([first, second], axis=1), np.array([0]), np.array([1]), seed)


def permuted(differences: np.ndarray) -> float:
    """Return scipy's exact p: every sign of every difference is tried."""
    found = stats.permutation_test((differences,), np.sum, permutation_type="samples", n_resamples=np.inf)
    return float(found.pvalue)


@pytest.mark.parametrize(
    ("more", "less", "p"), [(5, 0, 2 / 32), (3, 1, 10 / 16), (1, 1, 1), (0, 0, 1), (0, 12, 2 / 4096)]
)
def test_of_exact_matches_it_is_mcnemars_exact_test(more: int, less: int, p: float) -> None:
    first = np.array([1.0] * more + [0.0] * less + [1.0, 0.0, 0.0])
    second = np.array([0.0] * more + [1.0] * less + [1.0, 0.0, 0.0])
    found = pair(first, second).p[0]
    assert found == pytest.approx(p)
    if more + less:
        assert found == pytest.approx(stats.binomtest(more, more + less).pvalue)
        assert found == pytest.approx(permuted(first - second))


def test_of_other_values_it_is_the_permutation_test_up_to_its_flips() -> None:
    rng = np.random.default_rng(1)
    for shift in (0.0, 0.2, 0.4):
        first, second = rng.random(12) + shift, rng.random(12)
        exact, found = permuted(first - second), pair(first, second).p[0]
        assert abs(found - exact) < 4 * np.sqrt(exact * (1 - exact) / FLIPS) + 1 / FLIPS


def test_what_flips_cannot_tell_is_bounded() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.random(300) + 0.5, rng.random(300)
    differences = first - second
    found = pair(first, second).p[0]
    # By the normal distribution, which the bound is above.
    normal = 2 * stats.norm.sf(abs(differences.sum()) / np.sqrt((differences**2).sum()))
    assert normal < found < 1 / (FLIPS + 1)
    for shift in (0.5, 1, 1.5):
        small = rng.normal(shift, 1, 14)
        assert permuted(small) <= 2 * np.exp(-(small.sum() ** 2) / (2 * (small**2).sum()))


def test_the_bound_is_taken_only_where_no_flip_comes_as_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no level is passed more often than by flips alone, or than by the bound alone."""
    first, second = np.random.default_rng(8).random((2, 300, 2)) + np.array([[[0.5]], [[0.0]]])
    by_flips = np.array([2, 1]) / (FLIPS + 1)
    monkeypatch.setattr(numbers, "_by_flips", lambda differences, seed: by_flips)
    found = paired(np.hstack([first, second]), np.array([0, 1]), np.array([2, 3]), seed=0).p
    assert found[0] == by_flips[0]
    assert 0 < found[1] < by_flips[1]


def test_chance_alone_is_significant_as_often_as_it_may_be() -> None:
    rng = np.random.default_rng(3)
    pairs = 400
    found = paired(rng.normal(size=(40, 2 * pairs)), np.arange(pairs), np.arange(pairs, 2 * pairs), seed=0)
    for level in (0.01, 0.05, 0.5):
        assert (found.p < level).sum() <= stats.binom.ppf(0.999, pairs, level)
    assert (found.p < 0.5).sum() >= stats.binom.ppf(0.001, pairs, 0.5)
    inside = ((found.low < 0) & (found.high > 0)).sum()
    assert stats.binom.ppf(0.001, pairs, 0.93) <= inside <= stats.binom.ppf(0.999, pairs, 0.95)


def test_the_interval_is_scipys_bootstrap_of_the_differences() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.random(200), rng.random(200)
    found = pair(first, second)
    scipys = stats.bootstrap((first - second,), np.mean, n_resamples=9999, method="percentile", rng=0)
    assert found.low[0] == pytest.approx(scipys.confidence_interval.low, abs=0.01)
    assert found.high[0] == pytest.approx(scipys.confidence_interval.high, abs=0.01)
    assert found.effect[0] == pytest.approx((first - second).mean() / (first - second).std(ddof=1))


def test_a_pair_turned_round_is_the_same_with_the_other_sign() -> None:
    values = np.random.default_rng(5).random((30, 2))
    there, back = paired(values, np.array([0]), np.array([1]), 0), paired(values, np.array([1]), np.array([0]), 0)
    assert there.p == pytest.approx(back.p)
    assert there.low == pytest.approx(-back.high, abs=1e-6)
    assert there.effect == pytest.approx(-back.effect)


def test_a_fact_that_one_lacks_is_left_out_of_the_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    values = rng.random((20, 4)).round(1)
    values[3, 0] = values[[1, 5], 1] = values[:, 3] = np.nan
    left, right = np.array([0, 0, 1, 0]), np.array([1, 2, 2, 3])
    found = paired(values, left, right, seed=0)
    assert found.n.tolist() == [17, 19, 18, 0]
    assert np.isnan(found.p[3])
    for number in range(3):
        some = values[~np.isnan(values[:, [left[number], right[number]]]).any(1)]
        alone = pair(some[:, left[number]], some[:, right[number]])
        assert [field[number] for field in found] == pytest.approx([field[0] for field in alone], abs=1e-6)
    monkeypatch.setattr(numbers, "_AT_ONCE", 1)
    monkeypatch.setattr(numbers, "_ROWS", 100)
    for whole, piecewise in zip(found, paired(values, left, right, seed=0), strict=True):
        assert piecewise == pytest.approx(whole, nan_ok=True, abs=1e-6)


def test_nothing_differs_or_all_by_as_much() -> None:
    same = pair(np.ones(9), np.ones(9))
    assert (same.p[0], same.low[0], same.high[0]) == (1, 0, 0)
    assert np.isnan(same.effect[0])
    apart = pair(np.ones(9), np.zeros(9))
    assert apart.p[0] == 2 / 2**9
    assert np.isnan(apart.effect[0])
    one = pair(np.array([0.7]), np.array([0.2]))
    assert (one.p[0], one.n[0]) == (1, 1)
    assert one.low[0] == one.high[0] == pytest.approx(0.5)


def test_holm_by_hand() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.5, 0.6, 0.9])) == pytest.approx([1, 1, 1])
    assert holm(np.array([0.02, 0.02])) == pytest.approx([0.04, 0.04])
    assert holm(np.array([0.2])) == pytest.approx([0.2])


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


EDITORS = {"unedited": 0.0, "IKE": 0.5, "ROME": 1.0}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return compared(values(EDITORS), tmp_path_factory.mktemp("values"))


def test_all_editors_own_and_other_languages_and_editing_languages_are_compared(found: pl.DataFrame) -> None:
    counted = found.filter(metric="em").group_by("between", "aspect").len()
    pairs, edited, edit_langs, langs = 3, 2, 2, 2
    for aspect in ASPECTS:
        asked = langs if aspect != "reliability" else 1
        with_unedited = pairs if aspect != "locality" else 1
        numbers = dict(counted.filter(aspect=aspect).select("between", "len").iter_rows())
        across = (edited * edit_langs if aspect != "reliability" else 0) + (aspect != "locality")
        kinds = {"editors": with_unedited * edit_langs * asked, "edited_in": edited, "asked_in": across}
        assert numbers == {kind: number for kind, number in kinds.items() if number}
    assert set(found["metric"]) == {"em", "f1_product"}  # upstream's F1


def test_a_family_is_of_one_kind_and_of_the_editing_language_or_of_others(found: pl.DataFrame) -> None:
    own = (pl.col("lang_1") == pl.col("edit_lang_1")) | (pl.col("between") != "editors")
    families = found.group_by("between", "aspect", "metric", own=own).agg(
        pl.len(), pl.col("family").unique(), pl.col("p"), pl.col("p_adjusted")
    )
    assert families.filter(between="editors", aspect="generality", metric="em").height == 2
    for row in families.iter_rows(named=True):
        assert row["family"] == [row["len"]]
        assert row["p_adjusted"] == pytest.approx(holm(np.array(row["p"])))


def test_two_languages_of_the_unedited_backbone_are_compared_once(found: pl.DataFrame) -> None:
    bare = found.filter(editor_1="unedited", editor_2="unedited")
    assert bare.height == bare.unique(["aspect", "metric"]).height
    assert set(bare["between"]) == {"asked_in"}
    assert set(bare["aspect"]) == {"reliability", "generality", "portability"}
    known = Comparisons(found)
    of = Of("tiny", "small", "asked_in", "generality", "upstream", "f1_product")
    there, back = (
        known.find(of, Side("unedited", lang, lang), Side("unedited", lang, other))
        for lang, other in (("en", "zh"), ("zh", "en"))
    )
    assert there is not None
    assert back == there.turned


def test_nothing_is_compared_with_the_locality_of_the_unedited_backbone(found: pl.DataFrame) -> None:
    local = found.filter(aspect="locality")
    assert "unedited" not in {*local["editor_1"], *local["editor_2"]}


def test_the_configuration_says_which_is_the_first_and_the_unedited_backbone_is_the_second(found: pl.DataFrame) -> None:
    editors = found.filter(between="editors").select("editor_1", "editor_2").unique()
    assert set(editors.iter_rows()) == {("ROME", "IKE"), ("ROME", "unedited"), ("IKE", "unedited")}
    asked = found.filter(between="asked_in")
    assert (asked["lang_1"] == asked["edit_lang_1"]).all()
    edits = asked.filter(pl.col("editor_1") != "unedited")
    assert (edits["lang_2"] != edits["edit_lang_2"]).all()
    edited = found.filter(between="edited_in")
    assert set(edited.select("lang_1", "lang_2").iter_rows()) == {("en", "zh")}


def test_only_the_protocol_that_the_report_shows_is_compared(tmp_path: Path) -> None:
    both = pl.concat([values(EDITORS, protocol=protocol) for protocol in ("upstream", "generated")])
    shown = {
        "upstream": {"reports": {"protocol": "upstream"}, "protocols": ["generated", "upstream"]},
        "generated": {"protocols": ["generated", "upstream"]},
    }
    for protocol, entry in shown.items():
        assert set(compared(both, tmp_path, ENTRY | entry)["protocol"]) == {protocol}
    assert set(compared(both, tmp_path)["protocol"]) == {"generated"}  # the first that there is, as in the tables
    assert compared(both, tmp_path, ENTRY | {"reports": {"protocol": "teacher_forced"}}).is_empty()


def test_of_many_other_languages_each_facts_mean_is_compared(tmp_path: Path) -> None:
    langs = ("en", "zh", "de", "fr", "cs")
    frame = values({"unedited": 0.0, "ROME": 1.0, "IKE": 0.5}, langs)
    found = compared(frame, tmp_path, ENTRY | {"languages": list(langs)}).filter(aspect="generality", metric="em")
    assert set(found["lang_2"]) == {*langs, "4 others"}
    (row,) = found.filter(between="asked_in", editor_1="ROME", edit_lang_1="de").to_dicts()
    # Of twelve facts all are right in German, six in each of the others.
    assert (row["lang_2"], row["mean_1"], row["mean_2"], row["n"]) == ("4 others", 1.0, 0.5, 12)
    assert found.filter(between="asked_in", editor_1="unedited").height == len(langs)
    assert found.filter(between="editors", lang_1="4 others")["family"].unique().to_list() == [3 * len(langs)]
    _, five = grid(frame, {"languages": list(langs)})
    shown = significance.editors(compared(frame, tmp_path), five, "tiny")
    assert cells(shown)["small", "English", "ROME", "Unedited"][4].endswith(" / +50.00")
    assert "Of more than 3 other languages each fact's mean is compared." in shown.note
    languages = cells(significance.languages(compared(frame, tmp_path), five, "tiny"))
    assert languages["small", "asked in", "ROME", "German", "4 others"][1].endswith(" / +50.00")
    assert languages["small", "asked in", "Unedited", "German", "4 others"][1] != DASH


def test_differences_are_those_of_the_means_and_positive_where_the_first_is_better(found: pl.DataFrame) -> None:
    row = found.row(
        by_predicate=(pl.col("between") == "editors")
        & (pl.col("metric") == "em")
        & (pl.col("aspect") == "reliability")
        & (pl.col("edit_lang_1") == "zh")
        & (pl.col("editor_2") == "IKE"),
        named=True,
    )
    assert (row["mean_1"], row["mean_2"], row["difference"], row["n"]) == (1.0, 0.5, 0.5, 12)
    assert row["p"] == pytest.approx(2 / 2**6)
    # The others of the family are ROME and IKE against nothing, 12 and 6 facts, in both languages.
    assert row["family"] == 6
    assert row["p_adjusted"] == pytest.approx(4 * 2 / 2**6)
    assert (found["p_adjusted"] >= found["p"]).all()
    assert (found["low"] <= found["difference"] + 1e-6).all()
    assert (found["difference"] <= found["high"] + 1e-6).all()


def test_kinds_of_questions_count_as_one_fact(tmp_path: Path) -> None:
    frame = values({"ROME": 1.0, "IKE": 0.0}, protocol="generated").filter(aspect="locality")
    kinds = pl.concat(
        [
            frame.with_columns(kind=pl.lit("other_subject")),
            frame.with_columns(kind=pl.lit("same_subject"), em=pl.lit(0.0)),
        ]
    )
    row = (
        compared(kinds, tmp_path)
        .filter(between="editors", metric="em", lang_1="en", edit_lang_1="en")
        .row(0, named=True)
    )
    assert (row["n"], row["mean_1"], row["difference"]) == (12, 0.5, 0.5)


def test_what_is_no_number_or_of_other_facts_is_not_compared(tmp_path: Path) -> None:
    frame = values(EDITORS)
    broken = (pl.col("editor") == "IKE") & (pl.col("aspect") == "generality") & (pl.col("case_id") == 3)
    frame = frame.with_columns(em=pl.when(broken).then(float("nan")).otherwise("em"))
    fewer = frame.filter(~((pl.col("editor") == "ROME") & (pl.col("case_id") >= 10)))
    found = compared(fewer, tmp_path)
    generality = found.filter(aspect="generality", between="editors", metric="em")
    assert set(generality.select("editor_1", "editor_2").iter_rows()) == {("ROME", "unedited")}
    assert set(generality["n"]) == {10}
    assert set(found.filter(between="editors", editor_1="IKE", aspect="reliability")["n"]) == {12}
    others = frame.with_columns(case_id=pl.when(editor="ROME").then(pl.col("case_id") + 50).otherwise("case_id"))
    (tmp_path / "others").mkdir()
    assert "ROME" not in compared(others, tmp_path / "others").filter(between="editors")["editor_1"]


def test_the_same_seed_and_any_order_of_files_give_the_same_numbers(tmp_path: Path) -> None:
    paths = written(values(EDITORS), tmp_path)
    one, other = (compare(Cells.read(order).facts, ENTRY, seed=1) for order in (paths, paths[::-1]))
    assert one.sort(COMPARISONS.key).equals(other.sort(COMPARISONS.key))


def run(*args: object) -> Result:
    return CliRunner().invoke(commands, ["reports", "compare", *map(str, args)])


def test_the_command_writes_comparisons_and_outcomes(tmp_path: Path) -> None:
    paths = written(values(EDITORS), tmp_path)
    out, outcomes = tmp_path / "comparisons.parquet", tmp_path / "outcomes.parquet"
    assert run("--values", *paths, "--out", out, "--outcomes", outcomes).exit_code == 0
    assert len(tables.read(out, COMPARISONS)) > 0
    counted = tables.read(outcomes, OUTCOMES)
    assert counted["answers"].sum() == len(values(EDITORS))
    assert counted.filter(editor="IKE", edit_lang="en", aspect="generality", lang="zh").select(
        "outcome", "answers"
    ).sort("outcome").rows() == [("irrelevant", 9), ("right", 3)]
    made = tables.provenance(out)
    assert len(made["inputs"]) == 3
    assert (made["flips"], made["resamples"], made["protocol"]) == (FLIPS, RESAMPLES, "upstream")
    entry = '{"editors": {"ROME": {}}, "languages": ["zh"], "protocols": ["generated"]}'
    assert run("--values", *paths, "--entry", entry, "--out", out, "--outcomes", outcomes).exit_code == 0
    made = tables.provenance(out)
    assert made["order"] == {"editor": ["ROME"], "edit_lang": ["zh"], "lang": ["zh"]}
    assert (made["protocol"], len(tables.read(out, COMPARISONS))) == ("generated", 0)
    assert tables.read(outcomes, OUTCOMES)["answers"].sum() == len(values(EDITORS))


def test_no_values_and_the_same_values_twice_are_refused(tmp_path: Path) -> None:
    paths = written(values({"ROME": 1.0}), tmp_path)
    outs = ["--out", tmp_path / "c.parquet", "--outcomes", tmp_path / "o.parquet"]
    for given, said in (
        ([], "--values: no file is named"),
        (["--values", *paths, *paths], "both hold the cell tiny, small, ROME, "),
    ):
        error = run(*given, *outs).exception
        assert said in str(error)
    assert not list(tmp_path.glob("[co].parquet"))


def test_a_file_without_values_has_none_and_another_table_is_refused(tmp_path: Path) -> None:
    empty, other = tmp_path / "empty.parquet", tmp_path / "other.parquet"
    tables.write(pl.DataFrame(schema=VALUES.columns), VALUES, empty, {})
    tables.write(pl.DataFrame(schema=OUTCOMES.columns), OUTCOMES, other, {})
    outs = ["--out", tmp_path / "c.parquet", "--outcomes", tmp_path / "o.parquet"]
    assert run("--values", empty, *outs).exit_code == 0
    assert tables.read(tmp_path / "c.parquet", COMPARISONS).is_empty()
    assert "other.parquet: values table: columns missing" in str(run("--values", other, *outs).exception)


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
    assert (significant.text, significant.bracketed) == ("1 of 3", True)


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


def test_of_several_other_languages_the_mean_is_shown(tmp_path: Path) -> None:
    langs = ("en", "zh", "de")
    frame, entry = values(EDITORS, langs), {"languages": list(langs)}
    found = compared(frame, tmp_path, entry)
    _, three = grid(frame, entry)
    row = cells(significance.editors(found, three, "tiny"))["small", "English", "ROME", "Unedited"]
    assert len(row) == 7
    # Of twelve facts half are right in each of the two other languages.
    assert row[4].endswith(" / +50.00 (0 of 2)")
    languages = cells(significance.languages(found, three, "tiny"))
    assert len([row for row in languages if row[1:3] == ("edited in", "ROME")]) == 3
    assert languages["small", "asked in", "ROME", "German", "2 others"][1].endswith("/ +50.00 (0 of 2)")


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


def test_findings_say_nothing_of_intervals_that_are_not_known() -> None:
    scores, known = grid(values(EDITORS))
    nan = pl.lit(float("nan"))
    bare = Scores(scores.frame.with_columns(low=nan, high=nan))
    said = dict(findings(bare, known, "tiny", "small")["en"])
    assert said["Reliability"] == "ROME is best with 100.0 %. Unedited: 0.0 %."
