"""Typical failures: how often edits end in each of KnowEdit's types of errors, and answers that show what these are."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import urlencode

import polars as pl

from crossedit import UNEDITED
from crossedit.edits.outcomes import RIGHT
from crossedit.reports.grid import Grid
from crossedit.reports.outcomes import WRONG
from crossedit.reports.page.answers import Answers, slot_name

EXAMPLES = 2  # of each type, editor and editing language
LONG = 400  # letters of an example's texts
_PLACE = ("facts", "backbone", "edit_lang", "editor")


class Example(NamedTuple):
    """An answer that is wrong, and the address that shows all others to the same fact."""

    case_id: int
    asked: str  # aspect, and kind of question
    lang: str
    prompt: str
    target: str
    before: str
    after: str
    address: str


class Failures(NamedTuple):
    """What came of one cell's edits: numbers of answers by outcome, and examples of what is wrong."""

    edit_lang: str
    editor: str
    answers: int
    counts: Mapping[str, int]
    addresses: Mapping[str, str]  # of the answers with each outcome
    examples: Mapping[str, Sequence[Example]]

    def share(self, outcome: str) -> float:
        """Return the outcome's share of the answers in percent."""
        return 100 * self.counts[outcome] / self.answers


def failures(outcomes: pl.DataFrame | None, answers: Answers, grid: Grid, facts: str) -> dict[str, list[Failures]]:
    """Return what came of the edits of some facts by backbone, in the grid's order.

    outcomes: an OUTCOMES table; where there is none, what is known of the answers stands for it. Locality, of which
    nothing but right and changed is told, is left out.
    """
    counts = _counts(outcomes, answers, grid.protocol, facts)
    shown = _examples(answers, facts)
    found: dict[str, list[Failures]] = {}
    for backbone, edit_lang, editor in grid.rows(facts):
        its = counts.get((backbone, edit_lang, editor))
        if not its or editor == UNEDITED:
            continue
        place = {"facts": facts, "backbone": backbone, "edit_lang": edit_lang, "editor": editor}
        found.setdefault(backbone, []).append(
            Failures(
                edit_lang=edit_lang,
                editor=editor,
                answers=sum(its.values()),
                counts={outcome: its.get(outcome, 0) for outcome in (RIGHT, *WRONG)},
                addresses={outcome: _address("", place, outcome) for outcome in WRONG},
                examples={
                    outcome: [
                        _example(row, place, outcome) for row in shown.get((backbone, edit_lang, editor, outcome), ())
                    ]
                    for outcome in WRONG
                },
            )
        )
    return found


def _counts(
    outcomes: pl.DataFrame | None, answers: Answers, protocol: str, facts: str
) -> dict[tuple[str, str, str], dict[str, int]]:
    """Return numbers of answers by backbone, editing language and editor, and by outcome."""
    if outcomes is None:
        told = answers.frame.with_columns(answers=pl.lit(1))
    else:
        told = outcomes.filter(pl.col("protocol") == protocol)
    edited = told.filter(pl.col("aspect") != "locality", pl.col("facts") == facts)
    sums = edited.group_by(*_PLACE[1:], "outcome").agg(pl.col("answers").sum())
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    for backbone, edit_lang, editor, outcome, number in sums.iter_rows():
        found.setdefault((backbone, edit_lang, editor), {})[outcome] = number
    return found


def _examples(answers: Answers, facts: str) -> dict[tuple[str, ...], list[dict[str, str]]]:
    """Return the first answers with each outcome, of facts that differ, by backbone, language, editor and outcome."""
    place = (*_PLACE[1:], "outcome")
    wrong = answers.frame.filter(pl.col("facts") == facts, pl.col("aspect") != "locality", pl.col("outcome") != RIGHT)
    first = wrong.unique([*place, "case_id"], keep="first", maintain_order=True)
    few = first.group_by(place, maintain_order=True).head(EXAMPLES)
    found: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in few.iter_rows(named=True):
        found.setdefault(tuple(row[name] for name in place), []).append(row)
    return found


def _example(row: Mapping[str, str], place: Mapping[str, str], outcome: str) -> Example:
    return Example(
        case_id=int(row["case_id"]),
        asked=slot_name(row["aspect"], row["kind"]),
        lang=row["lang"],
        prompt=_cut(row["prompt"]),
        target=_cut(row["target"]),
        before=_cut(row["before"]),
        after=_cut(row["after"]),
        address=_address(row["case_id"], place, outcome),
    )


def _address(case_id: object, place: Mapping[str, str], outcome: str) -> str:
    """Return where the page's browser shows the answers with this outcome: see templates/browser.js."""
    return "#" + urlencode({"fact": case_id, **place, "outcome": outcome})


def _cut(text: str) -> str:
    """Return a text, of a long one its beginning; the browser of facts has the whole."""
    return text if len(text) <= LONG else f"{text[:LONG]}…"
