"""What each answer is worth, beside the scores that are the means of it."""

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from crossedit import tables
from crossedit.cli import commands
from crossedit.edits import scores
from crossedit.edits.metrics import characters
from crossedit.edits.requests import asked_after
from crossedit.errors import UserError
from crossedit.tables import ANSWERS, PREDICTIONS, PROBES, SCORES, VALUES

CELL = {"facts": "demo", "backbone": "tiny", "editor": "ROME", "edit_lang": "en"}
ASKED = [
    ("reliability", ""),
    ("generality", ""),
    ("locality", "other_subject"),
    ("locality", "same_subject"),
    ("portability", ""),
]
TEXTS = ["Rome", "Rome Italy", "Oslo", "", "San Marino"]


def predictions(cases: int = 6) -> pl.DataFrame:
    rows = [
        (case, aspect, kind, lang, protocol, "?", "San Marino", [1], "San Marino", [1], "Oslo", [1], TEXTS[place % 5])
        for case in range(cases)
        for lang in ("en", "zh")
        for protocol in ("generated", "upstream")
        for place, (aspect, kind) in enumerate(ASKED, case)
        if (aspect, lang) != ("reliability", "zh")
    ]
    return pl.DataFrame(rows, schema=PREDICTIONS.columns, orient="row")


def run(*args: object) -> Result:
    return CliRunner().invoke(commands, ["edits", *map(str, args)], catch_exceptions=False)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[pl.DataFrame, pl.DataFrame]:
    folder = tmp_path_factory.mktemp("cell")
    half = predictions().with_row_index("row")
    for number in (0, 1):  # in two shards
        shard = half.filter(pl.col("row") % 2 == number).drop("row")
        tables.write(shard, PREDICTIONS, folder / f"predictions.{number}.parquet", {})
    shards = [folder / "predictions.1.parquet", folder / "predictions.0.parquet"]
    paths = ["--out", folder / "scores.parquet", "--values", folder / "values.parquet"]
    assert run("score", *shards, "--cell", json.dumps(CELL), "--f1-tokens", "characters", *paths).exit_code == 0
    return tables.read(folder / "scores.parquet", SCORES), tables.read(folder / "values.parquet", VALUES)


def test_every_prediction_has_its_values(scored: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    _, values = scored
    assert values.select(scores.KEY).sort(scores.KEY).equals(predictions().select(scores.KEY).sort(scores.KEY))
    assert values.select(*CELL).unique().rows() == [tuple(CELL.values())]
    told = values.filter(pl.col("aspect") != "locality")
    assert (told["em"] == 1).equals(told["outcome"] == "right")
    assert set(values.filter(pl.col("aspect") == "locality")["outcome"]) == {"right", "changed"}


def test_scores_are_the_means_of_the_values(scored: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    found, values = scored
    key = ["aspect", "lang", "protocol"]
    by_fact = values.group_by(*key, "case_id").agg(pl.col(scores.METRICS).mean())
    means = by_fact.group_by(key).agg(pl.col(scores.METRICS).mean()).unpivot(index=key, variable_name="metric")
    both = found.filter(kind="all").join(means, on=[*key, "metric"])
    assert len(both) == len(means) == 7 * 2 * 4
    assert (both["mean"] - both["value"]).abs().max() == pytest.approx(0)


def test_the_unedited_backbone_has_values_once_and_scores_in_each_editing_language(tmp_path: Path) -> None:
    asked = predictions()
    zh = asked.filter(pl.col("aspect") == "reliability").with_columns(lang=pl.lit("zh"))
    asked = pl.concat([asked, zh])
    nobody_edits_in = zh.with_columns(lang=pl.lit("de"))
    named = {"answer_text": "after_text", "answer_ids": "after_ids"}
    every = pl.concat([asked, nobody_edits_in])
    answers = every.with_columns(**{name: pl.col(column) for name, column in named.items()})
    probes = every.unique(scores.KEY[:4]).with_columns(prompt_ids=pl.col("target_ids"))
    tables.write(answers.select(*ANSWERS.columns), ANSWERS, tmp_path / "answers.parquet", {})
    tables.write(probes.select(*PROBES.columns), PROBES, tmp_path / "probes.parquet", {})
    given = ["--probes", tmp_path / "probes.parquet", "--unedited", tmp_path / "answers.parquet"]
    cell = json.dumps({"facts": "demo", "backbone": "tiny"})
    out, values_path = tmp_path / "scores.parquet", tmp_path / "values.parquet"
    told = ["--cell", cell, "--languages", "en,zh", "--f1-tokens", "characters", "--out", out, "--values", values_path]
    assert run("score-unedited", *given, *told).exit_code == 0
    values, found = tables.read(values_path, VALUES), tables.read(out, SCORES)
    assert set(values["editor"]) == set(found["editor"]) == {"unedited"}
    assert set(values["edit_lang"]) == {""}
    assert values.select(scores.KEY).sort(scores.KEY).equals(asked.select(scores.KEY).sort(scores.KEY))
    reliable = found.filter(aspect="reliability")
    assert (reliable["lang"] == reliable["edit_lang"]).all()
    # Nothing is edited, so nothing is wrong but what was before.
    assert set(values["outcome"]) <= {"right", "unchanged"}
    assert set(values.filter(pl.col("aspect") == "locality")["em"]) == {1.0}
    each = scores.values(asked.with_columns(before_text="after_text"), characters)
    for lang in ("en", "zh"):
        alone = scores.score(
            each.filter(asked_after(lang)),
            {"facts": "demo", "backbone": "tiny", "editor": "unedited", "edit_lang": lang},
            seed=0,
        )
        mine = found.filter(edit_lang=lang).sort(SCORES.key)
        wanted = alone.select(*SCORES.columns).sort(SCORES.key)
        assert mine.drop("low", "high").equals(wanted.drop("low", "high"))
        assert mine.filter(pl.col("aspect") != "locality").equals(wanted.filter(pl.col("aspect") != "locality"))
        # It is so by definition, however few the facts.
        assert mine.filter(
            pl.col("aspect") == "locality", ~(pl.col("low").is_nan() & pl.col("high").is_nan())
        ).is_empty()


def test_a_cell_without_its_names_gets_one_sentence(tmp_path: Path) -> None:
    tables.write(predictions(), PREDICTIONS, tmp_path / "predictions.parquet", {})
    paths = ["--out", tmp_path / "scores.parquet", "--values", tmp_path / "values.parquet"]
    with pytest.raises(UserError, match=r"--cell: `backbone` is missing"):
        run(
            "score",
            tmp_path / "predictions.parquet",
            "--cell",
            '{"facts": "demo"}',
            "--f1-tokens",
            "characters",
            *paths,
        )


def in_languages(*langs: str) -> pl.DataFrame:
    """Return predictions of an edit in English, in which a fact fares alike in all other languages."""
    frame = predictions(24)
    chinese = frame.filter(pl.col("lang") == "zh")
    others = [chinese.with_columns(lang=pl.lit(lang)) for lang in langs]
    return pl.concat([frame.filter(pl.col("lang") == "en"), *others])


def test_the_mean_over_other_languages_resamples_a_fact_in_all_of_them_together() -> None:
    alike = scores.values(in_languages("zh", "de", "fr"), characters)
    found = scores.cell_scores(alike, CELL, seed=0)
    chinese, means = (found.filter(lang=lang).drop("lang") for lang in ("zh", "3 others"))
    assert len(means) > 0
    assert means.equals(chinese)
    assert found.filter(pl.col("lang") != "3 others").equals(scores.score(alike, CELL, seed=0))
    # Where two languages are each other's opposite, no draw of facts changes their mean.
    turned = pl.when(pl.col("lang") == "de").then(1 - pl.col("em")).otherwise("em")
    opposite = scores.cell_scores(alike.filter(pl.col("lang") != "fr").with_columns(em=turned), CELL, seed=0)
    ems = opposite.filter(lang="2 others", metric="em", kind="all")
    assert ems["mean"].to_list() == [0.5] * len(ems)
    assert ems["low"].is_nan().all()


def test_one_other_language_is_no_mean() -> None:
    found = scores.cell_scores(scores.values(in_languages("zh"), characters), CELL, seed=0)
    assert set(found["lang"]) == {"en", "zh"}


def test_the_mean_is_over_the_languages_that_an_aspect_is_asked_in_of_the_facts_asked_in_all_of_them() -> None:
    each = scores.values(in_languages("zh", "de", "fr"), characters)
    aspect, lang, case = (pl.col(name) for name in ("aspect", "lang", "case_id"))
    lost = (aspect == "portability") & (lang == "de")
    lost |= (aspect == "generality") & (((lang == "zh") & (case < 3)) | ((lang == "fr") & (case >= 20)))
    found = scores.cell_scores(each.filter(~lost), CELL, seed=0).filter(kind="all", protocol="generated", metric="em")
    means = found.filter(lang.str.ends_with("others")).select("aspect", "lang", "n")
    assert means.sort("aspect").rows() == [
        ("generality", "3 others", 17),
        ("locality", "3 others", 24),
        ("portability", "2 others", 24),
    ]
    whole = each.filter(aspect == "generality", lang == "de", case.is_between(3, 19), pl.col("protocol") == "generated")
    (mean,) = found.filter(aspect="generality", lang="3 others")["mean"]
    assert mean == pytest.approx(whole["em"].mean())
    apart = each.filter(~((lang == "zh") & (case < 12)), ~((lang != "zh") & (lang != "en") & (case >= 12)))
    assert set(scores.cell_scores(apart, CELL, seed=0)["lang"]) == {"en", "zh", "de", "fr"}


def test_the_unedited_backbone_has_the_mean_over_the_others_of_each_editing_language() -> None:
    each = scores.values(in_languages("zh", "de").filter(pl.col("aspect") != "reliability"), characters)
    found = scores.unedited_scores(each, {"facts": "demo", "backbone": "tiny"}, ["en", "de"], seed=0)
    assert tables.check(found, SCORES, "scores").filter(edit_lang="en").select("lang").n_unique() == 4
    place = {"aspect": "generality", "protocol": "generated", "metric": "f1"}
    for lang, others in (("en", ["zh", "de"]), ("de", ["en", "zh"])):
        known = {row["lang"]: row["mean"] for row in found.filter(edit_lang=lang, **place).iter_rows(named=True)}
        assert known["2 others"] == pytest.approx(sum(known[other] for other in others) / 2)
    assert found.filter(aspect="locality", lang="2 others")["low"].is_nan().all()
