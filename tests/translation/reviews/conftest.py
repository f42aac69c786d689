"""A machine's translation of a few records, some of them hostile."""

from typing import Any

import polars as pl
import pytest

from crossedit.tables import CORRECTIONS, FACTS
from crossedit.translation.reviews import page
from crossedit.translation.reviews import rows as review
from crossedit.translation.reviews.rows import Row

HOSTILE = (
    "=1+1",
    "+49 30",
    "-5",
    "@SUM(A1)",
    "\tTab",
    "'t Hooft",
    "''",
    "'=1",
    '"quoted"',
    "3-4",
    "1984",
    "007",
    "1.5e3",
    "12:30",
    "12345678901234567890",
    "a, b; c\td",
    "two\nlines",
    "#N/A",
    "TRUE",
    "_x0041_",
    "bell \x07",
    "</script><img onerror=alert(1) src=x>",
    "＝1",
    "ما عاصمة كندا؟",
    "＂全角＂，😀",
)


def facts_row(case: int, lang: str, split: str = "test", **texts: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(FACTS.columns)
    origin = "source" if lang == "en" else "translated"
    return row | {"split": split, "case_id": case, "lang": lang, "origin": origin} | texts


@pytest.fixture
def machine() -> pl.DataFrame:
    """Four English records with their translations into Chinese, and one into Arabic."""
    canada = {
        "subject": "Canada",
        "prompt": "What is the capital of Canada?",
        "target": "1984",
        "rephrase": "Ca., what?",
    }
    kanada = {"subject": "加拿大", "prompt": "加拿大的首都是哪里？", "target": "1984", "rephrase": "加拿大的首都？"}
    arabic = {"subject": "كندا", "prompt": "ما عاصمة كندا؟", "target": "1984", "rephrase": "كندا، ما عاصمتها؟"}
    rows = [
        facts_row(1, "en", **canada),
        facts_row(2, "en", split="train", **canada),
        facts_row(3, "en", **canada, original="Ottawa"),
        facts_row(7, "en", **canada, portability_prompt="Which river?", portability_answer="="),
        facts_row(1, "zh", **kanada),
        facts_row(2, "zh", split="train", **kanada),
        facts_row(3, "zh", **kanada, original="渥太华"),
        facts_row(7, "zh", **kanada, portability_prompt="哪条河？", portability_answer="="),
        facts_row(1, "ar", **arabic),
    ]
    return pl.DataFrame(rows, schema=FACTS.columns)


@pytest.fixture
def chinese(machine: pl.DataFrame) -> list[Row]:
    """The rows of the Chinese test records."""
    return review.rows(machine, languages=["zh"], splits=["test"])


@pytest.fixture
def hostile() -> list[Row]:
    """Rows whose texts would like to be something else."""
    return [
        Row("test", case, "zh", "target", source=text, machine=text, record="0" * 16, source_lang="en", checks=(text,))
        for case, text in enumerate(HOSTILE)
    ]


@pytest.fixture
def disputed() -> pl.DataFrame:
    """Two people who don't agree on a subject, and do on a question."""
    word = {"split": "test", "case_id": 1, "lang": "zh", "role": "annotator", "stands": False, "note": None}
    subject = word | {"field": "subject", "source": "Canada", "machine": "加拿大", "outcome": "conflict"}
    prompt = word | {"field": "prompt", "source": "?", "machine": "加拿大的首都是哪里？", "outcome": "agreed"}
    rows = [
        subject | {"by": "ana", "corrected": "加国", "note": "shorter"},
        subject | {"by": "bo", "corrected": "加拿大"},
        prompt | {"by": "ana", "corrected": "加拿大首都在哪里？", "stands": True},
    ]
    return pl.DataFrame(rows, schema=CORRECTIONS.columns)


@pytest.fixture
def opened(chromium, tmp_path):
    """Give what opens rows as a page; at the end, nothing may have been asked for and nothing have gone wrong."""
    contexts, troubles = [], []

    def watch(view):
        view.on("console", lambda message: troubles.append(message.text))
        view.on("pageerror", lambda error: troubles.append(str(error)))
        view.on("request", lambda request: request.url.startswith(("file:", "blob:")) or troubles.append(request.url))
        return view

    def open_page(rows, by="", again=None, first=""):
        """first: a script that runs before those of the page."""
        if again is None:
            page.write(rows, tmp_path / "zh.html", by)
            contexts.append(chromium.new_context(offline=True, accept_downloads=True))
            contexts[-1].add_init_script(first)
        view = watch((again.context if again else contexts[-1]).new_page())
        view.goto((tmp_path / "zh.html").as_uri())
        return view

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []
