"""Tables of paired comparisons: how far editors are apart, and how far languages are.

editors(comparisons, grid, facts)        editors_FACTS, of a COMPARISONS table
languages(comparisons, grid, facts)      languages_FACTS
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

import polars as pl

from crossedit import UNEDITED
from crossedit.facts.languages import others
from crossedit.reports.bizsre import MEASURES
from crossedit.reports.comparisons import LEGEND, Comparison, Comparisons, Of, Side, together
from crossedit.reports.grid import Grid
from crossedit.reports.naming import ASPECTS, FEW, PROTOCOLS, asked, f1_metric, language, method
from crossedit.reports.scores import DASH
from crossedit.reports.sheets import Cell, Column, Numbers, Sheet, Shown
from crossedit.reports.sheets.cells import shown

_OVER = (
    "Over the facts that both have. Corrected together are all comparisons of a backbone that are of one kind, aspect "
    "and measure{apart}."
)
_APART = ", those in the editing language apart from those in others"
_SEVERAL = (
    "Of several languages the number is the mean of the differences, and in how many of them it is significant; the "
    "mean's interval resamples the same facts in all of them."
)
_MANY = f"Of more than {FEW} other languages each fact's mean is compared."


def editors(comparisons: pl.DataFrame, grid: Grid, facts: str) -> Sheet:
    """Return how far each two editors, the unedited backbone among them, are apart in the editing language.

    And in the others, of which there may be too many for columns of their own.
    """
    known = _known(comparisons, grid, facts, ["editors"])
    rows: list[tuple[Cell, ...]] = []
    for backbone, edit_lang in _places(grid, facts):
        elsewhere = _elsewhere(known, [lang for lang in grid.langs if lang != edit_lang])
        columns = [(aspect, [edit_lang]) for aspect in ASPECTS] + [(aspect, elsewhere) for aspect in ASPECTS[1:]]
        for first, second in combinations(_editors(grid, facts, backbone, edit_lang), 2):
            rows.append(
                (
                    backbone,
                    language(edit_lang),
                    method(first),
                    method(second),
                    *(
                        _cell(
                            known,
                            Of(facts, backbone, "editors", aspect, grid.protocol, ""),
                            [(Side(first, edit_lang, lang), Side(second, edit_lang, lang)) for lang in langs],
                        )
                        for aspect, langs in columns
                    ),
                )
            )
    return _sheet(
        name=f"editors_{facts}",
        title=f"Edits of {facts}, {asked(grid.protocol)}: differences between editors in points, F1 / EM",
        labels=("Backbone", "Edited in", "Method", "Less"),
        columns=[
            *(Column(aspect.capitalize(), "In the editing language") for aspect in ASPECTS),
            *(Column(aspect.capitalize(), "In other languages") for aspect in ASPECTS[1:]),
        ],
        rows=rows,
        note=(
            "By how much the first method's score lies above the second's. The unedited backbone's locality is 1 by "
            f"definition, and nothing is compared with it. {PROTOCOLS.get(grid.protocol, '')}"
        ),
        over=[_OVER.format(apart=_APART), known.counted, *_of_others(grid)],
        nothing="There are no two methods to compare.",
    )


def languages(comparisons: pl.DataFrame, grid: Grid, facts: str) -> Sheet:
    """Return how far the editing language is above others that are asked, and how far editing languages are apart."""
    known = _known(comparisons, grid, facts, ["asked_in", "edited_in"])
    rows = [
        (backbone, kind, method(editor), language(first), _named(less), *cells)
        for backbone in grid.backbones
        for kind, found in (("asked in", _asked_in), ("edited in", _edited_in))
        for editor in _editors(grid, facts, backbone)
        if (editor, kind) != (UNEDITED, "edited in")
        for first, less, cells in found(known, grid, facts, backbone, editor)
    ]
    return _sheet(
        name=f"languages_{facts}",
        title=f"Edits of {facts}, {asked(grid.protocol)}: differences between languages in points, F1 / EM",
        labels=("Backbone", "Languages", "Method", "First", "Less"),
        columns=[Column(aspect.capitalize()) for aspect in ASPECTS],
        rows=rows,
        note=(
            "Asked in: by how much the editing language's score lies above that of the other language, of the same "
            "edits. Edited in: by how much the score of edits in the first language lies above that of edits in the "
            f"second, each asked in itself. {PROTOCOLS.get(grid.protocol, '')}"
        ),
        over=[_OVER.format(apart=""), known.counted, *_of_others(grid, len(grid.edit_langs) > 2)],
        nothing="There are no two languages to compare.",
    )


_Row = tuple[str, Sequence[str], list[Cell]]  # the first language, the others, a cell for each aspect


def _asked_in(known: Comparisons, grid: Grid, facts: str, backbone: str, editor: str) -> Iterator[_Row]:
    edit_langs = _edit_langs(grid, facts, backbone, editor)
    # The unedited backbone's second row of two languages would say the same as the first.
    for edit_lang in edit_langs[:1] if editor == UNEDITED and len(grid.langs) <= 2 else edit_langs:
        less = [lang for lang in grid.langs if lang != edit_lang]
        own = Side(editor, edit_lang, edit_lang)
        pairs = [(own, own._replace(lang=lang)) for lang in _elsewhere(known, less)]
        if less:
            yield edit_lang, less, _cells(known, Of(facts, backbone, "asked_in", "", grid.protocol, ""), pairs)


def _edited_in(known: Comparisons, grid: Grid, facts: str, backbone: str, editor: str) -> Iterator[_Row]:
    edit_langs = _edit_langs(grid, facts, backbone, editor)
    # Of two languages the second's row would say the same as the first's.
    for edit_lang in edit_langs[:1] if len(edit_langs) <= 2 else edit_langs:
        less = [lang for lang in edit_langs if lang != edit_lang]
        pairs = [(Side(editor, edit_lang, edit_lang), Side(editor, lang, lang)) for lang in less]
        if less:
            yield edit_lang, less, _cells(known, Of(facts, backbone, "edited_in", "", grid.protocol, ""), pairs)


def _known(comparisons: pl.DataFrame, grid: Grid, facts: str, kinds: Sequence[str]) -> Comparisons:
    """Return those that the sheet may show: of many languages there are very many."""
    return Comparisons(
        comparisons.filter(
            pl.col("facts") == facts, pl.col("protocol") == grid.protocol, pl.col("between").is_in(kinds)
        )
    )


def _places(grid: Grid, facts: str) -> list[tuple[str, str]]:
    return list(dict.fromkeys((backbone, edit_lang) for backbone, edit_lang, _ in grid.rows(facts)))


def _editors(grid: Grid, facts: str, backbone: str, edit_lang: str = "") -> list[str]:
    """Return the editors of a backbone, or of a language of it too; the unedited backbone last."""
    rows = {row[2] for row in grid.rows(facts) if row[0] == backbone and edit_lang in ("", row[1])}
    return [editor for editor in (*grid.editors, UNEDITED) if editor in rows]


def _edit_langs(grid: Grid, facts: str, backbone: str, editor: str) -> list[str]:
    return [row[1] for row in grid.rows(facts) if (row[0], row[2]) == (backbone, editor)]


def _cells(known: Comparisons, of: Of, pairs: Sequence[tuple[Side, Side]]) -> list[Cell]:
    return [_cell(known, of._replace(aspect=aspect), pairs) for aspect in ASPECTS]


def _cell(known: Comparisons, of: Of, pairs: Iterable[tuple[Side, Side]]) -> Numbers:
    """Return F1's difference and EM's, of one pair or of several together; a dash where there is none."""
    pairs = list(pairs)
    parts: list[Shown] = []
    for measure, metric in zip(MEASURES, (f1_metric(of.protocol), "em"), strict=True):
        its = of._replace(metric=metric)
        found = [one for pair in pairs if (one := known.find(its, *pair))]
        average = _average(known, its, pairs[0], len(found)) if len(found) > 1 else None
        parts += together(found, measure, average) if found else [Shown(DASH, name=measure)]
    return Numbers(tuple(parts), "" if any(part.exact is not None for part in parts) else "not compared")


def _average(known: Comparisons, of: Of, pair: tuple[Side, Side], count: int) -> Comparison | None:
    """Return the comparison of the means over so many languages that are asked in; of editing languages there is none.

    pair: one of those that are averaged.
    """
    first, second = (side if side.lang == side.edit_lang else side._replace(lang=others(count)) for side in pair)
    return known.find(of, first, second) if (first, second) != pair else None


def _elsewhere(known: Comparisons, langs: Sequence[str]) -> list[str]:
    """Return what of the other languages is shown: each, or of more than FEW whichever mean there is."""
    return list(langs) if len(langs) <= FEW else known.means


def _named(less: Sequence[str]) -> str:
    return language(less[0]) if len(less) == 1 else others(len(less))


def _of_others(grid: Grid, several: bool = False) -> Iterator[str]:
    """Yield what is to be known of numbers of more languages than one."""
    if len(grid.langs) - 1 > FEW:
        yield _MANY
    if several or 2 < len(grid.langs) <= FEW + 1:
        yield _SEVERAL


def _sheet(
    name: str,
    title: str,
    labels: Sequence[str],
    columns: Sequence[Column],
    rows: Sequence[tuple[Cell, ...]],
    note: str,
    over: Iterable[str],
    nothing: str,
) -> Sheet:
    """Return the sheet without the rows in which nothing was compared; its note says how many or why it has none."""
    there = [row for row in rows if any(part.exact is not None for cell in row[len(labels) :] for part in shown(cell))]
    left_out = f"Rows left out in which nothing was compared yet: {len(rows) - len(there):,}."
    said = [note, *over, LEGEND] if there else [] if rows else [nothing]
    said += [left_out] if len(there) < len(rows) else []
    return Sheet(
        name=name,
        title=title,
        columns=(*map(Column, labels), *columns),
        rows=tuple(there),
        labels=len(labels),
        note=" ".join(map(str.strip, said)),
    )
