"""Names in Chinese, and texts in the room that they have."""

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from drawn import drawn
from made_figures import comparisons, entry, found
from matplotlib import font_manager

from crossedit.reports.figures import drawing, fonts, gap, tradeoff
from crossedit.reports.figures.radar import charts

NAMES = ("悟道·天鹰（七十亿）", "知识编辑，“甲”—乙")


def test_chinese_names_are_drawn_in_every_format(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = entry(NAMES[1:], ("en",), NAMES[:1])
    for run in ("first", "second"):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            drawing.write(gap.picture(found(config), comparisons(config)), tmp_path / run)
            drawing.write(tradeoff.picture(found(config)), tmp_path / run)
    assert not caplog.messages
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()
    content = (tmp_path / "first/tradeoff_tiny.pdf").read_bytes()
    assert b"CrosseditHan" in content
    assert b"/FontFile2" in content  # TrueType, as it is said to be


def test_all_that_the_font_is_for_is_in_it() -> None:
    known = font_manager.get_font([font_manager.findfont("DejaVu Sans"), str(fonts.FONT)])
    codes = [(row, cell) for row in (*range(1, 10), *range(16, 56)) for cell in range(1, 95)]
    texts = [bytes([row + 160, cell + 160]).decode("gb2312", "ignore") for row, cell in codes]
    letters = {letter for text in texts for letter in text}
    assert len(letters) > 4400
    own = font_manager.get_font(str(fonts.FONT)).get_charmap()
    usual = known.get_charmap()
    assert not [letter for letter in letters if ord(letter) not in own and ord(letter) not in usual]


def test_the_machine_s_list_of_fonts_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    manager = font_manager.fontManager
    monkeypatch.setattr(font_manager, "json_dump", refuse)
    monkeypatch.setattr(manager, "ttflist", [entry for entry in manager.ttflist if "crossedit" not in entry.fname])
    assert fonts.families.__wrapped__()[:2] == ("DejaVu Sans", "Crossedit Han")
    assert font_manager.findfont("Crossedit Han", fallback_to_default=False) == str(fonts.FONT)


@pytest.mark.parametrize("text", ["a name of several words that is long", "中文名字也可以很长很长很长", "x" * 60])
def test_folded_lines_have_the_room_that_they_are_given(text: str) -> None:
    lines = fonts.fold(text, 0.8, 7, lines=9).split("\n")
    assert len(lines) > 1
    assert all(fonts.width(line, 7) <= 0.8 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    short = fonts.fold(text, 0.8, 7, lines=len(lines) - 1).split("\n")
    assert len(short) == len(lines) - 1
    assert short[-1].endswith("…")
    assert fonts.width(short[-1], 7) <= 0.8


def test_chinese_is_measured_as_it_is_drawn() -> None:
    figure = drawn(next(charts(found(entry(backbones=["中文名字"])))).picture())
    title = next(text for text in figure.texts if text.get_text().startswith("中文名字"))
    inches = title.get_window_extent().width / figure.dpi
    assert fonts.width(title.get_text(), drawing.TITLE, "bold") == pytest.approx(inches, rel=0.05)


def test_commands_draw_nothing_before_they_are_asked_to() -> None:
    program = "import sys; import crossedit.reports.cli, crossedit.reports.contents; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"
