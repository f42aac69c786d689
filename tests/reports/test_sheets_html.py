"""Sheets as HTML: texts are shown as text, and readers sort, filter and look at intervals."""

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import made_sheets
import pytest
from playwright.sync_api import Browser, Page, expect

from crossedit.reports.scores import DASH, Estimate
from crossedit.reports.sheets import Column, Measured, Number, Sheet, to_html


def score(f1: float, em: float) -> Measured:
    return Measured(("F1", "EM"), tuple(Estimate(mean, mean - 0.05, mean + 0.05, 83) for mean in (f1, em)))


NOTHING = Measured(("F1", "EM"), (None, None))
SHEET = Sheet(
    name="a",
    title="Edits",
    columns=(Column("Backbone"), Column("Method"), Column("Score", "English"), Column("Change", "English")),
    rows=(
        ("one", "ROME", score(0.075, 0.9), Number("+1.00", 1.0)),
        ("one", "IKE", NOTHING, Number("−2.00", -2.0)),
        ("one", "MEMIT", score(0.9, 0.1), Number("+0.50", 0.5)),
        ("two", "ROME", score(0.3, 0.2), DASH),
        ("two", "IKE", score(0.25, 0.3), Number("+10.00", 10.0)),
    ),
    labels=2,
    note="A note.",
)
SMALL = Sheet("b", "Hours", (Column("Stage"), Column("Jobs")), (("edits", "12"), ("facts", "9")), labels=1)


class Texts(HTMLParser):
    """The tags of a document and the texts of its cells."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") for name, _ in attrs)
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_markup_is_shown_as_text() -> None:
    texts = (*made_sheets.LATIN, *made_sheets.OTHERS)
    sheet = made_sheets.sheet(texts)
    found = Texts(to_html(sheet))
    assert found.tags.count("script") == 1
    assert not {"b", "td:", "img"} & set(found.tags)
    shown = {cell.strip() for cell in found.cells}
    assert {text for row in sheet.rows for text in row if isinstance(text, str)} <= shown


def test_labels_span_their_rows() -> None:
    assert to_html(SHEET).count('rowspan="3"') == 1
    assert to_html(SHEET).count('rowspan="2"') == 1


def test_interval_and_count_are_told() -> None:
    told = "F1 7.50, 95 % interval 2.5 to 12.5; EM 90.00, 95 % interval 85.0 to 95.0; 83 facts"
    assert f'title="{told}"' in to_html(SHEET)
    assert "<small><span>F1 [2.5, 12.5]</span><span>EM [85.0, 95.0]</span><span>83 facts</span></small>" in to_html(
        SHEET
    )
    assert 'class="sheet"' in to_html(SHEET)
    assert 'class="sheet intervals"' in to_html(SHEET, intervals=True)


def test_the_script_reads_no_text_of_the_sheet() -> None:
    one, other = (to_html(made_sheets.sheet(texts)) for texts in (made_sheets.LATIN, made_sheets.OTHERS))
    assert one[one.index("<script>") :] == other[other.index("<script>") :]


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Callable[[str], Page]]:
    """Give what opens a document; at the end, nothing may have been asked for and nothing have gone wrong."""
    troubles: list[str] = []
    context = chromium.new_context(offline=True)

    def open_page(document: str) -> Page:
        path = tmp_path / "a.html"
        path.write_text(document, encoding="utf-8")
        view = context.new_page()
        view.on("console", lambda message: troubles.append(message.text))
        view.on("pageerror", lambda error: troubles.append(str(error)))
        view.on("request", lambda request: request.url == path.as_uri() or troubles.append(request.url))
        view.goto(path.as_uri())
        return view

    yield open_page
    context.close()
    assert troubles == []


def shown(view: Page) -> list[str]:
    """Return the labels of the rows that are seen, as far as each row says them."""
    rows = view.locator("tbody tr:visible")
    return [" ".join(row.locator("th").all_text_contents()) for row in rows.all()]


SERVED = ["one ROME", "IKE", "MEMIT", "two ROME", "IKE"]
FIRST = ["one ROME", "one IKE", "one MEMIT", "two ROME", "two IKE"]


@pytest.mark.browser
def test_rows_are_sorted_by_the_first_number_and_dashes_stay_last(opened: Callable[[str], Page]) -> None:
    view = opened(to_html(SHEET))
    assert shown(view) == SERVED
    head = view.get_by_role("columnheader", name="Score")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert shown(view) == ["one MEMIT", "two ROME", "two IKE", "one ROME", "one IKE"]
    view.keyboard.press("Enter")
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert shown(view) == ["one ROME", "two IKE", "two ROME", "one MEMIT", "one IKE"]
    view.get_by_role("button", name="Change").click()
    assert shown(view) == ["two IKE", "one ROME", "one MEMIT", "one IKE", "two ROME"]
    assert view.locator("th[aria-sort]").all_text_contents() == ["Change"]
    view.get_by_role("button", name="Method").click()
    assert shown(view) == ["one IKE", "two IKE", "one MEMIT", "one ROME", "two ROME"]
    view.get_by_role("button", name="Reset").click()
    assert shown(view) == SERVED
    assert view.locator("tbody [rowspan]").count() == 2
    assert view.locator("th[aria-sort]").count() == 0


@pytest.mark.browser
def test_rows_are_filtered_by_every_word_in_labels_and_cells(opened: Callable[[str], Page]) -> None:
    view = opened(to_html(SHEET))
    field = view.get_by_label("Filter rows")
    for text, rows in {
        "rome": ["one ROME", "two ROME"],
        "Two rom": ["two ROME"],
        "90.00": ["one ROME", "one MEMIT"],
        "85.0": [],
        "": FIRST,
    }.items():
        field.fill(text)
        assert shown(view) == rows
        said = f"{len(rows)} of 5 rows" if text else ""
        expect(view.get_by_role("status")).to_have_text(said)
    field.fill("ike")
    view.get_by_role("button", name="Score").click()
    assert shown(view) == ["two IKE", "one IKE"]
    view.get_by_role("button", name="Reset").click()
    assert shown(view) == SERVED
    assert field.input_value() == ""


@pytest.mark.browser
@pytest.mark.parametrize("intervals", [False, True])
def test_intervals_are_shown_below_their_numbers(opened: Callable[[str], Page], intervals: bool) -> None:
    view = opened(to_html(SHEET, intervals))
    box, interval = view.get_by_label("95 % intervals"), view.get_by_text("F1 [2.5, 12.5]")
    for _ in range(2):
        expect(box).to_be_checked(checked=intervals)
        expect(interval).to_be_visible(visible=intervals)
        intervals = not intervals
        box.set_checked(intervals)
        view.get_by_role("button", name="Score").click()


@pytest.mark.browser
def test_tables_of_one_page_are_sorted_each_by_itself(opened: Callable[[str], Page]) -> None:
    first, second = to_html(SHEET), to_html(SMALL)
    second = second[second.index("<figure") : second.index("</main>")]
    view = opened(first.replace("</main>", f"{second}</main>"))
    small = view.locator("figure.sheet").nth(1)
    assert small.get_by_role("searchbox").count() == 0
    small.get_by_role("button", name="Jobs").click()
    assert shown(view) == [*SERVED, "edits", "facts"]
    view.get_by_label("Filter rows").fill("memit")
    assert shown(view) == ["one MEMIT", "edits", "facts"]


@pytest.mark.browser
def test_hostile_texts_do_nothing_and_many_rows_are_quick(opened: Callable[[str], Page]) -> None:
    view = opened(to_html(made_sheets.sheet((*made_sheets.LATIN, *made_sheets.OTHERS) * 25)))
    assert view.locator("tbody tr").count() == 600
    took = view.evaluate(
        """() => {
            const begun = performance.now();
            document.querySelectorAll("thead button")[1].click();
            const field = document.querySelector("[type=search]");
            field.value = "埃及";
            field.dispatchEvent(new Event("input"));
            document.body.offsetHeight;
            return performance.now() - begun;
        }"""
    )
    assert view.locator("tbody tr:visible").count() == 25
    assert took < 60_000
