"""A record to be translated: what has to be asked for it next, given the answers so far.

question = question_of(row, "zh", settings, prompt)
question.replay(store)                          goes through the answers that are stored
question.request, question.attempt              what to ask next; the request is None where nothing more is asked
question.take(answer)                           reads the answer: a translation, or a reason to ask again
question.give_up(reason)                        asks no further in this run, as the server doesn't answer
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossedit.files import digest
from crossedit.translation import checks, records
from crossedit.translation.settings import CHECKS, Settings
from crossedit.translation.store import Answer, Store


@dataclass
class Question:
    """One record in one target language; it serves every row that asks for the same."""

    first: dict[str, Any]  # the request that opens the talk
    record: dict[str, str]
    target: str
    settings: Settings
    request: dict[str, Any] | None = None
    answers: list[Answer] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)  # why each answer so far can't be used, or none came
    kinds: list[str] = field(default_factory=list)  # the same without what is particular to the record
    translation: dict[str, str] | None = None

    def __post_init__(self) -> None:
        self.request = self.first

    @property
    def key(self) -> str:
        """What tells it from other questions."""
        return digest(self.first)

    @property
    def attempt(self) -> int:
        """The number of the request that comes next, from 1."""
        return len(self.answers) + 1

    def replay(self, store: Store) -> None:
        """Take the answers that the store holds, one after the other."""
        while self.request is not None:
            answer = store.get(self.request, self.attempt)
            if answer is None:
                return
            self.take(answer)

    def take(self, answer: Answer) -> None:
        """Read the answer to `request`; where it can't be used, `request` becomes what to ask next, if anything."""
        assert self.request is not None
        asked, self.request = self.request, None
        self.answers.append(answer)
        try:
            self.translation = self._read(answer)
        except records.Unusable as reason:
            self._note(str(reason), *reason.kinds)
            if len(self.answers) < self.settings.attempts:
                said = answer.answer or answer.refusal or ""
                self.request = records.again(asked, said, str(reason), self.target)

    def give_up(self, reason: str) -> None:
        """Ask nothing further, as the server goes on refusing; nothing of it is stored, so a later run tries again."""
        self.request = None
        self._note(reason, "no answer from the server")

    def _note(self, reason: str, *kinds: str) -> None:
        self.reasons.append(reason)
        self.kinds += kinds

    def _read(self, answer: Answer) -> dict[str, str]:
        if answer.refusal:
            raise records.Unusable(f"the model refuses: {answer.refusal}", "the model refuses")
        translation = records.read_answer(answer.answer, self.record, fenced=self.settings.fenced == "read")
        found = checks.find(self.record, translation, self.settings.source, self.target)
        faults = [finding for finding in found if self.settings.checks[finding.check] == "ask"]
        if faults:
            kinds = (CHECKS[fault.check] for fault in faults)
            raise records.Unusable("; ".join(fault.message for fault in faults), *kinds)
        return translation


def question_of(row: Mapping[str, Any], target: str, settings: Settings, prompt: str) -> Question:
    """Return what has to be asked for this row of the source language, in the words of the prompt."""
    record = records.of_row(row)
    model = settings.model_of(row["split"])
    return Question(records.request(record, settings.source, target, model, prompt), record, target, settings)
