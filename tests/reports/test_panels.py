"""Figures of sweeps: the same bytes each time, one look per task, gaps where a score is missing, labels inside."""

import math
from pathlib import Path

import polars as pl
import pytest
from drawn import drawn, faults
from made_sweeps import SWEEPS, TASKS, entry, fact_scores, sweeps, task_scores, weight_changes
from matplotlib.figure import Figure

from crossedit import tables
from crossedit.reports.figures import drawing
from crossedit.reports.figures.drawing import Picture
from crossedit.reports.figures.sweeps import pictures
from crossedit.reports.naming import ability, task_styles
from crossedit.reports.scores import DASH
from crossedit.reports.sweeps import Sweeps


def figure_of(found: Sweeps, name: str, langs: tuple[str, ...] = ("en", "zh")) -> tuple[Picture, Figure]:
    picture = next(picture for picture in pictures(found, langs, "teacher_forced") if picture.name == name)
    return picture, drawn(picture)


def test_files_are_the_same_each_time(tmp_path: Path) -> None:
    for run in ("first", "second"):
        for picture in pictures(sweeps(entry()), ("en", "zh"), "teacher_forced"):
            drawing.write(picture, tmp_path / run)
    names = [path.name for path in (tmp_path / "first").iterdir()]
    assert len(names) == 4 * len(drawing.SUFFIXES)
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_each_task_has_a_look_of_its_own_with_and_without_colour() -> None:
    look = task_styles([*TASKS, "mine"])
    for part in ("colour", "marker"):
        assert len({getattr(look[task], part) for task in [*TASKS, "mine"]}) == len(TASKS) + 1
    assert task_styles(TASKS[::-1])["rte"] == look["rte"]


def test_a_panel_per_backbone_and_sweep_and_a_line_per_task() -> None:
    config = entry(("ROME",), backbones=["small", "large"])
    config["sweeps"]["KN"] = {**config["sweeps"]["ROME"], "editor": "KN", "backbones": ["large"]}
    _, figure = figure_of(sweeps(config), "side_effects_instance-sequential_corrected")
    assert [axes.get_title() for axes in figure.axes] == ["ROME", "ROME", "KN"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["Score in %", "Score in %", ""]
    assert [text.get_text() for text in figure.texts][:2] == ["small", "large"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [ability(task) for task in TASKS]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["0", "4", "16", "64"]


def test_many_sweeps_of_a_backbone_take_several_lines_and_none_leaves_a_hole() -> None:
    config = entry(("ROME",), backbones=["small"], tasks=["rte"])
    for number in range(8):
        config["sweeps"][f"ROME-{number}"] = {
            **config["sweeps"]["ROME"],
            "backbones": ["small", "large"][: 1 + number // 7],
        }
    _, figure = figure_of(sweeps(config), "side_effects_instance-sequential_corrected")
    tops = [round(axes.get_position().y0, 3) for axes in figure.axes]
    assert [tops.count(top) for top in dict.fromkeys(tops)] == [3, 3, 3, 1]
    assert all(axes.lines and axes.get_title() for axes in figure.axes)
    assert [bool(axes.get_xlabel()) for axes in figure.axes] == [*[False] * 7, True, True, True]


def test_titles_are_not_said_again_in_the_next_line() -> None:
    config = entry(("ROME",), backbones=["small", "large"])
    config["sweeps"]["KN"] = {**config["sweeps"]["ROME"], "editor": "KN"}
    _, figure = figure_of(sweeps(config), "side_effects_instance-sequential_corrected")
    assert [axes.get_title() for axes in figure.axes] == ["ROME", "KN", "", ""]


def test_a_task_at_chance_is_thin_and_dashed_and_said_to_be() -> None:
    config = entry(tasks=["rte", "sst2"])
    frame = pl.concat([task_scores(config, score=score).filter(task=task) for task, score in SCORES.items()])
    found = Sweeps(config, frame, fact_scores(config), weight_changes(config))
    picture, figure = figure_of(found, "side_effects_instance-sequential_corrected")
    look = task_styles(TASKS)
    curves = {
        task: next(
            line
            for line in figure.axes[0].lines
            if len(line.get_xdata()) == 4 and line.get_color() == look[task].colour
        )
        for task in SCORES
    }
    assert curves["rte"].get_linestyle() != "-"
    assert curves["rte"].get_linewidth() < curves["sst2"].get_linewidth()
    assert curves["sst2"].get_linestyle() == "-"
    assert "NLI 55 at 0, 55 at 4, 35 at 16, 15 at 64 (at chance unedited)." in picture.described
    assert "Sentiment 90 at 0, 90 at 4, 70 at 16, 50 at 64." in picture.described
    assert "Thin, dashed" in note(figure)


SCORES = {"rte": 0.55, "sst2": 0.9}


def note(figure: Figure) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in figure.texts)


def test_notes_explain_only_marks_that_are_there() -> None:
    _, flat = figure_of(sweeps(entry(), fall=(0.0, 0.0, 0.0)), "side_effects_instance-sequential_corrected")
    _, falling = figure_of(sweeps(entry()), "side_effects_instance-sequential_corrected")
    marks = ("Filled", "Thin, dashed", "Bars")
    assert [mark in note(flat) for mark in marks] == [False, False, True]
    assert [mark in note(falling) for mark in marks] == [True, False, True]
    edited = [figure_of(sweeps(entry()), "edited_facts_instance-sequential", langs)[1] for langs in (("en",), LANGS)]
    assert ["Filled" in note(figure) for figure in edited] == [False, True]


@pytest.mark.parametrize("name", ["side_effects_instance-sequential_corrected", "weights_instance-sequential"])
def test_without_a_value_a_figure_says_so_and_explains_nothing(name: str) -> None:
    _, figure = figure_of(Sweeps.read(entry(), [], [], []), name)
    assert [text.get_text() for text in figure.axes[0].texts] == ["no value"]
    assert not figure.legends
    assert note(figure) == "small"
    assert len(figure.axes) == 1


LANGS = ("en", "zh")


def test_a_missing_score_is_a_gap_and_not_a_zero() -> None:
    config = entry(tasks=["rte"])
    frame = task_scores(config).filter(pl.col("stop") != 16)
    found = Sweeps(config, frame, fact_scores(config), weight_changes(config))
    picture, figure = figure_of(found, "side_effects_instance-sequential_corrected")
    curve = next(line for line in figure.axes[0].lines if len(line.get_xdata()) == 4)
    assert [math.isnan(y) for y in curve.get_ydata()] == [False, False, True, False]
    assert "missing at 16" in picture.described


def test_a_marker_is_filled_where_the_fall_is_significant() -> None:
    _, figure = figure_of(
        sweeps(entry(tasks=["rte"]), fall=(0.05, 0.3, 0.4)), "side_effects_instance-sequential_corrected"
    )
    points = [line for line in figure.axes[0].lines if line.get_marker() == task_styles(TASKS)["rte"].marker]
    drawn_at = {
        line.get_markerfacecolor() == "#ffffff": [not math.isnan(y) for y in line.get_ydata()] for line in points
    }
    assert drawn_at == {True: [True, True, False, False], False: [False, False, True, True]}


def test_forgetting_has_a_cell_where_the_edit_was_made_already() -> None:
    _, figure = figure_of(sweeps(entry()), "forgetting_instance-sequential")
    cells = figure.axes[0]
    assert [label.get_text() for label in cells.get_yticklabels()] == ["1–4", "5–16", "17–64"]
    assert sorted(text.get_position() for text in cells.texts) == [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]


@pytest.mark.parametrize("name", ["forgetting_instance-sequential", "weights_instance-sequential"])
def test_cells_are_left_empty_where_nothing_is_known(name: str) -> None:
    picture, figure = figure_of(Sweeps.read(entry(), [], [], []), name)
    assert not figure.axes[0].patches
    assert not picture.described


@pytest.mark.parametrize("relative", [0.0, 0.5])
def test_weights_that_are_all_the_same_have_a_scale(relative: float) -> None:
    config = entry()
    frame = weight_changes(config).with_columns(relative=pl.lit(relative))
    _, figure = figure_of(
        Sweeps(config, task_scores(config), fact_scores(config), frame), "weights_instance-sequential"
    )
    figure.draw_without_rendering()
    assert {text.get_text() for text in figure.axes[0].texts} == {f"{relative:g}"}


@pytest.mark.parametrize("collapsed", [("layers.2.down",), ("layers.1.down", "layers.2.down")])
def test_a_change_that_is_no_number_is_a_dash_and_not_a_gap(collapsed: tuple[str, ...]) -> None:
    config = entry()
    lost = (pl.col("stop") == 64) & pl.col("module").is_in(collapsed)
    changed = [pl.when(~lost).then(pl.col(name)).alias(name) for name in ("norm", "relative")]
    frame = weight_changes(config).with_columns(changed)
    found = Sweeps(config, task_scores(config), fact_scores(config), tables.check(frame, tables.WEIGHT_CHANGES, "made"))
    picture, figure = figure_of(found, "weights_instance-sequential")
    figure.draw_without_rendering()
    told = {text.get_position(): text.get_text() for text in figure.axes[0].texts}
    assert [told[2, row] == DASH for row in (0, 1)] == [f"layers.{layer}.down" in collapsed for layer in (1, 2)]
    assert len(told) == 6
    layers = ", ".join(name.split(".")[1] for name in collapsed)
    assert f"no number in layer {layers}." in picture.described
    assert "nan" not in picture.described
    assert "at 16: at most 0.08, in layer 1." in picture.described


@pytest.mark.parametrize(
    ("stops", "columns"),
    [([1], 1), ([1, 10, 100, 500, 1000, 2000, 3000], 1), ([4, 16, 64], 3), ([1, 10, 100, 1000], 6)],
)
def test_texts_stay_within_the_figure_and_clear_of_each_other(stops: list[int], columns: int) -> None:
    config = entry(("ROME",), stops=stops, backbones=["a-small-one", "another"])
    for number in range(1, columns):
        config["sweeps"][f"ROME-{number}"] = {**config["sweeps"]["ROME"], "editor": "an editor with a longer name"}
    found = sweeps(config, fall=[0.1] * len(stops))
    for picture in pictures(found, ("en", "zh", "de"), "teacher_forced"):
        figure = drawn(picture)
        assert not faults(figure), picture.name
        places = [axes.get_tightbbox() for axes in figure.axes]
        places += [legend.get_window_extent() for legend in figure.legends]
        pairs = [(one, other) for number, one in enumerate(places) for other in places[:number]]
        assert not any(one.overlaps(other) for one, other in pairs if one and other), picture.name


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1.0001, 300.0])
def test_a_logarithmic_scale_says_so_and_has_its_powers_of_ten(factor: float) -> None:
    config = entry()
    frame = weight_changes(config, range(32)).with_columns(pl.col("relative") * factor)
    found = Sweeps(config, task_scores(config), fact_scores(config), frame)
    _, figure = figure_of(found, "weights_instance-sequential")
    assert not faults(figure)
    scale = figure.axes[1]
    assert scale.get_xlabel() == "‖ΔW‖ / ‖W‖ (log scale)"
    ticks = [math.log10(tick) for tick in scale.get_xticks()]
    assert ticks == [ticks[0] + step for step in range(len(ticks))]
    low, high = scale.get_xlim()
    assert low <= frame["relative"].min() <= frame["relative"].max() <= high
    assert low == pytest.approx(10 ** ticks[0])
    assert high == pytest.approx(10 ** ticks[-1])
    assert scale.get_xscale() == "log"
    assert len(scale.get_xticks(minor=True)) == 8 * (len(ticks) - 1)


def test_what_is_no_number_is_hatched_among_many_layers() -> None:
    config = entry()
    lost = (pl.col("stop") == 64) & (pl.col("layer") > 28)
    frame = weight_changes(config, range(32)).with_columns(relative=pl.when(~lost).then("relative"))
    found = Sweeps(config, task_scores(config), fact_scores(config), frame)
    _, figure = figure_of(found, "weights_instance-sequential")
    assert sum(bool(cell.get_hatch()) for cell in figure.axes[0].patches) == 3
    assert "Hatched: no number." in note(figure)
    _, whole = figure_of(sweeps(config), "weights_instance-sequential")
    assert "Hatched" not in note(whole)


def test_names_with_signs_of_mathematics_are_drawn_as_they_are() -> None:
    config = entry(("ROME",), backbones=["$x_1$ \\frac"], tasks=["rte"])
    for picture in pictures(sweeps(config), ("en",), "teacher_forced"):
        assert "$x_1$ \\frac" in [text.get_text() for text in drawn(picture).texts]


def test_all_settings_are_drawn() -> None:
    found = sweeps(entry(list(SWEEPS)))
    labels = {picture.name: picture.draw().axes[0].get_xlabel() for picture in pictures(found, ("en",), "upstream")}
    assert labels["edited_facts_batch-single"] == "Number of facts in one edit"
    assert labels["side_effects_batch-sequential_corrected"] == "Number of batch edits"
