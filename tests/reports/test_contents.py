"""The report's tables and figures: those that the rules expect are those that are made."""

from typing import Any

import made_sweeps
import polars as pl
import pytest
from made_figures import SIZES, comparisons, costs, entry, found

from crossedit import tables
from crossedit.reports import contents
from crossedit.reports.beside import Beside
from crossedit.reports.figures.pictures import pictures
from crossedit.reports.tabled import groups


@pytest.mark.parametrize(("langs", "asked"), [("en zh", "en zh"), ("en", "en"), ("zh", "en")])
def test_there_are_those_that_the_rules_expect(langs: str, asked: str) -> None:
    config: dict[str, Any] = {**entry([*SIZES, "ROME"], langs.split()), "evaluation_languages": asked.split()}
    config |= made_sweeps.entry(list(made_sweeps.SWEEPS), language="en")
    config |= {"include": [], "exclude": [], "reports": {"protocol": "teacher_forced"}}
    known, sweeps = found(config), made_sweeps.sweeps(config)
    compared = comparisons(config)
    drawn = [picture.name for picture in pictures(known.scores, known.grid, sweeps, compared, costs(config), config)]
    assert drawn == [figure.name for figure in contents.figures(config)]
    outcomes = pl.DataFrame(schema=tables.OUTCOMES.columns)
    beside = Beside.of(config, known.scores, known.grid)
    made = {
        sheet.name
        for group in groups(config, known.scores, known.grid, beside, compared, outcomes)
        for sheet in group.sheets
    }
    assert made == {table.name for table in contents.tables(config) if "Side" not in table.shows} - {"table_1_tiny"}
    several = len({*langs.split(), *asked.split()}) > 1
    assert ("gap_tiny" in drawn, "languages_tiny" in made) == (several, several)


def test_lists_say_what_a_file_is_of_and_how_it_was_asked() -> None:
    config: dict[str, Any] = {**entry(), **made_sweeps.entry(list(made_sweeps.SWEEPS)), "include": [], "exclude": []}
    config |= {"facts": {"tiny": {}, "my_facts": {"translation": {}}}, "reports": {"protocol": "teacher_forced"}}
    labels = {each.name: each.labels for each in [*contents.tables(config), *contents.figures(config)]}
    asked = {"asked": "teacher-forced"}
    assert labels["table_2_tiny_teacher_forced"] == {"of": "tiny", **asked}
    assert labels["languages_tiny"] == {"kind": "languages", "of": "tiny", **asked}
    sweep = "MEMIT-10 (10 facts per edit)"
    assert labels["answers_MEMIT-10_corrected"] == {"kind": "what was answered", "of": sweep, "asked": "corrected"}
    assert labels["edited_facts_MEMIT-10"] == {"kind": "the edited facts", "of": sweep, **asked}
    assert labels["weights_batch-single"] == {
        "kind": "change of weights by layer",
        "of": "batch-single",
        "asked": "–",
    }
    assert labels["agreement_my_facts"] == {"kind": "agreement on corrections", "of": "my_facts", "asked": "–"}
    # Nothing is listed twice in the same words.
    listed = [
        (each.shows, *each.labels.values())
        for every in (contents.tables(config), contents.figures(config))
        for each in every
    ]
    assert len(set(listed)) == len(listed)
