"""Figures of edits: which there are, what is drawn of the scores, and that it can be read."""

import math
from pathlib import Path
from typing import Any

import matplotlib
import polars as pl
import pytest
from drawn import drawn, faults, texts
from made_figures import FACTS, SIZES, comparisons, costs, entry, found, scores
from matplotlib.figure import Figure

from crossedit.facts.languages import NAMES
from crossedit.reports.costs import Seconds
from crossedit.reports.figures import cost, drawing, gap, radar, tradeoff, training_scale
from crossedit.reports.figures.drawing import Picture
from crossedit.reports.figures.pictures import pictures
from crossedit.reports.figures.scatter import span
from crossedit.reports.naming import styles
from crossedit.reports.sweeps import Sweeps

LONG = [f"an-editor-with-quite-a-long-name-that-is-the-same-but-for-its-end-{number}" for number in range(3)]
CASES: dict[str, dict[str, Any]] = {
    "demo": entry(),
    "scale": entry([*SIZES, "mine"], backbones=["a-backbone-with-a-rather-long-name-of-its-own-7b-chat"]),
    "one": entry(("ROME",), ("en",), ("small",)),
    "three": entry(LONG, ("en", "zh", "de"), ("中文-LLaMA-2", "an-extraordinarily-long-name-of-a-backbone", "b")),
    "languages": entry(("ROME", "IKE"), list(NAMES)[:53], ("small",)),
}


def shown(config: dict[str, Any]) -> list[Picture]:
    """Return the figures of edits but for the radar charts."""
    known, sweeps = found(config), Sweeps.read({}, [], [], [])
    every = pictures(known.scores, known.grid, sweeps, comparisons(config), costs(config), config)
    return [picture for picture in every if not picture.name.startswith("radar")]


def points(figure: Figure, editor: str, panel: int = 0) -> list[tuple[float, float]]:
    """Return the points of the editor in a panel, filled or hollow."""
    look = styles([editor])[editor]
    return [
        (x, y)
        for line in figure.axes[panel].lines
        if line.get_marker() == look.marker
        for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)
        if not math.isnan(y)
    ]


@pytest.mark.parametrize("case", CASES)
def test_each_can_be_read(case: str) -> None:
    for picture in shown(CASES[case]):
        assert not faults(drawn(picture)), picture.name
        assert picture.facts == FACTS
        assert "nan" not in picture.described
        assert 20 < len(picture.alt) < 200 + len(picture.title)


def test_a_users_matplotlibrc_changes_no_figure(tmp_path: Path) -> None:
    picture = shown(CASES["one"])[0]
    drawing.write(picture, tmp_path / "usual")
    rc = {"axes.grid": True, "axes.facecolor": "yellow", "lines.linewidth": 4, "savefig.facecolor": "red"}
    with matplotlib.rc_context(rc):
        drawing.write(picture, tmp_path / "other")
        assert matplotlib.rcParams["axes.facecolor"] == "yellow"
    for suffix in drawing.SUFFIXES:
        one, other = (tmp_path / folder / f"{picture.name}.{suffix}" for folder in ("usual", "other"))
        assert one.read_bytes() == other.read_bytes()


def test_there_are_as_many_where_nothing_is_known_yet() -> None:
    config = CASES["scale"]
    known = found(config, scores(config).clear())
    sweeps, compared = Sweeps.read({}, [], [], []), comparisons(config).clear()
    made = list(pictures(known.scores, known.grid, sweeps, compared, {}, config))
    assert [picture.name for picture in made if "radar" not in picture.name] == [each.name for each in shown(config)]
    for picture in made:
        figure = drawn(picture)
        assert not faults(figure), picture.name
        assert not figure.legends, picture.name
        assert not picture.described, picture.name
        assert all("no value" in [text.get_text() for text in axes.texts] for axes in figure.axes), picture.name
        assert not [text for text in figure.texts if "Bars" in text.get_text()], picture.name


def test_legends_and_notes_explain_only_what_is_drawn() -> None:
    config = CASES["scale"]
    frame = scores(config).filter(pl.col("editor") == "IKE-500", pl.col("edit_lang") == "en", pl.col("lang") == "en")
    known = found(config, frame.with_columns(low=math.nan, high=math.nan))
    every = pictures(known.scores, known.grid, Sweeps.read({}, [], [], []), None, costs(config), config)
    for picture in every:
        if picture.name.startswith(("training_scale", "tradeoff", "cost")):
            figure = drawn(picture)
            named = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
            scale = ["IKE", "asked in the language of the edit"]
            assert named == (scale if "scale" in picture.name else ["IKE-500", "edited in English"])
            assert not [text for text in figure.texts if "Bars" in text.get_text()], picture.name


@pytest.mark.parametrize("langs", [("en", "zh", "de"), ("en", "zh", "de", "fr", "es")])
def test_a_mean_over_several_languages_has_the_bar_of_its_own_comparison(langs: tuple[str, ...]) -> None:
    config = entry(("ROME",), langs, ("small",))
    config["languages"] = ["en"]
    frame = scores(entry(("ROME",), langs, ("small",))).filter(edit_lang="en")
    known, one_by_one = found(config, frame), comparisons(entry(("ROME",), langs, ("small",)))
    bare = gap.picture(known, one_by_one)
    assert not [text for text in drawn(bare).texts if "Bars" in text.get_text()]
    mean = one_by_one.filter(lang_2="de").with_columns(
        lang_2=pl.lit(f"{len(langs) - 1} others"), difference=0.11, low=0.08, high=0.14
    )
    each = one_by_one.filter(len(langs) <= 4)
    picture = gap.picture(known, pl.concat([each, mean]))
    assert "small, ROME, edited in English: 11 (8 to 14)." in picture.described
    assert [text for text in drawn(picture).texts if "Bars" in text.get_text()]


def test_a_gap_has_the_interval_of_the_comparison_whichever_side_it_names_first() -> None:
    config = entry(("ROME",), backbones=("small",))
    frame = comparisons(config, margin=0.07)
    sides = [f"{name}_{side}" for name in ("editor", "edit_lang", "lang", "mean") for side in (1, 2)]
    other = frame.rename({name: f"{name[:-1]}{3 - int(name[-1])}" for name in sides})
    other = other.with_columns(difference=-pl.col("difference"), low=-pl.col("high"), high=-pl.col("low"))
    one, turned = (gap.picture(found(config), each.select(frame.columns)) for each in (frame, other))
    assert one.described == turned.described
    means = found(config)
    own, across = (means.find("small", "ROME", "zh", "generality", lang) for lang in ("zh", "en"))
    assert own is not None
    assert across is not None
    value = 100 * (own.mean - across.mean)
    said = f"small, ROME, edited in Chinese: {value:.0f} ({value - 7:.0f} to {value + 7:.0f})."
    assert said in one.described
    assert [text for text in drawn(one).texts if "Bars" in text.get_text()]
    unbounded = frame.with_columns(low=pl.lit(math.nan), high=pl.lit(math.nan))
    for without in (gap.picture(means, frame.clear()), gap.picture(means, unbounded)):
        assert said.split(" (")[0] + "." in without.described
        assert not [text for text in drawn(without).texts if "Bars" in text.get_text()]


def test_a_gap_of_what_is_not_known_is_left_out() -> None:
    config = entry(("ROME", "IKE"), backbones=("small",))
    lost = (pl.col("editor") == "ROME") & (pl.col("lang") == "en") & (pl.col("aspect") == "generality")
    picture = gap.picture(found(config, scores(config).filter(~lost)), comparisons(config).clear())
    figure = drawn(picture)
    assert "ROME" not in picture.described
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["Unedited", "IKE"]
    assert len(points(figure, "IKE")) == 2
    nothing = drawn(gap.picture(found(CASES["one"]), comparisons(CASES["one"])))
    assert [text for text in nothing.texts if "no score in another language" in text.get_text()]


def test_many_languages_are_dots_and_their_mean() -> None:
    config = CASES["languages"]
    picture = gap.picture(found(config), comparisons(config))
    figure = drawn(picture)
    axes, look = figure.axes[0], styles(["ROME"])["ROME"]
    small = [line for line in axes.lines if line.get_color() == look.colour and line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in small] == [53]
    ((mean, _),) = points(figure, "ROME")
    assert mean == pytest.approx(sum(small[0].get_xdata()) / 53)
    assert f"small, ROME, mean of 53 editing languages: {mean:.0f}." in picture.described


def test_a_trade_off_is_drawn_where_both_scores_are_known() -> None:
    config = entry(("ROME",), backbones=("small",))
    lost = (pl.col("aspect") == "portability") & (pl.col("edit_lang") == "zh")
    figure = drawn(tradeoff.picture(found(config, scores(config).filter(~lost))))
    labels = [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes]
    assert labels == [
        ("Reliability, EM in %", "Locality, EM in %"),
        ("Reliability, EM in %", "Portability, EM in %"),
        ("Locality, EM in %", "Portability, EM in %"),
    ]
    assert [len(points(figure, "ROME", panel)) for panel in range(3)] == [2, 1, 1]


def test_editing_languages_are_told_apart_by_their_faces() -> None:
    figure = drawn(tradeoff.picture(found(entry(("ROME",), ("en", "zh", "de"), ("small",)))))
    look = styles(["ROME"])["ROME"]
    faces = [line.get_markerfacecolor() for line in figure.axes[0].lines if line.get_marker() == look.marker]
    assert len(set(faces)) == 3
    assert faces[:2] == [look.colour.lower(), "#ffffff"]


def test_axes_go_as_far_as_the_intervals() -> None:
    config = entry(("ROME",), ("en",), ("small",))
    known = found(config)
    portability = known.own("small", "ROME", "en", "portability")
    unedited = known.own("small", "unedited", "en", "portability")
    assert portability is not None
    assert unedited is not None
    low, high = drawn(tradeoff.picture(known)).axes[1].get_ylim()
    assert low < 100 * unedited.low < 100 * portability.high < high < 100
    assert span([]) == (0, 100)


def test_cells_whose_seconds_are_not_known_are_left_out_and_said() -> None:
    config = entry(("ROME", "IKE", "KN"), ("en",), ("small",))
    known = costs(config)
    for place in known:
        if place.editor != "ROME":
            known[place] = Seconds(None if place.editor == "IKE" else 0.0, 1.0)
    picture = cost.picture(found(config), known)
    figure = drawn(picture)
    assert [len(points(figure, editor)) for editor in ("ROME", "IKE", "KN")] == [1, 0, 0]
    assert [text for text in figure.texts if "Seconds are not known of IKE, KN." in text.get_text().replace("\n", " ")]
    ((seconds, score),) = points(figure, "ROME", 3)
    assert seconds == known[next(place for place in known if place.editor == "ROME")].edit
    own = found(config).own("small", "ROME", "en", "portability")
    assert own is not None
    assert score == 100 * own.mean
    assert figure.axes[0].get_xscale() == "log"


def test_training_scale_has_panels_by_language_and_aspect() -> None:
    config = CASES["scale"]
    (picture,) = training_scale.pictures(found(config), config)
    figure = drawn(picture)
    assert [axes.get_title() for axes in figure.axes] == [
        "Reliability",
        "Generality",
        "Locality",
        "Portability",
    ] + 4 * [""]
    assert [text.get_text() for text in figure.texts][:2] == ["Edited in English", "Edited in Chinese"]
    stops = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert stops == ["100", "500", "1k", "3k", "10k"]
    lines = [line for line in figure.axes[1].lines if len(line.get_xdata()) == 5 and line.get_marker() == "None"]
    assert [line.get_linestyle() == "-" for line in lines] == [True, False] * 3
    assert not list(training_scale.pictures(found(CASES["demo"]), CASES["demo"]))


def test_a_size_that_a_method_has_not_is_passed_over_and_a_missing_score_is_a_gap() -> None:
    editors = ("MEND-100", "MEND-1000", "IKE-100", "IKE-500", "IKE-1000", "whole")
    config = entry(editors, ("en",), ("small",))
    config["editors"]["whole"] = {"method": "MEND"}
    frame = scores(config).filter(pl.col("editor") != "IKE-500")
    (picture,) = training_scale.pictures(found(config, frame), config)
    axes = drawn(picture).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["100", "500", "1k", "all"]
    look = {method: styles([method])[method] for method in ("MEND", "IKE")}
    curves = {
        method: next(line for line in axes.lines if line.get_color() == look[method].colour)
        for method in ("MEND", "IKE")
    }
    assert [math.isnan(y) for y in curves["MEND"].get_ydata()] == [False, False, False]
    assert [math.isnan(y) for y in curves["IKE"].get_ydata()] == [False, True, False]
    assert "missing at 500" in picture.described


@pytest.mark.parametrize(("reports", "label", "share"), [({}, "EM", 1.0), ({"metric": "f1"}, "F1", 0.5)])
def test_the_metric_that_is_asked_for_is_drawn_and_named(reports: dict[str, str], label: str, share: float) -> None:
    config = {**entry(("MEND-100", "MEND-500"), backbones=("small",)), "reports": reports}
    exact = scores(config)
    known = found(config, pl.concat([exact, exact.with_columns(metric=pl.lit("f1"), mean=pl.col("mean") / 2)]))
    reliability = exact.filter(editor="MEND-100", edit_lang="en", aspect="reliability")["mean"].item()
    [chart, _] = radar.charts(known)
    assert chart.values("MEND-100")[0] == pytest.approx(100 * share * reliability)
    every = list(pictures(known.scores, known.grid, Sweeps.read({}, [], [], []), None, costs(config), config))
    assert {picture.name.split("_")[0] for picture in every} == {"radar", "training", "gap", "tradeoff", "cost"}
    for picture in every:
        assert label in picture.alt
        said = " ".join(text.get_text() for text in texts(drawn(picture)))
        assert f"{label} in %" in said or f"in {label}," in said
        assert ("F1 has a floor" in picture.alt) == (label == "F1")
