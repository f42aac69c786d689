"""What a report shows of translations: what the model made, what people changed in it, and how far they agree.

It is made of `machine.json` and `summary.json` in translation/FACTS/.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from crossedit.errors import UserError
from crossedit.reports.naming import language, union
from crossedit.reports.owners import owner_of
from crossedit.reports.scores import DASH
from crossedit.reports.sheets import Cell, Column, Number, Sheet
from crossedit.translation.summary import parts

Said = Mapping[str, Any]

# The share of test records that the correctors of Bi-ZsRE changed (Wang et al., section 3).
PUBLISHED_SHARE = "6.0"


class Report(NamedTuple):
    """What the page says about the translation of one set of facts; None where nothing was given."""

    facts: str
    machine: Said | None
    models: Sheet | None
    people: Said | None
    parts: list[Said]  # languages, and their splits, that people have judged
    typical: list[tuple[str, list[Said]]]  # by language


def reports(summaries: Mapping[Path, Said]) -> list[Report]:
    """Return a report for each set of facts among files' contents; those that are of no translation are passed over."""
    machines = {owner_of(path): summary for path, summary in summaries.items() if "requests" in summary}
    people = people_of({path: summary for path, summary in summaries.items() if "people" in summary})
    return [_report(facts, machines.get(facts), people.get(facts)) for facts in union(machines, people)]


def people_of(summaries: Mapping[Path, Said]) -> dict[str, Said]:
    """Return what people did, by facts, of files' contents. Raises UserError where one doesn't say it."""
    for path, summary in summaries.items():
        if missing := [name for name in ("people", "languages", "splits", "judged", "in_part") if name not in summary]:
            raise UserError(
                f"{path}: `{missing[0]}` is missing; name a file that `crossedit translation correct` of this version "
                "wrote."
            )
    return {owner_of(path): summary for path, summary in summaries.items()}


def _report(facts: str, machine: Said | None, people: Said | None) -> Report:
    return Report(
        facts=facts,
        machine=machine,
        models=models(machine, facts) if machine else None,
        people=people,
        parts=list(parts(people)) if people else [],
        typical=[(part["lang"], part["typical"]) for part in people["languages"]] if people else [],
    )


def sheets(people: Said, facts: str) -> list[Sheet]:
    """Return the tables of what people did to a set of facts (plan.CORRECTED), the typical changes last."""
    return [corrections(people, facts), agreement(people, facts), likeness(people, facts), changes(people, facts)]


def models(machine: Said, facts: str) -> Sheet:
    """Return how many records were translated by which model, as it calls itself, by split and language."""
    return Sheet(
        name=f"models_{facts}",
        title=f"Translations of {facts} by model",
        columns=(Column("Split"), Column("Language"), Column("By"), Column("Translated"), Column("Failed")),
        rows=tuple(
            (
                part["split"].capitalize(),
                language(part["lang"]),
                ", ".join(part["translated_by"]) or part["model"],
                Number.of(part["translated"]),
                Number.of(part["failed"]),
            )
            for part in machine["splits"]
        ),
        labels=3,
    )


def corrections(people: Said, facts: str) -> Sheet:
    """Return how much was judged and changed: records by split, texts by field and by person."""
    rows = []
    for part in people["languages"]:
        lang, name = part["lang"], language(part["lang"])
        rows.append((name, "Records", "all", *_records(part)))
        rows += [
            (name, "Records", split["split"], *_records(split)) for split in people["splits"] if split["lang"] == lang
        ]
        rows += [
            (name, "Texts", field["field"].replace("_", " "), DASH, *_changed(field["judged"], field["changed"]), DASH)
            for field in part["fields"]
        ]
        rows += [
            (
                *(name, "Texts by", f"{person['by']} ({person['role']})", DASH),
                *(*_changed(person["fields"], person["changed"]), Number.of(person["stands"])),
            )
            for person in people["people"]
            if person["lang"] == lang
        ]
    return Sheet(
        name=f"corrections_{facts}",
        title=f"Corrections of {facts}",
        columns=(
            *(Column("Language"), Column("Of"), Column("Which")),
            *(Column("All"), Column("Judged"), Column("Changed"), Column("Share, %"), Column("Stand")),
        ),
        rows=tuple(rows),
        labels=3,
        note="A record is judged where each of its texts is, by anybody; those judged in part, not counted: "
        f"{people['in_part']:,}. Shares are of what is judged. A person's changes stand where the facts have their "
        f"text. The paper of Bi-ZsRE has {PUBLISHED_SHARE} % of its test records changed by three correctors.",
    )


def agreement(people: Said, facts: str) -> Sheet:
    """Return how far annotators agree that texts need a change, all together and by two."""
    rows: list[tuple[Cell, ...]] = []
    undefined = []
    for part in people["languages"]:
        name, found = language(part["lang"]), part["agreement"]
        changed = found["changed"]
        several = (Number.of(changed["fields"]), _percent(changed["same_text"]))
        rows.append(
            (
                *(name, f"all {len(found['annotators'])}", Number.of(found["fields"]), _percent(found["raw"])),
                *(DASH, _number(found["alpha"], "{:.3f}"), *several),
            )
        )
        undefined += [found["undefined"], changed["undefined"]]
        for pair in found["pairs"]:
            figures = (Number.of(pair["fields"]), _percent(pair["raw"]), _number(pair["kappa"], "{:.3f}"))
            rows.append((name, ", ".join(pair["annotators"]), *figures, DASH, DASH, DASH))
            undefined.append(pair["undefined"])
    columns = (Column("Language"), Column("Annotators"), Column("Texts"), Column("Agree, %"), Column("Cohen's κ"))
    group = "Changed by several"
    return Sheet(
        name=f"agreement_{facts}",
        title=f"Agreement on corrections of {facts}",
        columns=(*columns, Column("Krippendorff's α"), Column("Texts", group), Column("Same text, %", group)),
        rows=tuple(rows),
        labels=2,
        note=f"On whether a text needs a change, of texts that at least two judged. {_why(undefined)}".strip(),
    )


def likeness(people: Said, facts: str) -> Sheet:
    """Return chrF and BLEU between the machine's texts and the corrected ones."""
    rows, undefined, signatures = [], [], dict[str, None]()
    for part in people["languages"]:
        for name, which in (("changed", "changed"), ("judged", "all judged")):
            found = part["likeness"][name]
            scores = (_number(found["chrf"], "{:.1f}"), _number(found["bleu"], "{:.1f}"))
            rows.append((language(part["lang"]), which, Number.of(found["texts"]), *scores))
            undefined.append(found["undefined"])
            signatures |= dict.fromkeys(found["signatures"].values())
    return Sheet(
        name=f"likeness_{facts}",
        title=f"The machine's texts of {facts} against the corrected ones",
        columns=(Column("Language"), Column("Texts"), Column("Number"), Column("chrF"), Column("BLEU")),
        rows=tuple(rows),
        labels=2,
        note=f"By sacreBLEU: {'; '.join(signatures) or DASH}. {_why(undefined)}".strip(),
    )


def changes(people: Said, facts: str) -> Sheet:
    """Return the pieces of text that were replaced most often, with an example of each."""
    rows = [
        (
            *(language(part["lang"]), piece["machine"] or DASH, piece["corrected"] or DASH, "; ".join(piece["notes"])),
            *(piece["example"]["machine"], piece["example"]["corrected"], Number.of(piece["fields"])),
        )
        for part in people["languages"]
        for piece in part["typical"]
    ]
    return Sheet(
        name=f"changes_{facts}",
        title=f"Typical changes in {facts}",
        columns=(
            *(Column("Language"), Column("Machine"), Column("Corrected"), Column("Why")),
            *(Column("Machine", "Example"), Column("Corrected", "Example"), Column("Texts")),
        ),
        rows=tuple(rows),
        labels=6,
        note="" if rows else "No text was changed.",
    )


def _records(part: Said) -> tuple[Cell, ...]:
    counts = (Number.of(part[name]) for name in ("records", "judged", "corrected"))
    return (*counts, _percent(part["share"]), DASH)


def _changed(judged: int, changed: int) -> tuple[Cell, ...]:
    return Number.of(judged), Number.of(changed), _percent(changed / judged if judged else None)


def _percent(share: float | None) -> Cell:
    return _number(None if share is None else 100 * share, "{:.1f}")


def _number(value: float | None, form: str) -> Cell:
    return DASH if value is None else Number(form.format(value), value)


def _why(undefined: Sequence[Mapping[str, str]]) -> str:
    """Return a sentence that says why figures are missing."""
    names = {"raw": "agreement", "kappa": "κ", "alpha": "α", "same_text": "same text", "chrf": "chrF", "bleu": "BLEU"}
    said = dict.fromkeys(f"{names[name]}: {reason}" for its in undefined for name, reason in its.items())
    return f"Without value: {'; '.join(said)}." if said else ""
