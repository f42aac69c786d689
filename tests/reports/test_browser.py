"""The page in a browser that reaches no network: facts are looked up, filtered, opened and linked to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import made_sheets
import pytest
from made_page import browsed, edited, predict
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
NARROW = {"width": 390, "height": 800}
COUNT, TOLD = "#facts-count", "#facts-told"
ITEMS, OPEN = "#facts-found > li", "#facts-found button[aria-expanded=true]"


def choose(view: Page, **fields: str) -> None:
    """Set filters by their labels."""
    for label, value in fields.items():
        field = view.get_by_label(label.replace("_", " "), exact=True)
        field.fill(value) if label == "Text" else field.select_option(value)


@contextmanager
def moving(view: Page) -> Iterator[None]:
    """Within it the page's address changes; it ends when the page has heeded that, which browsers tell it later."""
    view.evaluate("addEventListener('hashchange', () => (document.body.dataset.moved = 'yes'), { once: true })")
    yield
    expect(view.locator("body")).to_have_attribute("data-moved", "yes")
    view.evaluate("delete document.body.dataset.moved")


def test_all_facts_are_there_a_few_at_a_time(opened: Callable[..., Page], made: Path) -> None:
    view = opened(made)
    expect(view.locator(COUNT)).to_have_text("40 facts, 720 answers")
    pages = view.get_by_role("navigation", name="Pages of facts")
    seen = []
    for told in ("1–15 of 40", "16–30 of 40", "31–40 of 40"):
        expect(pages.locator("output")).to_have_text(told)
        seen += [text.split(" in en?")[0] for text in view.locator(ITEMS).all_text_contents()]
        if told != "31–40 of 40":
            pages.get_by_role("button", name="On").click()
    assert seen == [f"reliability  of {case}" for case in range(40)]
    expect(pages.get_by_role("button", name="On")).to_be_disabled()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"Editor": "IKE"}, "40 of 40 facts, 360 of 720 answers"),
        ({"Aspect": "Portability"}, "40 of 40 facts, 160 of 720 answers"),
        ({"Asked_in": "Chinese"}, "40 of 40 facts, 320 of 720 answers"),
        ({"Outcome": "wrong in any way"}, "20 of 40 facts, 80 of 720 answers"),
        ({"Outcome": "unchanged"}, "20 of 40 facts, 40 of 720 answers"),
        ({"Outcome": "irrelevant", "Editor": "ROME"}, "0 of 40 facts, 0 of 720 answers"),
        ({"Outcome": "irrelevant", "Asked_in": "English"}, "20 of 40 facts, 20 of 720 answers"),
        ({"Text": "OF 17 in ZH"}, "1 of 40 facts, 8 of 720 answers"),
        ({"Text": "nothing"}, "20 of 40 facts, 40 of 720 answers"),
        ({"Edited_in": "Chinese", "Backbone": "large"}, "40 facts, 720 answers"),
    ],
)
def test_filters_choose_answers(opened: Callable[..., Page], made: Path, fields: dict[str, str], told: str) -> None:
    view = opened(made)
    choose(view, **fields)
    expect(view.locator(COUNT)).to_have_text(told)
    view.get_by_role("button", name="Clear").click()
    expect(view.locator(COUNT)).to_have_text("40 facts, 720 answers")


def test_a_fact_opens_by_keyboard_to_all_its_answers(opened: Callable[..., Page], made: Path) -> None:
    view = opened(made)
    button = view.locator(ITEMS).nth(3).get_by_role("button")
    button.focus()
    view.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    fact = view.locator(ITEMS).nth(3).locator(".fact")
    rows = {
        row.locator("th").text_content(): row.locator("td").all_text_contents()
        for row in fact.locator("tbody tr").all()
    }
    right = ["right"] * 7
    assert rows == {"ROME": [*right, "unchanged", "unchanged"], "IKE": [*right, "irrelevant", "irrelevant"]}
    portability = fact.get_by_role("group", name="Portability, Chinese")
    assert portability.locator(".question").text_content() == "portability  of 3 in zh?"
    assert portability.locator("dl").text_content() == "Should becomenewBeforeold"
    assert portability.get_by_role("listitem").all_text_contents() == ["ROMEoldunchanged", "IKEnothingirrelevant"]
    locality = fact.get_by_role("group", name="Locality, other subject, English")
    assert locality.locator("dl").text_content() == "Should stayoldIn the datanew"
    view.keyboard.press("Enter")
    expect(fact).to_be_hidden()
    view.keyboard.press("Tab")
    view.keyboard.press(" ")
    expect(view.locator(OPEN)).to_contain_text("reliability of 4 in en?")


def test_what_is_shown_stands_in_the_address_and_leads_back(opened: Callable[..., Page], made: Path) -> None:
    view = opened(made)
    choose(view, Backbone="large", Edited_in="Chinese", Outcome="unchanged")
    view.get_by_role("button", name="On →").click()
    view.locator(ITEMS).nth(2).get_by_role("button").click()
    expect(view.locator(OPEN)).to_contain_text("reliability of 35 in zh?")
    place = view.evaluate("location.hash")
    assert place == "#fact=35&backbone=large&edit_lang=zh&outcome=unchanged"
    link = view.get_by_role("link", name="Link to this fact")
    assert link.get_attribute("href") == place
    link.click()
    expect(view.locator(TOLD)).to_have_text("The link is copied.")
    expect(view.locator(COUNT)).to_have_text("20 of 40 facts, 40 of 720 answers")
    assert view.evaluate("location.hash") == place
    choose(view, Outcome="right")
    expect(view.locator(TOLD)).to_be_empty()
    other = opened(made, place)
    expect(other.locator(OPEN)).to_contain_text("reliability of 35 in zh?")
    expect(other.locator(OPEN)).to_be_focused()
    expect(other.locator(OPEN)).to_be_in_viewport()
    expect(other.locator(COUNT)).to_have_text("20 of 40 facts, 40 of 720 answers")
    expect(other.locator(".fact .tiles li:not(.other)")).to_have_text(["ROMEoldunchanged"] * 2)


def test_an_address_of_what_is_not_there_says_so(opened: Callable[..., Page], made: Path) -> None:
    view = opened(made, "#fact=99&backbone=zzz&editor=&edit_lang=xx&outcome=wrong")
    expect(view.locator(COUNT)).to_have_text("20 of 40 facts, 80 of 720 answers")
    expect(view.locator(TOLD)).to_have_text(
        "backbone zzz is not in this report; editing language xx is not in this report; "
        "case 99 is not among these facts"
    )
    view.evaluate("location.hash = '#fact=7'")
    expect(view.locator(OPEN)).to_contain_text("reliability of 7 in en?")
    expect(view.locator(TOLD)).to_be_empty()
    with moving(view):
        view.evaluate("location.hash = '#making'")
    expect(view.locator(OPEN)).to_contain_text("reliability of 7 in en?")


def test_a_link_leads_to_its_answers_each_time(opened: Callable[..., Page], made: Path) -> None:
    view = opened(made)
    link = view.locator("#failures").get_by_role("link", name="40 irrelevant, IKE edited in Chinese").first
    for _ in range(2):
        link.click()
        expect(view.get_by_label("Backbone")).to_be_focused()
        expect(view.locator("#facts-app")).to_be_in_viewport()
        expect(view.locator(COUNT)).to_have_text("20 of 40 facts, 40 of 720 answers")
        view.get_by_role("heading", name="Typical failures").scroll_into_view_if_needed()


def test_back_from_a_link_leads_to_what_was_shown(opened: Callable[..., Page], made: Path) -> None:
    view = opened(made)
    link = view.locator("#failures").get_by_role("link", name="40 irrelevant, IKE edited in Chinese").first
    link.click()
    expect(view.locator(COUNT)).to_have_text("20 of 40 facts, 40 of 720 answers")
    with moving(view):
        view.go_back()
    expect(view.locator(COUNT)).to_have_text("40 facts, 720 answers")
    assert view.evaluate("location.hash") == ""
    choose(view, Backbone="large", Text="of 17")
    expect(view.locator(COUNT)).to_have_text("1 of 40 facts, 18 of 720 answers")
    with moving(view):
        view.get_by_role("navigation", name="Sections").get_by_role("link", name="Failures").click()
    link.click()
    expect(view.locator(COUNT)).to_have_text("20 of 40 facts, 40 of 720 answers")
    with moving(view):
        view.go_back()
    expect(view.locator(COUNT)).to_have_text("1 of 40 facts, 18 of 720 answers")
    assert view.evaluate("location.hash") == "#failures"
    assert view.get_by_label("Backbone").input_value() == "1"
    view.reload()
    expect(view.locator(COUNT)).to_have_text("1 of 40 facts, 18 of 720 answers")


def test_turning_pages_by_keyboard_keeps_the_focus(opened: Callable[..., Page], made: Path) -> None:
    view = opened(made)
    pages = view.get_by_role("navigation", name="Pages of facts")
    on, back = pages.get_by_role("button", name="On"), pages.get_by_role("button", name="Back")
    for button, end in ((on, "31–40 of 40"), (back, "1–15 of 40")):
        button.focus()
        for _ in range(3):
            view.keyboard.press("Enter")
        expect(pages.locator("output")).to_have_text(end)
        expect(button).to_have_attribute("aria-disabled", "true")
        expect(button).to_be_focused()


def test_failures_lead_to_their_answers(opened: Callable[..., Page], made: Path) -> None:
    view = opened(made)
    section = view.locator("#failures")
    section.get_by_role("link", name="40 irrelevant, IKE edited in Chinese").first.click()
    expect(view.locator(COUNT)).to_have_text("20 of 40 facts, 40 of 720 answers")
    assert [view.get_by_label(name, exact=True).input_value() for name in ("Backbone", "Edited in")] == ["0", "1"]
    section.locator("summary", has_text="Examples of large").click()
    section.get_by_role("row", name="English IKE irrelevant").nth(1).get_by_role("link").click()
    expect(view.locator(OPEN)).to_contain_text("reliability of 3 in en?")
    assert view.get_by_label("Backbone").input_value() == "1"


def test_facts_of_several_sets_are_told_apart(opened: Callable[..., Page], tmp_path: Path) -> None:
    paths = [edited(tmp_path, f"{facts}/small/ROME/en", cases=3) for facts in ("tiny", "other")]
    path = browsed(tmp_path, paths)
    view = opened(path, "#fact=1&facts=other")
    expect(view.locator(COUNT)).to_have_text("3 facts, 27 answers")
    expect(view.locator(OPEN)).to_contain_text("other · case 1")
    choose(view, Facts="all")
    expect(view.locator(COUNT)).to_have_text("6 facts, 54 answers")
    view.locator(ITEMS).first.get_by_role("button").click()
    assert view.evaluate("location.hash") == "#fact=0&facts=tiny"


def test_texts_of_any_kind_are_shown_as_text(opened: Callable[..., Page], tmp_path: Path) -> None:
    texts = [text for text in dict.fromkeys((*made_sheets.LATIN, *made_sheets.OTHERS)) if "\ud800" not in text]
    texts += [
        "\u2028\u2029",
        "</script><script>alert(1)</script>",
        "<!-- <script>",
        "&lt;b&gt;",
        "\u202eturned",
    ]
    rows = [dict.fromkeys(("prompt", "target", "before", "after"), text) for text in texts]
    path = predict(tmp_path, rows, "tiny/small/<img src=x onerror=alert(1)>/en")
    view = opened(browsed(tmp_path, [path], backbones={"small": {}}, editors={}))
    expect(view.locator(COUNT)).to_have_text(f"{len(texts)} facts, {len(texts)} answers")
    for place, text in enumerate(texts):
        view.evaluate(f"location.hash = '#fact={place}'")
        fact = view.locator(ITEMS, has=view.locator(f"#case-{place}"))
        expect(fact.locator("h3 button")).to_have_attribute("aria-expanded", "true")
        expected = text.strip(" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029\u3000\xa0") or "(nothing)"
        shown = expected if len(expected) <= 400 else f"{expected[:400]}…"
        assert fact.locator("h3 .question").text_content() == shown
        assert fact.locator("b").text_content() == "<img src=x onerror=alert(1)>"
        if shown != expected:
            fact.locator(".tiles").get_by_role("button").click()
        assert fact.locator(".tiles .answer").text_content() == expected
    assert view.locator("#browser img").count() == 0


def test_long_texts_of_any_kind_are_cut_and_there_at_a_press(opened: Callable[..., Page], tmp_path: Path) -> None:
    texts = {name: f"{name} {'😀' * 100_000}" for name in ("prompt", "target", "before", "after")}
    view = opened(browsed(tmp_path, [predict(tmp_path, [texts])], backbones={"small": {}}))
    fact = view.locator(ITEMS)
    fact.get_by_role("button").click()
    for part, name in (("h3 .question", "prompt"), ("h3 .soft span", "target")):
        assert fact.locator(part).text_content() == f"{texts[name][:400]}…"
    places = {"prompt": "p.question", "target": "dd >> nth=0", "before": "dd >> nth=1", "after": ".answer"}
    for name, place in places.items():
        element = fact.locator(".asked").locator(place)
        expect(element).to_have_text(f"{texts[name][:400]}… all {len(texts[name]):,} letters")
        element.get_by_role("button").click()
        expect(element).to_be_focused()
        assert element.text_content() == texts[name]
    for cell in view.locator("#failures table.answers td").all():
        assert len(cell.text_content() or "") < 500


def test_a_fact_found_by_filters_opens_to_what_matches(opened: Callable[..., Page], made: Path) -> None:
    view = opened(made, "#fact=3&backbone=small&edit_lang=en&editor=ROME&outcome=wrong", viewport=NARROW)
    fact = view.locator(".fact:visible")
    asked, editors = fact.locator(".asked h4"), fact.locator("tbody th")
    expect(asked).to_have_text(["Portability English", "Portability Chinese"])
    expect(editors).to_have_text(["ROME"])
    expect(fact.get_by_role("listitem")).to_have_text(["ROMEoldunchanged"] * 2)
    fact.get_by_role("button", name="Show all questions and editors").focus()
    view.keyboard.press("Enter")
    expect(asked).to_have_count(9)
    expect(editors).to_have_text(["ROME", "IKE"])
    expect(fact.locator(".tiles li:not(.other)")).to_have_text(["ROMEoldunchanged"] * 2)
    less = fact.get_by_role("button", name="Show only what matches")
    expect(less).to_be_focused()
    assert view.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    view.keyboard.press("Enter")
    expect(asked).to_have_count(2)
    view.get_by_role("button", name="Clear").click()
    expect(view.locator(COUNT)).to_have_text("40 facts, 720 answers")
    view.locator(ITEMS).nth(3).get_by_role("button").click()
    expect(asked).to_have_count(9)
    expect(fact.locator(".rest")).to_have_count(0)
