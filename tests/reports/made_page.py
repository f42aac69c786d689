"""Pages made for tests, and how they are read."""

from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import made_sweeps
import polars as pl
from made import ENTRY, KINDS, NASTY, results, scores

from crossedit import tables
from crossedit.reports.page import Sources, page, write
from crossedit.reports.scores import Scores

ROW = {"kind": "", "protocol": "teacher_forced", "target_ids": [1], "before_ids": [2], "after_ids": [3]}


class Document(HTMLParser):
    """A document's tags with their attributes, and its text without scripts and styles."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._within = ""
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._within = tag

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within not in ("script", "style"):
            self.text += data.replace("\N{NO-BREAK SPACE}", " ")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]


def html(folder: Path, **shown: Any) -> str:
    """Return the page of a small experiment without sweeps, all of whose texts are nasty."""
    files = {name: [Path(path) for path in paths] for name, paths in results(folder).items()}
    known = Scores(scores())
    sweeps = made_sweeps.sweeps({"sweeps": {}})
    given = {
        "table_1": files["--table-1"],
        "figures": drawn(folder / "figures", ["radar_tiny_small_en"]),
        "predictions": files["--predictions"],
        "backbones": [path / "recipe.json" for path in files["--backbones"]],
        "summaries": files["--summaries"],
    }
    return page({**ENTRY, "note": NASTY}, known, sweeps, Sources(**given), [], **shown)


def drawn(folder: Path, names: Iterable[str]) -> list[Path]:
    """Write empty pictures in place of figures, and return their files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="90.5pt" height="9pt"/>')
    return sorted(folder.iterdir())


def predict(folder: Path, rows: list[dict[str, Any]], cell: str = "tiny/small/ROME/en") -> Path:
    """Write predictions of a cell, of which rows say what is of interest: texts are by their short names."""
    texts = {"prompt": "?", "target": "new", "before": "old", "after": "new"}
    full = [
        {**ROW, "aspect": "reliability", "lang": "en", "case_id": place, **texts, **row}
        for place, row in enumerate(rows)
    ]
    for row in full:
        row |= {f"{name}_text": row[name] for name in ("target", "before", "after")}
    path = folder / "edits" / cell / "predictions.1-of-1.parquet"
    tables.write(pl.DataFrame(full, schema=tables.PREDICTIONS.columns), tables.PREDICTIONS, path, {})
    return path


def edited(folder: Path, cell: str, cases: int, wrong: str = "old", langs: tuple[str, ...] = ("en", "zh")) -> Path:
    """Write predictions of a cell in which every second fact's portability is answered by `wrong`."""
    edit_lang = cell.rpartition("/")[2]
    rows = [
        {
            "case_id": case,
            "aspect": aspect,
            "kind": kind,
            "lang": lang,
            "prompt": f"{aspect} {kind} of {case} in {lang}?",
            "after": "old" if aspect == "locality" else wrong if aspect == "portability" and case % 2 else "new",
        }
        for case in range(cases)
        for aspect, kind in KINDS
        for lang in (langs if aspect != "reliability" else (edit_lang,))
    ]
    return predict(folder, rows, cell)


BACKBONES, EDITORS, LANGS = ("small", "large"), ("ROME", "IKE"), ("en", "zh")


def browsed(folder: Path, paths: list[Path] | None = None, cases: int = 40, **entry: Any) -> Path:
    """Write the page of two backbones, editors and languages, and return where it is.

    paths: predictions; by default those of `cases` facts each, of which half have one wrong answer or two.
    """
    if paths is None:
        places = [f"tiny/{name}/{editor}/{lang}" for name in BACKBONES for editor in EDITORS for lang in LANGS]
        paths = [edited(folder, place, cases, "nothing" if "IKE" in place else "old") for place in places]
    small = scores(("unedited", *EDITORS))
    known = Scores(pl.concat([small.with_columns(backbone=pl.lit(name)) for name in BACKBONES]))
    sheets = {"table_1": [Path(results(folder / "other")["--table-1"][0])]}
    sources = Sources(predictions=paths, **sheets)
    named = {**ENTRY, "backbones": {name: {} for name in BACKBONES}, "editors": {name: {} for name in EDITORS}, **entry}
    write(page(named, known, made_sweeps.sweeps({"sweeps": {}}), sources, []), folder / "index.html")
    return folder / "index.html"
