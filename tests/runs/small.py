"""A small experiment for Snakemake in a folder of its own: a tiny random LLaMA, twelve facts, two editors, a sweep.

    experiment = make(tmp_path, llama)                   laid out, nothing run yet
    experiment.run("--cores", "2")                       the end of `snakemake --cores 2`, with what it said
    experiment.start("--cores", "2") as process: …       the same, still running
    differing(experiment.tables(), other.tables())       the tables in which two runs aren't the same

Some thirty jobs of every kind that needs no network and no training; ROME's cells have two shards of two batches each.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from written import pair

from crossedit.backbones.backbone import Backbone

ROOT = Path(__file__).parents[2]
# What a checkout has that the rules read, by paths relative to the folder that Snakemake runs in.
READ = ("Snakefile", "workflow", "resources", "envs", "slurm")
FACTS = 12
_SEARCH = {"layers": [1], "v_num_grad_steps": 3, "context_template_length_params": []}
CONFIG: dict[str, Any] = {
    "languages": ["en", "zh"],
    "protocols": ["teacher_forced", "generated"],
    "facts": {
        "small": {
            "files": "facts.json",
            "splits": {"train": 0, "validation": 0, "test": FACTS},
            "originals": "derange",
        }
    },
    "backbones": {"tiny": {"path": "model", "device": "cpu"}},
    "editors": {
        "ROME": {
            "method": "ROME",
            "hparams": {**_SEARCH, "mom2_adjustment": True, "mom2_ridge": 0.01},
            "batch_size": 3,
            "shards": 2,
        },
        "FT-M": {"method": "FT-M", "hparams": {"layers": [1], "num_steps": 3}, "batch_size": 5},
    },
    "exclude": [{"editor": "FT-M", "language": "zh"}],
    "tasks": {
        "rte": {"files": "resources/demo/tasks/test/rte.jsonl", "size": 4},
        "sst2": {"files": "resources/demo/tasks/test/sst2.tsv", "size": 4},
    },
    "sweeps": {"ROME": {"editor": "ROME", "setting": "instance-sequential", "stops": [2, 4]}},
}


@dataclass(frozen=True)
class Experiment:
    """A folder in which `snakemake` runs the experiment of its config.yaml."""

    folder: Path

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def start(self, *arguments: str, **popen: Any) -> subprocess.Popen[str]:
        """Return `snakemake` with these arguments, begun in the folder; `popen`: further arguments of Popen."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
        environment |= popen.pop("env", {})
        command = [sys.executable, "-m", "snakemake", *arguments]
        return subprocess.Popen(command, **{"cwd": self.folder, "env": environment, "text": True, **popen})

    def run(self, *arguments: str, **popen: Any) -> subprocess.CompletedProcess[str]:
        """Return how `snakemake` with these arguments ended, and in `stdout` all that it said."""
        with self.start(*arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **popen) as process:
            said, _ = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, said, "")

    def everything(self) -> Iterator[Path]:
        """Yield all files and folders of the results, hidden ones too, by their paths there; some may go meanwhile."""
        for folder, folders, names in os.walk(self.results):
            yield from (Path(folder, name).relative_to(self.results) for name in (*folders, *names))

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return every table of the results by its path there: the rows alone, without provenance."""
        files = sorted(self.results.rglob("[!.]*.parquet"))
        return {str(file.relative_to(self.results)): pl.read_parquet(file) for file in files}


def make(folder: Path, backbone: Backbone, **changes: Any) -> Experiment:
    """Lay out the experiment; `changes` replace sections of CONFIG."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in READ:
        if (ROOT / name).exists():
            (folder / name).symlink_to(ROOT / name)
    backbone.model.save_pretrained(folder / "model")
    backbone.tokenizer.save_pretrained(folder / "model")
    records = [pair(number) for number in range(FACTS)]
    (folder / "facts.json").write_text(json.dumps(records, ensure_ascii=False), encoding="utf-8")
    (folder / "config.yaml").write_text(yaml.safe_dump({**CONFIG, **changes}, sort_keys=False), encoding="utf-8")
    return Experiment(folder)


def differing(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> list[str]:
    """Return the paths of tables that only one of two runs has, or whose rows aren't the same, bit for bit."""
    same = {path for path in one.keys() & other.keys() if one[path].equals(other[path])}
    return sorted((one.keys() | other.keys()) - same)
