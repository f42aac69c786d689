"""What is compared of cells: which pairs, in which families, over which facts."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result
from made_values import ASPECTS, EDITORS, ENTRY, cells, compared, grid, values, written

from crossedit import tables
from crossedit.cli import commands
from crossedit.edits.requests import asked_after
from crossedit.edits.scores import cell_scores
from crossedit.reports import significance
from crossedit.reports.comparisons import Comparisons, Of, Side
from crossedit.reports.scores import DASH
from crossedit.reports.statistics.comparing import compare
from crossedit.reports.statistics.paired import FLIPS, RESAMPLES, holm, paired
from crossedit.reports.statistics.values import Cells
from crossedit.tables import COMPARISONS, OUTCOMES, VALUES


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


@pytest.mark.parametrize(("protocol", "f1"), [("upstream", "f1_product"), ("generated", "f1")])
def test_f1_is_that_of_the_protocol(tmp_path: Path, protocol: str, f1: str) -> None:
    frame = values(EDITORS, protocol=protocol)
    known = compared(frame, tmp_path).filter(pl.col("metric") != "em")
    assert set(known["metric"]) == {f1}
    for row in known.iter_rows(named=True):
        for number in (1, 2):
            column = {name: row[f"{name}_{number}"] for name in ("editor", "edit_lang", "lang")}
            assert row[f"mean_{number}"] == pytest.approx(frame.filter(aspect=row["aspect"], **column)[f1].mean())


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


def test_the_unedited_backbones_values_count_in_each_editing_language(tmp_path: Path) -> None:
    frame = values(EDITORS)
    edited, bare = frame.filter(pl.col("editor") != "unedited"), frame.filter(editor="unedited")
    once = bare.filter((pl.col("aspect") == "reliability") | (pl.col("edit_lang") == "en")).with_columns(
        edit_lang=pl.lit("")
    )
    each = [once.filter(asked_after(lang)).with_columns(edit_lang=pl.lit(lang)) for lang in ("en", "zh")]
    read = []
    for name, one in (("once", once), ("each", pl.concat(each))):
        (tmp_path / name).mkdir()
        read.append(Cells.read(written(pl.concat([edited, one]), tmp_path / name)))
    assert len(once) < len(pl.concat(each))
    assert read[0].outcomes.sort(OUTCOMES.key).equals(read[1].outcomes.sort(OUTCOMES.key))
    found = [compare(cells.facts, ENTRY, seed=0) for cells in read]
    assert found[0].equals(found[1])
    assert len(found[0].filter(editor_2="unedited")) > 0


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


def test_a_few_other_languages_are_compared_and_shown_one_by_one(tmp_path: Path) -> None:
    langs = ("en", "zh", "de", "fr")
    frame, entry = values(EDITORS, langs), ENTRY | {"languages": list(langs)}
    found = compared(frame, tmp_path, entry)
    assert {*found["lang_1"], *found["lang_2"]} == {*langs, "3 others"}
    _, four = grid(frame, entry)
    shown = cells(significance.editors(found, four, "tiny"))
    assert shown["small", "English", "ROME", "Unedited"][4].endswith(" of 3)")
    languages = cells(significance.languages(found, four, "tiny"))
    assert languages["small", "asked in", "ROME", "German", "3 others"][1].endswith(" of 3)")


def test_the_mean_over_a_few_other_languages_is_compared_in_families_of_its_own(tmp_path: Path) -> None:
    langs = ("en", "zh", "de")
    frame, entry = values(EDITORS, langs), ENTRY | {"languages": list(langs)}
    found = compared(frame, tmp_path, entry).filter(aspect="generality", metric="f1_product")
    of_means = (pl.col("lang_1") == "2 others") | (pl.col("lang_2") == "2 others")
    # Of three editors three pairs, in three editing languages; of the unedited backbone each two languages once.
    sizes = {"editors": ([9], [9, 18]), "asked_in": ([9], [15])}
    for kind, wanted in sizes.items():
        families = [
            found.filter(which, between=kind)["family"].unique().sort().to_list() for which in (of_means, ~of_means)
        ]
        assert tuple(families) == wanted
    asked_in = found.filter(between="asked_in", editor_1="IKE", edit_lang_1="en")
    (row,) = asked_in.filter(of_means).to_dicts()
    asked = frame.filter(editor="IKE", edit_lang="en", aspect="generality").pivot(
        "lang", index="case_id", values="f1_product"
    )
    own, others = asked["en"].to_numpy(), asked.select("zh", "de").to_numpy()
    alone = paired(np.column_stack([own, others.mean(axis=1)]), np.array([0]), np.array([1]), seed=0)
    assert row["difference"] == pytest.approx(own.mean() - others.mean())
    assert (row["low"], row["high"]) == pytest.approx((alone.low[0], alone.high[0]))
    # One by one they are as wide or wider: the same facts are drawn in both.
    each = asked_in.filter(~of_means)
    assert row["high"] - row["low"] <= (each["high"] - each["low"]).max()
    assert Comparisons(found).counted == "Each is over 12 facts, in a family of 6 to 18."


@pytest.mark.parametrize("langs", [("en", "zh", "de", "fr"), ("en", "zh", "de", "fr", "cs")])
def test_means_over_other_languages_are_those_that_the_scores_have(tmp_path: Path, langs: tuple[str, ...]) -> None:
    aspect, lang, case = (pl.col(name) for name in ("aspect", "lang", "case_id"))
    asked = {"generality": langs, "locality": ("en", "zh"), "portability": ("en", "zh", "fr")}
    elsewhere = (aspect == "reliability") | pl.any_horizontal(
        (aspect == name) & lang.is_in(some) for name, some in asked.items()
    )
    lost = (aspect == "generality") & (((lang == "zh") & (case < 3)) | ((lang == "fr") & (case >= 9)))
    frame = values({"ROME": 1.0}, langs).filter(elsewhere, ~lost, edit_lang="en")
    scored = cell_scores(frame, {"edit_lang": "en"}, seed=0).filter(kind="all", metric="em")
    means = scored.filter(lang.str.ends_with("others")).select("aspect", "lang", "mean", "n")
    found = compared(frame, tmp_path, ENTRY | {"languages": list(langs)}).filter(metric="em")
    others = found.filter(pl.col("lang_2").str.ends_with("others"))
    assert others.select("aspect", "lang_2", "mean_2", "n").rows() == means.rows()
    assert [row[:2] for row in means.rows()] == [
        ("generality", f"{len(langs) - 1} others"),
        ("portability", "2 others"),
    ]
    assert set(found.filter(aspect="portability")["lang_2"]) == {"zh", "fr", "2 others"}
    assert set(found.filter(aspect="locality")["lang_2"]) == {"zh"}
    assert means["n"].to_list() == [6, 12]


def test_of_means_over_a_few_languages_nothing_is_counted(tmp_path: Path) -> None:
    lang, case = pl.col("lang"), pl.col("case_id")
    lost = (pl.col("aspect") != "reliability") & (((lang == "zh") & (case < 3)) | ((lang == "de") & (case >= 9)))
    found = compared(values(EDITORS, ("en", "zh", "de")).filter(~lost, edit_lang="en"), tmp_path)
    means = found.filter(pl.col("lang_2") == "2 others")
    assert set(means["n"]) == {6}
    assert Comparisons(found).means == ["2 others"]
    assert Comparisons(found).counted == "Each is over 9 to 12 facts, in a family of 1 to 6."


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
    left = compared(others, tmp_path / "others").filter(between="editors")
    assert "ROME" not in left["editor_1"]
    # What has no facts in common is no comparison that others are corrected for: IKE's stands alone in each language.
    reliability = left.filter(aspect="reliability", metric="f1_product")
    assert reliability["family"].to_list() == [2, 2]
    assert reliability["p_adjusted"].to_list() == pytest.approx(holm(reliability["p"].to_numpy()))


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
