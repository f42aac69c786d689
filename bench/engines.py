"""Our editors and EasyEdit's side by side, in one run: what the edits do, and seconds per fact.

    python bench/engines.py --checkout ../EasyEdit --facts 50
    python bench/engines.py --checkout ../EasyEdit --config config/mzsre.yaml --editors ROME,MEMIT

Both get the same hyperparameters (those that EasyEdit has as constants in its code are set to these for ours too),
context texts, covariances, questions, and number of threads; both are asked by us, teacher-forced. EasyEdit's facts go
one at a time, ours all together. It needs the packages of envs/easyedit.yaml, and the experiment of the config.
"""

import sys
from pathlib import Path

import polars as pl
import torch
from rich.console import Console
from rich.table import Table

from crossedit.edits import easyeditor
from crossedit.edits.cell import run_cell
from crossedit.edits.easyeditor import METHODS, EasyEditor
from crossedit.edits.requests import Request
from crossedit.edits.scores import values
from crossedit.errors import UserError
from crossedit.tables import ANSWERS, read
from edits import Experiment, parser_of

PROTOCOLS = ["teacher_forced"]
Cell = tuple[pl.DataFrame, dict[str, float]]


def measure(
    experiment: Experiment, method: str, checkout: Path, requests: list[Request]
) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]], float]:
    """Return EasyEdit's and our seconds per fact, by part; exact match in percent, by what was asked; and how many
    answers of both are the same, in percent."""
    backbone, probes = experiment.backbone, experiment.probes
    unedited = read(experiment.folder / experiment.facts_name / "unedited.parquet", ANSWERS)
    entry = experiment.config["editors"].setdefault(method, {"method": method})
    entry["hparams"] = {**entry.get("hparams", {}), **METHODS[method].constants}
    ours = experiment.editor(method, requests[0].lang)
    theirs = EasyEditor(checkout, method, ours)

    def by_easyedit(part: list[Request]) -> Cell:
        return easyeditor.run_cell(backbone, theirs, part, probes, unedited, PROTOCOLS)

    def by_crossedit(part: list[Request]) -> Cell:
        return run_cell(backbone, ours, part, probes, unedited, PROTOCOLS, len(part))

    for engine in (by_easyedit, by_crossedit):
        engine(requests[:2])  # the first time sets up what later ones find done
    # Ours is so short that it goes before and after, lest another load on the machine meets one of them alone.
    first, (easyedit, slow), (crossedit, last) = by_crossedit(requests), by_easyedit(requests), by_crossedit(requests)
    count = len(requests)
    seconds = {part: (slow[part] / count, (first[1][part] + last[part]) / 2 / count) for part in slow}
    both = scored(easyedit), scored(crossedit)
    same = sum(one == other for one, other in zip(easyedit["after_text"], crossedit["after_text"], strict=True))
    return seconds, {name: (both[0][name], both[1][name]) for name in both[1]}, 100 * same / len(crossedit)


def scored(predictions: pl.DataFrame) -> dict[str, float]:
    """Return exact match in percent, by aspect, kind and evaluation language."""
    each = values(predictions, tokens=list)
    name = pl.concat_str(["aspect", "kind", "lang"], separator=" ")
    means = each.group_by(name.alias("name"), maintain_order=True).agg(100 * pl.col("em").mean())
    return dict(means.iter_rows())


def main() -> None:
    parser = parser_of(__doc__, facts=50)
    parser.add_argument("--checkout", type=Path, required=True, help="folder of a checkout of EasyEdit")
    parser.add_argument("--editors", default=",".join(METHODS), help="methods, separated by commas; default: all")
    given = parser.parse_args()
    experiment = Experiment(given.config, given.backbone)
    requests = experiment.requests(given.language, given.facts)
    where = f"{experiment.name}, {len(requests)} facts, {torch.get_num_threads()} threads, {experiment.backbone.device}"
    methods = given.editors.split(",")
    times = Table("editor", "edit: EasyEdit", "crossedit", "ratio", "answer: EasyEdit", "crossedit", "ratio")
    times.title = f"Seconds per fact: {where}"
    marks: dict[str, list[str]] = {}
    for method in methods:
        seconds, scores, same = measure(experiment, method, given.checkout, requests)
        for name, (one, other) in scores.items():
            marks.setdefault(name, []).append(f"{one:.0f} / {other:.0f}")
        marks.setdefault("same answers", []).append(f"{same:.1f}")
        columns = [(f"{one:.4f}", f"{other:.4f}", f"{one / other:.1f}x") for one, other in seconds.values()]
        times.add_row(method, *columns[0], *columns[1])
    table = Table("asked", *methods, title=f"EasyEdit / crossedit, exact match in %: {where}")
    for name, row in marks.items():
        table.add_row(name, *row)
    console = Console(width=130)
    console.print(table)
    console.print(times)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"bench/engines.py: {error}")
