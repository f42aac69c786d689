"""What is said of a translation: `machine.json` of what the model made, `summary.json` of what people made of it.

Shares are 0 to 1; whatever has no value is None.
"""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from crossedit.facts import languages
from crossedit.translation import checks, records
from crossedit.translation.asking.prices import Budget, Prices
from crossedit.translation.records import Row
from crossedit.translation.reviews.agreement import agreement
from crossedit.translation.reviews.changes import changes, likeness, typical
from crossedit.translation.reviews.findings import findings
from crossedit.translation.reviews.merge import Merged, Sources, Word
from crossedit.translation.settings import CHECKS, Settings
from crossedit.translation.translate import Translated


def of_translation(settings: Settings, translated: Translated) -> dict[str, Any]:
    """Return what was translated, what failed and why, and what it took, as JSON values."""
    done = [row for row in translated.rows if row["origin"] == "translated"]
    failed = translated.failures
    counts, failures = _count(done), _count(failed)
    return {
        "source": settings.source,
        "targets": list(settings.targets),
        "records": len(done) + len(failed),
        "translated": len(done),
        "failed": len(failed),
        "failed_are": {"leave_out": "left out in all languages", "keep_source": "kept as they were"}[settings.failed],
        "splits": [
            {
                "split": split,
                "lang": lang,
                "model": settings.model_of(split),
                "translated_by": sorted({row["translated_by"] for row in done if _part(row) == (split, lang)}),
                "translated": counts[split, lang],
                "failed": failures[split, lang],
            }
            for split, lang in dict.fromkeys([*counts, *failures])
        ],
        "failures": failed,
        "reasons": dict(Counter(kind for question in translated.questions for kind in question.kinds).most_common()),
        "flagged": _flagged(settings, translated),
        "requests": _requests(settings, translated),
    }


def of_people(settings: Settings, rows: Sequence[Row], sources: Sources, merged: Merged) -> dict[str, Any]:
    """Return what people judged and changed of the machine's rows, and how far they agree, as JSON values.

    Of records, and of those of a language or split: `judged` counts those whose texts are all judged, `corrected` those
    of them that don't read as the machine's any more, `share` is the share of these; `in_part` and `in_part_corrected`
    count those of whose texts only some are judged.
    """
    states = _states(rows, merged)
    conflicts = merged.corrections.filter(outcome="conflict")
    return {
        "files": {
            "annotators": [str(path) for path in settings.corrections],
            "expert": [str(path) for path in settings.expert],
        },
        **_counts(states),
        "splits": [
            {"split": split, "lang": lang, **_counts(its)}
            for (split, lang), its in _grouped(states, "split", "lang").items()
        ],
        "languages": [
            {"lang": lang, **_counts(its), **_of_language(lang, rows, merged)}
            for (lang,), its in _grouped(states, "lang").items()
        ],
        "people": _people(merged),
        "conflicts": [
            {name: said[name][0] for name in ("split", "case_id", "lang", "field", "source", "machine")}
            | {"texts": dict(said.select("by", "corrected").iter_rows())}
            for said in conflicts.partition_by("split", "case_id", "lang", "field", maintain_order=True)
        ],
        "remarks": _remarks(merged),
        "findings": findings(settings.source, rows, sources, merged.rows),
        "elsewhere": {"lines": len(merged.elsewhere), "first": merged.elsewhere[:10]},
    }


def parts(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what `of_people` says of each language, and of each split where one has several, that somebody judged."""
    for language in said["languages"]:
        splits = [split for split in said["splits"] if split["lang"] == language["lang"]]
        its = [language, *splits] if len(splits) > 1 else [language]
        yield from (part for part in its if part["judged"] or part["in_part"])


def sentence_of_translation(said: Mapping[str, Any]) -> str:
    """Return what `of_translation` says, for the terminal."""
    requests = said["requests"]
    # Recorded answers have neither model nor price.
    known = requests["prices"] and requests["dollars"] is not None
    cost = f", {requests['dollars']:.2f} dollars in all" if known else ""
    text = (
        f"{said['translated']:,} of {said['records']:,} records translated; {requests['asked']:,} requests asked, "
        f"{requests['stored']:,} answers from the store{cost}."
    )
    if said["failed"]:
        text += f"\n{said['failed']:,} failed: their cases are {said['failed_are']}; the summary says why."
    return text


def sentence_of_people(said: Mapping[str, Any], facts: Path, corrections: Path) -> str:
    """Return what `of_people` says of the machine's facts and the table of corrections, for the terminal."""
    if not said["people"]:
        text = f"Nobody has judged any of the {said['records']:,} records; they are as the model made them."
    else:
        text = "\n".join(map(_sentence, parts(said)))
        text += f"\nJudged by {', '.join(dict.fromkeys(person['by'] for person in said['people']))}."
        if found := said["findings"]["records"]:
            since = said["findings"]["since_corrected"]
            text += f" Records in which checks find something: {found:,}, of these only since people changed them: "
            text += f"{since:,}; the summary lists them."
    if elsewhere := said["elsewhere"]["lines"]:
        text += f" The files also hold judgements of cases that this draw of facts doesn't have (lines: {elsewhere:,})."
    if conflicts := len(said["conflicts"]):
        files = f"--facts {shlex.quote(str(facts))} --conflicts {shlex.quote(str(corrections))}"
        text += (
            f"\nTexts that people don't agree on: {conflicts:,}; the machine's are kept. For the expert's file: "
            f"crossedit translation review {files} --out review/expert --by expert"
        )
    return text


def _sentence(part: Mapping[str, Any]) -> str:
    text = languages.name(part["lang"]) + (f", {part['split']}" if "split" in part else "")
    text += f": {part['judged']:,} of {part['records']:,} records judged whole"
    if part["judged"]:
        text += f", {part['corrected']:,} of these corrected ({part['share']:.1%})"
    if part["in_part"]:
        text += f"; {part['in_part']:,} judged in part, {part['in_part_corrected']:,} of these corrected"
    return f"{text}; open conflicts: {part['open_conflicts']:,}."


def _part(row: Row) -> tuple[str, str]:
    return row["split"], row["lang"]


def _count(rows: Iterable[Row]) -> Counter[tuple[str, str]]:
    return Counter(map(_part, rows))


def _flagged(settings: Settings, translated: Translated) -> dict[str, dict[str, Any]]:
    """Return for each check that only flags in how many of the translated records it found something."""
    found = Counter[str]()
    for question in translated.questions:
        if question.translation is not None:
            its = checks.find(question.record, question.translation, settings.source, question.target)
            found.update({finding.check for finding in its})
    return {
        check: {"records": found[check], "means": CHECKS[check]}
        for check, severity in settings.checks.items()
        if severity == "flag"
    }


def _requests(settings: Settings, translated: Translated) -> dict[str, Any]:
    """Return how many answers there are from where, their tokens, and what they have cost in all runs together."""
    answers = [answer for question in translated.questions for answer in question.answers]
    asked = {question.first["model"] for question in translated.questions if question.answers}
    recorded = sum(answer.recorded_from is not None for answer in answers)
    tokens = Counter[str]()
    for answer in answers:
        tokens.update({name: count for name, count in (answer.usage or {}).items() if isinstance(count, int)})
    # What is stored is told also where the budget of a further run has no price.
    budget, prices = Budget(replace(settings, budget=None), translated.questions), Prices.of(settings)
    return {
        "asked": translated.asked,
        "stored": len(answers) - translated.asked,
        "recorded": recorded,
        "batched": sum(answer.batch is not None for answer in answers),
        "tokens": dict(tokens),
        "dollars": 0.0 if recorded == len(answers) else round(budget.spent, 6) if budget.priced else None,
        "prices": {} if recorded == len(answers) else {model: prices.where(model) for model in sorted(asked)},
    }


def _states(rows: Sequence[Row], merged: Merged) -> list[Row]:
    """Return of each record how much of it is judged, whether it is corrected, and its number of open conflicts."""
    judged = Counter(index for index, _ in merged.words)
    case = ("split", "case_id", "lang")
    fields = merged.corrections.filter(outcome="conflict").select(*case, "field").unique()
    conflicts = Counter(fields.select(*case).iter_rows())
    return [
        {
            "split": new["split"],
            "lang": new["lang"],
            "judged": 0 < judged[index] == len(records.of_row(old)),
            "in_part": 0 < judged[index] < len(records.of_row(old)),
            "corrected": new["origin"] == "corrected",
            "open_conflicts": conflicts[tuple(new[name] for name in case)],
        }
        for index, (old, new) in enumerate(zip(rows, merged.rows, strict=True))
    ]


def _counts(states: Sequence[Row]) -> dict[str, Any]:
    judged, in_part = ([state for state in states if state[name]] for name in ("judged", "in_part"))
    corrected, more = (sum(state["corrected"] for state in its) for its in (judged, in_part))
    return {
        "records": len(states),
        "judged": len(judged),
        "corrected": corrected,
        "share": round(corrected / len(judged), 4) if judged else None,
        "in_part": len(in_part),
        "in_part_corrected": more,
        "open_conflicts": sum(state["open_conflicts"] for state in states),
    }


def _grouped(rows: Sequence[Row], *names: str) -> dict[tuple[str, ...], list[Row]]:
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return found


def _of_language(lang: str, rows: Sequence[Row], merged: Merged) -> dict[str, Any]:
    """Return what is to be said of one language's texts field by field, and of the people who judged them."""
    words = {unit: said for unit, said in merged.words.items() if rows[unit[0]]["lang"] == lang}
    texts: dict[str, list[tuple[str, str]]] = {field: [] for field in records.FIELDS}
    for index, field in words:
        texts[field].append((rows[index][field], merged.rows[index][field]))
    changed = {field: [pair for pair in its if pair[0] != pair[1]] for field, its in texts.items()}
    return {
        "fields": [
            {
                "field": field,
                "judged": len(its),
                "changed": len(changed[field]),
                "share": round(len(changed[field]) / len(its), 4),
            }
            for field, its in texts.items()
            if its
        ],
        "agreement": agreement(words),
        "likeness": {"changed": _likeness(changed, lang), "judged": _likeness(texts, lang)},
        "typical": typical(changes(merged.corrections.filter(lang=lang))),
    }


def _likeness(texts: Mapping[str, Sequence[tuple[str, str]]], lang: str) -> dict[str, Any]:
    pairs = [pair for its in texts.values() for pair in its]
    return likeness([machine for machine, _ in pairs], [corrected for _, corrected in pairs], lang)


def _people(merged: Merged) -> list[dict[str, Any]]:
    """Return for each person how much they judged and changed, and how many of their changes stand."""
    said: dict[tuple[str, str, str], list[tuple[int, Word]]] = {}
    for (index, _), words in merged.words.items():
        for word in words:
            said.setdefault((word.role, word.by, merged.rows[index]["lang"]), []).append((index, word))
    own = merged.corrections.filter(pl.col("stands") & (pl.col("corrected") != pl.col("machine")))
    stand = Counter(own.select("role", "by", "lang").iter_rows())
    return [
        {
            "by": by,
            "role": role,
            "lang": lang,
            "records": len({index for index, _ in its}),
            "fields": len(its),
            "changed": sum(word.changed for _, word in its),
            "stands": stand[role, by, lang],
        }
        for (role, by, lang), its in sorted(said.items())
    ]


def _remarks(merged: Merged) -> list[dict[str, Any]]:
    """Return the notes on texts that nobody would change; those on changes stand in the table of corrections."""
    return [
        {name: merged.rows[index][name] for name in ("split", "case_id", "lang")}
        | {"field": field, "by": word.by, "note": word.note}
        for (index, field), said in sorted(merged.words.items(), key=lambda unit: unit[0][0])
        if not any(word.changed for word in said)
        for word in said
        if word.note
    ]
