"""A small world for the tests of the recipe."""

import polars as pl

from crossedit.tables import FACTS

CITIES = {"en": ["Paris", "Rome", "Oslo", "Cairo"], "zh": ["巴黎", "罗马", "奥斯陆", "开罗"]}
COINS = {"en": ["franc", "lira", "crown", "pound"], "zh": ["法郎", "里拉", "克朗", "镑"]}
LANDS = {"en": ["France", "Italy", "Norway", "Egypt"], "zh": ["法国", "意大利", "挪威", "埃及"]}
ASKED = {
    ("capital", "en"): ("What is the capital of {}?", "Which city does {} govern from?"),
    ("capital", "zh"): ("{}的首都是哪里？", "{}政府在哪座城市？"),
    ("money", "en"): ("What is the money of {}?", "How does one pay in {}?"),
    ("money", "zh"): ("{}的货币是什么？", "在{}用什么付款？"),
}


def small_facts() -> pl.DataFrame:
    """Four countries with two relations each, in two languages; half of them for training, half held out."""
    rows = []
    for number in range(8):
        land, (relation, answers) = number % 4, (("capital", CITIES), ("money", COINS))[number // 4]
        sibling, others = (("money", COINS), ("capital", CITIES))[number // 4]
        for lang in ("en", "zh"):
            name, after = LANDS[lang][land], LANDS[lang][(land + 1) % 4]
            prompt, rephrase = (text.format(name) for text in ASKED[relation, lang])
            rows.append(
                {
                    "split": "test" if number % 2 else "train",
                    "case_id": number,
                    "lang": lang,
                    "relation": relation,
                    "subject": name,
                    "prompt": prompt,
                    "target": answers[lang][(land + 1) % 4],
                    "original": answers[lang][land],
                    "rephrase": rephrase,
                    # Both ways in which another question might be a held-out rephrase.
                    "locality_prompt": ASKED[relation, lang][number % 2].format(after),
                    "locality_answer": answers[lang][(land + 1) % 4],
                    "same_subject_prompt": ASKED[sibling, lang][number % 2].format(name),
                    "same_subject_answer": others[lang][land],
                    "portability_prompt": None,
                    "portability_answer": None,
                    "origin": "source",
                }
            )
    return pl.DataFrame(rows, schema=FACTS.columns)


def small_texts() -> pl.DataFrame:
    """A statement, a hop, an attribute, and a held-out rephrase that someone wrote down again."""
    rows = [
        ("statement", "en", 1, "The capital of Italy is", "Rome"),
        ("hop", "en", 1, "On which river is the capital of Italy?", "Tiber"),
        ("attribute", "en", None, "On which river is Rome?", "Tiber"),
        ("statement", "en", 1, "which city does Italy govern from", "Rome"),
    ]
    return pl.DataFrame(rows, schema=["kind", "lang", "case_id", "text_prompt", "text_answer"], orient="row")
