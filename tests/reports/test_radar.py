"""The radar chart: a gap where a score is missing, one look per editor, few and many languages."""

import math

import polars as pl
import pytest
from drawn import drawn, faults
from made_figures import DEMO, entry, found, scores

from crossedit.facts.languages import NAMES
from crossedit.reports.figures.radar import Chart, charts
from crossedit.reports.naming import method, styles

LANGS = ("en", "zh", "de", "vi", "ja", "fr", "th", "ru")


def chart(langs: tuple[str, ...] = ("en", "zh"), frame: pl.DataFrame | None = None) -> Chart:
    config = entry(langs=langs, backbones=["small"])
    return Chart(found(config, frame), "small", "en")


def test_spokes_are_reliability_and_each_aspect_in_each_language() -> None:
    assert [(spoke.aspect, *spoke.langs) for spoke in Chart(chart().found, "small", "zh").spokes] == [
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
    lost = [spoke.aspect == "locality" for spoke in one.spokes]
    assert [math.isnan(value) for value in one.values("ROME")] == lost
    line = next(line for line in drawn(one.picture()).axes[0].lines if line.get_label() == "ROME")
    assert [math.isnan(value) for value in line.get_ydata()] == [*lost, False]
    assert "locality in English missing, locality in Chinese missing" in one.picture().described


def test_it_is_told_what_is_drawn() -> None:
    one = chart()
    values = {spoke[:2]: value for spoke, value in zip(one.spokes, one.values("ROME"), strict=True)}
    told = next(part for part in one.picture().described.split(". ") if part.startswith("ROME: "))
    assert told.split(": ")[1].split(", ")[2] == f"generality in Chinese {values['generality', ('zh',)]:.0f}"


@pytest.mark.parametrize("number", [1, 2, 4, 8])
def test_texts_can_be_read(number: int) -> None:
    assert not faults(drawn(chart(LANGS[:number]).picture()))


@pytest.mark.parametrize(("number", "spokes"), [(4, 1 + 3 * 4), (5, 1 + 3 * 2), (53, 1 + 3 * 2)])
def test_many_languages_are_that_of_the_edit_and_the_mean_of_the_others(number: int, spokes: int) -> None:
    langs = list(NAMES)[:number]
    config = entry(("ROME", "IKE"), langs, ["small"])
    one = Chart(found(config), "small", langs[2])
    figure = drawn(one.picture())
    assert not faults(figure)
    assert len(one.spokes) == spokes
    named = {text.get_text() for text in figure.axes[0].texts}
    note = " ".join(text.get_text().replace("\n", " ") for text in figure.texts)
    many = spokes == 7
    assert ({"own language", "others, mean"} <= named, f"the {number - 1} other languages" in note) == (many, many)
    if many:
        values = {spoke.name: value for spoke, value in zip(one.spokes, one.values("ROME"), strict=True)}
        others = [one.found.find("small", "ROME", langs[2], "portability", lang) for lang in langs if lang != langs[2]]
        assert values["others, mean"] == pytest.approx(100 * sum(each.mean for each in others if each) / (number - 1))


def test_without_a_score_it_says_so_and_has_no_legend() -> None:
    figure = drawn(chart(frame=scores(entry()).clear()).picture())
    assert "no value" in [text.get_text() for text in figure.axes[0].texts]
    assert not figure.legends
    assert "no value" not in [text.get_text() for text in drawn(chart().picture()).axes[0].texts]


def test_many_long_names_stay_in_the_figure() -> None:
    names = ["ROME-principal", *(f"ROME-with-covariances-of-Wikipedia-in-{number}-languages" for number in range(12))]
    config = entry(names, backbones=["a-backbone-whose-name-is-longer-than-a-column-is-wide-7b-chat"])
    picture = next(charts(found(config))).picture()
    figure = drawn(picture)
    assert not faults(figure)
    (legend,) = figure.legends
    assert [text.get_text().replace("\n", "") for text in legend.get_texts()] == ["Unedited", *names]
