"""The page, as text and in a browser that reaches no network."""

import json
import re
from dataclasses import replace

import polars as pl
import pytest
from playwright.sync_api import expect

from crossedit.translation.reviews import page, reading
from crossedit.translation.reviews import rows as review

LOOKED_AT = "#counts"


@pytest.fixture
def opened(chromium, tmp_path):
    """Give what opens rows as a page; at the end, nothing may have been asked for and nothing have gone wrong."""
    contexts, troubles = [], []

    def watch(view):
        view.on("console", lambda message: troubles.append(message.text))
        view.on("pageerror", lambda error: troubles.append(str(error)))
        view.on("request", lambda request: request.url.startswith(("file:", "blob:")) or troubles.append(request.url))
        return view

    def open_page(rows, by="", again=None):
        if again is None:
            page.write(rows, tmp_path / "zh.html", by)
            contexts.append(chromium.new_context(offline=True, accept_downloads=True))
        view = watch((again.context if again else contexts[-1]).new_page())
        view.goto((tmp_path / "zh.html").as_uri())
        return view

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []


def areas(view, record):
    return view.locator("article").nth(record).locator("textarea")


def saved(view, folder):
    with view.expect_download() as download:
        view.get_by_role("button", name="Save").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


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
    view.get_by_label("Your name").last.fill("Ana Müller")
    view.get_by_role("button", name="Begin").click()
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
def test_what_was_done_is_there_again_after_closing(opened, chinese):
    view = opened(chinese, by="ana")
    areas(view, 0).nth(1).fill("不同")
    view.locator("article").nth(0).locator("input.note").nth(1).fill("why")
    view.keyboard.press("Control+Enter")
    view.close(run_before_unload=False)
    again = opened(chinese, again=view)
    assert areas(again, 0).nth(1).input_value() == "不同"
    assert again.locator("article").nth(0).locator("input.note").nth(1).input_value() == "why"
    assert again.locator(LOOKED_AT).text_content() == "1 of 3 records looked at · 1 text changed"


@pytest.mark.browser
def test_two_tabs_do_not_undo_each_other(opened, chinese):
    one = opened(chinese, by="ana")
    two = opened(chinese, again=one)
    areas(one, 0).nth(0).fill("甲")
    expect(areas(two, 0).nth(0)).to_have_value("甲")
    areas(two, 0).nth(1).fill("乙")
    expect(areas(one, 0).nth(1)).to_have_value("乙")
    assert areas(one, 0).nth(0).input_value() == "甲"


@pytest.mark.browser
def test_a_saved_file_goes_on_elsewhere(opened, chinese, tmp_path):
    view = opened(chinese, by="")
    view.get_by_label("Your name").last.fill("ana")
    view.keyboard.press("Enter")
    areas(view, 1).nth(2).fill('=1, "2"')
    view.keyboard.press("Control+Enter")
    path = saved(view, tmp_path)
    other = opened(chinese)
    other.keyboard.press("Escape")
    other.locator("#file").set_input_files(path)
    expect(other.locator("#message")).to_have_text("Loaded zh.ana.csv: it says something of 1 record.")
    assert areas(other, 1).nth(2).input_value() == '=1, "2"'
    assert other.locator(LOOKED_AT).text_content() == "1 of 3 records looked at · 1 text changed"
    (tmp_path / "again").mkdir()
    assert saved(other, tmp_path / "again").read_bytes() == path.read_bytes()


@pytest.mark.browser
def test_a_file_about_other_texts_is_not_loaded(opened, chinese, tmp_path):
    path = tmp_path / "old.csv"
    path.write_text("split,case_id,lang,field,machine,corrected\ntest,1,zh,subject,别的,x\n", encoding="utf-8")
    view = opened(chinese, by="ana")
    view.locator("#file").set_input_files(path)
    expect(view.locator("#message")).to_contain_text("1 line about other texts left out")
    assert view.locator(LOOKED_AT).text_content() == "0 of 3 records looked at · 0 texts changed"


@pytest.mark.browser
@pytest.mark.parametrize("take", [True, False])
def test_work_that_a_file_contradicts_is_kept_unless_the_person_says_so(opened, chinese, tmp_path, take):
    view = opened(chinese, by="ana")
    areas(view, 0).nth(0).fill("先")
    path = saved(view, tmp_path)
    areas(view, 0).nth(0).fill("后")
    asked = []
    view.on("dialog", lambda dialog: asked.append(dialog.message) or (dialog.accept if take else dialog.dismiss)())
    view.locator("#file").set_input_files(path)
    expect(view.locator("#message")).to_contain_text("Loaded" if take else "Nothing was loaded")
    assert areas(view, 0).nth(0).input_value() == ("先" if take else "后")
    assert asked == ["1 record you have worked on here is different in zh.ana.csv. Take the file's?"]


@pytest.mark.browser
def test_where_the_browser_keeps_nothing_the_page_says_so_and_saves_all_the_same(opened, chinese, tmp_path):
    view = opened(chinese, by="ana")
    assert view.locator("#unkept").is_hidden()
    view.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full') } }")
    areas(view, 0).nth(0).fill("改")
    assert view.locator("#unkept").is_visible()
    assert [said.corrected for said in reading.read(saved(view, tmp_path))] == ["改"]


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
