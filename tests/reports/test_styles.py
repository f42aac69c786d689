"""Colours, markers and lines: what stands in one figure is told apart with every colour vision, and without colour."""

from itertools import combinations
from pathlib import Path

import pytest
from drawn import drawn
from made_figures import comparisons, costs, entry, found
from matplotlib.colors import to_hex

from crossedit.files import read_yaml
from crossedit.reports.figures.pictures import pictures
from crossedit.reports.naming import ASPECT_STYLES, TASKS, Style, styles, task_styles
from crossedit.reports.sweeps import Sweeps

SCALE = Path(__file__).parents[2] / "config/training-scale.yaml"
# Linear RGB as people without the first or second kind of cones see it (Machado, Oliveira & Fernandes 2009), as all
# others do, and as a printer without colours shows it.
SEEN = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "grey": ((0.2126, 0.7152, 0.0722),) * 3,
}
APART = 10  # of a colour space in which 1 is hardly seen
LIGHTER = 8  # of 100, from black to white
MANY = [f"mine-{number}" for number in range(36)]


def lab(colour: str, seen: str) -> tuple[float, float, float]:
    """Return the colour in CIE L*a*b*."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    red, green, blue = (min(1, max(0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in SEEN[seen])
    rows = ((0.4124, 0.3576, 0.1805, 0.9505), (0.2126, 0.7152, 0.0722, 1.0), (0.0193, 0.1192, 0.9505, 1.089))
    x, y, z = ((a * red + b * green + c * blue) / white for a, b, c, white in rows)
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: str, other: str, seen: str) -> float:
    return sum((a - b) ** 2 for a, b in zip(lab(one, seen), lab(other, seen), strict=True)) ** 0.5


@pytest.mark.parametrize("seen", ["protanopia", "deuteranopia", "colours"])
@pytest.mark.parametrize("used", [ASPECT_STYLES, task_styles(TASKS)], ids=["aspects", "tasks"])
def test_colours_of_one_figure_are_told_apart(used: dict[str, Style], seen: str) -> None:
    for one, other in combinations(used.values(), 2):
        assert distance(one.colour, other.colour, seen) > APART


@pytest.mark.parametrize(
    "used",
    [ASPECT_STYLES, task_styles([*TASKS, *MANY[:6]]), styles(MANY[:6])],
    ids=["aspects", "tasks", "editors"],
)
def test_without_colour_markers_tell(used: dict[str, Style]) -> None:
    assert len({style.marker for style in used.values()}) == len(used)


@pytest.mark.parametrize("seen", SEEN)
def test_where_editors_are_many_marker_or_line_or_lightness_differs(seen: str) -> None:
    for (name, one), (another, other) in combinations(styles(MANY).items(), 2):
        lighter = abs(lab(one.colour, seen)[0] - lab(other.colour, seen)[0])
        assert one.marker != other.marker or one.line != other.line or lighter > LIGHTER, (name, another)


def test_colour_and_marker_are_of_one_editor_alone() -> None:
    assert len({(style.colour, style.marker) for style in styles(MANY).values()}) == len(styles(MANY))


def test_an_editor_of_the_literature_looks_the_same_beside_any_others() -> None:
    assert styles(["mine", "ROME"])["ROME"] == styles(["ROME", "IKE", *MANY])["ROME"]


def test_an_editor_of_another_name_looks_as_its_method() -> None:
    look = styles(["mine", "MEMIT"], {"mine": "ROME", "MEMIT": "MEMIT"})
    assert (look["mine"], look["MEMIT"]) == (styles([])["ROME"], styles([])["MEMIT"])
    assert styles(["ROME"], {"ROME": "MEMIT"})["ROME"] == look["MEMIT"]
    assert styles(["mine", "ROME"], {"mine": "ROME"})["ROME"] == look["mine"]


@pytest.mark.parametrize("own", ["MEND", "a-method-of-ones-own"])
def test_editors_of_one_method_share_its_colour_and_no_marker(own: str) -> None:
    methods = {f"{number}": own for number in range(18)}
    look = styles([*methods, "other"], methods)
    assert {look[name].colour for name in methods} == {styles([own])[own].colour}
    assert len({look[name].marker for name in (*methods, "other")}) == 19


def test_a_method_has_one_colour_in_all_figures() -> None:
    editors = read_yaml(SCALE)["editors"]
    config = {**entry(list(editors), backbones=["small"]), "editors": editors}
    known = found(config)
    look = styles(known.grid.editors, known.grid.methods)
    assert len({look[name].marker for name in editors}) == len(editors) == 18
    seen = set()
    for picture in pictures(
        known.scores, known.grid, Sweeps.read({}, [], [], []), comparisons(config), costs(config), config
    ):
        for legend in drawn(picture).legends:
            for line in legend.legend_handles:
                name = str(line.get_label())
                of = editors[name]["method"] if name in editors else name
                if of in ("MEND", "SERAC", "IKE"):
                    seen.add((picture.name.split("_")[0], name))
                    assert to_hex(line.get_markerfacecolor()) == styles([])[of].colour.lower(), picture.name
    assert {kind for kind, _ in seen} == {"radar", "training", "tradeoff", "cost"}
    assert {name for _, name in seen} == {*editors, "MEND", "SERAC", "IKE"}
