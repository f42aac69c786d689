"""What a translation run says of itself: `summary.json`."""

from collections import Counter
from typing import Any

from crossedit.translation.corrections import Merged
from crossedit.translation.settings import Settings
from crossedit.translation.translate import Translated

Row = dict[str, Any]


def summarise(settings: Settings, translated: Translated, merged: Merged) -> dict[str, Any]:
    """Return the counts, shares (0 to 1), tokens and failures of a run as JSON values."""
    corrected = [row for row in merged.rows if row["origin"] == "corrected"]
    outcomes = translated.outcomes.values()
    answers = [answer for outcome in outcomes for answer in outcome.answers]
    usage: Counter[str] = Counter()
    for answer in answers:
        counts = answer.usage or {}
        usage.update({name: count for name, count in counts.items() if isinstance(count, int)})
    return {
        "source": settings.source,
        "targets": list(settings.targets),
        "records": len(translated.rows) + len(translated.failures),
        "translated": len(translated.rows),
        "failed": len(translated.failures),
        "corrected": len(corrected),
        "corrected_share": _share(len(corrected), len(translated.rows)),
        "splits": [
            {
                "split": split,
                "lang": lang,
                "model": settings.model_of(split),
                "translated": count,
                "failed": _count(translated.failures)[split, lang],
                "corrected": _count(corrected)[split, lang],
                "corrected_share": _share(_count(corrected)[split, lang], count),
            }
            for (split, lang), count in _count(translated.rows).items()
        ],
        "requests": {
            "asked": sum(outcome.asked for outcome in outcomes),
            "stored": len(answers) - sum(outcome.asked for outcome in outcomes),
            "recorded": sum(answer.recorded_from is not None for answer in answers),
            "tokens": dict(usage),
        },
        "corrections": {
            "file": str(settings.corrections) if settings.corrections else None,
            "fields": dict(merged.fields),
            "by": dict(merged.by),
            "of_cases_not_drawn": merged.elsewhere,
        },
        "left_out": {
            "rule": "a case is in the facts table in all languages or in none",
            "failures": translated.failures,
        },
    }


def _count(rows: list[Row]) -> Counter[tuple[str, str]]:
    return Counter((row["split"], row["lang"]) for row in rows)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
