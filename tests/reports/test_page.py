"""The page: self-contained, everything in it as text, the same each time."""

import re
from html.parser import HTMLParser
from pathlib import Path

import made_sweeps
import polars as pl
import pytest
from made import ENTRY, NASTY, predictions, results, scores

from crossedit import tables
from crossedit.reports.examples import examples
from crossedit.reports.figures import drawing
from crossedit.reports.figures.radar import picture as radar
from crossedit.reports.figures.sweeps import pictures
from crossedit.reports.findings import findings
from crossedit.reports.grid import Grid
from crossedit.reports.page import Sources, page
from crossedit.reports.scores import Scores


class Document(HTMLParser):
    """A document's tags with their attributes, and its text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page of a small experiment."""
    folder = tmp_path_factory.mktemp("results")
    files = {name: [Path(path) for path in paths] for name, paths in results(folder).items()}
    known = Scores(scores())
    drawing.write(radar(known, Grid.of(ENTRY, known), "tiny", "small", "en"), folder / "figures")
    sources = Sources(
        table_1=files["--table-1"],
        figures=sorted((folder / "figures").iterdir()),
        predictions=files["--predictions"],
        backbones=[path / "recipe.json" for path in files["--backbones"]],
        summaries=files["--summaries"],
    )
    return page({**ENTRY, "note": NASTY}, known, made_sweeps.sweeps({"sweeps": {}}), sources, [])


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the page of an experiment with sweeps, one of which has nasty names."""
    folder = tmp_path_factory.mktemp("figures")
    config = made_sweeps.entry(["ROME", "MEMIT-10"])
    config["tasks"] |= {"rte": {"protocols": ["corrected", "upstream"]}}
    config["sweeps"][NASTY] = {**config["sweeps"]["ROME"], "editor": NASTY, "backbones": [NASTY], "tasks": [NASTY]}
    known, sweeps = Scores(scores()), made_sweeps.sweeps(config)
    for picture in pictures(sweeps, ("en", "zh"), "teacher_forced"):
        drawing.write(picture, folder)
    return page({**ENTRY, **config}, known, sweeps, Sources(figures=sorted(folder.iterdir())), [])


def test_without_sweeps_the_page_has_no_word_of_them(html: str) -> None:
    assert "side-effects" not in html
    assert "side effects" not in Document(html).text.lower()


def test_side_effects_stand_between_charts_and_examples(swept: str) -> None:
    ids = [attributes["id"] or "" for tag, attributes in Document(swept).tags if tag == "section"]
    assert ids[ids.index("charts") :][:3] == ["charts", "side-effects", "examples"]
    text = Document(swept).text
    assert "From 16 edits on: Reasoning (80.0 % to 40.0 %)" in text
    assert "Side effects of MEMIT-10 (10 facts per edit) on tasks, upstream" in text
    assert "The edited facts along MEMIT-10 (10 facts per edit): EM" in text


def test_figures_of_sweeps_say_what_they_show(swept: str) -> None:
    shown = [attributes["alt"] or "" for tag, attributes in Document(swept).tags if tag == "img"]
    assert len(shown) == 2 * 5  # of two settings; the tasks under two protocols
    assert "small, ROME: Sentiment 80 at 0, 80 at 4, 60 at 16, 40 at 64." in shown[0]
    assert all(len(text) > 40 for text in shown)


def test_names_of_sweeps_are_shown_as_text(swept: str) -> None:
    document = Document(swept)
    assert [tag for tag, _ in document.tags].count("script") == 1
    assert NASTY not in swept
    assert NASTY in document.text


def test_nothing_is_loaded_from_elsewhere(html: str, swept: str) -> None:
    for tag, attributes in Document(html).tags + Document(swept).tags:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        for name in ("src", "href", "action", "srcset", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/svg+xml;base64,"))
    assert not re.search(r"url\(|@import|https?://", html + swept)


def test_texts_of_models_and_data_are_shown_as_text(html: str) -> None:
    document = Document(html)
    assert [tag for tag, _ in document.tags].count("script") == 1
    assert NASTY not in html
    for shown in (f"{NASTY} 0?", f"tokenizer: {NASTY}", f'"x": "{NASTY}'.split("<")[0]):
        assert shown in document.text


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
    pictures = [attributes for tag, attributes in Document(html).tags if tag == "img"]
    assert len(pictures) == 1
    assert "ROME: reliability in English" in (pictures[0]["alt"] or "")


@pytest.mark.parametrize("name", ["html", "swept"])
def test_every_link_within_the_page_leads_somewhere(name: str, request: pytest.FixtureRequest) -> None:
    tags = Document(request.getfixturevalue(name)).tags
    ids = {attributes["id"] for _, attributes in tags if "id" in attributes}
    assert {(attributes["href"] or "")[1:] for tag, attributes in tags if tag == "a"} <= ids


def test_the_same_inputs_give_the_same_page() -> None:
    known = Scores(scores())
    sweeps = made_sweeps.sweeps(made_sweeps.entry())
    assert page(ENTRY, known, sweeps, Sources(), []) == page(ENTRY, known, sweeps, Sources(), [])


def test_examples_are_capped_and_join_editors(tmp_path: Path) -> None:
    paths = [tmp_path / f"tiny/small/{editor}/en/predictions.parquet" for editor in ("ROME", "IKE")]
    for path in paths:
        tables.write(predictions(cases=7), tables.PREDICTIONS, path, {})
    found = examples(paths, "teacher_forced", limit=5)
    assert [example.case_id for example in found] == [0, 1, 2, 3, 4]
    assert found[0].editors == ["ROME", "IKE"]
    assert [question.aspect for question in found[0].questions][:2] == ["Reliability", "Generality"]


def test_locality_is_right_where_the_answer_stays(tmp_path: Path) -> None:
    path = tmp_path / "tiny/small/ROME/en/predictions.parquet"
    frame = predictions(1).with_columns(before_text=pl.lit("before"), after_text=pl.lit("before"))
    tables.write(frame, tables.PREDICTIONS, path, {})
    (example,) = examples([path], "teacher_forced")
    assert {question.aspect.split(",")[0] for question in example.questions if question.right("ROME")} == {"Locality"}


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
    assert "95.0 % of rephrased questions right in English, 95.0 % in Chinese (unedited 2.0 %)" in across.text
