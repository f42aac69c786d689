"""What came of edits: the counts behind the scores, by type of error."""

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from crossedit.edits.outcomes import ERRORS, RIGHT, UNCHANGED
from crossedit.reports.bizsre import LABELS
from crossedit.reports.grid import Grid
from crossedit.reports.naming import PROTOCOLS, asked, language, method
from crossedit.reports.scores import DASH
from crossedit.reports.sheets import Cell, Column, Number, Numbers, Sheet, Shown

WRONG = (UNCHANGED, *ERRORS)  # what may come of an edit besides what it should
MEANINGS = {
    RIGHT: "the target",
    UNCHANGED: "still the answer before the edit",
    "meaningless": "no words but marks or function words, or the same again and again",
    "missing": "words of the target in their order and no others, but not all of them",
    "partial": "words of the target beside others",
    "irrelevant": "no part of the target",
}
_Counts = Mapping[str, int]  # of answers, by outcome


def errors(outcomes: pl.DataFrame, grid: Grid, facts: str, protocol: str) -> Sheet:
    """Return of OUTCOMES how many answers of each row of the grid are wrong, and how: KnowEdit's types of errors.

    Of reliability and generality, whose questions ask for the edited fact itself.
    """
    known = _known(outcomes, facts, protocol)
    groups = ("Reliability", "Generality in the editing language", "Generality in other languages")
    rows: list[tuple[Cell, ...]] = []
    for backbone, edit_lang, editor in grid.rows(facts):
        others = [lang for lang in grid.langs if lang != edit_lang]
        counted: Sequence[tuple[str, list[str]]] = (
            ("reliability", [edit_lang]),
            ("generality", [edit_lang]),
            ("generality", others),
        )
        cells = [
            cell
            for aspect, langs in counted
            for cell in _cells([known.get((backbone, editor, edit_lang, aspect, lang), {}) for lang in langs])
        ]
        rows.append((backbone, language(edit_lang), method(editor), *cells))
    named = [f"{name}: {MEANINGS[name]}" for name in WRONG]
    return Sheet(
        name=f"errors_{facts}_{protocol}",
        title=f"Wrong answers to edited facts of {facts}, {asked(protocol)}, by type of error",
        columns=(
            *LABELS,
            *(Column(name, group) for group in groups for name in ("Answers", "Wrong", *map(str.capitalize, WRONG))),
        ),
        rows=tuple(rows),
        labels=len(LABELS),
        note=(
            f"{PROTOCOLS.get(protocol, '')} Numbers of answers; in brackets the share in percent, of wrong answers "
            f"among all and of each type among the wrong ones. {'; '.join(named)}. All but the first are the types of "
            "errors of KnowEdit; the first that fits counts."
        ).strip(),
    )


def _known(outcomes: pl.DataFrame, facts: str, protocol: str) -> dict[tuple[str, ...], dict[str, int]]:
    """Return the counts by backbone, editor, editing language, aspect and evaluation language."""
    key = ("backbone", "editor", "edit_lang", "aspect", "lang")
    found: dict[tuple[str, ...], dict[str, int]] = {}
    for *place, outcome, answers in (
        outcomes.filter(pl.col("facts") == facts, pl.col("protocol") == protocol)
        .select(*key, "outcome", "answers")
        .iter_rows()
    ):
        found.setdefault(tuple(place), {})[outcome] = answers
    return found


def _cells(counts: Sequence[_Counts]) -> Iterator[Cell]:
    """Yield the number of answers, of wrong ones, and of each type of these."""
    answers = sum(sum(some.values()) for some in counts)
    if not answers:
        yield from [Number(DASH, None, "no answers")] * (2 + len(WRONG))
        return
    number = {name: sum(some.get(name, 0) for some in counts) for name in WRONG}
    wrong = sum(number.values())
    yield Number.of(answers, "answers")
    yield _share(wrong, answers, f"of {answers:,} answers")
    for name in WRONG:
        yield _share(number[name], wrong, f"of {wrong:,} wrong answers, {answers:,} in all")


def _share(part: int, whole: int, note: str) -> Numbers:
    """Return a number of answers and, in brackets, what share it is."""
    share = Shown(f"{100 * part / whole:.1f}", name="%", exact=100 * part / whole) if part else Shown("", name="%")
    number = Shown(f"{part:,}", name="number", exact=part)
    return Numbers((number, share._replace(bracketed=True)), note)
