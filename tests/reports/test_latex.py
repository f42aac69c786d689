"""Sheets as LaTeX: what is written, and what a real TeX makes of it."""

import re
import shutil
import subprocess
import unicodedata
from dataclasses import replace
from pathlib import Path

import made_sheets
import pytest

from crossedit.reports.scores import Estimate
from crossedit.reports.sheets import Column, Measured, Numbers, Sheet, Shown, to_latex
from crossedit.reports.sheets.latex_text import escaped
from crossedit.reports.sheets.pieces import pieces
from crossedit.reports.sheets.texts import plain


def body(text: str) -> list[str]:
    """Return the lines of the tables' rows."""
    return [line for line in text.splitlines() if re.search(r"\\\\(\[-?\dpt\])?$", line)]


def test_letters_that_mean_something_stand_for_themselves() -> None:
    assert escaped(r"\textbf{x}") == r"\textbackslash{}textbf\{x\}"
    assert escaped("50 % of $5_000 #1 ~^") == r"50 \% of \$5\_000 \#1 \textasciitilde{}\textasciicircum{}"
    assert escaped("a--b ''") == r"a-{\kern0pt}-b '{\kern0pt}'"
    assert escaped("Cohen's κ, Ελλάδα") == r"Cohen's $\kappa$, Ελλάδα"
    assert escaped("NLI †") == r"NLI $\dagger$"


def test_the_number_of_cells_is_that_of_the_columns() -> None:
    sheet = made_sheets.sheet(made_sheets.LATIN)
    # The upper line of the header counts its spans, all others every column.
    for line in body(to_latex(sheet, intervals=True))[1:]:
        assert len(re.findall(r"(?<!\\)&", line)) in (len(sheet.columns) - 1, 3)
        assert not line.startswith("[")


def test_long_words_may_be_broken_and_lose_nothing() -> None:
    text = escaped("ab" * 40, line=12)
    assert text.count(r"\penalty500{}") == 6
    assert text.replace(r"\penalty500{}", "") == "ab" * 40


def test_the_head_names_what_is_needed_and_no_more() -> None:
    plain_letters = Sheet("a", "A", (Column("Method"), Column("EM")), (("ROME", "1.00"),), labels=1)
    accents = Sheet("a", "Łódź", (Column("Method"), Column("EM")), (("ROME", "1.00"),), labels=1)
    chinese = Sheet("a", "A", (Column("Method"), Column("EM")), (("罗马", "1.00"),), labels=1)
    found = [
        {word for word in ("booktabs", "fontenc", "lmodern", "fontspec", "LuaLaTeX") if word in to_latex(sheet)}
        for sheet in (plain_letters, accents, chinese)
    ]
    assert found == [{"booktabs"}, {"booktabs", "fontenc", "lmodern"}, {"booktabs", "fontspec", "LuaLaTeX"}]


def test_scores_are_coloured_each_by_itself_and_lined_up() -> None:
    parts = (Estimate(1.0, 1.0, 1.0, 3), Estimate(0.064, 0.0, 0.1, 3), Estimate(0.5, 0.4, 0.6, 3))
    rows = (
        ("high", Measured(("F1", "EM"), (parts[0], parts[2]))),
        ("low", Measured(("F1", "EM"), (parts[1], None))),
        ("none", Measured(("F1", "EM"), (None, None))),
    )
    found = body(to_latex(Sheet("a", "A", (Column("Method"), Column("Reliability")), rows, labels=1)))
    assert found[1:] == [
        r"high & \textcolor{scorehigh}{100.00} / 50.00 \\",
        r"low & \phantom{00}\textcolor{scorelow}{6.40} / -- \\",
        r"none & -- \\",
    ]


def test_long_sheets_are_cut_where_labels_end() -> None:
    tables = to_latex(made_sheets.long()).split(r"\begin{table*}")[1:]
    assert len(tables) == 8
    assert [table.count("(continued)") for table in tables] == [0] + [1] * 7
    assert all("Backbone & Edited in & Method" in table for table in tables)
    assert len(re.findall(r"\\label", "".join(tables))) == 1
    for table in tables:
        first = body(table)[2]
        assert re.match(r"Chinese-LLaMA-\S+ & (English|Chinese) & ", first), "each part says what its rows are of"
    rows = sum(len(body(table)) - 2 for table in tables)
    assert rows == len(made_sheets.long().rows)


def test_wide_sheets_are_cut_between_groups_of_columns() -> None:
    sheet = made_sheets.wide()
    parts = pieces(sheet)
    assert [column for part in parts for column in part.columns[3:]] == list(sheet.columns[3:])
    assert all(part.columns[:3] == sheet.columns[:3] for part in parts)
    assert {span for part in parts for name, span in part.groups if name} == {3}
    tables = to_latex(sheet).split(r"\begin{table*}")[1:]
    assert len(tables) == 2 * len(parts) > 52
    assert to_latex(sheet).count(r"\clearpage") >= len(tables) // 52
    assert [table.count("(continued)") for table in tables] == [0] + [1] * (len(tables) - 1)
    assert len(re.findall(r"\\label", "".join(tables))) == 1
    assert all("Backbone & Edited in & Method" in table for table in tables)


def test_no_more_is_cut_than_must_be() -> None:
    for sheet in (made_sheets.published("Table 2"), made_sheets.sheet(made_sheets.LATIN), made_sheets.wide(langs=2)):
        assert pieces(sheet) == [sheet]
    group = made_sheets.wide(langs=1)
    columns = tuple(Column(str(number), "One group") for number in range(40))
    rows = tuple((*row[:3], *[row[3]] * 40) for row in group.rows)
    parts = pieces(replace(group, columns=(*group.columns[:3], *columns), rows=rows))
    assert len(parts) > 1
    assert [column for part in parts for column in part.columns[3:]] == list(columns)


def test_several_stars_and_shares_are_lined_up() -> None:
    stars = Numbers((Shown("+1.20***", name="F1"), Shown("-12.00", name="EM")))
    none = Numbers((Shown("0.00", name="F1"), Shown("3.00*", name="EM")))
    share = Shown("100.0", name="%", bracketed=True)
    some, nothing = (Numbers((Shown("9", name="n"), one)) for one in (share, share._replace(text="")))
    columns = (Column("Method"), Column("Change"), Column("Wrong"))
    found = body(to_latex(Sheet("a", "A", columns, (("x", stars, some), ("y", none, nothing)), labels=1)))
    assert found[1:] == [
        r"x & +1.20{*}{*}{*} / $-$12.00\phantom{*} & 9 (100.0) \\",
        r"y & \phantom{+}0.00\phantom{***} / \phantom{+0}3.00{*} & 9\phantom{ (100.0)} \\",
    ]


def test_intervals_stand_small_below_their_numbers() -> None:
    text = to_latex(made_sheets.sheet(made_sheets.LATIN[:3]), intervals=True)
    assert r"{\tiny [75.1, 80.0] / [0.0, 0.0]}" in text
    assert r"\tiny" not in to_latex(made_sheets.sheet(made_sheets.LATIN[:3]))


def compiled(engine: str, sheets: list[Sheet], folder: Path) -> str:
    """Return the text of a document that holds the sheets, each as it is and with intervals.

    Its preamble is what the comments at the sheets' heads ask for.
    """
    texts = [to_latex(sheet, intervals) for sheet in sheets for intervals in (False, True)]
    heads = dict.fromkeys(line for text in texts for line in re.findall(r"^% (\\.*)$", text, re.MULTILINE))
    if engine == "lualatex":
        heads = {line: None for line in heads if "fontenc" not in line and "lmodern" not in line}  # of no use to it
    document = [r"\documentclass[11pt]{article}", *heads, r"\begin{document}"]
    document += [f"{text}\n\\clearpage" for text in texts]
    (folder / "paper.tex").write_text("\n".join([*document, r"\end{document}", ""]), encoding="utf-8")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=300, check=False)
    log = (folder / "paper.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, log[-3000:]
    assert re.findall(r"^(?:Overfull|LaTeX Warning: Float|Missing character|LaTeX Font Warning).*", log, re.M) == []
    fonts = subprocess.run(["pdffonts", "paper.pdf"], cwd=folder, capture_output=True, timeout=60, check=True)
    assert b"Type 3" not in fonts.stdout, "letters drawn dot by dot, which publishers refuse"
    shown = subprocess.run(["pdftotext", "paper.pdf", "-"], cwd=folder, capture_output=True, timeout=60, check=True)
    return shown.stdout.decode()


def bare(text: str) -> str:
    """Return the letters that are seen, as TeX draws quotes, and in whichever order scripts are written."""
    text = unicodedata.normalize("NFKC", text).translate(str.maketrans({"'": "’", '"': "”", "−": "-"}))
    return "".join(letter for letter in text if not letter.isspace() and unicodedata.category(letter) != "Cf")


@pytest.mark.tex
@pytest.mark.skipif(
    not all(map(shutil.which, ("pdflatex", "pdftotext", "pdffonts"))), reason="there is no pdfLaTeX with pdftotext"
)
def test_pdflatex_shows_every_sheet(tmp_path: Path) -> None:
    sheets = list(made_sheets.every())
    found = bare(compiled("pdflatex", sheets, tmp_path))
    for text in (*made_sheets.LATIN[:-2], "There is nothing to show."):
        assert bare(plain(text)) in found
    for row in made_sheets.published("Table 2").rows:
        for cell in row[3:]:
            assert bare(str(cell)) in found


@pytest.mark.tex
@pytest.mark.skipif(
    not all(map(shutil.which, ("pdflatex", "pdftotext", "pdffonts"))), reason="there is no pdfLaTeX with pdftotext"
)
def test_numbers_of_wide_sheets_can_be_read(tmp_path: Path) -> None:
    compiled("pdflatex", [made_sheets.wide()], tmp_path)
    boxes = subprocess.run(["pdftotext", "-bbox", "paper.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
    words = re.findall(r'yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">([^<]*)<', boxes.stdout.decode())
    heights = {
        text: {float(low) - float(high) for high, low, named in words if named == text} for text in ("Edits", "77.65")
    }
    # The caption is as large as the text of the page.
    assert min(heights["77.65"]) > 0.4 * max(heights["Edits"])


@pytest.mark.tex
def test_lualatex_shows_every_letter(tmp_path: Path) -> None:
    if not all(map(shutil.which, ("lualatex", "pdftotext", "pdffonts", "fc-list", "kpsewhich"))):
        pytest.skip("there is no LuaLaTeX with pdftotext")
    if not subprocess.run(["kpsewhich", "luaotfload-main.lua"], capture_output=True, check=False).stdout:
        pytest.skip("LuaLaTeX can't load fonts here (Debian: texlive-luatex)")
    fonts = subprocess.run(["fc-list", ":", "family"], capture_output=True, text=True, check=True).stdout
    if not all(font in fonts for font in ("Droid Sans Fallback", "DejaVu Sans")):
        pytest.skip("fonts that the heads name aren't there (Debian: fonts-droid-fallback, fonts-dejavu-core)")
    sheets = [*made_sheets.every(), made_sheets.sheet(made_sheets.OTHERS, "others")]
    found = bare(compiled("lualatex", sheets, tmp_path))
    for text in (*made_sheets.LATIN[:-2], *made_sheets.OTHERS[4:]):
        assert bare(plain(text)) in found
    for word in ("مرحبا", "بالعالم", "שלום", "埃及的官方语言"):
        assert bare(word) in found
