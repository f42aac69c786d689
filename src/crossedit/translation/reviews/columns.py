"""The columns of the files that people fill in, and how texts stand in them.

A spreadsheet program takes some texts of a CSV file for formulas, numbers or dates (`=1+1`, `3-4`, `007`), and would
calculate them or save them as something else. Such a text gets an apostrophe before it, and loses it again where it is
read; so does one that begins with an apostrophe itself, so that every text comes back as it was. What can't stand in
such files, as a NUL, stands as its number there, `_x0000_`, and so does what looks like such a number.
"""

import re

from crossedit.translation.reviews.names import named
from crossedit.translation.reviews.rows import Row

# What a person fills in.
FILLED_IN = ("corrected", "judged", "by", "note")
COLUMNS = ("split", "case_id", "lang", "field", "source", "machine", "checks", *FILLED_IN, "record")
# The expert also sees what the annotators would have.
EXPERT = (*COLUMNS[:7], "proposals", *COLUMNS[7:])

# The page's script uses the same expressions, so they are kept to what both languages understand.
MISTAKEN = (
    r"['=+\-@\t\r\n＝＋－＠][\s\S]*"  # an apostrophe, a formula
    r"|0[0-9]+|[0-9]{12,}"  # digits that get lost
    # What is short and holds a digit, but is no plain number and no fingerprint, may be a date or an amount somewhere.
    r"|(?!(?=[0-9e]*[a-df])[0-9a-f]{16}(?![\s\S]))(?=[\s\S]*[0-9０-９٠-٩۰-۹])(?=[\s\S]*[^0-9])[\s\S]{1,30}"
    r"|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]"
)
UNWRITABLE = r"[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}[_\x00-\x08\x0b-\x1f\ufffe\uffff])"
_MISTAKEN, _UNWRITABLE = re.compile(MISTAKEN), re.compile(UNWRITABLE)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def columns_of(rows: list[Row]) -> tuple[str, ...]:
    """Return the columns of a file of these rows: the expert's where there are proposals."""
    return EXPERT if any(row.proposals for row in rows) else COLUMNS


def values(row: Row, by: str) -> dict[str, str]:
    """Return what stands in the columns of a row before a person has filled anything in, but their name."""
    filled = {"corrected": "", "judged": "", "by": by, "note": ""}
    told = {
        name: str(getattr(row, name)) for name in ("split", "case_id", "lang", "field", "source", "machine", "record")
    }
    return {**told, **filled, "checks": "; ".join(findings(row)), "proposals": "\n".join(map(str, row.proposals))}


def findings(row: Row) -> list[str]:
    """Return what the checks say of a row, in the words that people know the fields by."""
    return [named(message, row.field) for message in row.checks]


def escaped(text: str) -> str:
    """Return the text with what files can't hold as numbers, as spreadsheets have it."""
    return _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def unescaped(text: str) -> str:
    """Return the text that stands so."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def guarded(text: str) -> str:
    """Return the text as it stands in a CSV file."""
    text = escaped(text)
    return f"'{text}" if _MISTAKEN.fullmatch(text) else text


def unguarded(text: str) -> str:
    """Return the text that stands so in a CSV file."""
    text = text[1:] if text.startswith("'") and _MISTAKEN.fullmatch(text[1:]) else text
    return unescaped(text)
