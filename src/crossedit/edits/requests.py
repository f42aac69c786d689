"""Edit requests: the facts to be changed, in the editing language."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from crossedit.errors import UserError


@dataclass(frozen=True)
class Request:
    """One fact to edit: the question, its subject, and the new answer, all in the editing language."""

    case_id: int
    lang: str
    subject: str
    prompt: str
    target: str
    original: str | None
    targets: Mapping[str, str]  # the new answer in every language of the facts table

    def subject_end(self) -> int:
        """Return where the subject ends in the prompt, as a character position; the last occurrence counts.

        Raises UserError where the prompt doesn't hold the subject.
        """
        start = self.prompt.rfind(self.subject)
        if start < 0:
            raise UserError(
                f"facts: case {self.case_id} ({self.lang}): subject '{self.subject}' is not in the prompt "
                f"'{self.prompt}'; set `subject_missing: leave_out` for these facts."
            )
        return start + len(self.subject)


def make_requests(facts: pl.DataFrame, language: str) -> list[Request]:
    """Return the requests of a facts table's rows in one language, in the order of their cases."""
    targets: dict[int, dict[str, str]] = {}
    for case_id, lang, target in facts.select("case_id", "lang", "target").iter_rows():
        targets.setdefault(case_id, {})[lang] = target
    rows = facts.filter(pl.col("lang") == language).sort("case_id")
    return [
        Request(
            case_id=row["case_id"],
            lang=language,
            subject=row["subject"],
            prompt=row["prompt"],
            target=row["target"],
            original=row["original"],
            targets=targets[row["case_id"]],
        )
        for row in rows.iter_rows(named=True)
    ]


def only_one(requests: Iterable[Request], method: str) -> Request:
    """Return the single request. Raises UserError where there are more: the method can't hold several at once."""
    first, *more = requests
    if more:
        raise UserError(
            f"editors: {method} edits one fact at a time; for {len(more) + 1} facts at once use a method that batches."
        )
    return first


def language_of(requests: Sequence[Request]) -> str:
    """Return the editing language of a cell's requests. Raises UserError where there is nothing to edit."""
    if not requests:
        raise UserError(
            "facts: there are no test facts to edit in this language and shard; draw more, or use fewer shards."
        )
    return requests[0].lang


def asked_after(language: str) -> pl.Expr:
    """Return which questions are asked after edits in a language: reliability in it alone, the others in all."""
    return (pl.col("aspect") != "reliability") | (pl.col("lang") == language)
