"""The radar chart: the same bytes for the same scores, one look per editor, labels apart."""

import math
from itertools import combinations
from pathlib import Path

import polars as pl
import pytest
from made import ENTRY, scores
from matplotlib.text import Text

from crossedit.reports.figures import radar
from crossedit.reports.figures.drawing import SUFFIXES, write
from crossedit.reports.grid import Grid
from crossedit.reports.naming import styles
from crossedit.reports.scores import Scores


def drawn(langs: tuple[str, ...] = ("en", "zh"), **entry: object) -> tuple[Scores, Grid]:
    known = Scores(scores(langs=langs))
    return known, Grid.of({**ENTRY, "languages": list(langs), **entry}, known)


def test_files_are_the_same_each_time(tmp_path: Path) -> None:
    for run in ("first", "second"):
        write(radar.picture(*drawn(), "tiny", "small", "en"), tmp_path / run)
    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == [f"radar_tiny_small_en.{suffix}" for suffix in sorted(SUFFIXES)]
    for name in names:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_axes_are_reliability_and_each_aspect_in_each_language() -> None:
    _, grid = drawn()
    assert radar.axes_of(grid, "zh") == [
        ("reliability", "zh"),
        *((aspect, lang) for aspect in ("generality", "locality", "portability") for lang in ("en", "zh")),
    ]


def test_one_polygon_per_editor_with_scores_and_in_its_own_look() -> None:
    figure = radar.draw(*drawn(), "tiny", "small", "en")
    lines = {str(line.get_label()): line for line in figure.axes[0].lines if not str(line.get_label()).startswith("_")}
    assert list(lines) == ["Unedited", "ROME", "IKE"]
    look = styles(["IKE", "ROME", "other"])
    for editor in ("ROME", "IKE"):
        assert lines[editor].get_color() == look[editor].colour
        assert lines[editor].get_marker() == look[editor].marker


def test_a_missing_score_is_a_gap_and_not_a_zero() -> None:
    known = Scores(scores().filter(aspect="generality"))
    found = radar.values(
        known, "tiny", "small", "ROME", "en", [("locality", "en"), ("generality", "en")], "teacher_forced"
    )
    assert math.isnan(found[0])
    assert not math.isnan(found[1])


def test_editors_look_different_without_colour() -> None:
    editors = ["FT-L", "FT-M", "ROME", "IKE", "MEMIT", "SERAC", "MEND", "KN", "ROME-40", "mine"]
    look = [styles(editors)[editor] for editor in editors]
    assert len({style.marker for style in look}) == len(editors)
    assert len({style.colour for style in look}) == len(editors)


@pytest.mark.parametrize(
    "langs", [("en",), ("en", "zh"), ("en", "zh", "de", "vi"), ("en", "zh", "de", "vi", "ja", "fr", "th", "ru")]
)
def test_labels_neither_overlap_nor_leave_the_figure(langs: tuple[str, ...]) -> None:
    figure = radar.draw(*drawn(langs), "tiny", "small", "en")
    figure.draw_without_rendering()
    rings = {"20", "40", "60", "80", "100"}
    labels = [*figure.axes[0].texts, *figure.texts, *figure.legends[0].get_texts()]
    boxes = [_corners(text) for text in labels if text.get_text() not in rings]
    for corners in boxes:
        assert all(figure.bbox.contains(x, y) for x, y in corners)
    assert not [pair for pair in combinations(boxes, 2) if _overlap(*pair)]


def test_a_legend_of_many_long_names_stays_in_the_figure() -> None:
    frame = scores()
    names = ["ROME-principal", *(f"ROME-with-{number}" for number in range(12))]
    many = pl.concat([frame.filter(editor="ROME").with_columns(editor=pl.lit(name)) for name in names])
    known = Scores(many)
    entry = {**ENTRY, "editors": {name: {"method": "ROME"} for name in names}}
    figure = radar.draw(known, Grid.of(entry, known), "tiny", "small", "en")
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert len(legend.get_texts()) == len(names)
    box = legend.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    assert box.y0 >= 0


def _corners(text: Text) -> list[tuple[float, float]]:
    """Return the corners of the text's turned box in pixels."""
    turned = text.get_rotation()
    box = text.get_window_extent()
    text.set_rotation(0)
    flat = text.get_window_extent()
    text.set_rotation(turned)
    angle, (x, y) = math.radians(turned), ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
    return [
        (x + dx * math.cos(angle) - dy * math.sin(angle), y + dx * math.sin(angle) + dy * math.cos(angle))
        for dx, dy in (
            (-flat.width / 2, -flat.height / 2),
            (flat.width / 2, -flat.height / 2),
            (flat.width / 2, flat.height / 2),
            (-flat.width / 2, flat.height / 2),
        )
    ]


def _overlap(first: list[tuple[float, float]], second: list[tuple[float, float]]) -> bool:
    """Return whether two convex shapes overlap: no line along a side of either keeps them apart."""
    for shape in (first, second):
        for (x0, y0), (x1, y1) in zip(shape, [*shape[1:], shape[0]], strict=True):
            normal = (y0 - y1, x1 - x0)
            spans = [[x * normal[0] + y * normal[1] for x, y in points] for points in (first, second)]
            if max(spans[0]) <= min(spans[1]) or max(spans[1]) <= min(spans[0]):
                return False
    return True
