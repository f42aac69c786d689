"""The page in a browser: its tables, and who reads it without scripts, on paper, by a checker, on a narrow screen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from made_figures import entry, found
from made_page import html
from playwright.sync_api import Page, expect

from crossedit.reports.figures import drawing, radar, tradeoff
from crossedit.reports.page import Sources, page, write
from crossedit.reports.sweeps import Sweeps

pytestmark = pytest.mark.browser
FACT = "#facts-found > li"


def test_tables_of_the_page_can_be_sorted_and_the_navigation_tells_where_one_is(
    opened: Callable[..., Page], made: Path
) -> None:
    view = opened(made)
    links = view.get_by_role("navigation", name="Sections")
    links.get_by_role("link", name="Tables").click()
    expect(links.locator("[aria-current]")).to_have_text("Tables")
    expect(view.get_by_role("heading", name="Tables", exact=True)).to_be_in_viewport()
    table = view.locator("#scores figure.sheet").first
    table.get_by_role("button", name="Method").click()
    first = table.locator("tbody tr").first
    assert first.locator("th").all_text_contents()[-1] == "IKE"


def test_columns_of_several_numbers_are_sorted_by_the_one_that_is_chosen(
    opened: Callable[..., Page], made: Path
) -> None:
    view = opened(made)
    table = view.locator("#scores figure.sheet").first

    def shares(place: int) -> list[float]:
        cells = table.locator("tbody td.number:nth-of-type(2)").all_inner_texts()
        texts = [cell.split(" / ") for cell in cells]
        return [float(text[place]) for text in texts if len(text) == 2]

    table.get_by_role("button", name="Generality").first.click()
    by_f1, by_em = shares(0), shares(1)
    assert by_f1 == sorted(by_f1, reverse=True)
    assert by_em != sorted(by_em, reverse=True)
    choice = table.get_by_label("Sort numbers by")
    expect(choice.locator("option")).to_have_text(["F1", "EM"])
    choice.focus()
    view.keyboard.press("ArrowDown")
    expect(choice).to_have_value("EM")
    assert shares(1) == sorted(by_em, reverse=True)
    table.get_by_role("button", name="Generality").first.click()
    assert shares(1) == sorted(by_em)
    table.get_by_role("button", name="Reset").click()
    choice.select_option("F1")
    assert table.locator("th[aria-sort]").count() == 0
    expect(table.locator("tbody tr").first.locator("th").last).to_have_text("Unedited")


def test_without_scripts_a_sentence_says_what_is_missing(opened: Callable[..., Page], made: Path) -> None:
    view = opened(made, java_script_enabled=False)
    expect(view.get_by_text("The answers are shown by a script")).to_be_visible()
    expect(view.locator("#facts-app")).to_be_hidden()
    expect(view.locator("#scores table").first).to_be_visible()
    expect(view.get_by_role("heading", name="Typical failures")).to_be_visible()


def test_on_paper_there_is_all_but_what_needs_a_hand(opened: Callable[..., Page], made: Path) -> None:
    view = opened(made)
    view.emulate_media(media="print")
    for hidden in ("nav.sections", "#browser", ".filters", ".tools"):
        expect(view.locator(hidden).first).to_be_hidden()
    expect(view.get_by_role("heading", name="Findings")).to_be_visible()
    assert view.locator("#scores .scroll").first.evaluate("(region) => getComputedStyle(region).overflowX") == "visible"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_checker_finds_nothing_serious(opened: Callable[..., Page], tmp_path: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python isn't installed")
    path = tmp_path / "page.html"
    write(html(tmp_path), path)
    view = opened(path, color_scheme=scheme)
    view.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    view.locator(FACT).first.get_by_role("button").click()
    found = axe.Axe().run(view).response["violations"]
    serious = [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]
    assert serious == []


def test_narrow_screens_need_no_scrolling_sideways(opened: Callable[..., Page], tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    write(html(tmp_path), path)
    view = opened(path, viewport={"width": 360, "height": 640})
    view.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    view.locator(FACT).first.get_by_role("button").click()
    assert view.evaluate("document.documentElement.scrollWidth") == 360


def test_narrow_screens_scroll_wide_figures_in_their_box(opened: Callable[..., Page], tmp_path: Path) -> None:
    config = entry(("ROME", "IKE"), backbones=("small",))
    known = found(config)
    for picture in (tradeoff.picture(known), next(radar.charts(known)).picture()):
        drawing.write(picture, tmp_path / "figures")
    figures = sorted((tmp_path / "figures").glob("*.svg"))
    path = tmp_path / "page.html"
    write(page(config, known.scores, Sweeps.read({}, [], [], []), Sources(figures=figures), []), path)
    view = opened(path, viewport={"width": 390, "height": 800})
    box = view.locator(".chart .scroll")
    box.focus()
    expect(box).to_be_focused()
    assert box.evaluate("(box) => [box.clientWidth < 390, box.scrollWidth]") == [True, 640]
    assert view.locator(".chart > img").evaluate("(image) => image.clientWidth") < 390
    assert view.evaluate("document.documentElement.scrollWidth") == 390
    view.set_viewport_size({"width": 1400, "height": 800})
    assert box.evaluate("(box) => box.scrollWidth - box.clientWidth") == 0
