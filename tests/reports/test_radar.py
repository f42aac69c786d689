"""The radar chart: a gap where a score is missing, one look per editor, few and many languages."""

import math

import polars as pl
import pytest
from drawn import drawn, faults
from made_figures import DEMO, entry, found, scores

from crossedit.facts.languages import NAMES
from crossedit.reports.figures import drawing
from crossedit.reports.figures.radar import Chart, charts
from crossedit.reports.naming import method, styles

LANGS = ("en", "zh", "de", "vi", "ja", "fr", "th", "ru")


def chart(langs: tuple[str, ...] = ("en", "zh"), frame: pl.DataFrame | None = None) -> Chart:
    config = entry(langs=langs, backbones=["small"])
    return Chart(found(config, frame), "small", "en")


def test_spokes_are_reliability_and_each_aspect_in_each_language() -> None:
    assert Chart(chart().found, "small", "zh").spokes == [
        ("reliability", "zh"),
        *((aspect, lang) for aspect in ("generality", "locality", "portability") for lang in ("en", "zh")),
    ]


def test_there_is_one_for_each_backbone_and_editing_language() -> None:
    names = [one.picture().name for one in charts(found(entry()))]
    assert names == [f"radar_tiny_{backbone}_{lang}" for backbone in ("small", "large") for lang in ("en", "zh")]


def test_one_polygon_per_editor_with_scores_and_in_its_own_look() -> None:
    frame = scores(entry(backbones=["small"])).filter(pl.col("editor") != "KN")
    figure = drawn(chart(frame=frame).picture())
    lines = {str(line.get_label()): line for line in figure.axes[0].lines if not str(line.get_label()).startswith("_")}
    shown = [editor for editor in ("unedited", *DEMO) if editor != "KN"]
    assert list(lines) == [method(editor) for editor in shown]
    look = styles(DEMO[::-1])
    for editor in shown:
        assert lines[method(editor)].get_color() == look[editor].colour
        assert lines[method(editor)].get_marker() == look[editor].marker


def test_a_missing_score_is_a_gap_and_not_a_zero() -> None:
    frame = scores(entry(backbones=["small"])).filter(pl.col("aspect") != "locality")
    one = chart(frame=frame)
    lost = [aspect == "locality" for aspect, _ in one.spokes]
    assert [math.isnan(value) for value in one.values("ROME")] == lost
    line = next(line for line in drawn(one.picture()).axes[0].lines if line.get_label() == "ROME")
    assert [math.isnan(value) for value in line.get_ydata()] == [*lost, False]
    assert "locality in English missing, locality in Chinese missing" in one.picture().described


def test_it_is_told_what_is_drawn() -> None:
    one = chart()
    values = dict(zip(one.spokes, one.values("ROME"), strict=True))
    told = next(part for part in one.picture().described.split(". ") if part.startswith("ROME: "))
    assert told.split(": ")[1].split(", ")[2] == f"generality in Chinese {values['generality', 'zh']:.0f}"


@pytest.mark.parametrize("number", [1, 2, 4, 8])
def test_texts_can_be_read(number: int) -> None:
    assert not faults(drawn(chart(LANGS[:number]).picture()))


def test_many_languages_take_a_whole_page_and_are_told_by_their_mean() -> None:
    langs = list(NAMES)[:53]
    config = entry(("ROME", "IKE"), langs, ["small"])
    picture = Chart(found(config), "small", langs[0]).picture()
    figure = drawn(picture)
    assert not faults(figure)
    assert figure.get_figwidth() == drawing.PAGE
    assert {text.get_text() for text in figure.axes[0].texts} >= set(config["languages"])
    assert "portability in 52 others" in picture.described


def test_many_long_names_stay_in_the_figure() -> None:
    names = ["ROME-principal", *(f"ROME-with-covariances-of-Wikipedia-in-{number}-languages" for number in range(12))]
    config = entry(names, backbones=["a-backbone-whose-name-is-longer-than-a-column-is-wide-7b-chat"])
    picture = next(charts(found(config))).picture()
    figure = drawn(picture)
    assert not faults(figure)
    (legend,) = figure.legends
    assert [text.get_text().replace("\n", "") for text in legend.get_texts()] == ["Unedited", *names]
