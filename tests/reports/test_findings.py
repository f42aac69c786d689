"""What the page says in sentences: who is best, who is as good, and how far edits reach into other languages."""

import math

import polars as pl
from made import ENTRY, scores

from crossedit.reports.findings import findings
from crossedit.reports.grid import Grid
from crossedit.reports.scores import Scores

SHARES = {
    # editor: in the language of the edit, in another one
    "unedited": (0.0, 0.02),
    "FT-L": (1.0, 0.0),
    "ROME": (0.99996, 0.3),
    "ICE": (0.97, 0.92),
}


def said(
    shares: dict[str, tuple[float, float]],
    langs: tuple[str, ...] = ("en", "zh"),
    planned: tuple[str, ...] = (),
    means: bool = False,
    margins: dict[str, float] | None = None,
) -> dict[str, str]:
    """Return the findings of edits in English, by what they are about; editors that are only planned have no score.

    means: whether the scores have those over two other languages; margins: how far the intervals of some editors go
    below their shares, 0.01 being that of others.
    """
    own, other = ({editor: pair[place] for editor, pair in shares.items()} for place in (0, 1))
    editor = pl.col("editor")
    is_own = pl.col("edit_lang") == pl.col("lang")
    # In German edits do worse than in Chinese, by a tenth.
    away = editor.replace_strict(other) - pl.when(pl.col("lang") == "de").then(0.1).otherwise(0)
    mean = pl.when(is_own).then(editor.replace_strict(own)).otherwise(away)
    frame = scores(tuple(shares), langs).with_columns(mean=mean)
    if means:
        german = frame.filter(lang="de").with_columns(lang=pl.lit("2 others"), mean=pl.col("mean") + 0.05)
        frame = pl.concat([frame, german])
    margin = editor.replace_strict(margins or {}, default=0.01, return_dtype=pl.Float64)
    known = Scores(frame.with_columns(low=pl.col("mean") - margin, high=pl.col("mean") + 0.01))
    grid = Grid.of({**ENTRY, "editors": {name: {} for name in (*shares, *planned)}, "languages": list(langs)}, known)
    return dict(findings(known, grid, "tiny", "small")["en"])


def test_the_editor_that_reaches_furthest_is_named_beside_those_that_are_best_at_home() -> None:
    assert said(SHARES)["Across languages"] == (
        "ICE is best with 92.0 % (91.0 to 93.0) of rephrased questions right in Chinese; in English 97.0 %. "
        "Unedited: 2.0 %. Best in English: FT-L and ROME with 100.0 %, and 0.0 % to 30.0 % (ROME) in Chinese."
    )


def test_editors_that_tie_have_all_of_their_intervals() -> None:
    tied = {"unedited": (0.0, 0.0), "A": (0.12, 0.45), "B": (0.12, 0.45), "C": (0.1, 0.1)}
    assert said(tied)["Reliability"].startswith("A and B are best with 12.0 % (11.0 to 13.0). ")
    apart = said(tied, margins={"B": 0.05})
    assert apart["Reliability"].startswith("A and B are best with 12.0 % (intervals within 7.0 to 13.0). ")
    assert apart["Across languages"].startswith("A and B are best with 45.0 % (intervals within 40.0 to 46.0) of ")
    unknown = said(tied, margins={"B": math.nan})
    assert unknown["Reliability"].startswith("A and B are best with 12.0 %. ")


def test_of_several_that_differ_the_highest_are_named() -> None:
    text = said({"unedited": (0.0, 0.0), "A": (1.0, 0.3), "B": (1.0, 0.1), "C": (1.0, 0.3), "D": (0.8, 0.4)})
    assert text["Across languages"].endswith("with 100.0 %, and 10.0 % to 30.0 % (A and C) in Chinese.")
    both = said({"unedited": (0.0, 0.0), "A": (0.9, 0.3), "B": (0.7, 0.3)})["Across languages"]
    assert both.startswith(
        "Both editors are equal with 30.0 % (29.0 to 31.0) of rephrased questions right in Chinese; "
    )
    assert "; in English 70.0 % to 90.0 % (A)." in both


def test_an_editor_that_is_best_everywhere_stands_alone() -> None:
    both = {**SHARES, "ICE": (1.0, 0.92)}
    assert "Best in English" not in said(both)["Across languages"]


def test_of_several_other_languages_the_mean_decides() -> None:
    text = said({**SHARES, "unedited": (0.0, 0.2)}, ("en", "zh", "de"))["Across languages"]
    assert text.startswith(
        "ICE is best with 87.0 % of rephrased questions right in 2 other languages, on average; in English 97.0 %. "
    )
    assert "Unedited: 15.0 %." in text
    bounded = said({**SHARES, "unedited": (0.0, 0.2)}, ("en", "zh", "de"), means=True)["Across languages"]
    assert bounded == text.replace("with 87.0 %", "with 87.0 % (86.0 to 88.0)")


def test_editors_that_table_2_prints_the_same_number_for_are_best_together() -> None:
    text = said(SHARES)["Reliability"]
    assert text.startswith("FT-L and ROME are best with 100.0 % (99.0 to 101.0). ")
    assert "Close behind" not in text
    near = said({**SHARES, "ICE": (0.985, 0.92)})["Reliability"]
    assert near.startswith("FT-L and ROME are best with")
    assert "Close behind, with overlapping intervals: ICE." in near
    equal = said(dict.fromkeys(SHARES, (0.0, 0.0)))
    assert equal["Reliability"].startswith("All 3 editors are equal with 0.0 %")
    both = said({"A": (0.97244, 0.0), "B": (0.97236, 0.0)})
    assert both["Reliability"].startswith("Both editors are equal with 97.2 % ")


def test_shares_have_two_decimals_where_one_would_make_others_read_as_the_best() -> None:
    text = said({"unedited": (0.0, 0.0), "A": (0.9724, 0.4504), "B": (0.9716, 0.4496), "C": (0.9, 0.1)})
    assert text["Reliability"].startswith("A is best with 97.24 % (96.2 to 98.2). ")
    crossed = said({"unedited": (0.0, 0.0), "A": (0.9724, 0.4496), "B": (0.9716, 0.4504)})["Across languages"]
    assert crossed.startswith("B is best with 45.04 % (44.0 to 46.0) of rephrased questions right in Chinese; ")
    assert "; in English 97.16 %. " in crossed
    assert crossed.endswith(" Best in English: A with 97.24 %, and 44.96 % in Chinese.")


def test_an_editor_without_others_is_not_called_the_best() -> None:
    text = said({"unedited": (0.0, 0.0), "ROME": (0.9, 0.3)})
    assert text["Reliability"] == "ROME, the only editor, has 90.0 % (89.0 to 91.0). Unedited: 0.0 %."
    assert text["Across languages"].startswith(
        "ROME, the only editor, has 30.0 % (29.0 to 31.0) of rephrased questions right in Chinese; in English 90.0 %."
    )
    first = said({"unedited": (0.0, 0.0), "ROME": (0.9, 0.3)}, planned=("IKE",))
    assert first["Reliability"].startswith("ROME, the only editor with a score, has 90.0 % ")
    equal = said({"unedited": (0.0, 0.0), "ROME": (0.9, 0.3), "ICE": (0.9, 0.3)}, planned=("IKE",))
    assert equal["Reliability"].startswith("Both editors with a score are equal with 90.0 % ")


def test_an_editor_that_changes_little_is_best_at_locality_by_doing_nothing() -> None:
    frame = {"unedited": (0.0, 0.0), "KN": (0.1, 0.1), "FT-L": (0.1, 0.1), "ROME": (0.05, 0.1)}
    assert "But only 10.0 % of KN's and 10.0 % of FT-L's edits hold." in said(frame)["Locality"]
