"""What one person says of one translated text: that it is right, or how it should read.

However it was made, a file of corrections is a list of these.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Judgement:
    """One person's word on one field of one record, or on all of them.

    field None: the person has looked at the whole record; what no other judgement of theirs changes is right.
    """

    where: str  # file and line, row or task, for messages
    by: str
    case_id: int
    lang: str
    field: str | None
    machine: str | None  # the text that was judged
    corrected: str | None  # how it should read; the same text where it is right
    split: str | None = None  # needed only where splits number their cases alike
    note: str | None = None
    record: str | None = None  # the fingerprint of the source's record that was judged (records.fingerprint)

    def concerns(self, row: dict[str, Any]) -> bool:
        """Say whether the facts row is the one that was judged."""
        same = (self.case_id, self.lang) == (row["case_id"], row["lang"])
        return same and self.split in (None, row["split"])
