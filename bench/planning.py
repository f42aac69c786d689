"""How long Snakemake plans: `snakemake -n` over the largest of the papers' grids and over an empty Snakefile, in turn.

    python bench/planning.py
    python bench/planning.py --configfile config.yaml --repeats 5

Nothing counts as made. Data files under CROSSEDIT_DATA needn't be there: planning asks only whether they exist, so that
empty ones stand in for them. The shortest time of each counts: another load on the machine only adds to it.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from time import perf_counter
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
EMPTY = "rule all:\n"
MOST_SECONDS = 5.0  # beyond an empty Snakefile


class Planned(NamedTuple):
    """What one plan took. seconds: by the clock; cpu: seconds of processor time; memory: MB at its peak."""

    jobs: int
    seconds: float
    cpu: float
    memory: float


def plan(folder: Path, *arguments: str, **variables: str) -> Planned:
    """Run `snakemake -n` in a folder with further environment variables. Exits where it fails."""
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", *arguments]
    with TemporaryFile("w+", encoding="utf-8") as said:
        begun = perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **variables}, stdout=said, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        taken = perf_counter() - begun
        said.seek(0)
        text = said.read()
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"bench/planning.py: {' '.join(command[2:])} failed:\n{text[-2000:]}")
    total = re.search(r"^total\s+(\d+)$", text, re.MULTILINE)
    jobs, kilobytes = int(total[1]) if total else 0, usage.ru_maxrss
    return Planned(jobs, taken, usage.ru_utime + usage.ru_stime, kilobytes / 1024)


def stand_in(configfiles: list[Path], folder: Path) -> None:
    """Put an empty file into the folder for each that the configurations name under CROSSEDIT_DATA."""
    for file in configfiles:
        for path in re.findall(r"\$\{CROSSEDIT_DATA[^}]*\}/([^\s\"',\]}]+)", file.read_text(encoding="utf-8")):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).touch()


def shortest(plans: list[Planned]) -> Planned:
    return Planned(*(min(values) for values in zip(*plans, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--configfile", type=Path, nargs="+", default=[ROOT / "config/side-effects.yaml"])
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    files = [file.resolve() for file in given.configfile]
    with TemporaryDirectory() as name:
        folder = Path(name)
        stand_in(files, folder / "data")
        (folder / "Snakefile").write_text(EMPTY, encoding="utf-8")
        whole = ("--configfile", *map(str, files), "--config", f"results={folder}/results")
        empty, grid = [], []
        for _ in range(given.repeats):
            empty.append(plan(folder))
            grid.append(plan(ROOT, *whole, CROSSEDIT_DATA=str(folder / "data")))
    one, other = shortest(empty), shortest(grid)
    table = Table(title="snakemake -n")
    for title in ("", "jobs", "seconds", "CPU seconds", "peak memory (MB)"):
        table.add_column(title, justify="right" if title else "left")
    more = Planned(*(there - here for here, there in zip(one, other, strict=True)))
    for row, found in (("empty Snakefile", one), (" ".join(file.name for file in files), other), ("more", more)):
        table.add_row(row, f"{found.jobs:,}", f"{found.seconds:.1f}", f"{found.cpu:.1f}", f"{found.memory:,.0f}")
    Console().print(table)
    kept = "kept" if more.seconds <= MOST_SECONDS else "missed"
    print(f"{other.seconds / one.seconds:.1f} times an empty Snakefile's; at most {MOST_SECONDS:.0f} s more: {kept}")


if __name__ == "__main__":
    main()
