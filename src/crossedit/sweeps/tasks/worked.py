"""Items with their right answers, as texts that a backbone can be trained on.

texts = worked(task, items)
"""

import polars as pl

from crossedit.facts.demo import TEXTS
from crossedit.sweeps.tasks.prompts import questions
from crossedit.sweeps.tasks.task import CORRECTED, Task


def worked(task: Task, items: pl.DataFrame, lang: str = "en") -> pl.DataFrame:
    """Return the prompts of ITEMS, as `corrected` asks them, and what is right: the columns of TEXTS, the kind
    being the task's name.

    Several names stand with commas between them; "none" says that there are none.
    """
    asked = questions(task.protocol(CORRECTED), CORRECTED, items)
    rows = [(task.name, lang, None, question.text, _answer(task, question.wanted)) for question in asked]
    return pl.DataFrame(rows, schema=TEXTS, orient="row")


def _answer(task: Task, wanted: list[str]) -> str:
    if task.protocol(CORRECTED).parts:
        return ", ".join(wanted) or "none"
    return wanted[0]
