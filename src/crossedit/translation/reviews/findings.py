"""What checks find in the records as people want them: each text may be right, and the record broken.

So where two people correct the subject, and don't agree on the question that it must stand in.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from crossedit.translation import checks, records
from crossedit.translation.records import Row
from crossedit.translation.reviews.merge import Sources
from crossedit.translation.settings import CHECKS


def findings(
    source: str, before: Sequence[Row], sources: Sources, now: Sequence[Row], most: int = 10
) -> dict[str, Any]:
    """Return what checks find in the rows as they read now, as JSON values; `before` they were the machine's.

    records: in how many they find something; since_corrected: in how many of these something that the machine's text
    had not; checks: the same by check, with the first cases, those of people's corrections before the others.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for old, new in zip(before, now, strict=True):
        its = _find(source, sources, new)
        known = {finding[:2] for finding in (its if old == new else _find(source, sources, old))}
        for check, field, message in its:
            case = {name: new[name] for name in ("split", "case_id", "lang")}
            case |= {"field": field, "message": message, "since_corrected": (check, field) not in known}
            found.setdefault(check, []).append(case)
    return {
        **_counts([case for cases in found.values() for case in cases]),
        "checks": {
            check: {
                "means": means,
                **_counts(found[check]),
                "cases": sorted(found[check], key=lambda case: not case["since_corrected"])[:most],
            }
            for check, means in CHECKS.items()
            if check in found
        },
    }


def _find(source: str, sources: Sources, row: Row) -> list[checks.Finding]:
    record = records.of_row(sources[row["split"], row["case_id"]])
    return checks.find(record, records.of_row(row), source, row["lang"])


def _counts(cases: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found = {(case["split"], case["case_id"], case["lang"], case["since_corrected"]) for case in cases}
    return {"records": len({of[:3] for of in found}), "since_corrected": sum(of[3] for of in found)}
