"""The page, as text and in a browser that reaches no network."""

import csv
import json
import re
from dataclasses import replace

import polars as pl
import pytest
from page_steps import DENIED, LOOKED_AT, areas, begin, filled, saved
from playwright.sync_api import expect

from crossedit.translation.reviews import page, reading
from crossedit.translation.reviews import rows as review


def test_texts_end_no_element_and_are_all_there(hostile):
    made = page.page(hostile)
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', made, re.DOTALL)
    assert "<" not in data
    assert [record["texts"][0]["machine"] for record in json.loads(data)["records"]] == [row.machine for row in hostile]
    assert made.count("<script") == made.count("</script>") == 2
    assert not re.search(r"https?://|\ssrc=|\shref=", made.replace(data, ""))


@pytest.mark.browser
def test_the_name_is_asked_for_and_stands_in_the_file(opened, chinese, tmp_path):
    view = opened(chinese)
    begin(view, "Ana Müller")
    view.keyboard.press("Control+Enter")
    path = saved(view, tmp_path)
    assert path.name == "zh.Ana-Müller.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    of_record, *of_texts = reading.read(path)
    assert (of_record.by, of_record.case_id, of_record.field) == ("Ana Müller", 1, None)
    assert of_texts
    assert {(said.by, said.case_id, said.corrected == said.machine) for said in of_texts} == {("Ana Müller", 1, True)}


@pytest.mark.browser
def test_hostile_texts_are_shown_and_saved_as_they_are(opened, hostile, tmp_path):
    # As many as the page shows at once.
    rows = [*hostile[:9], *(row for row in hostile if "<" in row.machine)]
    view = opened(rows, by="ana")
    for place, row in enumerate(rows):
        article = view.locator("article").nth(place)
        assert article.locator(".source").text_content() == row.machine
        assert article.locator(".checks li").text_content() == row.machine
        assert areas(view, place).input_value() == row.machine
        areas(view, place).fill(f"{row.machine}!")
    assert view.locator("img").count() == 0
    said = reading.read(saved(view, tmp_path))
    assert [(word.machine, word.corrected) for word in said] == [
        (row.machine, f"{row.machine}!".strip()) for row in rows
    ]


@pytest.mark.browser
def test_only_a_record_in_which_the_person_is_gets_marked(opened, chinese):
    view = opened(chinese, by="ana")
    view.get_by_role("searchbox").press("Control+Enter")
    assert view.locator(LOOKED_AT).text_content() == "0 of 3 records looked at · 0 texts changed"


@pytest.mark.browser
@pytest.mark.parametrize("width", [700, 740, 820, 900, 961, 1200])
@pytest.mark.parametrize("first", ["", DENIED], ids=["kept", "denied"])
def test_the_bar_hides_no_record_that_one_goes_to(opened, chinese, width, first):
    view = opened([replace(row, case_id=case) for case in range(1, 9) for row in chinese[:4]], by="ana", first=first)
    view.set_viewport_size({"width": width, "height": 700})
    # The page hears of the bar's height with the next frame that is drawn.
    view.evaluate(
        """width => {
            const bar = document.querySelector(".bar"), { style } = document.documentElement;
            const look = () => {
                const told = parseFloat(style.getPropertyValue("--bar")), { height } = bar.getBoundingClientRect();
                if (innerWidth === width && Math.abs(told - height) < 0.1) bar.dataset.known = "yes";
                else requestAnimationFrame(look);
            };
            look();
        }""",
        width,
    )
    expect(view.locator(".bar")).to_have_attribute("data-known", "yes")
    for _ in range(3):
        view.keyboard.press("Alt+ArrowDown")
    bottom, top = view.evaluate(
        "[document.querySelector('.bar'), document.activeElement.closest('article')]"
        ".map((element, i) => element.getBoundingClientRect()[i ? 'top' : 'bottom'])"
    )
    assert 0 <= top < 700
    assert bottom <= top


@pytest.mark.browser
def test_findings_name_the_fields_as_the_page_does(opened, chinese):
    found = replace(chinese[-1], checks=(f"'{chinese[-1].field}' lacks the number 3",))
    view = opened([*chinese[:-1], found], by="ana")
    assert view.locator(".checks").text_content() == "“Further answer” lacks the number 3"
    view.get_by_role("button", name="Help").click()
    shown = view.get_by_role("dialog").locator("dt").all_text_contents()
    assert set(shown) == set(view.locator(".text label").all_text_contents())


@pytest.mark.browser
def test_the_page_writes_texts_as_the_sheets_do(opened, hostile, tmp_path):
    made = filled(hostile, tmp_path / "sheet.csv", by="ana")
    path = saved(opened(hostile, by="ana"), tmp_path)
    with open(made, encoding="utf-8-sig", newline="") as one, open(path, encoding="utf-8-sig", newline="") as other:
        assert list(csv.reader(one)) == list(csv.reader(other))


@pytest.mark.browser
def test_the_expert_takes_a_proposal_or_leaves_the_text(opened, machine, disputed, tmp_path):
    both = disputed.with_columns(outcome=pl.lit("conflict"))
    view = opened(review.conflicts(machine, both), by="eve")
    assert view.locator(".beside dt").all_text_contents() == ["New answer", "Question in other words"]
    view.get_by_role("button", name="Take ana's text").first.click()
    view.keyboard.press("Control+Enter")
    said = reading.read(saved(view, tmp_path))
    assert [(word.by, word.field, word.corrected) for word in said] == [
        ("eve", "subject", "加国"),
        ("eve", "prompt", "加拿大的首都是哪里？"),
    ]


@pytest.mark.browser
def test_an_emptied_text_is_put_back_and_its_record_not_taken_for_looked_at(opened, chinese):
    view = opened(chinese, by="ana")
    areas(view, 0).nth(0).fill(" ")
    view.keyboard.press("Control+Enter")
    assert areas(view, 0).nth(0).input_value() == "加拿大"
    assert "can't be empty" in view.locator("#message").text_content()
    assert view.locator(LOOKED_AT).text_content() == "0 of 3 records looked at · 0 texts changed"


@pytest.mark.browser
def test_search_and_filters_choose_records(opened, chinese):
    view = opened(chinese, by="ana")
    areas(view, 0).nth(0).fill("改")
    view.keyboard.press("Control+Enter")
    shown = view.locator("article h2")
    for chosen, found in (("changed", ["Record 1"]), ("open", ["Record 3", "Record 7"]), ("all", None)):
        view.get_by_label("Which records").select_option(chosen)
        assert shown.all_text_contents() == (found or ["Record 1", "Record 3", "Record 7"])
    view.get_by_role("searchbox").fill("渥太华")
    expect(shown).to_have_text(["Record 3"])


@pytest.mark.browser
def test_many_records_are_a_few_at_a_time_and_reached_by_keyboard(opened, chinese):
    rows = [replace(row, case_id=case) for case in range(1, 1001) for row in chinese[:4]]
    view = opened(rows, by="ana")
    assert view.locator("article").count() == 10
    for _ in range(11):
        view.keyboard.press("Control+Enter")
    assert view.locator("article h2").first.text_content() == "Record 11"
    assert view.evaluate("document.activeElement.closest('article').querySelector('h2').textContent") == "Record 12"
    view.keyboard.press("Alt+ArrowUp")
    view.keyboard.press("Alt+ArrowUp")
    assert view.evaluate("document.activeElement.closest('article').querySelector('h2').textContent") == "Record 10"
    assert view.locator(LOOKED_AT).text_content() == "11 of 1,000 records looked at · 0 texts changed"
