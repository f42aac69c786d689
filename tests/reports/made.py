"""Results folders made for tests: the published numbers as scores, and one small experiment with nasty texts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from crossedit import tables

PUBLISHED = Path(__file__).parents[2] / "resources/published"
NASTY = '<script>alert("1")</script> & \\textbf{x} | 50 % of $5_000 #1 ~^ [*] `q`'
KINDS = [
    ("reliability", ""),
    ("generality", ""),
    ("locality", "other_subject"),
    ("locality", "same_subject"),
    ("portability", ""),
]
ENTRY = {
    "facts": {"tiny": {}},
    "backbones": {"small": {}},
    "editors": {"ROME": {}, "IKE": {}, "late": {}},
    "languages": ["en", "zh"],
    "protocols": ["teacher_forced", "upstream"],
    "reports": {"protocol": "teacher_forced"},
}


def published(table: str) -> pl.DataFrame:
    """Return the rows that the table prints, its numbers as texts."""
    return pl.read_csv(PUBLISHED / "bizsre_tables_2_4.csv", infer_schema=False).filter(table=table)


def published_scores(table: str) -> pl.DataFrame:
    """Return SCORES, under `upstream`, that equal what the table prints."""
    rows = [
        {
            "facts": "bizsre",
            "backbone": row["backbone"],
            "editor": row["method"],
            "edit_lang": row["edit_language"],
            "aspect": row["aspect"],
            "kind": "all",
            "lang": row["evaluation_language"],
            "protocol": "upstream",
            "metric": metric,
            **dict.fromkeys(("mean", "low", "high"), float(row[column]) / 100),
            "n": 1037,
        }
        for row in published(table).iter_rows(named=True)
        for metric, column in (("f1_product", "f1"), ("em", "em"))
    ]
    return pl.DataFrame(rows, schema=tables.SCORES.columns)


def scores(
    editors: tuple[str, ...] = ("unedited", "ROME", "IKE"), langs: tuple[str, ...] = ("en", "zh")
) -> pl.DataFrame:
    """Return SCORES of the backbone `small`, all different, with three facts each."""
    return pl.DataFrame(list(_score_rows(editors, langs)), schema=tables.SCORES.columns, orient="row")


def _score_rows(editors: tuple[str, ...], langs: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    number = 0
    for editor in editors:
        for edit_lang in langs:
            for aspect, kind in [*KINDS, ("locality", "all")]:
                for lang in langs if aspect != "reliability" else [edit_lang]:
                    for protocol in ("teacher_forced", "upstream"):
                        for metric in ("em", "f1", "f1_product"):
                            number += 1
                            mean = number * 7919 % 1000 / 1000
                            place = ("tiny", "small", editor, edit_lang, aspect, kind or "all", lang, protocol, metric)
                            yield (*place, mean, max(0.0, mean - 0.05), min(1.0, mean + 0.05), 3)


def predictions(cases: int, text: str = NASTY) -> pl.DataFrame:
    """Return PREDICTIONS of an edit in English; every text holds `text`, every answer is right."""
    rows = [
        (case, aspect, kind, lang, "teacher_forced", f"{text} {case}?", text, [1], text, [2], text, [1], text)
        for case in range(cases)
        for aspect, kind in KINDS
        for lang in (("en", "zh") if aspect != "reliability" else ("en",))
    ]
    return pl.DataFrame(rows, schema=tables.PREDICTIONS.columns, orient="row")


def translation(text: str = NASTY) -> dict[str, Any]:
    """Return what machine.json and summary.json say of facts of which four were translated; every text holds `text`."""
    nothing = {"chrf": None, "bleu": None, "texts": 0, "tokenizer": "zh", "signatures": {}}
    counts = {"records": 8, "judged": 3, "corrected": 1, "share": 0.3333}
    counts |= {"in_part": 2, "in_part_corrected": 1, "open_conflicts": 1}
    example = {"case_id": 1, "lang": "zh", "field": "prompt", "source": text, "machine": text, "corrected": text}
    piece = {"machine": text, "corrected": "", "fields": 7, "notes": [text], "example": example}
    pair = {"annotators": ["ann", text], "fields": 9, "raw": 0.8, "kappa": 0.524, "undefined": {}}
    said = {
        "lang": "zh",
        **counts,
        "fields": [{"field": "portability_prompt", "judged": 3, "changed": 1, "share": 0.3333}],
        "agreement": {
            "fields": 9,
            "annotators": ["ann", text],
            "raw": 0.8,
            "alpha": 0.548,
            "undefined": {},
            "pairs": [pair],
            "changed": {"fields": 0, "same_text": None, "undefined": {"same_text": "nobody changed a text"}},
        },
        "likeness": {
            "changed": nothing | {"undefined": {"chrf": "no text", "bleu": "no text"}},
            "judged": nothing
            | {"texts": 9, "chrf": 98.7, "bleu": 97.6, "signatures": {"bleu": "v:2"}, "undefined": {}},
        },
        "typical": [piece],
    }
    conflict = {"split": "test", **example, "texts": {"ann": text, "ben": text}}
    person = {"by": text, "role": "annotator", "lang": "zh", "records": 3, "fields": 9, "changed": 2, "stands": 1}
    case = {"split": "test", "case_id": 1, "lang": "zh"}
    found = {"records": 2, "since_corrected": 1}
    finding = case | {"field": "prompt", "message": text, "since_corrected": True}
    people = {
        "files": {"annotators": [text], "expert": []},
        **counts,
        "people": [person],
        "conflicts": [conflict],
        "splits": [{"split": "test", "lang": "zh", **counts}],
        "languages": [said],
        "remarks": [case | {"field": "portability_answer", "by": text, "note": text}],
        "findings": {**found, "checks": {"subject": {"means": text, **found, "cases": [finding]}}},
        "elsewhere": {"lines": 1234, "first": ["ann.csv: line 9"]},
    }
    machine = {
        "source": "en",
        "targets": ["zh"],
        "records": 4,
        "translated": 3,
        "failed": 1,
        "failed_are": "left out in all languages",
        "reasons": {text: 2},
        "flagged": {},
        "splits": [
            {"split": "test", "lang": "zh", "model": "m", "translated_by": [text], "translated": 3, "failed": 1}
        ],
        "failures": [{"split": "test", "case_id": 9, "lang": "zh", "model": text, "reasons": [text, text]}],
        "requests": {
            "asked": 5,
            "stored": 1,
            "recorded": 0,
            "batched": 0,
            "tokens": {"prompt_tokens": 1234},
            "dollars": 0.123,
            "prices": {text: "a price list"},
        },
    }
    return {"machine.json": machine, "summary.json": people}


def results(folder: Path, cases: int = 3) -> dict[str, list[str]]:
    """Write a results folder and return its files by the option of `crossedit reports page` that takes them."""
    cell = folder / "edits/tiny/small/ROME/en"
    tables.write(scores(), tables.SCORES, cell / "scores.parquet", {})
    made = {"device": "cpu", "seconds": {"edit": 6.0, "answer": 3.0, "facts": cases}}
    tables.write(predictions(cases), tables.PREDICTIONS, cell / "predictions.1-of-1.parquet", made)
    lengths = pl.DataFrame(
        [("test", "en", NASTY, 3, 11.4, 11.5, 3.1, 15.3, 5.6, None, None)], schema=tables.TABLE_1.columns, orient="row"
    )
    tables.write(lengths, tables.TABLE_1, folder / "translation/tiny/table_1.parquet", {})
    recall = [{"split": "test", "lang": "en", "asked": "prompt", "recall": 0.98, "n": 3}]
    card = {"parameters": 1000, "seconds": 9.5, "seed": 0, "recall": recall, "devices": [NASTY], "recipe": {"x": NASTY}}
    odd = {"repeated_subject": {"rows": 2, "cases": 1, "left_out": 0, "meaning": NASTY, "rule": "kept"}}
    summary = {"read": 4, "left_out": 1, "cases": {"test": 3}, "oddities": odd}
    said = {f"translation/tiny/{name}": content for name, content in translation().items()}
    for name, content in {
        "backbones/small/model/recipe.json": card,
        "facts/tiny/summary.json": summary,
        **said,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return {
        "--scores": [str(cell / "scores.parquet")],
        "--predictions": [str(cell / "predictions.1-of-1.parquet")],
        "--table-1": [str(folder / "translation/tiny/table_1.parquet")],
        "--backbones": [str(folder / "backbones/small/model")],
        "--summaries": [str(folder / name) for name in ("facts/tiny/summary.json", *said)],
    }
