"""What the readers hand on: cases as the files have them, before anything is stripped or left out."""

from dataclasses import dataclass, field
from typing import Any

# The columns of the facts table that a file's fields become.
REQUIRED = ("subject", "prompt", "target")
QUESTIONS = ("prompt", "rephrase", "locality_prompt", "same_subject_prompt", "portability_prompt")
ANSWERS = ("target", "original", "locality_answer", "same_subject_answer", "portability_answer")
FIELDS = ("subject", *QUESTIONS, *ANSWERS)
# What stands before the locality questions of English ZsRE files; as text it would only be noise in a demonstration.
NQ_PREFIX = "nq question: "
# A question without its answer measures nothing, nor does an answer without its question.
PROBES = (
    ("locality_prompt", "locality_answer"),
    ("same_subject_prompt", "same_subject_answer"),
    ("portability_prompt", "portability_answer"),
)


@dataclass
class Half:
    """One case in one language.

    `values` holds the fields that the file has, verbatim, by their column of the facts table; `extras` what has no
    column of its own there (`pred`, `answers`, `cond`).
    """

    case_id: int
    lang: str
    file: str
    values: dict[str, str]
    extras: dict[str, Any] = field(default_factory=dict)
    relation: str | None = None
    cloze: bool = False  # the prompts are beginnings of sentences, not questions

    def get(self, name: str) -> str:
        """Return a field without its edge spaces, empty where the file has none."""
        return self.values.get(name, "").strip()


Case = dict[str, Half]  # by language
Cases = dict[int, Case]  # by case_id
