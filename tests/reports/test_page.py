"""The page: self-contained, everything in it as text, the same each time."""

import re
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import made_figures
import made_page
import made_sweeps
import polars as pl
import pytest
from made import ENTRY, NASTY, results, scores
from made_page import Document, drawn

from crossedit import tables
from crossedit.pages import allowed
from crossedit.reports.figures.sweeps import pictures
from crossedit.reports.findings import findings
from crossedit.reports.grid import Grid
from crossedit.reports.page import MOST_CELLS, Sources, page, write
from crossedit.reports.page.charts import MOST
from crossedit.reports.scores import Scores
from crossedit.reports.sheets import Column, Sheet
from crossedit.reports.sweeps import Sweeps
from crossedit.reports.tabled import Group, Section, groups


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page of a small experiment."""
    return made_page.html(tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page of an experiment with sweeps, one of which has nasty names."""
    folder = tmp_path_factory.mktemp("figures")
    config = made_sweeps.entry(["ROME", "MEMIT-10"])
    config["tasks"] |= {"rte": {"protocols": ["corrected", "upstream"]}}
    config["sweeps"][NASTY] = {**config["sweeps"]["ROME"], "editor": NASTY, "backbones": [NASTY], "tasks": [NASTY]}
    known, sweeps = Scores(scores()), made_sweeps.sweeps(config)
    figures = drawn(folder, (picture.name for picture in pictures(sweeps, ("en", "zh"), "teacher_forced")))
    return page({**ENTRY, **config}, known, sweeps, Sources(figures=figures), [])


def test_a_table_stands_in_the_section_that_its_group_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sections = [section for section in get_args(Section) if section != "side-effects"]
    made = {section: Sheet("made", f"Made for {section}", (Column("Number"),), (("1",),), 0) for section in sections}
    extra = [Group(section, "Made", "tiny", "", [sheet], []) for section, sheet in made.items()]
    monkeypatch.setattr("crossedit.reports.page.groups", lambda *given: [*groups(*given), *extra])
    parts = dict(re.findall(r'<section id="([\w-]+)">(.*?)</section>', made_page.html(tmp_path), re.DOTALL))
    assert [section for section in sections if f"Made for {section}" not in parts[section]] == []


def test_without_sweeps_the_page_has_no_word_of_them(html: str) -> None:
    document = Document(html)
    assert "side-effects" not in [attributes.get("id") for _, attributes in document.tags]
    assert "side effects" not in document.text.lower()


def test_side_effects_stand_between_figures_and_facts(swept: str) -> None:
    ids = [attributes["id"] or "" for attributes in Document(swept).all("section")]
    assert ids[ids.index("figures") :][:3] == ["figures", "side-effects", "browser"]
    text = Document(swept).text
    assert "From 16 edits on: Reasoning (80.0 % to 40.0 %)" in text
    assert "Side effects of MEMIT-10 (10 facts per edit) on tasks, upstream" in text
    assert "The edited facts along MEMIT-10 (10 facts per edit): EM" in text


def test_figures_of_sweeps_say_what_they_show(swept: str) -> None:
    document = Document(swept)
    shown = [attributes["alt"] or "" for attributes in document.all("img")]
    assert len(shown) == 2 * 4  # of two settings
    assert all(40 < len(text) < 300 for text in shown)
    assert "small, ROME: Sentiment 80 at 0, 80 at 4, 60 at 16, 40 at 64." in document.text
    assert "Without values: Task scores, instance-sequential, upstream; Task scores, batch-seq" in document.text


def test_names_of_sweeps_are_shown_as_text(swept: str) -> None:
    document = Document(swept)
    assert len(document.all("script")) == 1
    assert NASTY not in swept
    assert NASTY in document.text


def test_nothing_is_loaded_from_elsewhere(html: str, swept: str) -> None:
    for tag, attributes in Document(html).tags + Document(swept).tags:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "action", "srcset", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/svg+xml;base64,"))
    assert not re.search(r"url\(|@import|https?://", html + swept)


def test_nothing_but_its_own_script_may_run(html: str) -> None:
    policy = next(
        attributes["content"] or "" for attributes in Document(html).all("meta") if "http-equiv" in attributes
    )
    script = html[html.rindex("<script>") + len("<script>") : html.rindex("</script>")]
    assert f"script-src {allowed(script)};" in policy
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy[policy.index("script-src") :]


def test_texts_of_models_and_data_are_shown_as_text(html: str) -> None:
    document = Document(html)
    assert [attributes.get("type") for attributes in document.all("script")] == ["application/json", None]
    assert NASTY not in html
    for shown in (f"tokenizer: {NASTY}", f'"x": "{NASTY}'.split("<")[0]):
        assert shown in document.text


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (27, None),
        (
            26,
            "the first 2 facts of each set of facts, backbone and editing language, 18 of 27 answers;",
        ),
        (0, "None of the 27 answers is shown: reports.browser_rows takes in too few."),
    ],
)
def test_the_page_says_which_answers_it_leaves_out(tmp_path: Path, rows: int, said: str | None) -> None:
    predictions = [made_page.edited(tmp_path, "tiny/small/ROME/en", cases=3)]
    entry = {**ENTRY, "reports": {"protocol": "teacher_forced", "browser_rows": rows}}
    sources = Sources(predictions=predictions)
    text = Document(page(entry, Scores(scores()), made_sweeps.sweeps({"sweeps": {}}), sources, [])).text
    assert ("browser_rows takes" in text) is (said is not None)
    assert (said or "") in text
    assert ("A number leads to its answers." in text) is (rows == 27)
    assert ("A number leads to its answers among the first 2 facts," in text) is (rows == 26)


@pytest.mark.parametrize("protocol", ["teacher_forced", "upstream", "generated"])
def test_answers_that_are_put_together_of_tokens_are_called_so(tmp_path: Path, protocol: str) -> None:
    predictions = [made_page.predict(tmp_path, [{"protocol": protocol}])]
    entry = {**ENTRY, "protocols": [protocol], "reports": {"protocol": protocol}}
    whole = page(entry, Scores(scores()), made_sweeps.sweeps({"sweeps": {}}), Sources(predictions=predictions), [])
    parts = dict(re.findall(r'<section id="([\w-]+)">(.*?)</section>', whole, re.DOTALL))
    said = ["Each token is asked with the right ones before it" in parts[name] for name in ("browser", "failures")]
    assert said == [protocol != "generated"] * 2


def test_of_many_languages_the_page_holds_a_short_table_and_a_few_radar_charts(tmp_path: Path) -> None:
    langs = [f"x{number}" for number in range(20)]
    config = {**made_figures.entry(("ROME", "IKE"), langs, ("small",))}
    known = Scores(made_figures.scores(config))
    sources = Sources(figures=drawn(tmp_path / "figures", (f"radar_tiny_small_{lang}" for lang in langs)))
    nothing = made_sweeps.sweeps({"sweeps": {}})
    whole = Document(page(config, known, nothing, sources, []))
    assert "Edits of tiny, asked teacher-forced: F1 / EM" in whole.text  # 60 rows of 64 columns
    assert len(whole.all("img")) == MOST
    assert "8 more are in the folder figures." in whole.text
    config["backbones"] = {name: {} for name in ("small", *"abc")}
    short = page(config, known, nothing, sources, [])
    text = Document(short).text
    assert "its 15,360 cells are too many for a page. They are in the folder tables, in the files table_2_tiny_" in text
    assert "in the editing language and on average in the others" in text
    assert len(Document(short).all("td")) < MOST_CELLS


def test_what_has_no_value_is_named_and_not_shown(tmp_path: Path) -> None:
    frame = scores().filter(pl.col("protocol") != "upstream")
    known = Scores(frame.filter((pl.col("edit_lang") == "en") | (pl.col("editor") == "unedited")))
    names = ("radar_tiny_small_en", "radar_tiny_small_zh", "tradeoff_tiny", "cost_tiny")
    sources = Sources(figures=drawn(tmp_path / "figures", names))
    config = {**ENTRY, **made_sweeps.entry(["ROME"]), "editors": ENTRY["editors"]}
    document = Document(page(config, known, made_sweeps.sweeps({"sweeps": {}}), sources, []))
    assert "Without values: Edits of tiny, asked upstream: F1 / EM." in document.text
    assert "tables/table_2_tiny_upstream" not in document.text
    assert "tables/table_2_tiny_teacher_forced" in document.text
    lacking = "Seconds are not known of ROME, IKE."
    assert f"Without values: Seconds to find an edit against scores, tiny. {lacking}" in document.text
    assert len(document.all("img")) == 3
    assert "1 editing language English" in " ".join(document.text.split())
    nobody = Scores(frame.filter(pl.col("editor") == "unedited", pl.col("edit_lang") == "en"))
    text = Document(page(ENTRY, nobody, made_sweeps.sweeps({"sweeps": {}}), sources, [])).text
    assert "Without values: small, edited in Chinese." in text


def test_the_overview_counts_the_sweeps_that_have_scores() -> None:
    config = made_sweeps.entry(["ROME"])
    known = [make(config) for make in (made_sweeps.task_scores, made_sweeps.fact_scores, made_sweeps.weight_changes)]
    config["sweeps"] |= {"later": {**config["sweeps"]["ROME"], "backbones": ["small", "other"]}}
    document = Document(page({**ENTRY, **config}, Scores(scores()), Sweeps(config, *known), Sources(), []))
    text = " ".join(document.text.split())
    assert "1 backbone small 2 editors ROME, IKE 1 sweep ROME 2 editing" in text


def test_tables_and_figures_say_in_which_files_they_lie(html: str) -> None:
    text = Document(html).text
    assert "tables/table_2_tiny_teacher_forced (.csv .md .tex .html .xlsx)" in text
    assert "tables/table_1_tiny (.csv" in text
    assert "figures/radar_tiny_small_en (.pdf .svg .png)" in text
    for name in ("costs", "stages", "models_tiny"):
        assert f"tables/{name}" not in text


def test_what_no_file_can_hold_has_a_sign_in_its_place(tmp_path: Path) -> None:
    write("half \ud800 a letter", tmp_path / "index.html")
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "half \N{REPLACEMENT CHARACTER} a letter"


def test_all_parts_are_there(html: str) -> None:
    text = Document(html).text
    for said in (
        "ROME is best with",
        "asked upstream",
        "Locality of edits",
        "1,000 parameters, trained in 9.5 s",
        "4 cases read, 1 left out",
        "repeated subject",
        "2.000",
        "3 of 4 records translated from English to Chinese; 1 failed (left out in all languages).",
        "Cost of all runs together: 0.12 dollars",
        "Chinese: 3 of 8 records judged whole, 1 of these corrected: 33.3 %; 2 judged in part, 1 of these corrected; "
        "open conflicts: 1.",
        "The paper of Bi-ZsRE: 6.0 % of its test records were corrected.",
        "judgements of cases that this draw of facts doesn't have (lines: 1,234)",
        f"{NASTY}: 2, of these since people changed them: 1",
        f"Case 1 (test, Chinese, since it was corrected): {NASTY}",
        "Notes on texts that nobody would change: 1",
        f"Case 1 (test, Chinese), portability answer, by {NASTY}: {NASTY}",
        "portability prompt",
        "Agreement on corrections of tiny",
        "Open conflicts: 1",
    ):
        assert said in text


def test_pictures_say_what_they_show(html: str) -> None:
    document = Document(html)
    (picture,) = document.all("img")
    assert len(picture["alt"] or "") < 300
    assert "ROME: reliability in English" in document.text
    (summary,) = [each for each in document.all("summary") if each.get("aria-label")]
    assert (summary["aria-label"] or "").startswith("Values of ")
    assert picture["style"] == "width:163px"  # 90.5 points


@pytest.mark.parametrize("name", ["html", "swept"])
def test_every_link_within_the_page_leads_somewhere(name: str, request: pytest.FixtureRequest) -> None:
    document = Document(request.getfixturevalue(name))
    ids = {attributes["id"] for _, attributes in document.tags if "id" in attributes}
    led = {(attributes["href"] or "")[1:] for attributes in document.all("a")}
    assert {place for place in led if not place.startswith("fact=")} <= ids


def test_the_same_inputs_give_the_same_page() -> None:
    known = Scores(scores())
    sweeps = made_sweeps.sweeps(made_sweeps.entry())
    assert page(ENTRY, known, sweeps, Sources(), []) == page(ENTRY, known, sweeps, Sources(), [])


def test_what_files_say_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = results(tmp_path)
    read: Counter[str] = Counter()

    def counted(of: Any) -> Any:
        def call(path: Path, *args: Any, **named: Any) -> Any:
            read[Path(path).name] += 1
            return of(path, *args, **named)

        return call

    monkeypatch.setattr(tables, "provenance", counted(tables.provenance))
    monkeypatch.setattr(Path, "read_text", counted(Path.read_text))
    predictions, summaries = ([Path(path) for path in given[name]] for name in ("--predictions", "--summaries"))
    sources = Sources(predictions=predictions, summaries=summaries)
    page(ENTRY, Scores(scores()), made_sweeps.sweeps({"sweeps": {}}), sources, [])
    assert {name: read[name] for name in ("predictions.1-of-1.parquet", "machine.json", "summary.json")} == {
        "predictions.1-of-1.parquet": 1,
        "machine.json": 1,
        "summary.json": 2,  # of facts and of their translation
    }


def test_findings_name_the_best_editor_and_what_overlaps() -> None:
    means = {"unedited": 0.02, "ROME": 0.95, "IKE": 0.92}
    frame = (
        scores()
        .with_columns(mean=pl.col("editor").replace_strict(means))
        .with_columns(low=pl.col("mean") - 0.04, high=pl.col("mean") + 0.04)
    )
    known = Scores(frame)
    found = findings(known, Grid.of(ENTRY, known), "tiny", "small")
    reliability, generality, *_, across = found["en"]
    assert reliability.text == (
        "ROME is best with 95.0 % (91.0 to 99.0). Close behind, with overlapping intervals: IKE. Unedited: 2.0 %."
    )
    assert generality.about == "Generality"
    assert across.about == "Across languages"
