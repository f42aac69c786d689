"""Everything about a single file."""

from dataclasses import dataclass

import polars as pl

from crossedit.facts.build import POOL, oddities_table
from crossedit.facts.checks import find
from crossedit.facts.joining import join
from crossedit.facts.languages import code
from crossedit.facts.layouts import LINES
from crossedit.facts.reading import Source, read


@dataclass(frozen=True)
class Checked:
    """A source and its oddities (ODDITIES, in the split `pool`), with the cases that `leave_out` would leave."""

    source: Source
    oddities: pl.DataFrame
    left: int

    @property
    def editable(self) -> bool:
        """Whether the file's records are facts: it names their subjects."""
        return self.source.layout != LINES.title


def check(path: str, language: str | None = None, seed: int = 0) -> Checked:
    """Return what is to be said of the file, all its languages being wanted and `subject_missing: leave_out`.

    Raises UserError where it can't be read.
    """
    if language is not None:
        language = code(language, "--language")
    source = read(path, language, [], seed)
    cases, found = join([source])
    found += find(cases, source.languages)
    table = oddities_table([(POOL, oddity) for oddity in found], "leave_out")
    return Checked(source, table, len(cases) - table.filter("left_out")["case_id"].n_unique())
