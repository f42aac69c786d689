"""The page, as text and in a browser that reaches no network."""

import csv
import json
import re
from dataclasses import replace

import polars as pl
import pytest
from playwright.sync_api import expect

from crossedit.translation.reviews import page, reading, sheets
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

    def open_page(rows, by="", again=None, first=""):
        """first: a script that runs before those of the page."""
        if again is None:
            page.write(rows, tmp_path / "zh.html", by)
            contexts.append(chromium.new_context(offline=True, accept_downloads=True))
            contexts[-1].add_init_script(first)
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


def begin(view, name):
    view.get_by_label("Your name").last.fill(name)
    view.get_by_role("button", name="Begin").click()


def answer(view, take):
    """Answer what the page asks, and return the list that the questions will stand in."""
    asked = []
    view.on("dialog", lambda dialog: asked.append(dialog.message) or (dialog.accept if take else dialog.dismiss)())
    return asked


def load(view, path):
    view.locator("#file").set_input_files(path)


def filled(rows, path, judged=(), by=""):
    """Write a file of these rows in which each of the fields of `judged` is marked in every record."""
    sheets.write_csv(rows, path, by)
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file))
    for line in lines:
        line["judged"] = "x" if line["field"] in judged else ""
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, lines[0])
        table.writeheader()
        table.writerows(lines)
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


DENIED = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied') } })"


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
    view.keyboard.press("Escape")
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
    view.keyboard.press("Escape")
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
