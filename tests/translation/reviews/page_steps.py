"""What a person does on the page."""

import csv
from contextlib import contextmanager

from playwright.sync_api import expect

from crossedit.translation.reviews import sheets

LOOKED_AT = "#counts"
DENIED = "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied') } })"


def areas(view, record):
    return view.locator("article").nth(record).locator("textarea")


def saved(view, folder):
    with view.expect_download() as download:
        view.get_by_role("button", name="Save").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@contextmanager
def leaving(view):
    """Within it the welcome is closed; it ends when the page has heeded that, which browsers tell it a task later."""
    view.evaluate("welcome.addEventListener('close', () => (welcome.dataset.left = 'yes'))")
    yield
    expect(view.locator("#welcome")).to_have_attribute("data-left", "yes")


def begin(view, name):
    view.get_by_label("Your name").last.fill(name)
    with leaving(view):
        view.get_by_role("button", name="Begin").click()


def begin_unnamed(view):
    with leaving(view):
        view.keyboard.press("Escape")


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
