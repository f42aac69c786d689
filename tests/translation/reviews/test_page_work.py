"""Work on the page: kept by the browser, apart for each person, saved to files and loaded from them."""

from dataclasses import replace

import polars as pl
import pytest
from page_steps import DENIED, LOOKED_AT, answer, areas, begin, begin_unnamed, filled, leaving, load, saved
from playwright.sync_api import expect

from crossedit.translation.reviews import reading
from crossedit.translation.reviews import rows as review


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
    with leaving(view):
        view.keyboard.press("Enter")
    areas(view, 1).nth(2).fill('=1, "2"')
    view.keyboard.press("Control+Enter")
    path = saved(view, tmp_path)
    other = opened(chinese)
    begin_unnamed(other)
    load(other, path)
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
    load(view, path)
    expect(view.locator("#message")).to_contain_text("1 line about other texts left out")
    assert view.locator(LOOKED_AT).text_content() == "0 of 3 records looked at · 0 texts changed"


@pytest.mark.browser
@pytest.mark.parametrize("take", [True, False])
def test_work_that_a_file_contradicts_is_kept_unless_the_person_says_so(opened, chinese, tmp_path, take):
    view = opened(chinese, by="ana")
    areas(view, 0).nth(0).fill("先")
    path = saved(view, tmp_path)
    areas(view, 0).nth(0).fill("后")
    asked = answer(view, take)
    load(view, path)
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
def test_a_page_for_nobody_is_saved_where_the_browser_keeps_nothing(opened, chinese, tmp_path):
    view = opened(chinese, first=DENIED)
    begin(view, "ana")
    assert view.locator("#unkept").is_visible()
    areas(view, 0).nth(0).fill("改")
    view.keyboard.press("Control+Enter")
    said = reading.read(saved(view, tmp_path))
    assert {(word.by, word.case_id) for word in said} == {("ana", 1)}
    assert [word.corrected for word in said if word.field == "subject"] == ["改"]


@pytest.mark.browser
@pytest.mark.parametrize("first", ["", DENIED], ids=["kept", "denied"])
def test_two_people_at_one_machine_keep_their_work_apart(opened, chinese, first):
    view = opened(chinese, first=first)
    begin(view, "ana")
    areas(view, 0).nth(0).fill("改")
    asked = answer(view, take=False)
    for name, text in (("bo", "加拿大"), ("ana", "改")):
        view.locator("#by").fill(name)
        view.locator("#by").press("Tab")
        expect(areas(view, 0).nth(0)).to_have_value(text)
    assert asked == [
        "ana has worked on 1 record here. Are you, bo, the same person? If not, ana's work stays as it is."
    ]


@pytest.mark.browser
def test_a_page_for_nobody_asks_each_time_who_is_there(opened, chinese):
    view = opened(chinese)
    begin(view, "ana")
    view.keyboard.press("Control+Enter")
    view.close()
    again = opened(chinese, again=view)
    assert again.get_by_label("Your name").last.input_value() == "ana"
    answer(again, take=False)
    begin(again, "bo")
    assert again.locator(LOOKED_AT).text_content() == "0 of 3 records looked at · 0 texts changed"


@pytest.mark.browser
def test_a_person_takes_their_work_to_another_name(opened, chinese):
    view = opened(chinese)
    begin_unnamed(view)
    areas(view, 0).nth(0).fill("改")
    answer(view, take=True)
    for name in ("Ana Muler", "Ana Müller"):
        view.locator("#by").fill(name)
        view.locator("#by").press("Tab")
    view.close(run_before_unload=False)
    again = opened(chinese, again=view)
    assert again.locator("#by").input_value() == "Ana Müller"
    assert areas(again, 0).nth(0).input_value() == "改"
    assert again.evaluate("Object.keys(localStorage).filter((key) => key.includes('Muler'))") == []


@pytest.mark.browser
def test_texts_that_the_person_of_a_file_has_not_seen_are_not_looked_at(opened, chinese, tmp_path):
    other = [replace(row, machine="旧") if (row.case_id, row.field) == (1, "prompt") else row for row in chinese]
    other = [replace(row, record="f" * 16) if row.case_id == 3 else row for row in other]
    path = filled(other, tmp_path / "old.csv", judged=["subject"])
    view = opened(chinese, by="ana")
    load(view, path)
    left = 1 + sum(row.case_id == 3 for row in chinese)
    expect(view.locator("#message")).to_have_text(
        f"Loaded old.csv: it says something of 1 record. {left} lines about other texts left out. "
        "2 records not marked as looked at, as the file doesn't say so of all texts."
    )
    assert view.locator("article.judged h2").all_text_contents() == ["Record 7"]


@pytest.mark.browser
@pytest.mark.parametrize("judged", [["subject"], ["subject", "prompt"]])
def test_in_the_experts_file_a_mark_is_about_its_line(opened, machine, disputed, tmp_path, judged):
    rows = review.conflicts(machine, disputed.with_columns(outcome=pl.lit("conflict")))
    path = filled(rows, tmp_path / "eve.csv", judged)
    view = opened(rows, by="eve")
    load(view, path)
    expect(view.locator("#message")).to_contain_text("eve.csv")
    assert view.locator("article.judged").count() == (len(judged) == 2)


@pytest.mark.browser
def test_only_ones_own_words_are_loaded(opened, chinese, tmp_path):
    case_1, case_3 = (
        filled([r for r in chinese if r.case_id == case], tmp_path / f"{by}.csv", ["subject"], by)
        for case, by in ((1, "ana"), (3, "bo"))
    )
    both = tmp_path / "both.csv"
    both.write_text(case_1.read_text() + case_3.read_text().split("\n", 1)[1], encoding="utf-8")
    view = opened(chinese)
    begin_unnamed(view)
    message = view.locator("#message")
    load(view, both)
    expect(message).to_contain_text("both.csv holds the words of ana, bo: to go on with one's own")
    view.locator("#by").fill("bo")
    view.locator("#by").press("Tab")
    load(view, case_1)
    expect(message).to_contain_text("ana.csv holds the words of ana, not of bo")
    assert view.locator("article.judged").count() == 0
    load(view, both)
    expect(message).to_have_text("Loaded both.csv: it says something of 1 record. 1 line by others left out.")
    assert view.locator("article.judged h2").all_text_contents() == ["Record 3"]
    assert view.locator("#by").input_value() == "bo"


@pytest.mark.browser
def test_a_page_begins_where_the_person_left_off(opened, chinese):
    rows = [replace(row, case_id=case) for case in range(1, 31) for row in chinese[:4]]
    view = opened(rows, by="ana")
    for _ in range(12):
        view.keyboard.press("Control+Enter")
    view.reload()
    focused = "document.activeElement.closest('article').querySelector('h2').textContent"
    assert view.evaluate(focused) == "Record 13"
