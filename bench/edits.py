"""Seconds per fact one at a time and batched, for each editor, in one run: `make bench` after the experiment.

    python bench/edits.py --facts 64 --backbone demo-bi
    python bench/edits.py --config config/mzsre.yaml --editors ROME,MEMIT --profile

Finding the edit: the same code is given one request after another, or all of them. Answering, by the teacher-forced
protocol: one question after another, each by its edited model, or all questions of all facts. A ratio is the number
before it divided into the one before that. --profile also says what the time together goes into.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import torch
import yaml
from rich.console import Console
from rich.table import Table
from torch.profiler import ProfilerActivity, profile

from crossedit import config as configuration
from crossedit import places
from crossedit.backbones.backbone import Backbone
from crossedit.edits.cell import answer_edited
from crossedit.edits.deltas import Delta
from crossedit.edits.editors import make_editor
from crossedit.edits.editors.interface import Editor
from crossedit.edits.materials import load_materials
from crossedit.edits.requests import Request, asked_after, make_requests
from crossedit.errors import UserError
from crossedit.tables import FACTS, PROBES, read

TITLES = ("editor", "edit: one by one", "together", "ratio", "answer: one by one", "together", "ratio")


def seconds(work: Callable[[], Any]) -> float:
    """Return how long the work takes."""
    begun = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def asked_of(requests: list[Request], probes: pl.DataFrame) -> pl.DataFrame:
    """Return the questions of these requests: reliability in the editing language only, the others in all."""
    own = pl.col("case_id").is_in([request.case_id for request in requests])
    return probes.filter(own & asked_after(requests[0].lang))


def measure(
    backbone: Backbone, editor: Editor, requests: list[Request], probes: pl.DataFrame
) -> tuple[float, float, float, float]:
    """Return seconds per fact: editing one by one and together, answering one by one and together."""
    editor.edit_each(backbone, requests[:2])  # the first call sets up what later ones share
    deltas = editor.edit_each(backbone, requests)
    cases = [request.case_id for request in requests]
    place = {case: number for number, case in enumerate(cases)}
    probes = asked_of(requests, probes)

    def answer(part: pl.DataFrame, deltas: list[Delta], cases: list[int]) -> None:
        answer_edited(backbone, deltas, cases, part, "teacher_forced")

    def answer_one_by_one() -> None:
        for part in probes.iter_slices(1):
            case = part["case_id"][0]
            answer(part, [deltas[place[case]]], [case])

    answer_one_by_one()
    found = (
        seconds(lambda: [editor.edit_each(backbone, [request]) for request in requests]),
        seconds(lambda: editor.edit_each(backbone, requests)),
        seconds(answer_one_by_one),
        seconds(lambda: answer(probes, deltas, cases)),
    )
    alone, together, asked_alone, asked_together = (value / len(requests) for value in found)
    return alone, together, asked_alone, asked_together


def profiled(backbone: Backbone, editor: Editor, requests: list[Request]) -> str:
    """Return a table of the operations that finding all edits together spends its time in."""
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if backbone.device.type == "cuda" else [])]
    with profile(activities=kinds) as found:
        editor.edit_each(backbone, requests)
    table: str = found.key_averages().table(sort_by="self_cpu_time_total", row_limit=12, max_name_column_width=40)
    return table


class Experiment:
    """Where the config's experiment has put what editors draw on, for one backbone and the first facts entry."""

    def __init__(self, path: Path, backbone: str | None) -> None:
        self.config = configuration.checked(yaml.safe_load(path.read_text(encoding="utf-8")))
        self.name = backbone or list(self.config["backbones"])[-1]
        self.facts_name = next(iter(self.config["facts"]))
        self.folder = Path(places.backbone_folder(self.config, self.name))
        if not self.folder.exists():
            raise UserError(f"{self.folder}: not there yet; run the experiment of {path} first.")
        self.facts = read(Path(places.facts_table(self.config, self.facts_name)), FACTS)
        self.probes = read(self.folder / self.facts_name / "probes.parquet", PROBES)
        entry = self.config["backbones"][self.name]
        self.backbone = Backbone.load(self.name, {"path": str(self.folder / "model")} | entry)

    def requests(self, language: str, count: int) -> list[Request]:
        """Return the first requests for test facts, as many as there are up to `count`."""
        return make_requests(self.facts.filter(pl.col("split") == "test"), language)[:count]

    def editor(self, name: str, language: str) -> Editor:
        """Return the editor of that name in the config. Raises UserError where what it draws on isn't there."""
        entry = self.config["editors"][name]
        hparams = configuration.hparams(self.config, name, self.name)
        wanted = places.materials(self.config, self.facts_name, self.name, name, language)
        files = {kind: Path(path) for kind, path in wanted.items()}
        for path in files.values():
            if not path.exists():
                raise UserError(f"{path}: not there yet; run the experiment first.")
        materials = load_materials(
            self.backbone,
            self.facts,
            language,
            hparams,
            files.get("contexts"),
            files.get("covariance"),
            files.get("embeddings"),
            files.get("trained"),
            train_size=configuration.train_size(entry),
            seed=self.config["seed"],
        )
        return make_editor(entry["method"], hparams, materials)


def parser_of(description: str | None, facts: int) -> argparse.ArgumentParser:
    """Return the options that say what is edited; `facts` is how many by default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    parser.add_argument("--backbone", help="default: the config's last")
    parser.add_argument("--language", default="en")
    parser.add_argument("--facts", type=int, default=facts)
    return parser


def main() -> None:
    parser = parser_of(__doc__, facts=64)
    parser.add_argument("--editors", help="names, separated by commas; default: all of the config")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    experiment = Experiment(given.config, given.backbone)
    requests = experiment.requests(given.language, given.facts)
    where = f"{torch.get_num_threads()} threads, {experiment.backbone.device}"
    table = Table(title=f"Seconds per fact: {experiment.name}, {len(requests)} facts, {where}")
    for title in TITLES:
        table.add_column(title, justify="left" if title == "editor" else "right")
    console = Console(width=110)
    for name in given.editors.split(",") if given.editors else experiment.config["editors"]:
        editor = experiment.editor(name, given.language)
        alone, together, asked_alone, asked_together = measure(experiment.backbone, editor, requests, experiment.probes)
        ratios = f"{alone / together:.1f}x", f"{asked_alone / asked_together:.1f}x"
        table.add_row(
            name,
            f"{alone:.4f}",
            f"{together:.4f}",
            ratios[0],
            f"{asked_alone:.4f}",
            f"{asked_together:.4f}",
            ratios[1],
        )
        if given.profile:
            console.print(
                f"{name}, finding {len(requests)} edits together", profiled(experiment.backbone, editor, requests)
            )
    console.print(table)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"bench/edits.py: {error}")
