"""What logs say of a job that failed: their last lines, and Slurm's own word on why it ended.

tail(path)                                 the last lines as plain text
SlurmLogs(folder).of(job)                  the log of its last attempt, which the executor plugin keeps of failures
verdict(text)                              "out of time: it reached Slurm's limit"
"""

import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from crossedit.runs.rules import Job

LINES = 10
SLURM_LOGS = Path("logs/slurm")  # `slurm-logdir` of the profile
_BYTES = 16_384

# Slurm's words in the log of a job that it has ended, and what they mean.
_VERDICTS = (
    (r"DUE TO TIME LIMIT", "out of time: it reached Slurm's limit"),
    (r"oom[-_ ]?kill|out of memory|OUT_OF_MEMORY", "out of memory: it reached Slurm's limit"),
    (r"DUE TO PREEMPTION", "preempted by another of Slurm's jobs"),
    (r"DUE TO NODE FAILURE", "its node failed"),
    (r"CANCELLED AT", "cancelled"),
)
# How a command's log ends where it failed before it could say so in its record, and how Snakemake's does.
_FAILED = re.compile(r"^crossedit: |\berror\b|Error\b|not found|Killed|Exception\b", re.IGNORECASE)
_SNAKEMAKE_FAILED = re.compile(r"^(Error in rule|\w*(Error|Exception)\b)", re.MULTILINE)
# Colours and the like of terminals, and all other characters that a terminal would obey.
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def end_of(path: Path | str) -> str:
    """Return the last kilobytes of a text file, without what a terminal would obey; nothing where there is none."""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except (FileNotFoundError, IsADirectoryError):
        return ""
    # Of a line that was overwritten, as by a progress bar, what stood last.
    lines = (line.rstrip("\r").rsplit("\r", 1)[-1] for line in text.split("\n"))
    return "\n".join(plain(line).rstrip() for line in lines)


def plain(text: str) -> str:
    """Return the text without what a terminal would obey."""
    return _ESCAPES.sub("", text)


def written(path: Path | str) -> float:
    """Return when a file was last written, in seconds since 1970; 0 where it isn't there, or not any more."""
    try:
        return os.path.getmtime(path)
    except FileNotFoundError:
        return 0.0


def tail(text: str, lines: int = LINES) -> tuple[str, ...]:
    """Return the last lines that aren't blank."""
    return tuple([line for line in text.splitlines() if line][-lines:])


def verdict(text: str) -> str | None:
    """Return in words why Slurm has ended the job with this log; None where it says nothing."""
    return next((words for pattern, words in _VERDICTS if re.search(pattern, text, re.IGNORECASE)), None)


def failed(log: str) -> bool:
    """Return whether a command's log ends as those of failures do."""
    return any(_FAILED.search(line) for line in tail(log, 1))


@dataclass(frozen=True)
class SlurmLog:
    """Slurm's log of a job: what Snakemake said in it, and Slurm."""

    path: Path
    number: str  # of the Slurm job
    written: float  # when it last was, in seconds since 1970
    text: str

    @property
    def verdict(self) -> str | None:
        return verdict(self.text)

    @property
    def failed(self) -> bool:
        """Whether it tells of a failure."""
        return self.verdict is not None or bool(_SNAKEMAKE_FAILED.search(self.text))

    @property
    def words(self) -> tuple[str, ...]:
        """Slurm's own lines."""
        lines = dict.fromkeys(line for line in self.text.splitlines() if verdict(line))
        return tuple(lines)[-3:]


@dataclass(frozen=True)
class SlurmLogs:
    """The folder of Slurm's own logs; it may be missing."""

    folder: Path = SLURM_LOGS

    @cached_property
    def folders(self) -> dict[str, list[Path]]:
        """The logs by their folder, which is one of `Job.slurm`."""
        found: dict[str, list[Path]] = {}
        for path in self.folder.glob("rule_*/**/*.log"):
            found.setdefault(str(path.parent.relative_to(self.folder)), []).append(path)
        return found

    def of(self, job: Job) -> SlurmLog | None:
        """Return the log of the job's last attempt; None where it has none."""
        paths = [path for folder in job.slurm for path in self.folders.get(folder, ())]
        for path in sorted(paths, key=written, reverse=True):
            log = SlurmLog(path, path.stem, written(path), end_of(path))
            # Another results folder may have a job of the same name.
            if job.target in log.text:
                return log
        return None
