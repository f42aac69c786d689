"""The report's page with many answers, with a tenth of them, and with many languages: how long it takes to make, to
open, to filter.

    python bench/page.py
    python bench/page.py --answers 200000 --repeats 5 --keep page.html

The answers are made: as long as those to Bi-ZsRE, in English and Chinese, of seven editors on two backbones. The page
of many languages has no answers but the scores, comparisons and radar charts of six editors on two backbones, each
edited and asked in 53 languages.
The page is opened from the disk by a Chromium without a window; it counts as usable when its list of facts is there and
nothing is left to be drawn. The shortest time of each counts: another load on the machine only adds to it.
"""

import argparse
import random
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

import polars as pl
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

from crossedit import UNEDITED, tables
from crossedit.facts.languages import NAMES
from crossedit.reports.comparisons import others
from crossedit.reports.figures import drawing, radar
from crossedit.reports.figures.cells import F1
from crossedit.reports.grid import Grid
from crossedit.reports.naming import ASPECTS
from crossedit.reports.page import Sources, page, write
from crossedit.reports.scores import Scores
from crossedit.reports.sweeps import Sweeps

EDITORS = ("FT-L", "MEND", "SERAC", "IKE", "KN", "ROME", "MEMIT")
MANY = list(NAMES)[:53]
BACKBONES, LANGUAGES = ("llama", "baichuan"), ("en", "zh")
QUESTIONS = (
    ("reliability", "", 11),
    ("generality", "", 11),
    ("locality", "other_subject", 15),
    ("locality", "same_subject", 11),
    ("portability", "", 18),
)  # with their words
PER_FACT = len(EDITORS) * len(BACKBONES) * len(LANGUAGES) * (1 + 4 * len(LANGUAGES))
MOST_SECONDS, MOST_MEGABYTES, MOST_MAKING, MOST_FILTER = 3.0, 25.0, 20.0, 0.5
# What a filter is set to, by the field's name.
FILTERS = {"editor": "5", "outcome": "-2", "slot": "3", "text": "ka", "lang": "1", "edit_lang": "1"}

_SET = """([name, value]) => new Promise((done) => {
  const field = document.getElementById(`by-${name}`), told = document.getElementById("facts-count");
  const begun = performance.now();
  // Told when the count has changed and the frame after that is drawn.
  new MutationObserver((_, self) => {
    self.disconnect();
    requestAnimationFrame(() => setTimeout(() => done((performance.now() - begun) / 1000)));
  }).observe(told, { childList: true });
  field.value = value;
  field.dispatchEvent(new Event(name === "text" ? "input" : "change"));
})"""


class Measured(NamedTuple):
    """What a page took. Seconds, and megabytes of its file."""

    answers: int
    making: float
    opening: float
    filtering: dict[str, float]
    megabytes: float

    @property
    def slowest(self) -> float:
        """Seconds of the filter that takes longest."""
        return max(self.filtering.values(), default=0.0)


def words(draw: random.Random, lang: str, many: int) -> str:
    """Return a made text of so many English words, or of as much in Chinese."""
    if lang == "zh":
        return "".join(chr(draw.randint(0x4E00, 0x9000)) for _ in range(round(many * 1.2)))
    syllables = ("ka", "lo", "min", "ter", "son", "ra", "vi", "de", "an", "the", "of", "es", "ol")
    return " ".join("".join(draw.choices(syllables, k=draw.randint(1, 3))) for _ in range(many))


def predictions(facts: int, editor: str, edit_lang: str, seed: str) -> pl.DataFrame:
    """Return PREDICTIONS of a cell: a third each of the answers is the new one, the one before, and another."""
    asked, said = random.Random(edit_lang), random.Random(f"{seed} {editor} {edit_lang}")
    rows = []
    for case in range(facts):
        for aspect, kind, length in QUESTIONS:
            for lang in LANGUAGES if aspect != "reliability" else (edit_lang,):
                prompt, target, before = (words(asked, lang, many) for many in (length, 3, 3))
                after = said.choice((target, before, words(said, lang, 3)))
                texts = (f"{prompt}?", target, [1, 2, 3], target, [4, 5, 6], before, [7, 8, 9], after)
                rows.append((case, aspect, kind, lang, "teacher_forced", *texts))
    return pl.DataFrame(rows, schema=tables.PREDICTIONS.columns, orient="row")


def cells() -> Iterator[tuple[str, str, str]]:
    """Yield backbones, editors and editing languages."""
    for backbone in BACKBONES:
        for editor in EDITORS:
            for edit_lang in LANGUAGES:
                yield backbone, editor, edit_lang


def lay_out(folder: Path, facts: int) -> tuple[Scores, list[Path]]:
    """Write all cells' predictions, and return some scores of them and the files."""
    paths, scored = [], []
    for backbone, editor, edit_lang in cells():
        path = folder / "made" / backbone / editor / edit_lang / "predictions.1-of-1.parquet"
        tables.write(predictions(facts, editor, edit_lang, backbone), tables.PREDICTIONS, path, {"seed": 0})
        paths.append(path)
        place = ("made", backbone, editor, edit_lang, "reliability", "all", edit_lang, "teacher_forced")
        scored += [(*place, metric, 0.5, 0.4, 0.6, facts) for metric in ("em", "f1")]
    return Scores(pl.DataFrame(scored, schema=tables.SCORES.columns, orient="row")), paths


def measure(view: Callable[[], Page], folder: Path, answers: int, repeats: int, out: Path) -> Measured:
    """Make a page with so many answers, open it and filter, each as often as wanted."""
    scores, paths = lay_out(folder / str(answers), answers // PER_FACT)
    sweeps = none_swept()
    entry: dict[str, Any] = {"reports": {"browser_rows": answers}}

    def make() -> None:
        write(page(entry, scores, sweeps, Sources(predictions=paths), []), out)

    making = min(seconds(make) for _ in range(repeats))
    opening, filtering = [], []
    for _ in range(repeats):
        shown = view()
        opening.append(seconds(partial(usable, shown, out)))
        filtering.append({name: shown.evaluate(_SET, [name, value]) for name, value in FILTERS.items()})
        shown.close()
    best = {name: min(found[name] for found in filtering) for name in FILTERS}
    return Measured(len(paths) * (answers // PER_FACT) * 9, making, min(opening), best, out.stat().st_size / 1e6)


def measure_languages(view: Callable[[], Page], folder: Path, repeats: int, out: Path) -> Measured:
    """Make a page of many languages and open it, each as often as wanted."""
    entry: dict[str, Any] = {
        "facts": {"made": {}},
        "backbones": {name: {} for name in BACKBONES},
        "editors": {name: {} for name in EDITORS[:6]},
        "languages": MANY,
        "protocols": ["teacher_forced"],
    }
    scores = Scores(pl.DataFrame(list(scored()), schema=tables.SCORES.columns, orient="row"))
    compared = folder / "comparisons.parquet"
    frame = pl.DataFrame(list(comparisons()), schema=tables.COMPARISONS.columns, orient="row")
    tables.write(frame, tables.COMPARISONS, compared, {"seed": 0})
    charts = [chart.picture() for chart in radar.charts(F1(scores, Grid.of(entry, scores), "made"))]
    drawing.write(charts[0], folder)
    drawn = (folder / f"{charts[0].name}.svg").read_bytes()
    paths = [folder / f"{chart.name}.svg" for chart in charts]
    for path in paths:
        path.write_bytes(drawn)
    sources, sweeps = Sources(figures=paths, comparisons=[compared]), none_swept()
    making = min(seconds(lambda: write(page(entry, scores, sweeps, sources, []), out)) for _ in range(repeats))
    opening = []
    for _ in range(repeats):
        shown = view()
        opening.append(seconds(partial(opened, shown, out)))
        shown.close()
    return Measured(0, making, min(opening), {}, out.stat().st_size / 1e6)


def scored() -> Iterator[tuple[Any, ...]]:
    """Yield SCORES of many languages, each of which edits and is asked."""
    draw = random.Random(0)
    for backbone in BACKBONES:
        for editor in (UNEDITED, *EDITORS[:6]):
            for edit_lang in MANY:
                for aspect in ASPECTS:
                    for lang in MANY if aspect != ASPECTS[0] else (edit_lang,):
                        for metric in ("em", "f1"):
                            mean = draw.random()
                            place = ("made", backbone, editor, edit_lang, aspect, "all", lang, "teacher_forced", metric)
                            yield (*place, mean, mean - 0.03, mean + 0.03, 1037)


def comparisons() -> Iterator[tuple[Any, ...]]:
    """Yield COMPARISONS of editors in the editing language and in the mean of the others."""
    for backbone in BACKBONES:
        for first, second in combinations((*EDITORS[:6], UNEDITED), 2):
            for edit_lang in MANY:
                for aspect in ASPECTS:
                    for lang in (edit_lang, others(len(MANY) - 1)):
                        for metric in ("em", "f1"):
                            about = ("made", backbone, "editors", aspect, "teacher_forced", metric)
                            sides = (first, edit_lang, lang, second, edit_lang, lang)
                            yield (*about, *sides, 0.6, 0.5, 0.1, 0.08, 0.12, 0.3, 0.01, 0.02, 2226, 1037)


def none_swept() -> Sweeps:
    names = (tables.TASK_SCORES, tables.FACT_SCORES, tables.WEIGHT_CHANGES)
    return Sweeps({}, *(pl.DataFrame(schema=table.columns) for table in names))


def opened(view: Page, path: Path) -> None:
    """Open the page, and wait until it has been drawn."""
    view.goto(path.resolve().as_uri())
    view.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def usable(view: Page, path: Path) -> None:
    """Open the page, and wait until its list of facts has been drawn."""
    view.goto(path.resolve().as_uri())
    view.locator("#facts-found li").first.wait_for()
    view.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def seconds(work: Callable[[], None]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="where to leave the large page")
    given = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("bench/page.py: there is no Chromium on this machine; install one.")
    if given.answers < 10 * PER_FACT:
        sys.exit(f"bench/page.py: --answers: {given.answers} is too few; take at least {10 * PER_FACT}.")
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        folder = Path(name)
        files = {10: folder / "few.html", 1: given.keep or folder / "many.html"}
        few, many = (
            measure(browser.new_page, folder, given.answers // part, given.repeats, file)
            for part, file in files.items()
        )
        languages = measure_languages(browser.new_page, folder, given.repeats, folder / "languages.html")
        browser.close()
    table = Table(title="The report's page")
    for title in ("", "answers", "making (s)", "opening (s)", "slowest filter (s)", "size (MB)"):
        table.add_column(title, justify="right" if title else "left")
    for row, found in (("a tenth", few), ("all", many), (f"{len(MANY)} languages", languages)):
        numbers = (found.making, found.opening, found.slowest, found.megabytes)
        table.add_row(row, f"{found.answers:,}", *(f"{number:.2f}" for number in numbers))
    pairs = (
        (getattr(many, name), getattr(few, name)) for name in ("answers", "making", "opening", "slowest", "megabytes")
    )
    table.add_row("ratio", *(f"{one / other:.1f}x" for one, other in pairs))
    Console().print(table)
    print("filters (s): " + ", ".join(f"{name} {taken:.3f}" for name, taken in many.filtering.items()))
    bounds = {
        f"opens in {MOST_SECONDS:.0f} s": max(many.opening, languages.opening) <= MOST_SECONDS,
        f"{MOST_MEGABYTES:.0f} MB": max(many.megabytes, languages.megabytes) <= MOST_MEGABYTES,
        f"made in {MOST_MAKING:.0f} s": max(many.making, languages.making) <= MOST_MAKING,
        f"filters in {MOST_FILTER} s": many.slowest <= MOST_FILTER,
    }
    print("; ".join(f"{bound}: {'kept' if kept else 'missed'}" for bound, kept in bounds.items()))


if __name__ == "__main__":
    main()
