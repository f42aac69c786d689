"""Whatever the texts hold, each format shows it as text."""

import csv
import io
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made import NASTY

from crossedit.reports.scores import Estimate
from crossedit.reports.sheets import Column, Measured, Sheet, to_csv, to_html, to_latex, to_markdown, write

SHEET = Sheet(
    name="table_2_a_b",
    title=f"A title: {NASTY}",
    columns=(
        Column("Backbone"),
        Column("Method"),
        Column("Reliability"),
        Column(NASTY, "English"),
        Column("x", "English"),
    ),
    rows=(
        (NASTY, "ROME", Measured(("F1", "EM"), (Estimate(0.5, 0.4, 0.6, 3), None)), "a\nb", "–"),
        (NASTY, "IKE", Measured(("F1", "EM"), (None, None)), "1.00", "2.00"),
        ("other", "[IKE]", Measured(("F1", "EM"), (Estimate(1, 1, 1, 3), Estimate(0.01, 0, 0.02, 3))), "1.00", "2.00"),
    ),
    labels=2,
    note="A note.",
)


class Texts(HTMLParser):
    """The tags of a document and the texts of its cells."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_csv_gives_back_the_texts() -> None:
    header, *rows = csv.reader(io.StringIO(to_csv(SHEET)))
    assert header[3] == f"English {NASTY}"
    assert rows == [[str(cell) for cell in row] for row in SHEET.rows]


def test_html_shows_markup_as_text() -> None:
    found = Texts(to_html(SHEET))
    assert not {"script", "td:", "b"} & set(found.tags)
    assert NASTY in [cell.strip() for cell in found.cells]


def test_html_spans_each_label_over_its_rows() -> None:
    assert SHEET.spans() == [[2, 1], [0, 1], [1, 1]]
    assert to_html(SHEET).count('rowspan="2"') == 1


def test_html_tells_interval_and_count() -> None:
    assert 'title="F1 50.00, 95 % interval 40.0 to 60.0; 3 facts"' in to_html(SHEET)


def test_markdown_keeps_its_columns() -> None:
    lines = [line for line in to_markdown(SHEET).splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(SHEET.rows)
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {len(SHEET.columns) + 1}
    assert "<script>" not in to_markdown(SHEET).replace(r"\<", "")


def test_latex_escapes_what_is_special() -> None:
    text = to_latex(SHEET)
    assert r"\textbackslash{}textbf\{x\}" in text
    assert r"50 \% of \$5\_000 \#1 \textasciitilde{}\textasciicircum{}" in text
    body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
    cells = [line for line in body.splitlines() if line.endswith(r"\\")]
    # An upper line counts its spans, all others every column.
    assert {len(re.findall(r"(?<!\\)&", line)) for line in cells[1:]} == {len(SHEET.columns) - 1}
    assert not any(line.startswith("[") for line in cells)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no TeX on this machine")
def test_latex_compiles(tmp_path: Path) -> None:
    document = (
        rf"\documentclass{{article}}\usepackage{{booktabs,graphicx}}\begin{{document}}{to_latex(SHEET)}\end{{document}}"
    )
    (tmp_path / "paper.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 1000


def test_all_formats_are_written_and_nothing_else(tmp_path: Path) -> None:
    write(SHEET, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"table_2_a_b.{suffix}" for suffix in ("csv", "html", "md", "tex")
    ]
