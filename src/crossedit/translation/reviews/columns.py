"""The columns of the files that people fill in, and how texts stand in them.

A spreadsheet program takes some texts of a CSV file for formulas, numbers or dates (`=1+1`, `3-4`, `007`), and would
calculate them or save them as something else. Such a text gets an apostrophe before it, and loses it again where it is
read; so does one that begins with an apostrophe itself, so that every text comes back as it was.
"""

import re

from crossedit.translation.reviews.rows import Row

# What a person fills in.
FILLED_IN = ("corrected", "judged", "by", "note")
COLUMNS = ("split", "case_id", "lang", "field", "source", "machine", "checks", *FILLED_IN, "record")
# The expert also sees what the annotators would have.
EXPERT = (*COLUMNS[:7], "proposals", *COLUMNS[7:])

# The page's script uses the same expression, so it is kept to what both languages understand.
MISTAKEN = (
    r"['=+\-@\t\r\n＝＋－＠][\s\S]*"  # an apostrophe, a formula
    r"|[0-9]+([-/:.,][0-9]+)+|0[0-9]+|[0-9]{12,}|[0-9.]+[eE][+-]?[0-9]+"  # a date, a time, digits that get lost
)
_MISTAKEN = re.compile(MISTAKEN)


def columns_of(rows: list[Row]) -> tuple[str, ...]:
    """Return the columns of a file of these rows: the expert's where there are proposals."""
    return EXPERT if any(row.proposals for row in rows) else COLUMNS


def values(row: Row, by: str) -> dict[str, str]:
    """Return what stands in the columns of a row before a person has filled anything in, but their name."""
    filled = {"corrected": "", "judged": "", "by": by, "note": ""}
    told = {
        name: str(getattr(row, name)) for name in ("split", "case_id", "lang", "field", "source", "machine", "record")
    }
    return {**told, **filled, "checks": "; ".join(row.checks), "proposals": "\n".join(map(str, row.proposals))}


def guarded(text: str) -> str:
    """Return the text as it stands in a CSV file."""
    return f"'{text}" if _MISTAKEN.fullmatch(text) else text


def unguarded(text: str) -> str:
    """Return the text that stands so in a CSV file."""
    return text[1:] if text.startswith("'") and _MISTAKEN.fullmatch(text[1:]) else text
