"""The report's tables and figures: those that the rules expect are those that are made."""

from typing import Any

import made
import made_sweeps
import polars as pl
import pytest
from made_figures import SIZES, comparisons, costs, entry, found

from crossedit import tables
from crossedit.reports import contents
from crossedit.reports.figures.pictures import pictures
from crossedit.reports.tabled import Given, groups


@pytest.mark.parametrize(("langs", "asked"), [("en zh", "en zh"), ("en", "en"), ("zh", "en")])
def test_there_are_those_that_the_rules_expect(langs: str, asked: str) -> None:
    config: dict[str, Any] = {**entry([*SIZES, "ROME"], langs.split()), "evaluation_languages": asked.split()}
    config |= made_sweeps.entry(list(made_sweeps.SWEEPS), language="en")
    config |= {"include": [], "exclude": [], "reports": {"protocol": "teacher_forced"}}
    known, sweeps = found(config), made_sweeps.sweeps(config)
    compared = comparisons(config)
    drawn = [picture.name for picture in pictures(known.scores, known.grid, sweeps, compared, costs(config), config)]
    assert drawn == [figure.name for figure in contents.figures(config)]
    lengths, outcomes = (pl.DataFrame(schema=table.columns) for table in (tables.TABLE_1, tables.OUTCOMES))
    corrected = made.translation()["summary.json"]
    given = Given({"tiny": lengths}, {"tiny": corrected}, compared, outcomes)
    config["facts"] = {"tiny": {"translation": {}}}
    config["capability"] = {"tasks": ["mmlu"], "backbones": ["small"]}
    names = [sheet.name for group in groups(config, known.scores, known.grid, sweeps, given) for sheet in group.sheets]
    assert sorted(names) == sorted(table.name for table in contents.tables(config))
    several = len({*langs.split(), *asked.split()}) > 1
    assert ("gap_tiny" in drawn, "languages_tiny" in names) == (several, several)


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
